package money

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// MaxScale is the largest number of decimals, of a Decimal and of an Asset:
// ten to the power of 18 is the largest that fits into an int64.
const MaxScale = 18

// Decimal is an exact decimal number as people write it: an optional sign,
// digits, and at most MaxScale digits after a point. It keeps the decimals
// that were written, so "12.50" prints as "12.50"; use Cmp to compare values.
// The zero Decimal is 0.
type Decimal struct {
	coefficient int64
	scale       uint8
}

// NewDecimal returns coefficient * 10^-scale. It panics if scale exceeds
// MaxScale, which only a programmer can bring about.
func NewDecimal(coefficient int64, scale uint8) Decimal {
	if scale > MaxScale {
		panic("money: scale of a decimal out of range")
	}
	return Decimal{coefficient, scale}
}

// ParseDecimal reads text such as "-0.001". It refuses exponents, blanks,
// grouping, a bare point, a leading plus and anything longer than a number can
// be: ErrSyntax, ErrTooManyDecimals or ErrOverflow.
func ParseDecimal(text string) (Decimal, error) {
	const longest = len("-") + 19 + len(".") + MaxScale
	digits := text
	negative := digits != "" && digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	if len(text) > longest {
		return Decimal{}, ErrOverflow
	}
	var (
		value    uint64
		point    = -1
		overflow bool
	)
	for i := range len(digits) {
		c := digits[i]
		switch {
		case c == '.' && point < 0 && i > 0 && i < len(digits)-1:
			point = i
		case c >= '0' && c <= '9':
			high, low := bits.Mul64(value, 10)
			sum, carry := bits.Add64(low, uint64(c-'0'), 0)
			overflow = overflow || high != 0 || carry != 0 || sum > math.MaxInt64
			value = sum
		default:
			return Decimal{}, ErrSyntax
		}
	}
	if digits == "" {
		return Decimal{}, ErrSyntax
	}
	scale := 0
	if point >= 0 {
		scale = len(digits) - point - 1
	}
	switch {
	case scale > MaxScale:
		return Decimal{}, ErrTooManyDecimals
	case overflow:
		return Decimal{}, ErrOverflow
	}
	coefficient := int64(value)
	if negative {
		coefficient = -coefficient
	}
	return Decimal{coefficient, uint8(scale)}, nil
}

// MustDecimal is ParseDecimal for constants; it panics on bad text.
func MustDecimal(text string) Decimal {
	d, err := ParseDecimal(text)
	if err != nil {
		panic(fmt.Sprintf("money: %q: %v", text, err))
	}
	return d
}

// Coefficient and Scale are the parts: the value is Coefficient * 10^-Scale.
func (d Decimal) Coefficient() int64 { return d.coefficient }

// Scale is the number of decimals that were written.
func (d Decimal) Scale() uint8 { return d.scale }

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.coefficient < 0:
		return -1
	case d.coefficient > 0:
		return 1
	}
	return 0
}

// Trim returns the same value without trailing zeros after the point.
func (d Decimal) Trim() Decimal {
	for d.scale > 0 && d.coefficient%10 == 0 {
		d.coefficient /= 10
		d.scale--
	}
	return d
}

// Equal reports whether the values are the same, however they were written.
func (d Decimal) Equal(other Decimal) bool { return d.Trim() == other.Trim() }

// Units returns the value as a whole number of 10^-scale: ErrTooManyDecimals
// when it is finer than that, ErrOverflow when it does not fit.
func (d Decimal) Units(scale uint8) (int64, error) {
	d = d.Trim()
	if d.scale > scale {
		return 0, ErrTooManyDecimals
	}
	if d.coefficient == 0 {
		return 0, nil
	}
	if scale > MaxScale {
		return 0, ErrOverflow
	}
	magnitude, ok := Product(abs(d.coefficient), pow10[scale-d.scale], 1)
	if !ok {
		return 0, ErrOverflow
	}
	if d.coefficient < 0 {
		return -int64(magnitude), nil
	}
	return int64(magnitude), nil
}

// String writes the decimal with the decimals that it was given.
func (d Decimal) String() string { return format(d.coefficient, d.scale) }

// MarshalText writes the decimal as String does.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDecimal reads.
func (d *Decimal) UnmarshalText(text []byte) error {
	parsed, err := ParseDecimal(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}

// Times returns the whole number times the decimal, exactly. ok is false when
// the coefficient overflows.
func (d Decimal) Times(n int64) (product Decimal, ok bool) {
	magnitude, ok := Product(abs(d.coefficient), abs(n), 1)
	if !ok {
		return Decimal{}, false
	}
	if (d.coefficient < 0) != (n < 0) {
		magnitude = -magnitude
	}
	return Decimal{int64(magnitude), d.scale}, true
}

// Per returns how many times step goes into d, which must be exact; whole is
// false when it is not. Both must be positive.
func (d Decimal) Per(step Decimal) (n int64, whole bool, err error) {
	d, step = d.Trim(), step.Trim()
	if d.coefficient <= 0 || step.coefficient <= 0 {
		return 0, false, ErrSyntax
	}
	if d.scale > step.scale {
		return 0, false, nil // finer than the step, since both are trimmed
	}
	// The step may be large where d is written with fewer decimals: compare in
	// 128 bits, then divide.
	high, low := bits.Mul64(uint64(d.coefficient), uint64(pow10[step.scale-d.scale]))
	if high >= uint64(step.coefficient) {
		return 0, false, ErrOverflow
	}
	quotient, rest := bits.Div64(high, low, uint64(step.coefficient))
	if quotient > math.MaxInt64 {
		return 0, false, ErrOverflow
	}
	return int64(quotient), rest == 0, nil
}

var pow10 = func() (table [MaxScale + 1]int64) {
	table[0] = 1
	for i := 1; i <= MaxScale; i++ {
		table[i] = table[i-1] * 10
	}
	return table
}()

// abs is safe for every coefficient: ParseDecimal never makes MinInt64, and
// for the one that NewDecimal may be given the result stays negative, which
// Product refuses.
func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// format writes value * 10^-scale.
func format(value int64, scale uint8) string {
	var buffer [24 + MaxScale]byte
	magnitude := uint64(value)
	if value < 0 {
		magnitude = -magnitude
	}
	digits := strconv.AppendUint(buffer[:0], magnitude, 10)
	out := make([]byte, 0, len(digits)+int(scale)+2)
	if value < 0 {
		out = append(out, '-')
	}
	whole := len(digits) - int(scale)
	if whole <= 0 {
		out = append(out, '0')
	} else {
		out = append(out, digits[:whole]...)
	}
	if scale > 0 {
		out = append(out, '.')
		for ; whole < 0; whole++ {
			out = append(out, '0')
		}
		out = append(out, digits[whole:]...)
	}
	return string(out)
}
