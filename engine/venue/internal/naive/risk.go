package naive

import (
	"cmp"
	"math/big"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// request is what a member asks for, as the checks of risk see it.
type request struct {
	orders   []*Order // whose limits are looked at
	exits    []*Order // of a bracket, of which only the range is looked at
	amount   money.Amount
	counts   int // open orders that it would add
	rated    bool
	approved bool
	instead  *Order // the order that is amended
}

// checkRisk goes through the checks of section 8, each for all orders before the next.
func (v *Venue) checkRisk(r request) fault.Code {
	member, m := r.orders[0].Member, r.orders[0].Market
	v.decisive = "no limit"
	for _, check := range []func() fault.Code{
		func() fault.Code {
			return cmp.Or(r.each(inRange), request{orders: r.exits}.each(inRange))
		},
		func() fault.Code {
			if v.frozen(member) {
				return fault.AccountFrozen
			}
			return ""
		},
		func() fault.Code { return v.checkRate(r, member, m) },
		func() fault.Code { return r.each(r.minimum) },
		func() fault.Code { return r.each(v.checkQuantity) },
		func() fault.Code { return r.each(v.checkNotional) },
		func() fault.Code {
			if r.approved {
				return ""
			}
			return r.each(v.checkApproval)
		},
		func() fault.Code { return r.each(v.checkDistance) },
		func() fault.Code { return v.checkOpenOrders(r, member, m) },
		func() fault.Code { return v.checkPosition(r, member, m) },
		func() fault.Code { return v.checkExposure(r, member, m) },
		func() fault.Code { return v.checkBalance(r, member) },
	} {
		if refusal := check(); refusal != "" {
			if v.decisive != "no limit" {
				v.note("limit", string(refusal), "by", v.decisive)
			}
			return refusal
		}
	}
	return ""
}

func (r request) each(check func(*Order) fault.Code) fault.Code {
	for _, o := range r.orders {
		if refusal := check(o); refusal != "" {
			return refusal
		}
	}
	return ""
}

// inRange: price and quantity are possible, and what they come to can be counted.
func inRange(o *Order) fault.Code {
	switch {
	case o.Price < 1 || o.Price > market.MaxPrice:
		return fault.InvalidPrice
	case o.Quantity < 1 || o.Quantity > market.MaxQuantity:
		return fault.InvalidQuantity
	}
	_, countable := needOf(o)
	if _, ok := product(int64(measured(o)), int64(o.Quantity), int64(o.Market.Terms.TickValue)); !ok || !countable {
		return fault.AmountOverflow
	}
	return ""
}

func (v *Venue) frozen(member account.ID) bool { return v.member(member).Freeze != 0 }

func second(t Time) Time { return t / 1_000_000_000 }

func (v *Venue) checkRate(r request, id account.ID, m *Market) fault.Code {
	bound := v.limit(id, m, func(l Limits) int64 { return int64(l.OrdersPerSecond) })
	member := v.member(id)
	if r.rated && bound > 0 && member.second == second(v.now) && member.commands >= bound {
		return fault.OrderRateExceeded
	}
	return ""
}

// countCommand counts a placing or an amend that is accepted.
func (v *Venue) countCommand(id account.ID) {
	member := v.member(id)
	if member.second != second(v.now) {
		member.second, member.commands = second(v.now), 0
	}
	member.commands++
}

// measured is the price at which an order's notional is measured.
func measured(o *Order) market.Price {
	switch {
	case o.Type.Waits():
		return o.Trigger
	case o.Type == market.Market:
		return o.Best
	}
	return o.Price
}

func measuredNotional(o *Order) money.Amount { return notionalOf(o.Market, measured(o), o.Quantity) }

func (r request) minimum(o *Order) fault.Code {
	amount := r.amount
	if amount == 0 {
		amount = measuredNotional(o)
	}
	if amount < o.Market.Rules.MinNotional {
		return fault.BelowMinNotional
	}
	return ""
}

func (v *Venue) checkQuantity(o *Order) fault.Code {
	if bound := v.limit(o.Member, o.Market, func(l Limits) int64 { return int64(l.OrderQuantity) }); bound > 0 && int64(o.Quantity) > bound {
		return fault.OrderQuantityLimit
	}
	return ""
}

func (v *Venue) checkNotional(o *Order) fault.Code {
	if bound := v.limit(o.Member, o.Market, func(l Limits) int64 { return int64(l.OrderNotional) }); bound > 0 && int64(measuredNotional(o)) > bound {
		return fault.OrderNotionalLimit
	}
	return ""
}

func (v *Venue) checkApproval(o *Order) fault.Code {
	if bound := v.limit(o.Member, o.Market, func(l Limits) int64 { return int64(l.ApprovalNotional) }); bound > 0 && int64(measuredNotional(o)) > bound {
		return fault.ApprovalRequired
	}
	return ""
}

// checkDistance refuses a fat finger: a BUY far above the market, a SELL far below.
func (v *Venue) checkDistance(o *Order) fault.Code {
	var centre market.Price
	switch o.Type {
	case market.Limit:
		centre = o.Market.measure()
	case market.StopLimit:
		centre = o.Trigger
	}
	bound := v.limit(o.Member, o.Market, func(l Limits) int64 { return int64(l.Distance) })
	if bound == 0 || centre == 0 {
		return ""
	}
	distance := share(money.Rate(bound), centre)
	if o.Side == market.Buy && o.Price > centre+distance || o.Side == market.Sell && o.Price < centre-distance {
		return fault.PriceTooFar
	}
	return ""
}

func (v *Venue) checkOpenOrders(r request, id account.ID, m *Market) fault.Code {
	first := r.orders[0]
	if !first.TimeInForce.Rests() && len(r.exits) == 0 {
		return ""
	}
	count := r.counts
	for _, o := range v.open {
		if o.Member == id && o != r.instead {
			count++
		}
	}
	bound := v.limit(id, m, func(l Limits) int64 { return int64(l.OpenOrders) })
	if bound == 0 {
		bound = defaultOpenOrders
	}
	if int64(count) > bound {
		return fault.TooManyOpenOrders
	}
	return ""
}

// checkPosition bounds the base that a member could come to have.
func (v *Venue) checkPosition(r request, id account.ID, m *Market) fault.Code {
	bound := v.limit(id, m, func(l Limits) int64 { return int64(l.Position) })
	if bound == 0 || r.orders[0].Side != market.Buy {
		return ""
	}
	base := m.Definition.Base.Code
	total := big.NewInt(int64(v.balance(available(id), base)))
	total.Add(total, big.NewInt(int64(v.balance(held(id), base))))
	for _, o := range v.withOthers(r, id, m) {
		if o.Side == market.Buy {
			lots := new(big.Int).Mul(big.NewInt(int64(o.Left())), big.NewInt(int64(m.Terms.LotValue)))
			total.Add(total, lots)
		}
	}
	if total.Cmp(big.NewInt(bound)) > 0 {
		return fault.PositionLimit
	}
	return ""
}

// checkExposure bounds what a member's open orders in a market come to.
func (v *Venue) checkExposure(r request, id account.ID, m *Market) fault.Code {
	bound := v.limit(id, m, func(l Limits) int64 { return int64(l.Exposure) })
	if bound == 0 {
		return ""
	}
	total := new(big.Int)
	for _, o := range v.withOthers(r, id, m) {
		notional := new(big.Int).Mul(big.NewInt(int64(o.Price)), big.NewInt(int64(o.Left())))
		total.Add(total, notional.Mul(notional, big.NewInt(int64(m.Terms.TickValue))))
	}
	if total.Cmp(big.NewInt(bound)) > 0 {
		return fault.ExposureLimit
	}
	return ""
}

// withOthers returns the orders that are asked for and the member's open ones in the market, without one that is amended.
func (v *Venue) withOthers(r request, id account.ID, m *Market) (orders []*Order) {
	orders = append(orders, r.orders...)
	for _, o := range v.openIn(m) {
		if o.Member == id && o != r.instead {
			orders = append(orders, o)
		}
	}
	return orders
}

func (v *Venue) checkBalance(r request, id account.ID) fault.Code {
	first := r.orders[0]
	needed := need(first)
	if len(r.orders) == 2 {
		one, beyond := pairNeeds(first, r.orders[1])
		total, ok := sum(one, beyond)
		if !ok {
			return fault.InsufficientBalance
		}
		needed = total
	}
	if r.amount > 0 {
		needed = v.costOf(first, r.amount)
	}
	if r.instead != nil {
		needed -= r.instead.Held
	}
	if !v.covers(id, heldAsset(first), needed) {
		return fault.InsufficientBalance
	}
	return ""
}

// covers tells whether a member's balance, with its credit line, covers an amount.
func (v *Venue) covers(id account.ID, asset string, amount money.Amount) bool {
	rest := big.NewInt(int64(v.balance(available(id), asset)))
	rest.Add(rest, big.NewInt(int64(v.member(id).Credit[asset])))
	return rest.Cmp(big.NewInt(int64(amount))) >= 0
}
