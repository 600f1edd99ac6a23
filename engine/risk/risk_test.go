package risk

import (
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

func TestCheck(t *testing.T) {
	terms := market.Terms{TickValue: 2, LotValue: 10, MinNotional: 100}
	order := func(side market.Side, price, reference market.Price, quantity market.Quantity, opens int) Order {
		return Order{Side: side, Price: price, Reference: reference, Quantity: quantity, HoldRate: 2500, Opens: opens}
	}
	buy, sell := market.Buy, market.Sell
	for name, c := range map[string]struct {
		order  Order
		member Member
		hold   money.Amount
		code   fault.Code
	}{
		"buy holds notional and fee": {order(buy, 100, 100, 10, 1), Member{Available: 2005}, 2005, ""},
		"one unit short":             {order(buy, 100, 100, 10, 1), Member{Available: 2004}, 0, fault.InsufficientBalance},
		"sell holds base":            {order(sell, 100, 100, 10, 1), Member{Available: 100}, 100, ""},
		"sell one unit short":        {order(sell, 100, 100, 10, 1), Member{Available: 99}, 0, fault.InsufficientBalance},
		"least notional":             {order(sell, 50, 50, 1, 1), Member{Available: 100}, 10, ""},
		"below it":                   {order(sell, 49, 49, 1, 1), Member{Available: 100}, 0, fault.BelowMinNotional},
		"measured at the reference":  {order(sell, 40, 50, 1, 0), Member{Available: 100}, 10, ""},
		"last open order":            {order(sell, 50, 50, 1, 1), Member{Available: 100, OpenOrders: 2}, 10, ""},
		"one too many":               {order(sell, 50, 50, 1, 1), Member{Available: 100, OpenOrders: 3}, 0, fault.TooManyOpenOrders},
		"two where one may be":       {order(sell, 50, 50, 1, 2), Member{Available: 100, OpenOrders: 2}, 0, fault.TooManyOpenOrders},
		"which does not rest":        {order(sell, 50, 50, 1, 0), Member{Available: 100, OpenOrders: 3}, 10, ""},
		"no price":                   {order(buy, 0, 0, 1, 1), Member{Available: 100}, 0, fault.InvalidPrice},
		"negative price":             {order(buy, -1, -1, 1, 1), Member{Available: 100}, 0, fault.InvalidPrice},
		"large price":                {order(buy, market.MaxPrice+1, 1, 1, 1), Member{Available: 100}, 0, fault.InvalidPrice},
		"no quantity":                {order(buy, 100, 100, 0, 1), Member{Available: 100}, 0, fault.InvalidQuantity},
		"negative quantity":          {order(buy, 100, 100, -1, 1), Member{Available: 100}, 0, fault.InvalidQuantity},
		"large quantity":             {order(buy, 100, 100, market.MaxQuantity+1, 1), Member{Available: 100}, 0, fault.InvalidQuantity},
		"notional overflows":         {order(buy, market.MaxPrice, 1, market.MaxQuantity, 1), Member{Available: 100}, 0, fault.AmountOverflow},
		"sell's notional overflows":  {order(sell, market.MaxPrice, 1, market.MaxQuantity, 1), Member{Available: 100}, 0, fault.AmountOverflow},
		"reference overflows":        {order(sell, 1, market.MaxPrice, market.MaxQuantity, 1), Member{Available: 100}, 0, fault.AmountOverflow},
		"fee overflows":              {order(buy, 1<<31, 1<<31, 1<<31-1, 1), Member{Available: 100}, 0, fault.AmountOverflow},
	} {
		hold, err := Check(&terms, &Limits{OpenOrders: 3}, []Order{c.order}, &c.member)
		if hold != c.hold || fault.CodeOf(err) != c.code {
			t.Errorf("%s: %d, %v; want %d, %q", name, hold, err, c.hold, c.code)
		}
	}
}

// An order that breaks every rule without being malformed meets the checks one
// after another.
func TestTheChecksComeInOrder(t *testing.T) {
	terms := market.Terms{TickValue: 1, LotValue: 1, MinNotional: 100_000}
	limits := Limits{
		OpenOrders: 5, OrdersPerSecond: 2, OrderQuantity: 9, OrderNotional: 900, ApprovalNotional: 800,
		Distance: 100_000, Position: 50, Exposure: 5000,
	}
	order := Order{Side: market.Buy, Price: 111, Reference: 111, Quantity: 10, Opens: 1, Near: 100}
	member := Member{Available: 1109, OpenOrders: 5, Freeze: FrozenTrading, Placed: 2, Position: 41, Exposure: 3891}
	for _, step := range []struct {
		code fault.Code
		mend func()
	}{
		{fault.AccountFrozen, func() { member.Freeze = NotFrozen }},
		{fault.OrderRateExceeded, func() { member.Placed = 1 }},
		{fault.BelowMinNotional, func() { terms.MinNotional = 1110 }},
		{fault.OrderQuantityLimit, func() { limits.OrderQuantity = 10 }},
		{fault.OrderNotionalLimit, func() { limits.OrderNotional = 1110 }},
		{fault.ApprovalRequired, func() { order.Approved = true }},
		{fault.PriceTooFar, func() { limits.Distance = 110_000 }},
		{fault.TooManyOpenOrders, func() { member.OpenOrders = 4 }},
		{fault.PositionLimit, func() { member.Position = 40 }},
		{fault.ExposureLimit, func() { member.Exposure = 3890 }},
		{fault.InsufficientBalance, func() { member.Available = 1110 }},
	} {
		_, err := Check(&terms, &limits, []Order{order}, &member)
		if fault.CodeOf(err) != step.code {
			t.Fatalf("%v, want %s", err, step.code)
		}
		step.mend()
	}
	if hold, err := Check(&terms, &limits, []Order{order}, &member); err != nil || hold != 1110 {
		t.Errorf("what keeps to every limit: %d, %v", hold, err)
	}
}

// Of two orders each check looks at both before the next comes; together they
// need what the larger does, and count as what both come to.
func TestTwoOrdersOfOneCommand(t *testing.T) {
	terms := market.Terms{TickValue: 1, LotValue: 1, MinNotional: 10}
	order := func(price market.Price, quantity market.Quantity) Order {
		return Order{Side: market.Buy, Price: price, Reference: price, Quantity: quantity, Opens: 1}
	}
	none := Limits{OpenOrders: 2}
	for name, c := range map[string]struct {
		limits Limits
		orders []Order
		member Member
		needed money.Amount
		code   fault.Code
	}{
		"the larger":        {none, []Order{order(10, 10), order(12, 10)}, Member{Available: 120}, 120, ""},
		"the larger first":  {none, []Order{order(12, 10), order(10, 10)}, Member{Available: 120}, 120, ""},
		"one unit short":    {none, []Order{order(12, 10), order(10, 10)}, Member{Available: 119}, 0, fault.InsufficientBalance},
		"too many":          {none, []Order{order(12, 10), order(10, 10)}, Member{OpenOrders: 1, Available: 120}, 0, fault.TooManyOpenOrders},
		"range comes first": {none, []Order{order(1, 1), order(0, 10)}, Member{Available: 120}, 0, fault.InvalidPrice},
		"quantity before notional": {
			Limits{OrderNotional: 50, OrderQuantity: 9, OpenOrders: 2},
			[]Order{order(10, 9), order(10, 10)},
			Member{},
			0, fault.OrderQuantityLimit,
		},
		"position of both":   {Limits{Position: 20, OpenOrders: 2}, []Order{order(10, 10), order(10, 11)}, Member{}, 0, fault.PositionLimit},
		"exposure of both":   {Limits{Exposure: 219, OpenOrders: 2}, []Order{order(10, 10), order(12, 10)}, Member{}, 0, fault.ExposureLimit},
		"within both":        {Limits{Position: 21, Exposure: 210, OpenOrders: 2}, []Order{order(10, 10), order(10, 11)}, Member{Available: 110}, 110, ""},
		"an amend's rest":    {Limits{Position: 4, Exposure: 40, OpenOrders: 1}, []Order{{Side: market.Buy, Price: 10, Reference: 10, Quantity: 10, Filled: 6, Opens: 1}}, Member{Available: 40}, 40, ""},
		"by amount":          {none, []Order{{Side: market.Buy, Price: 20, Reference: 10, Quantity: 1, QuoteAmount: 15, Cost: 11}}, Member{Available: 11}, 11, ""},
		"amount below":       {none, []Order{{Side: market.Buy, Price: 20, Reference: 10, Quantity: 1, QuoteAmount: 9, Cost: 9}}, Member{Available: 11}, 0, fault.BelowMinNotional},
		"amount not covered": {none, []Order{{Side: market.Buy, Price: 20, Reference: 10, Quantity: 1, QuoteAmount: 15, Cost: 12}}, Member{Available: 11}, 0, fault.InsufficientBalance},
	} {
		needed, err := Check(&terms, &c.limits, c.orders, &c.member)
		if needed != c.needed || fault.CodeOf(err) != c.code {
			t.Errorf("%s: %d, %v; want %d, %q", name, needed, err, c.needed, c.code)
		}
	}
}

func TestWhatLimitsDoNotBind(t *testing.T) {
	terms := market.Terms{TickValue: 1, LotValue: 1}
	huge := Member{Available: money.MaxAmount, OpenOrders: 10, Placed: 1 << 40, Position: money.MaxAmount, Exposure: money.MaxAmount}
	for name, c := range map[string]struct {
		limits Limits
		order  Order
		want   fault.Code
	}{
		"no limits":                 {Limits{OpenOrders: 11}, Order{Side: market.Buy, Price: 1000, Near: 1, Opens: 1}, ""},
		"a position, for a sell":    {Limits{Position: 1}, Order{Side: market.Sell, Price: 1}, ""},
		"a position, for a buy":     {Limits{Position: money.MaxAmount}, Order{Side: market.Buy, Price: 1}, fault.PositionLimit},
		"exposure, for a sell":      {Limits{Exposure: money.MaxAmount}, Order{Side: market.Sell, Price: 1}, fault.ExposureLimit},
		"distance without a price":  {Limits{Distance: 1}, Order{Side: market.Buy, Price: 1000}, ""},
		"a low buy":                 {Limits{Distance: 1}, Order{Side: market.Buy, Price: 1, Near: 1000}, ""},
		"a high sell":               {Limits{Distance: 1}, Order{Side: market.Sell, Price: 5000, Near: 1000}, ""},
		"a low sell":                {Limits{Distance: 100_000}, Order{Side: market.Sell, Price: 899, Near: 1000}, fault.PriceTooFar},
		"a sell at the distance":    {Limits{Distance: 100_999}, Order{Side: market.Sell, Price: 900, Near: 1000}, ""},
		"a buy at the distance":     {Limits{Distance: 100_999}, Order{Side: market.Buy, Price: 1100, Near: 1000}, ""},
		"approval at the threshold": {Limits{ApprovalNotional: 1}, Order{Side: market.Sell, Price: 1, Reference: 1}, ""},
	} {
		c.order.Quantity = 1
		c.order.Reference = max(c.order.Reference, 1)
		if _, err := Check(&terms, &c.limits, []Order{c.order}, &huge); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
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
