package risk

import (
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

func TestLimitsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		limits   Limits
		ofMarket bool
	}{
		"negative orders":      {Limits{OpenOrders: -1}, false},
		"negative rate":        {Limits{OrdersPerSecond: -1}, false},
		"orders of a market":   {Limits{OpenOrders: 1}, true},
		"rate of a market":     {Limits{OrdersPerSecond: 1}, true},
		"negative quantity":    {Limits{OrderQuantity: -1}, true},
		"negative notional":    {Limits{OrderNotional: -1}, true},
		"negative approval":    {Limits{ApprovalNotional: -1}, true},
		"negative distance":    {Limits{Distance: -1}, true},
		"negative position":    {Limits{Position: -1}, true},
		"negative exposure":    {Limits{Exposure: -1}, true},
		"too far":              {Limits{Distance: money.Whole + 1}, true},
		"approval above all":   {Limits{OrderNotional: 5, ApprovalNotional: 6}, true},
		"quantity of anything": {Limits{OrderQuantity: 1}, false},
		"notional of anything": {Limits{OrderNotional: 1}, false},
		"approval of anything": {Limits{ApprovalNotional: 1}, false},
		"position in anything": {Limits{Position: 1}, false},
		"exposure in anything": {Limits{Exposure: 1}, false},
	} {
		if err := c.limits.Validate(c.ofMarket); fault.CodeOf(err) != fault.InvalidLimits {
			t.Errorf("%s: %v", name, err)
		}
	}
	all := Limits{0, 0, 3, 4, 4, 6, 7, 8}
	if err := all.Validate(true); err != nil {
		t.Error(err)
	}
	if err := (&Limits{OpenOrders: 1, OrdersPerSecond: 2, Distance: money.Whole}).Validate(false); err != nil {
		t.Error(err)
	}
}

func TestResolve(t *testing.T) {
	got := Resolve([]*Limits{
		{OrderQuantity: 10, Distance: 100},
		nil,
		{OrderQuantity: 5, OrderNotional: 50, OrdersPerSecond: 7, Distance: 90},
	}, [][2]*Limits{
		{{OrderQuantity: 20, OrderNotional: 40}, {OrderNotional: 30, Exposure: 4}},
		{nil, {OrderQuantity: 9, Exposure: 5}},
	})
	want := Limits{
		OpenOrders: DefaultOpenOrders, OrdersPerSecond: 7, OrderQuantity: 9, OrderNotional: 40, Distance: 100, Exposure: 4,
	}
	if got != want {
		t.Errorf("the limits are %+v, want %+v", got, want)
	}
	if got := Resolve(nil, nil); got != (Limits{OpenOrders: DefaultOpenOrders}) {
		t.Errorf("without any entry the limits are %+v", got)
	}
	if got := Resolve([]*Limits{{OpenOrders: 5000}}, nil); got.OpenOrders != 5000 {
		t.Errorf("%d open orders, and an entry says 5000", got.OpenOrders)
	}
	if got := Resolve(nil, [][2]*Limits{{nil, {OpenOrders: 2000}}}); got.OpenOrders != DefaultOpenOrders {
		t.Errorf("an agent loosened the limit to %d", got.OpenOrders)
	}
}

// Whatever stands in the entries, one limit is resolved without looking at the
// others, and agents never loosen it.
func TestResolvingOneLimit(t *testing.T) {
	entry := rapid.Custom(func(t *rapid.T) *Limits {
		if rapid.Bool().Draw(t, "none") {
			return nil
		}
		n := rapid.Int64Range(0, 4)
		return &Limits{
			OrderQuantity: market.Quantity(n.Draw(t, "quantity")), Position: money.Amount(n.Draw(t, "position")),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		own := rapid.SliceOfN(entry, 6, 6).Draw(t, "own")
		agents := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]*Limits {
			return [2]*Limits{entry.Draw(t, "of the market"), entry.Draw(t, "of all")}
		}), 0, 3).Draw(t, "agents")
		var want money.Amount
		for _, l := range own {
			if l != nil && want == 0 {
				want = l.Position
			}
		}
		for _, pair := range agents {
			for _, l := range pair {
				if l == nil || l.Position == 0 {
					continue
				}
				if want == 0 || l.Position < want {
					want = l.Position
				}
				break
			}
		}
		if got := Resolve(own, agents).Position; got != want {
			t.Fatalf("the position limit is %d, want %d", got, want)
		}
	})
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		OfHouse.String(): "HOUSE", OfMember.String(): "MEMBER", Scope(0).String(): "UNKNOWN(0)",
		NotFrozen.String(): "NONE", FrozenWholly.String(): "WHOLLY", Freeze(3).String(): "UNKNOWN(3)",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
