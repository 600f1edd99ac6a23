package venue

import (
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// What Apply decided it has worked out; an event that comes from elsewhere has to
// show that its figures follow from the price, the quantity and the rates that its
// orders were placed with.

// agrees reports whether what an event says agrees with itself: the options of an
// order with one another, the amounts of a trade with its figures. What does not
// fit the state otherwise is left to the fold.
func (s *State) agrees(ev *Event) bool {
	switch ev.Kind {
	case OrderPlaced:
		return optionsAgree(ev)
	case Traded, AuctionTraded:
		return s.computes(ev)
	}
	return true
}

func optionsAgree(ev *Event) bool {
	rests, expires := ev.TimeInForce.Rests(), ev.Conditions != nil && ev.Conditions.ExpiresAt != 0
	switch {
	case ev.Type == market.Market && rests, ev.Type.Waits() && !rests:
		return false
	case ev.PostOnly && (ev.Type != market.Limit || !rests):
		return false
	case ev.Conditions != nil && ev.Conditions.Display != 0 && !rests:
		return false
	}
	return expires == (ev.TimeInForce == market.DAY || ev.TimeInForce == market.GTD)
}

func (s *State) computes(ev *Event) bool {
	m, taker, maker := s.market(ev.Market), s.orders.find(ev.Order), s.orders.find(ev.Maker)
	if m == nil || taker == 0 || maker == 0 || ev.Price <= 0 || ev.Quantity <= 0 {
		return true
	}
	notional, ok := m.terms.Notional(ev.Price, ev.Quantity)
	base, fits := m.terms.BaseAmount(ev.Quantity)
	rate := s.orders.at(taker).takerRate
	if ev.Kind == AuctionTraded {
		rate = s.orders.at(taker).makerRate
	}
	return ok && fits && ev.Notional == notional && ev.Amount == base &&
		ev.TakerFee == money.Rate(rate).Of(notional) && ev.MakerFee == money.Rate(s.orders.at(maker).makerRate).Of(notional)
}

// comesTo reports whether the orders that an event changed are left as they must
// be: each holds what its rest needs, and one that was cancelled is what the
// receipt says.
func (s *State) comesTo(ev *Event) bool {
	switch ev.Kind {
	case OrderCancelled:
		o, r := s.orders.at(s.orders.find(ev.Order)), &ev.Receipt
		return !ev.First || r.Status == o.status && r.Filled == o.filled && r.Notional == o.notional && r.Fee == o.fee
	case Traded, AuctionTraded:
		return s.holdsNeeded(ev.Order) && s.holdsNeeded(ev.Maker)
	case OrderPlaced, OrderAmended, OrderReduced, OrderTriggered, OrderActivated:
		return s.holdsNeeded(ev.Order)
	}
	return true
}

// holdsNeeded looks at no market order: one that buys for an amount holds what its
// trades cost, and either holds nothing when its command is over.
func (s *State) holdsNeeded(id market.OrderID) bool {
	place := s.orders.find(id)
	if place == 0 {
		return true
	}
	o := s.orders.at(place)
	m := s.markets[o.market-1]
	switch {
	case !o.status.Live() || o.kind == market.Market:
		return true
	case o.status == market.Pending:
		c := s.orders.conditions.of(id)
		return c.Parent != 0 || s.checkStage(m, o, c) == nil
	}
	needed, ok := risk.Hold(&m.terms, o.holdRate(), o.side, o.price, o.remaining())
	return ok && o.hold == needed
}
