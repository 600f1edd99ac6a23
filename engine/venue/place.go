package venue

import (
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// taker is an order on its way to the book, as the decision sees it: the real one
// is made or changed by the fold.
type taker struct {
	order
	member     account.ID
	conditions *Conditions // nil for an order that has none
	spends     bool        // it buys for an amount, of which budget is left
	budget     money.Amount
}

func (c *PlaceOrder) decide(s *State, d *decision) error {
	m, ok := s.bySymbol[c.Symbol]
	if !ok {
		return unknownMarket()
	}
	if m.phase != market.Continuous {
		if err := m.admits(c.Type, c.TimeInForce, c.PostOnly, false); err != nil {
			return err
		}
	}
	var t taker
	if err := c.fit(m, d, &t); err != nil {
		return err
	}
	s.identify(m, d, &t)
	check := risk.Order{Reference: t.price, Near: m.centre(), Approved: c.Approved}
	if c.Type != market.Limit {
		reference, err := m.anchor(&t)
		if err != nil {
			return err
		}
		check.Reference, check.Near = reference, 0
		if c.Type == market.StopLimit {
			check.Near = reference
		}
	}
	if c.QuoteAmount != 0 {
		return s.spend(m, &t, c.QuoteAmount, check, d)
	}
	if err := m.banded(&t); err != nil {
		return err
	}
	if t.timeInForce.Rests() {
		check.Opens = 1
	}
	describe(&check, &t)
	var err error
	if t.hold, err = s.assess(m, []risk.Order{check}, nil, d); err != nil {
		return err
	}
	if t.has(flagPostOnly) && m.takes(&t.order) {
		return errPostOnly
	}
	at := placed(m, &t, d)
	if t.kind.Waits() {
		pending(at, &t, d)
		return nil
	}
	_, err = s.take(m, &t, at, d)
	if err == nil && t.timeInForce == market.FOK && t.filled < c.Quantity {
		return fault.New(fault.NotFillable, "the order cannot be filled whole at once")
	}
	return err
}

var errPostOnly = fault.New(fault.PostOnlyWouldTake, "the order would have traded at once")

// takes reports whether the order would trade at once.
func (m *venueMarket) takes(o *order) bool {
	best, ok := m.book.Best(o.side.Opposite())
	return ok && m.phase == market.Continuous && crosses(o.side, o.price, best)
}

// fit fills in what the order is, if its parts fit together. Whether numbers are
// in range is for risk to say, but for those that only it knows.
func (c *PlaceOrder) fit(m *venueMarket, d *decision, t *taker) error {
	t.market, t.side, t.kind, t.timeInForce, t.mode = m.id, c.Side, c.Type, c.TimeInForce, c.SelfTrade
	t.price, t.quantity = c.Price, c.Quantity
	t.defaults()
	rests := t.kind == market.Limit && t.timeInForce.Rests()
	switch {
	case c.Actor == 0:
		return fault.New(fault.InvalidArgument, "the house does not trade")
	case !t.side.Valid() || !t.kind.Valid() || !t.timeInForce.Valid() || !t.mode.Valid():
		return fault.New(fault.InvalidArgument, "there is no such side, type, time in force or self-trade mode")
	case t.kind == market.Market && t.timeInForce.Rests():
		return fault.New(fault.InvalidArgument, "a market order does not rest")
	case t.kind.Waits() && !t.timeInForce.Rests():
		return fault.New(fault.InvalidArgument, "a stop waits, and is neither immediate nor fill-or-kill")
	case c.PostOnly && !rests:
		return fault.New(fault.InvalidArgument, "only a limit order that may rest can be post-only")
	case c.QuoteAmount != 0 && !c.spends(t):
		return fault.New(fault.InvalidArgument, "only a market buy, immediate or cancel, can be for an amount, and then has no quantity")
	case (t.kind == market.Limit || t.kind == market.StopLimit) != (c.Price != 0):
		return fault.New(fault.InvalidPrice, "a limit price is missing, or not wanted")
	case !wanted(t.kind == market.Stop || t.kind == market.StopLimit, c.Trigger):
		return fault.New(fault.InvalidTrigger, "a trigger price is missing, out of range, or not wanted")
	case !wanted(t.kind == market.TrailingStop, c.Trail):
		return fault.New(fault.InvalidTrigger, "a trailing distance is missing, out of range, or not wanted")
	case c.Display != 0 && (!rests || !displays(c.Display, c.Quantity)):
		return fault.New(fault.InvalidDisplay, "an iceberg displays at least a hundredth of its quantity, and less than all")
	}
	expires, err := m.expiry(t.timeInForce, c.ExpiresAt, d.time)
	if err != nil {
		return err
	}
	if c.PostOnly {
		t.flags |= flagPostOnly
	}
	conditions := Conditions{Trigger: c.Trigger, Trail: c.Trail, Display: c.Display, ExpiresAt: expires}
	if conditions != (Conditions{}) {
		t.conditions = new(Conditions)
		*t.conditions = conditions
	}
	return nil
}

// defaults fills in what a command may leave out.
func (t *taker) defaults() {
	switch {
	case t.timeInForce != 0:
	case t.kind == market.Market:
		t.timeInForce = market.IOC
	default:
		t.timeInForce = market.GTC
	}
	if t.mode == 0 {
		t.mode = market.CancelTaker
	}
}

// spends reports whether the order may be for an amount.
func (c *PlaceOrder) spends(t *taker) bool {
	return c.QuoteAmount > 0 && c.Quantity == 0 && t.kind == market.Market && t.side == market.Buy &&
		t.timeInForce == market.IOC && t.mode != market.Decrement
}

// wanted reports whether a price is there and in range, or is neither wanted nor
// there.
func wanted(want bool, price market.Price) bool {
	if !want {
		return price == 0
	}
	return price >= 1 && price <= market.MaxPrice
}

// displays reports whether an order may display this many lots. The hundredth
// bounds how often it is met.
func displays(display, quantity market.Quantity) bool {
	least := quantity / 100
	if quantity%100 > 0 {
		least++
	}
	return display >= max(least, 1) && display < quantity
}

// identify makes the order one of the actor, with the next id and with the rates
// that are in force for it.
func (s *State) identify(m *venueMarket, d *decision, t *taker) {
	t.id, t.owner, t.member = s.lastOrder+1+d.placed, d.owner, d.actor
	st := s.standingOf(m, d)
	t.makerRate, t.takerRate = uint32(st.maker), uint32(st.taker)
}

// anchor gives an order that is no plain limit the price that it is limited by, and
// returns the one that its notional is measured at. Refusals: NO_LIQUIDITY,
// NO_REFERENCE_PRICE, INVALID_TRIGGER, TRIGGER_PASSED.
func (m *venueMarket) anchor(t *taker) (reference market.Price, err error) {
	if t.kind == market.Market {
		best, ok := m.book.Best(t.side.Opposite())
		if !ok {
			return 0, errNoLiquidity
		}
		t.price = m.terms.Protected(t.side, best)
		return best, nil
	}
	c := t.conditions
	last := m.lastTrade.Price
	switch {
	case t.kind == market.TrailingStop && m.lastTrade.ID == 0:
		return 0, fault.New(fault.NoReferencePrice, "the market has no last price that the order could trail")
	case t.kind == market.TrailingStop:
		c.Trigger = trailing(t.side, last, c.Trail)
		if c.Trigger < 1 || c.Trigger > market.MaxPrice {
			return 0, fault.New(fault.InvalidTrigger, "at this distance the trigger price would be out of range")
		}
	case m.lastTrade.ID != 0 && reached(t.side, c.Trigger, last):
		return 0, fault.New(fault.TriggerPassed, "the last price has reached the trigger already")
	}
	if t.kind != market.StopLimit {
		t.price = m.terms.Protected(t.side, c.Trigger)
	}
	return c.Trigger, nil
}

var errNoLiquidity = fault.New(fault.NoLiquidity, "there is nothing on the other side to trade with")

// spend places a market buy for an amount. What it comes to is found by matching
// it first: its quantity is what it trades, and it holds what that costs.
func (s *State) spend(m *venueMarket, t *taker, amount money.Amount, check risk.Order, d *decision) error {
	t.spends, t.budget, t.quantity = true, amount, market.MaxQuantity
	at := placed(m, t, d)
	if _, err := s.take(m, t, at, d); err != nil {
		return err
	}
	if t.filled == 0 {
		return errNoLiquidity
	}
	check.QuoteAmount, check.Cost = amount, t.notional+t.fee
	describe(&check, t)
	check.Filled = 0 // risk looks at it as if it had yet to trade
	if _, err := s.assess(m, []risk.Order{check}, nil, d); err != nil {
		return err
	}
	ev := &(*d.events)[at]
	ev.Quantity, ev.Amount = t.filled, check.Cost
	return nil
}

// placed adds the event that an order was placed and returns its place among the
// events.
func placed(m *venueMarket, t *taker, d *decision) (at int) {
	ev := d.add(OrderPlaced)
	ev.Market, ev.Order, ev.Member = m.id, t.id, t.member
	ev.Side, ev.Type, ev.TimeInForce, ev.SelfTrade, ev.PostOnly = t.side, t.kind, t.timeInForce, t.mode, t.has(flagPostOnly)
	ev.Price, ev.Quantity, ev.Asset, ev.Amount = t.price, t.quantity, m.held(t.side), t.hold
	ev.MakerRate, ev.TakerRate, ev.Conditions = t.makerRate, t.takerRate, t.conditions
	d.placed++
	return len(*d.events) - 1
}

// pending is the outcome of an order that waits.
func pending(at int, t *taker, d *decision) {
	d.outcome(at, t.id, Receipt{Status: market.Pending})
}

// outcome writes what comes of an order into the event from which it is taken,
// and says that all events since belong to that.
func (d *decision) outcome(at int, id market.OrderID, outcome Receipt) {
	ev := &(*d.events)[at]
	ev.Follow = uint32(len(*d.events) - at - 1)
	if ev.First {
		d.receipt = outcome
		d.receipt.Order = id
	} else {
		ev.Receipt = outcome
	}
}
