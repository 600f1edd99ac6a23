package money

// Asset is something that can be owned, counted in minor units: one unit is
// 10^Scale minor units. Codes are 1 to 12 capital letters and digits.
type Asset struct {
	Code  string
	Scale uint8
}

// MaxCode is the longest code of an asset, in bytes.
const MaxCode = 12

// Valid reports whether code and scale are within bounds.
func (a Asset) Valid() bool {
	if len(a.Code) == 0 || len(a.Code) > MaxCode || a.Scale > MaxScale {
		return false
	}
	for i := range len(a.Code) {
		if c := a.Code[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Parse turns a decimal into minor units: ErrTooManyDecimals when the decimal
// is finer than a minor unit, ErrOverflow when it does not fit.
func (a Asset) Parse(d Decimal) (Amount, error) {
	units, err := d.Units(a.Scale)
	return Amount(units), err
}

// ParseText is ParseDecimal and Parse in one.
func (a Asset) ParseText(text string) (Amount, error) {
	d, err := ParseDecimal(text)
	if err != nil {
		return 0, err
	}
	return a.Parse(d)
}

// Format writes the amount with all decimals of the asset: "12.50000000".
func (a Asset) Format(amount Amount) string { return format(int64(amount), a.Scale) }
