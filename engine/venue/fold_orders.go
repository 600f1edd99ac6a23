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
	if ev.Receipt.Status == market.Pending {
		return s.suspend(ev, m, place)
	}
	if ev.Type.Waits() {
		return misfit(ev, "a stop waits")
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
	stop := o.kind == market.Stop || o.kind == market.StopLimit || o.kind == market.TrailingStop
	switch {
	case *c == (Conditions{}) || c.Trigger < 0 || c.Trigger > market.MaxPrice || c.Trail < 0 || c.Trail > market.MaxPrice,
		stop != (c.Trigger != 0), (o.kind == market.TrailingStop) != (c.Trail != 0):
		return misfit(ev, "its trigger is out of range")
	case c.ExpiresAt != 0 && (c.ExpiresAt <= ev.Time || !o.timeInForce.Rests()):
		return misfit(ev, "its expiry is out of range")
	case c.Display != 0 && (o.kind != market.Limit || !displays(c.Display, o.quantity)):
		return misfit(ev, "its display is out of range")
	case c.Sibling != 0 && c.Sibling != o.id+1 && c.Sibling+1 != o.id, c.Child != 0 && c.Child != o.id+1,
		c.Parent != 0 && (c.Parent >= o.id || o.id-c.Parent > 2 || c.Sibling == 0):
		return misfit(ev, "it is linked to strangers")
	}
	o.flags |= flagConditions
	if c.Display != 0 {
		o.flags |= flagIceberg
	}
	s.orders.conditions.add(o.id, place, c)
	if c.ExpiresAt != 0 {
		s.expectExpiry(c.ExpiresAt, o.id)
	}
	return nil
}

// suspend has an order that was placed wait: a stop for its trigger, the exit of a
// bracket for its entry.
func (s *State) suspend(ev *Event, m *venueMarket, place uint32) error {
	o := s.orders.at(place)
	at := s.orders.conditions.find(o.id)
	if at == 0 || ev.Follow != 0 || ev.Receipt.Filled != 0 {
		return misfit(ev, "the order does not wait")
	}
	c := s.orders.conditions.at(at)
	last := m.lastTrade
	switch {
	case c.Parent != 0:
		parent := s.orders.find(c.Parent)
		if parent == 0 || !s.orders.at(parent).has(flagConditions) || s.orders.at(parent).market != m.id || o.hold != 0 ||
			s.orders.conditions.of(c.Parent).Child+market.OrderID(o.id-c.Parent-1) != o.id || !s.orders.at(parent).status.Live() {
			return misfit(ev, "it is not the exit of its entry")
		}
	case !o.kind.Waits():
		return misfit(ev, "the order does not wait")
	case c.Trail != 0 && (last.ID == 0 || c.Trigger != trailing(o.side, last.Price, c.Trail)),
		c.Trail == 0 && last.ID != 0 && reached(o.side, c.Trigger, last.Price):
		return misfit(ev, "its trigger does not fit the last price")
	}
	o.status = market.Pending
	m.pending++
	s.enlist(place)
	if c.Parent != 0 {
		c.stage = dependent
	} else {
		s.hang(m, at)
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
	o.status = market.Open
	if o.filled > 0 {
		o.status = market.PartiallyFilled
	}
	s.shelve(m, place, o.remaining())
	if !o.has(flagListed) {
		s.enlist(place)
	}
	return nil
}

// shelve puts what is left of an order into the book, an iceberg with no more than
// so many lots displayed.
func (s *State) shelve(m *venueMarket, place uint32, displayed market.Quantity) {
	o := s.orders.at(place)
	left := o.remaining()
	if !o.has(flagIceberg) {
		o.handle = m.book.Add(o.side, o.price, left, place)
		return
	}
	display := s.orders.conditions.of(o.id).Display
	displayed = min(displayed, display)
	if displayed < left {
		o.handle = m.book.AddIceberg(o.side, o.price, displayed, left-displayed, display, place)
	} else {
		o.handle = m.book.Add(o.side, o.price, left, place)
	}
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
	if o.status == market.Pending {
		s.markets[o.market-1].pending--
	}
	o.status, o.updatedAt = status, at
	if o.has(flagConditions) {
		s.lift(o)
	}
	s.orders.retire(place)
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
	s.fill(taker, ev, ev.TakerFee)
	s.fill(maker, ev, ev.MakerFee)
	if err := s.reduce(m, h, ref, ev); err != nil {
		return err
	}
	s.look(m, ev.Price)
	return nil
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

func (s *State) fill(o *order, ev *Event, fee money.Amount) {
	o.filled += ev.Quantity
	o.notional += ev.Notional
	o.fee += fee
	o.hold -= spent(ev, o.side)
	o.updatedAt = ev.Time
	o.status = market.PartiallyFilled
	if o.has(flagConditions) {
		s.touched(o)
	}
}

func (s *State) foldCancelled(ev *Event) error {
	place := s.orders.find(ev.Order)
	if place == 0 {
		return misfit(ev, "there is no such order")
	}
	o := s.orders.at(place)
	m := s.markets[o.market-1]
	switch {
	case !o.status.Live():
		return misfit(ev, "the order is not open")
	case !s.describes(ev, o) || o.price != ev.Price || !ev.Reason.Valid():
		return misfit(ev, "it does not describe the order")
	case ev.Quantity != o.remaining() || ev.Amount > o.hold:
		return misfit(ev, "it does not release what the order holds")
	}
	if passed := o.hold - ev.Amount; passed != 0 && !s.inherit(ev, o, passed) {
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

// describes reports whether an event names an order as it is.
func (s *State) describes(ev *Event, o *order) bool {
	return s.members.at(o.owner).id == ev.Member && o.market == ev.Market && o.side == ev.Side &&
		ev.Asset == s.markets[o.market-1].held(o.side) && ev.Amount >= 0
}

// inherit passes a part of what the limit leg of an OCO holds to its stop leg, which
// is about to act.
func (s *State) inherit(ev *Event, o *order, passed money.Amount) bool {
	if ev.Reason != market.CancelLinked || !o.has(flagConditions) {
		return false
	}
	at := s.orders.conditions.find(s.orders.conditions.of(o.id).Sibling)
	if at == 0 || s.markets[o.market-1].acting.head != at || s.orders.conditions.at(at).stage != triggered {
		return false
	}
	s.orders.at(s.orders.conditions.at(at).place).hold += passed
	return true
}
