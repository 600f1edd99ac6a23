package venue

import (
	"bourse/engine/book"
	"bourse/engine/market"
	"bourse/engine/money"
)

func (s *State) foldPlaced(ev *Event) error {
	m := s.market(ev.Market)
	switch {
	case m == nil || !ev.Side.Valid() || !ev.Type.Valid() || !ev.TimeInForce.Valid() || !ev.SelfTrade.Valid():
		return misfit(ev, "there is no such market, side, type, time in force or mode")
	case ev.Order != s.lastOrder+1 || ev.Member == 0 || ev.Asset != m.held(ev.Side):
		return misfit(ev, "its order, member or asset is wrong")
	case ev.Price <= 0 || ev.Price > market.MaxPrice || ev.Quantity <= 0 || ev.Quantity > market.MaxQuantity || ev.Amount < 0:
		return misfit(ev, "a number is out of range")
	}
	makerRate, takerRate, ok := m.ratesOf(ev)
	if !ok {
		return misfit(ev, "a rate is out of range")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	owner := s.members.take(ev.Member)
	place := s.orders.take(ev.Order)
	o := s.orders.at(place)
	*o = order{
		id: ev.Order, owner: owner, market: ev.Market,
		side: ev.Side, kind: ev.Type, timeInForce: ev.TimeInForce, status: market.Open, mode: ev.SelfTrade,
		price: ev.Price, quantity: ev.Quantity, hold: ev.Amount, makerRate: makerRate, takerRate: takerRate,
		sequence: ev.Sequence, placedAt: ev.Time, updatedAt: ev.Time,
	}
	s.lastOrder = ev.Order
	if ev.First {
		s.members.at(owner).rate.count(ev.Time)
	}
	if ev.PostOnly {
		o.flags |= flagPostOnly
	}
	if ev.Conditions != nil {
		if err := s.impose(ev, place); err != nil {
			return err
		}
	}
	return s.begin(ev, place)
}

// ratesOf are the rates of an order that is placed.
func (m *venueMarket) ratesOf(ev *Event) (maker, taker uint32, ok bool) {
	maker, taker = ev.MakerRate, ev.TakerRate
	if maker == MarketRate && taker == MarketRate {
		maker, taker = uint32(m.terms.MakerFee), uint32(m.terms.TakerFee)
	}
	return maker, taker, maker <= uint32(money.Whole) && taker <= uint32(money.Whole)
}

// impose gives an order that is being placed its conditions.
func (s *State) impose(ev *Event, place uint32) error {
	c := ev.Conditions
	o := s.orders.at(place)
	if *c == (Conditions{}) || c.ExpiresAt != 0 && (c.ExpiresAt <= ev.Time || !o.timeInForce.Rests()) {
		return misfit(ev, "its conditions are out of range")
	}
	o.flags |= flagConditions
	s.orders.conditions.add(o.id, place, c)
	if c.ExpiresAt != 0 {
		s.expectExpiry(c.ExpiresAt, o.id)
	}
	return nil
}

// begin has an order taken by the events that follow, as its outcome says.
func (s *State) begin(ev *Event, place uint32) error {
	if s.taking.place != 0 {
		return misfit(ev, "another order is being taken")
	}
	o := s.orders.at(place)
	if ev.Receipt.Filled < 0 || ev.Receipt.Filled > o.remaining() {
		return misfit(ev, "its outcome is out of range")
	}
	s.taking.place, s.taking.follow = place, uint64(ev.Follow)+1
	s.taking.filled, s.taking.status = o.filled+ev.Receipt.Filled, ev.Receipt.Status
	return nil
}

// follow counts an event of the taking. After the last of them what is left of
// the order rests or goes, and it must have come to what was foreseen.
func (s *State) follow(ev *Event) error {
	t := &s.taking
	if t.follow--; t.follow > 0 {
		return nil
	}
	place := t.place
	o := s.orders.at(place)
	t.place = 0
	switch {
	case !o.status.Live(): // cancelled on the way
	case o.remaining() == 0:
		if o.hold != 0 {
			return misfit(ev, "a filled order still holds")
		}
		s.closeOrder(place, market.Filled, ev.Time)
	default:
		if err := s.rest(ev, place); err != nil {
			return err
		}
	}
	if o.status != t.status || o.filled != t.filled {
		return misfit(ev, "the order comes to another outcome")
	}
	return nil
}

func (s *State) rest(ev *Event, place uint32) error {
	o := s.orders.at(place)
	m := s.markets[o.market-1]
	best, ok := m.book.Best(o.side.Opposite())
	if m.phase == market.Continuous && ok && crosses(o.side, o.price, best) {
		return misfit(ev, "the book would be crossed")
	}
	if !o.rests() {
		return misfit(ev, "the order does not rest")
	}
	o.handle = m.book.Add(o.side, o.price, o.remaining(), place)
	if !o.has(flagListed) {
		s.enlist(place)
	}
	return nil
}

// crosses reports whether an order of a side and price trades with one of the
// other side that rests at best.
func crosses(side market.Side, price, best market.Price) bool {
	if side == market.Buy {
		return price >= best
	}
	return price <= best
}

// closeOrder retires an order that is no longer in the book.
func (s *State) closeOrder(place uint32, status market.Status, at Time) {
	o := s.orders.at(place)
	o.handle = 0
	if o.has(flagListed) {
		s.delist(place)
	}
	o.status, o.updatedAt = status, at
	if o.has(flagConditions) {
		s.lift(o)
	}
	s.orders.retire(place)
}

// lift is told that an order with conditions has ended.
func (s *State) lift(o *order) {
	if s.orders.conditions.of(o.id).ExpiresAt != 0 {
		s.forgetExpiry()
	}
}

func (s *State) foldTraded(ev *Event) error {
	m := s.market(ev.Market)
	if m == nil || s.taking.place == 0 || ev.Trade != s.lastTrade+1 || ev.Base != m.base || ev.Quote != m.quote {
		return misfit(ev, "there is no such market or the trade is out of order")
	}
	taker := s.orders.at(s.taking.place)
	if taker.id != ev.Order || s.members.at(taker.owner).id != ev.Member || taker.market != ev.Market || taker.side != ev.Side {
		return misfit(ev, "it is not a trade of the order that was placed")
	}
	h := m.book.First(ev.Side.Opposite())
	if h == 0 {
		return misfit(ev, "nothing rests on the other side")
	}
	price, rested, ref := m.book.Resting(h)
	maker := s.orders.at(ref)
	if maker.id != ev.Maker || s.members.at(maker.owner).id != ev.MakerMember || price != ev.Price {
		return misfit(ev, "another order trades first")
	}
	if ev.Quantity <= 0 || ev.Quantity > rested || ev.Quantity > taker.remaining() {
		return misfit(ev, "it trades more than there is")
	}
	if !affordable(ev, taker, maker) {
		return misfit(ev, "its amounts exceed what is held")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	s.lastTrade = ev.Trade
	m.lastTrade = Trade{ev.Trade, ev.Sequence, ev.Time, ev.Price, ev.Quantity, ev.Side}
	s.traded(ev, taker.owner, maker.owner)
	fill(maker, ev, ev.MakerFee)
	fill(taker, ev, ev.TakerFee)
	return s.reduce(m, h, ref, ev)
}

// reduce takes what was traded from an order in the book.
func (s *State) reduce(m *venueMarket, h book.Handle, place uint32, ev *Event) error {
	if m.book.Reduce(h, ev.Quantity) > 0 {
		return nil
	}
	if s.orders.at(place).hold != 0 {
		return misfit(ev, "a filled order still holds")
	}
	s.closeOrder(place, market.Filled, ev.Time)
	return nil
}

// affordable reports whether every amount of a trade is in range and within what
// its parties hold, so that nothing below can overflow.
func affordable(ev *Event, taker, maker *order) bool {
	if ev.Notional < 0 || ev.MakerFee < 0 || ev.TakerFee < 0 || ev.Release < 0 || ev.Amount < 0 ||
		ev.MakerFee > ev.Notional || ev.TakerFee > ev.Notional {
		return false
	}
	buyer, seller, fee := maker, taker, ev.MakerFee
	if ev.Side == market.Buy {
		buyer, seller, fee = taker, maker, ev.TakerFee
	}
	return ev.Amount <= seller.hold &&
		ev.Notional <= buyer.hold && fee <= buyer.hold-ev.Notional && ev.Release <= buyer.hold-ev.Notional-fee
}

func fill(o *order, ev *Event, fee money.Amount) {
	o.filled += ev.Quantity
	o.notional += ev.Notional
	o.fee += fee
	o.hold -= spent(ev, o.side)
	o.updatedAt = ev.Time
	o.status = market.PartiallyFilled
}

func (s *State) foldCancelled(ev *Event) error {
	place := s.orders.find(ev.Order)
	if place == 0 {
		return misfit(ev, "there is no such order")
	}
	o := s.orders.at(place)
	m := s.markets[o.market-1]
	switch {
	case !o.status.Live() || s.taking.place != 0 && place != s.taking.place && o.handle == 0:
		return misfit(ev, "the order is not open")
	case s.members.at(o.owner).id != ev.Member || o.market != ev.Market || o.side != ev.Side || o.price != ev.Price || !ev.Reason.Valid():
		return misfit(ev, "it does not describe the order")
	case ev.Quantity != o.remaining() || ev.Amount != o.hold || ev.Asset != m.held(o.side):
		return misfit(ev, "it does not release what the order holds")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	o.hold, o.reason = 0, ev.Reason
	if o.handle != 0 {
		m.book.Cancel(o.handle)
	}
	s.closeOrder(place, market.Cancelled, ev.Time)
	return nil
}
