package market

import (
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/fault"
	"bourse/engine/money"
)

func bitcoin() Definition {
	return Definition{
		Symbol: "BTC-USDT", Base: money.Asset{Code: "BTC", Scale: 8}, Quote: money.Asset{Code: "USDT", Scale: 6},
		TickSize: money.MustDecimal("0.01"), LotSize: money.MustDecimal("0.0001"), MinNotional: 5_000_000,
		MakerFee: 1000, TakerFee: 2000,
	}
}

func TestTermsOfADefinition(t *testing.T) {
	d := bitcoin()
	terms, err := d.Terms()
	want := Terms{TickValue: 1, LotValue: 10_000, MinNotional: 5_000_000, MakerFee: 1000, TakerFee: 2000, Protection: DefaultProtection}
	if err != nil || terms != want {
		t.Errorf("terms are %+v, %v; want %+v", terms, err, want)
	}
	d.TickSize, d.LotSize = money.MustDecimal("5"), money.MustDecimal("10.0")
	if terms, err = d.Terms(); err != nil || terms.TickValue != 50_000_000 || terms.LotValue != 1_000_000_000 {
		t.Errorf("terms are %+v, %v", terms, err)
	}
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Definition){
		"symbol":             func(d *Definition) { d.Symbol = "btc" },
		"empty symbol":       func(d *Definition) { d.Symbol = "" },
		"asset":              func(d *Definition) { d.Base.Code = "" },
		"same assets":        func(d *Definition) { d.Base = d.Quote },
		"no tick":            func(d *Definition) { d.TickSize = money.Decimal{} },
		"negative lot":       func(d *Definition) { d.LotSize = money.MustDecimal("-1") },
		"lot too fine":       func(d *Definition) { d.LotSize = money.MustDecimal("0.000000001") },
		"tick value below 1": func(d *Definition) { d.TickSize = money.MustDecimal("0.001") },
		"tick value overflows": func(d *Definition) {
			d.TickSize, d.LotSize = money.MustDecimal("1000000000"), money.MustDecimal("10000000000")
		},
		"tick value overflows when scaled": func(d *Definition) {
			d.TickSize, d.LotSize = money.MustDecimal("1000000"), money.MustDecimal("10000000")
			d.Quote.Scale = 18
		},
		"notional":         func(d *Definition) { d.MinNotional = -1 },
		"maker fee":        func(d *Definition) { d.MakerFee = -1 },
		"taker fee":        func(d *Definition) { d.TakerFee = money.Whole + 1 },
		"protection":       func(d *Definition) { d.Protection = -1 },
		"large protection": func(d *Definition) { d.Protection = money.Whole + 1 },
	} {
		d := bitcoin()
		spoil(&d)
		if _, err := d.Terms(); fault.CodeOf(err) != fault.InvalidMarket {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParsePricesAndQuantities(t *testing.T) {
	d := bitcoin()
	for _, c := range []struct {
		text string
		want Price
		code fault.Code
	}{
		{"65000.01", 6_500_001, ""},
		{"0.01", 1, ""},
		{"0.010", 1, ""},
		{"0.015", 0, fault.PriceOffTick},
		{"0.0000000000000000000001", 0, fault.PriceOffTick},
		{"0", 0, fault.InvalidPrice},
		{"-1", 0, fault.InvalidPrice},
		{"1e5", 0, fault.InvalidPrice},
		{"", 0, fault.InvalidPrice},
		{"11258999068426.24", MaxPrice, ""},
		{"11258999068426.25", 0, fault.InvalidPrice},
		{"99999999999999999999999999", 0, fault.InvalidPrice},
	} {
		got, err := d.ParsePriceText(c.text)
		if got != c.want || fault.CodeOf(err) != c.code {
			t.Errorf("price %q is %d, %v; want %d, %q", c.text, got, err, c.want, c.code)
		}
	}
	for _, c := range []struct {
		text string
		want Quantity
		code fault.Code
	}{
		{"1", 10_000, ""},
		{"0.0001", 1, ""},
		{"0.00011", 0, fault.QuantityOffLot},
		{"0.0000000000000000000001", 0, fault.QuantityOffLot},
		{"-0.0001", 0, fault.InvalidQuantity},
		{"0.0", 0, fault.InvalidQuantity},
		{"one", 0, fault.InvalidQuantity},
		{"922337203685477580", 0, fault.InvalidQuantity},
	} {
		got, err := d.ParseQuantityText(c.text)
		if got != c.want || fault.CodeOf(err) != c.code {
			t.Errorf("quantity %q is %d, %v; want %d, %q", c.text, got, err, c.want, c.code)
		}
	}
}

func TestParseAmountText(t *testing.T) {
	usdt := money.Asset{Code: "USDT", Scale: 6}
	for text, code := range map[string]fault.Code{
		"1.5": "", "0": fault.InvalidAmount, "-1": fault.InvalidAmount, "x": fault.InvalidAmount,
		"0.0000001": fault.TooManyDecimals, "99999999999999": fault.AmountOverflow,
	} {
		if _, err := ParseAmountText(usdt, text); fault.CodeOf(err) != code {
			t.Errorf("amount %q: %v, want %q", text, err, code)
		}
	}
}

func TestPricesAndQuantitiesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := bitcoin()
		price := Price(rapid.Int64Range(1, int64(MaxPrice)).Draw(t, "price"))
		quantity := Quantity(rapid.Int64Range(1, int64(MaxQuantity)).Draw(t, "quantity"))
		if got, err := d.ParsePriceText(d.FormatPrice(price)); got != price || err != nil {
			t.Fatalf("%d is written %q and read %d, %v", price, d.FormatPrice(price), got, err)
		}
		if got, err := d.ParseQuantityText(d.FormatQuantity(quantity)); got != quantity || err != nil {
			t.Fatalf("%d is written %q and read %d, %v", quantity, d.FormatQuantity(quantity), got, err)
		}
	})
}

func TestProtectedPrices(t *testing.T) {
	terms := Terms{Protection: DefaultProtection}
	for _, c := range []struct {
		side Side
		best Price
		want Price
	}{
		{Buy, 100, 105},
		{Sell, 100, 95},
		{Buy, 19, 19},
		{Sell, 19, 19}, // less than a tick away
		{Buy, MaxPrice, MaxPrice},
		{Sell, 1, 1},
	} {
		if got := terms.Protected(c.side, c.best); got != c.want {
			t.Errorf("%v against %d is protected at %d, want %d", c.side, c.best, got, c.want)
		}
	}
	if got := (&Terms{Protection: money.Whole}).Protected(Sell, 100); got != 1 {
		t.Errorf("a sell protected by the whole price goes to %d", got)
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		Buy.String(): "BUY", Sell.Opposite().String(): "BUY", Market.String(): "MARKET", IOC.String(): "IOC",
		Halted.String(): "HALTED", PartiallyFilled.String(): "PARTIALLY_FILLED", CancelSelfTrade.String(): "SELF_TRADE",
		Side(0).String(): "UNKNOWN(0)", Status(9).String(): "UNKNOWN(9)",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
