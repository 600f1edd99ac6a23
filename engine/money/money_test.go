package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		text, want string
		err        error
	}{
		{"0", "0", nil},
		{"12.50", "12.50", nil},
		{"-0.001", "-0.001", nil},
		{"007", "7", nil},
		{"9223372036854775807", "9223372036854775807", nil},
		{"0.000000000000000001", "0.000000000000000001", nil},
		{"9.223372036854775807", "9.223372036854775807", nil},
		{"9223372036854775808", "", ErrOverflow},
		{"99999999999999999999999", "", ErrOverflow},
		{"1000000000000000000000000000000000000000000000", "", ErrOverflow},
		{"0.0000000000000000001", "", ErrTooManyDecimals},
		{"", "", ErrSyntax},
		{"-", "", ErrSyntax},
		{"+1", "", ErrSyntax},
		{".5", "", ErrSyntax},
		{"5.", "", ErrSyntax},
		{"1.2.3", "", ErrSyntax},
		{"1e3", "", ErrSyntax},
		{" 1", "", ErrSyntax},
		{"1,000", "", ErrSyntax},
		{"0x10", "", ErrSyntax},
		{"NaN", "", ErrSyntax},
		{"--1", "", ErrSyntax},
		{"١", "", ErrSyntax}, // a digit, but not one of ours
	} {
		d, err := ParseDecimal(c.text)
		if !errors.Is(err, c.err) || err == nil && d.String() != c.want {
			t.Errorf("%q is %q, %v; want %q, %v", c.text, d, err, c.want, c.err)
		}
	}
}

func TestAssetParsesAndFormats(t *testing.T) {
	usdt, whole := Asset{"USDT", 6}, Asset{"SHARE", 0}
	for _, c := range []struct {
		asset Asset
		text  string
		want  Amount
		back  string
		err   error
	}{
		{usdt, "1", 1_000_000, "1.000000", nil},
		{usdt, "-0.5", -500_000, "-0.500000", nil},
		{usdt, "0.000001", 1, "0.000001", nil},
		{usdt, "1.00000000", 1_000_000, "1.000000", nil}, // zeros are no decimals
		{usdt, "0.0000001", 0, "", ErrTooManyDecimals},
		{usdt, "9223372036854.775807", math.MaxInt64, "9223372036854.775807", nil},
		{usdt, "9223372036854.775808", 0, "", ErrOverflow},
		{usdt, "9223372036855", 0, "", ErrOverflow},
		{whole, "7", 7, "7", nil},
		{whole, "7.5", 0, "", ErrTooManyDecimals},
	} {
		amount, err := c.asset.ParseText(c.text)
		if amount != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s %q is %d, %v; want %d, %v", c.asset.Code, c.text, amount, err, c.want, c.err)
		}
		if err == nil && c.asset.Format(amount) != c.back {
			t.Errorf("%d is written %q, want %q", amount, c.asset.Format(amount), c.back)
		}
	}
}

func TestFormatOfTheSmallestAmount(t *testing.T) {
	if got := (Asset{"X", 18}).Format(math.MinInt64); got != "-9.223372036854775808" {
		t.Errorf("the smallest amount is written %q", got)
	}
}

func TestAssetValid(t *testing.T) {
	for _, c := range []struct {
		asset Asset
		want  bool
	}{
		{Asset{"BTC", 8}, true},
		{Asset{"1INCH", 18}, true},
		{Asset{"", 8}, false},
		{Asset{"btc", 8}, false},
		{Asset{"BTC ", 8}, false},
		{Asset{"ABCDEFGHIJKLM", 8}, false},
		{Asset{"BTC", 19}, false},
	} {
		if c.asset.Valid() != c.want {
			t.Errorf("%+v valid is %v", c.asset, !c.want)
		}
	}
}

func TestRateRoundsDown(t *testing.T) {
	for _, c := range []struct {
		rate   Rate
		amount Amount
		want   Amount
	}{
		{1000, 999, 0},
		{1000, 1000, 1},
		{1000, 1999, 1},
		{0, MaxAmount, 0},
		{Whole, MaxAmount, MaxAmount},
		{999_999, MaxAmount, 9223362813482738952},
	} {
		if got := c.rate.Of(c.amount); got != c.want {
			t.Errorf("%d ppm of %d is %d, want %d", c.rate, c.amount, got, c.want)
		}
	}
}

// Every operation agrees with integers that cannot overflow.
func TestArithmeticAgreesWithBigIntegers(t *testing.T) {
	number := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64}), rapid.Int64Range(-1e10, 1e10))
	wide := big.NewInt
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := number.Draw(t, "a"), number.Draw(t, "b"), number.Draw(t, "c")
		expect := func(name string, got Amount, ok bool, want *big.Int) {
			if ok != want.IsInt64() || ok && int64(got) != want.Int64() {
				t.Fatalf("%s of %d, %d, %d is %d, %v; want %v", name, a, b, c, got, ok, want)
			}
		}
		sum, ok := Amount(a).Add(Amount(b))
		expect("sum", sum, ok, new(big.Int).Add(wide(a), wide(b)))
		difference, ok := Amount(a).Sub(Amount(b))
		expect("difference", difference, ok, new(big.Int).Sub(wide(a), wide(b)))
		if a >= 0 && b >= 0 && c >= 0 {
			product, ok := Product(a, b, c)
			expect("product", product, ok, new(big.Int).Mul(new(big.Int).Mul(wide(a), wide(b)), wide(c)))
			rate := Rate(b % int64(Whole+1))
			share := new(big.Int).Mul(wide(a), wide(int64(rate)))
			expect("share", rate.Of(Amount(a)), true, share.Div(share, wide(int64(Whole))))
		} else if _, ok := Product(a, b, c); ok {
			t.Fatal("a product of a negative number was formed")
		}
	})
}

func TestDecimalsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := NewDecimal(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "coefficient"), rapid.Uint8Range(0, MaxScale).Draw(t, "scale"))
		back, err := ParseDecimal(d.String())
		if err != nil || back != d {
			t.Fatalf("%+v is written %q and read as %+v, %v", d, d, back, err)
		}
		if !d.Trim().Equal(d) {
			t.Fatalf("%v trimmed is %v", d, d.Trim())
		}
	})
}

// Per agrees with rational numbers.
func TestPerAgreesWithRationals(t *testing.T) {
	positive := rapid.OneOf(rapid.Int64Range(1, 5000), rapid.Int64Range(1, math.MaxInt64))
	rational := func(d Decimal) *big.Rat {
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale())), nil)
		return new(big.Rat).SetFrac(big.NewInt(d.Coefficient()), scale)
	}
	rapid.Check(t, func(t *rapid.T) {
		d := NewDecimal(positive.Draw(t, "d"), rapid.Uint8Range(0, MaxScale).Draw(t, "d scale"))
		step := NewDecimal(positive.Draw(t, "step"), rapid.Uint8Range(0, MaxScale).Draw(t, "step scale"))
		n, whole, err := d.Per(step)
		want := new(big.Rat).Quo(rational(d), rational(step))
		switch {
		case err != nil:
			if new(big.Int).Quo(want.Num(), want.Denom()).IsInt64() {
				t.Fatalf("%v per %v fails with %v, want %v", d, step, err, want)
			}
		case whole != want.IsInt():
			t.Fatalf("%v per %v is whole: %v, want %v", d, step, whole, want)
		case whole && want.Num().Cmp(big.NewInt(n)) != 0:
			t.Fatalf("%v per %v is %d, want %v", d, step, n, want)
		}
	})
}

func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"0", "-12.50", "1e9", "99999999999999999999", ".", "0.0000000000000000000"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDecimal(text)
		if err != nil {
			return
		}
		if back, err := ParseDecimal(d.String()); err != nil || !back.Equal(d) {
			t.Errorf("%q is read as %v and that as %v, %v", text, d, back, err)
		}
	})
}
