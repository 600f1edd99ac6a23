package resolver

import (
	"testing"

	"bourse/engine/fault"
	"bourse/engine/money"
)

func TestValueRoundsTheSumDownOnce(t *testing.T) {
	p := prices{
		reference: money.Asset{Code: "USDT", Scale: 2},
		last: map[string]money.Decimal{
			"BTC": money.MustDecimal("0.333"),
			"ETH": money.MustDecimal("0.009"),
		},
	}
	for _, c := range []struct {
		name     string
		holdings []holding
		want     string
		code     fault.Code
	}{
		{"nothing", nil, "0.00", ""},
		{"the reference itself", []holding{{"USDT", money.MustDecimal("1.23")}}, "1.23", ""},
		{"no market", []holding{{"XYZ", money.MustDecimal("5")}}, "0.00", ""},
		{"rounded down", []holding{{"BTC", money.MustDecimal("1")}}, "0.33", ""},
		// 0.333 + 0.009 is 0.342: each rounded by itself would lose what the sum keeps.
		{"the sum is rounded, not its parts", []holding{{"BTC", money.MustDecimal("1")}, {"ETH", money.MustDecimal("1")}}, "0.34", ""},
		{"exact beyond 64 bits", []holding{{"BTC", money.MustDecimal("9.000000000000000001")}}, "2.99", ""},
		{"the most", []holding{{"USDT", money.MustDecimal("92233720368547758.07")}}, "92233720368547758.07", ""},
		{"more than that", []holding{{"USDT", money.MustDecimal("92233720368547758.07")}, {"USDT", money.MustDecimal("0.01")}}, "", fault.AmountOverflow},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.value(c.holdings)
			if fault.CodeOf(err) != c.code || err == nil && got.String() != c.want {
				t.Errorf("%s, %v; want %s %s", got, err, c.want, c.code)
			}
		})
	}
}
