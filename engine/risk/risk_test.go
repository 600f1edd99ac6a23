package risk

import (
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

func TestCheck(t *testing.T) {
	terms := market.Terms{TickValue: 2, LotValue: 10, MinNotional: 100, MakerFee: 1000, TakerFee: 2500}
	limits := Limits{MaxOpenOrders: 3}
	for name, c := range map[string]struct {
		order  Order
		member Member
		hold   money.Amount
		code   fault.Code
	}{
		"buy holds notional and fee": {Order{market.Buy, 100, 100, 10, 2500, 1}, Member{2005, 0}, 2005, ""},
		"one unit short":             {Order{market.Buy, 100, 100, 10, 2500, 1}, Member{2004, 0}, 0, fault.InsufficientBalance},
		"sell holds base":            {Order{market.Sell, 100, 100, 10, 2500, 1}, Member{100, 0}, 100, ""},
		"sell one unit short":        {Order{market.Sell, 100, 100, 10, 2500, 1}, Member{99, 0}, 0, fault.InsufficientBalance},
		"least notional":             {Order{market.Sell, 50, 50, 1, 2500, 1}, Member{100, 0}, 10, ""},
		"below it":                   {Order{market.Sell, 49, 49, 1, 2500, 1}, Member{100, 0}, 0, fault.BelowMinNotional},
		"measured at the reference":  {Order{market.Sell, 40, 50, 1, 2500, 0}, Member{100, 0}, 10, ""},
		"last open order":            {Order{market.Sell, 50, 50, 1, 2500, 1}, Member{100, 2}, 10, ""},
		"one too many":               {Order{market.Sell, 50, 50, 1, 2500, 1}, Member{100, 3}, 0, fault.TooManyOpenOrders},
		"which does not rest":        {Order{market.Sell, 50, 50, 1, 2500, 0}, Member{100, 3}, 10, ""},
		"no price":                   {Order{market.Buy, 0, 0, 1, 2500, 1}, Member{100, 0}, 0, fault.InvalidPrice},
		"negative price":             {Order{market.Buy, -1, -1, 1, 2500, 1}, Member{100, 0}, 0, fault.InvalidPrice},
		"large price":                {Order{market.Buy, market.MaxPrice + 1, 1, 1, 2500, 1}, Member{100, 0}, 0, fault.InvalidPrice},
		"no quantity":                {Order{market.Buy, 100, 100, 0, 2500, 1}, Member{100, 0}, 0, fault.InvalidQuantity},
		"negative quantity":          {Order{market.Buy, 100, 100, -1, 2500, 1}, Member{100, 0}, 0, fault.InvalidQuantity},
		"large quantity":             {Order{market.Buy, 100, 100, market.MaxQuantity + 1, 2500, 1}, Member{100, 0}, 0, fault.InvalidQuantity},
		"notional overflows":         {Order{market.Buy, market.MaxPrice, 1, market.MaxQuantity, 2500, 1}, Member{100, 0}, 0, fault.AmountOverflow},
		"sell's notional overflows":  {Order{market.Sell, market.MaxPrice, 1, market.MaxQuantity, 2500, 1}, Member{100, 0}, 0, fault.AmountOverflow},
		"reference overflows":        {Order{market.Sell, 1, market.MaxPrice, market.MaxQuantity, 2500, 1}, Member{100, 0}, 0, fault.AmountOverflow},
		"fee overflows":              {Order{market.Buy, 1 << 31, 1 << 31, 1<<31 - 1, 2500, 1}, Member{100, 0}, 0, fault.AmountOverflow},
	} {
		hold, err := Check(&terms, limits, c.order, c.member)
		if hold != c.hold || fault.CodeOf(err) != c.code {
			t.Errorf("%s: %d, %v; want %d, %q", name, hold, err, c.hold, c.code)
		}
	}
}

// However an order is filled in parts, at its price or better and as maker or
// taker, each part can be paid from the hold and leaves what the rest needs.
func TestHoldsCoverEveryWayToBeFilled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int64Range(0, int64(money.Whole))
		terms := market.Terms{
			TickValue: money.Amount(rapid.Int64Range(1, 1000).Draw(t, "tick value")), LotValue: 1,
			MakerFee: money.Rate(rate.Draw(t, "maker")), TakerFee: money.Rate(rate.Draw(t, "taker")),
		}
		limit := market.Price(rapid.Int64Range(1, 100_000).Draw(t, "limit"))
		left := market.Quantity(rapid.Int64Range(1, 1000).Draw(t, "quantity"))
		hold, ok := Hold(&terms, terms.HoldRate(), market.Buy, limit, left)
		for ok && left > 0 {
			part := market.Quantity(rapid.Int64Range(1, int64(left)).Draw(t, "part"))
			price := market.Price(rapid.Int64Range(1, int64(limit)).Draw(t, "price"))
			fee := terms.MakerFee
			if rapid.Bool().Draw(t, "takes") {
				fee = terms.TakerFee
			}
			cost, _ := terms.Notional(price, part)
			cost += fee.Of(cost)
			left -= part
			needed, _ := Hold(&terms, terms.HoldRate(), market.Buy, limit, left)
			if hold-cost < needed {
				t.Fatalf("%d held, %d spent, %d needed", hold, cost, needed)
			}
			hold = needed
		}
	})
}
