package venue

import (
	"cmp"
	"slices"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// appendOrders writes the open orders of each book in the order in which they
// trade, those that are pending by id, the queues of what has become due, and the
// closed orders in the order in which they closed.
func (s *State) appendOrders(dst []byte) []byte {
	resting := s.orders.open
	for _, m := range s.markets {
		resting -= m.pending
	}
	dst = appendNumbers(dst, uint64(resting))
	for _, m := range s.markets {
		for _, side := range [...]market.Side{market.Buy, market.Sell} {
			for h := m.book.First(side); h != 0; h = m.book.After(h) {
				_, displayed, ref := m.book.Resting(h)
				o := s.orders.at(ref)
				dst = s.appendOrder(dst, o)
				if o.has(flagIceberg) {
					dst = appendNumbers(dst, uint64(displayed))
				}
			}
		}
	}
	pending := s.pendingOrders()
	dst = appendNumbers(dst, uint64(len(pending)))
	for _, place := range pending {
		o := s.orders.at(place)
		c := s.orders.conditions.of(o.id)
		dst = s.appendOrder(dst, o)
		dst = append(dst, byte(c.stage))
		dst = appendNumbers(dst, uint64(c.entered))
	}
	for _, m := range s.markets {
		dst = s.appendQueue(dst, &m.doomed)
		dst = s.appendQueue(dst, &m.acting)
	}
	dst = appendNumbers(dst, uint64(len(s.orders.closed.list)))
	for i := range s.orders.closed.list {
		dst = s.appendOrder(dst, s.orders.at(s.orders.closed.at(i).place))
	}
	return dst
}

// pendingOrders returns the places of the pending orders by id.
func (s *State) pendingOrders() (places []uint32) {
	n := 0
	for _, m := range s.markets {
		n += m.pending
	}
	if n == 0 {
		return nil
	}
	for place := uint32(1); place < s.orders.used; place++ {
		if s.orders.at(place).status == market.Pending {
			places = append(places, place)
		}
	}
	slices.SortFunc(places, func(a, b uint32) int { return cmp.Compare(s.orders.at(a).id, s.orders.at(b).id) })
	return places
}

func (s *State) appendQueue(dst []byte, q *placeQueue) []byte {
	t := &s.orders.conditions
	n := 0
	for at := q.head; at != 0; at = t.at(at).next {
		n++
	}
	dst = appendNumbers(dst, uint64(n))
	for at := q.head; at != 0; at = t.at(at).next {
		dst = appendNumbers(dst, uint64(t.at(at).id))
	}
	return dst
}

func (s *State) appendOrder(dst []byte, o *order) []byte {
	dst = append(dst, byte(o.side), byte(o.kind), byte(o.timeInForce), byte(o.status), byte(o.reason))
	dst = appendNumbers(dst, uint64(o.id), uint64(s.members.at(o.owner).id), uint64(o.market), uint64(o.price))
	dst = appendNumbers(dst, uint64(o.quantity), uint64(o.filled), uint64(o.notional), uint64(o.fee))
	dst = appendNumbers(dst, uint64(o.hold), uint64(o.sequence), uint64(o.placedAt), uint64(o.updatedAt))
	dst = append(dst, byte(o.mode), byte(o.flags&lastingFlags))
	dst = appendNumbers(dst, uint64(o.makerRate), uint64(o.takerRate))
	if o.has(flagConditions) {
		at := s.orders.conditions.of(o.id)
		c := at.Conditions
		if at.stage == waiting {
			c.Trigger = s.markets[o.market-1].stops(o.side).trigger(at)
		}
		dst = appendConditions(dst, &c)
	}
	return dst
}

// lastingFlags are those that do not follow from the rest.
const lastingFlags = flagPostOnly | flagConditions | flagIceberg | flagRequeued

func (s *State) restoreOrders(r *reader) {
	s.orders.places.follow(s.lastOrder)
	for n := r.number(); n > 0 && r.err == nil; n-- {
		s.restoreOpen(r)
	}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		s.restorePending(r)
	}
	s.enlistAll()
	for _, m := range s.markets {
		s.restoreQueue(r, m, doomed)
		s.restoreQueue(r, m, triggered, ready)
	}
	for n := r.bounded(ClosedOrders); n > 0 && r.err == nil; n-- {
		if place, o := s.restoreOrder(r); o != nil {
			if o.status.Live() {
				r.fail("a closed order is open")
			}
			s.orders.retire(place)
		}
	}
}

// restorePending reads an order that waits. Trailing stops come by id, as they
// were placed, which is what their groups need.
func (s *State) restorePending(r *reader) {
	_, o := s.restoreOrder(r)
	why, entered := stage(r.byte()), market.Quantity(r.amount())
	if o == nil || r.err != nil {
		return
	}
	at := s.orders.conditions.find(o.id)
	if o.status != market.Pending || at == 0 || o.remaining() <= 0 {
		r.fail("a pending order does not wait")
		return
	}
	c, m := s.orders.conditions.at(at), s.markets[o.market-1]
	m.pending++
	c.entered = entered
	s.restoreExpiry(c)
	switch why {
	case waiting:
		if !o.kind.Waits() || !s.restoreStop(m, o, at) {
			r.fail("a stop does not wait for its trigger")
		}
	case dependent:
		c.stage = dependent
	case triggered, ready, doomed:
		c.stage = why // until its place in the queue is read
	default:
		r.fail("a pending order waits for nothing")
	}
}

// restoreStop has a stop wait; false when it cannot.
func (s *State) restoreStop(m *venueMarket, o *order, at uint32) bool {
	c := s.orders.conditions.at(at)
	t := m.stops(o.side)
	if !wanted(true, c.Trigger) || c.Trail < 0 || c.Trail > market.MaxPrice || (o.kind == market.TrailingStop) != (c.Trail != 0) ||
		m.lastTrade.ID != 0 && reached(o.side, c.Trigger, m.lastTrade.Price) {
		return false
	}
	if n := len(t.trails); c.Trail != 0 && n > 0 &&
		t.passes(trailing(o.side.Opposite(), c.Trigger, c.Trail), t.groups[t.trails[n-1]].peak) {
		return false
	}
	c.stage = waiting
	m.waiting++
	t.add(at)
	return true
}

// restoreQueue puts orders of these stages back into their queue.
func (s *State) restoreQueue(r *reader, m *venueMarket, why ...stage) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		at := s.orders.conditions.find(market.OrderID(r.number()))
		if at == 0 || s.orders.at(s.orders.conditions.at(at).place).market != m.id {
			r.fail("a queue has an order that is not known")
			return
		}
		c := s.orders.conditions.at(at)
		stage := c.stage
		if !slices.Contains(why, stage) || c.next != 0 || c.prev != 0 || m.due(stage).head == at {
			r.fail("a queue has an order that does not wait there, or twice")
			return
		}
		c.stage = 0
		s.enqueue(m, at, stage)
	}
}

func (s *State) restoreExpiry(c *conditions) {
	if c.ExpiresAt != 0 {
		s.expectExpiry(c.ExpiresAt, c.id)
	}
}

// restoreOrder reads an order into the pool; nil after a failure.
func (s *State) restoreOrder(r *reader) (uint32, *order) {
	o := order{
		side: market.Side(r.byte()), kind: market.Type(r.byte()), timeInForce: market.TimeInForce(r.byte()),
		status: market.Status(r.byte()), reason: market.CancelReason(r.byte()),
	}
	o.id = market.OrderID(r.number())
	member := account.ID(r.number())
	o.market = r.marketID()
	o.price, o.quantity = market.Price(r.amount()), market.Quantity(r.amount())
	o.filled, o.notional, o.fee, o.hold = market.Quantity(r.amount()), r.amount(), r.amount(), r.amount()
	o.sequence, o.placedAt, o.updatedAt = Sequence(r.number()), Time(r.number()), Time(r.number())
	o.mode, o.flags = market.SelfTrade(r.byte()), orderFlags(r.byte())
	o.makerRate, o.takerRate = uint32(r.bounded(uint64(money.Whole))), uint32(r.bounded(uint64(money.Whole)))
	var c Conditions
	if o.has(flagConditions) {
		c = r.conditions()
	}
	if r.err != nil {
		return 0, nil
	}
	if s.market(o.market) == nil || !o.side.Valid() || !o.status.Valid() || o.filled > o.quantity ||
		!o.mode.Valid() || o.flags&^lastingFlags != 0 || o.has(flagIceberg) && (!o.has(flagConditions) || c.Display <= 0) || o.price <= 0 || o.price > market.MaxPrice || o.id > s.lastOrder || s.orders.find(o.id) != 0 {
		r.fail("an order is out of range or doubled")
		return 0, nil
	}
	o.owner = s.members.take(member)
	place := s.orders.take(o.id)
	*s.orders.at(place) = o
	if o.has(flagConditions) {
		s.orders.conditions.add(o.id, place, &c)
	}
	return place, s.orders.at(place)
}

func (s *State) restoreOpen(r *reader) {
	place, o := s.restoreOrder(r)
	if o == nil {
		return
	}
	displayed := o.remaining()
	if o.has(flagIceberg) {
		displayed = market.Quantity(r.amount())
	}
	if o.status != market.Open && o.status != market.PartiallyFilled || displayed <= 0 || displayed > o.remaining() {
		r.fail("an open order is closed")
		return
	}
	if o.has(flagConditions) {
		c := s.orders.conditions.of(o.id)
		if o.has(flagIceberg) && displayed > c.Display {
			r.fail("an iceberg displays too much")
			return
		}
		s.restoreExpiry(c)
	}
	s.shelve(s.markets[o.market-1], place, displayed)
}

// enlistAll puts the open orders, which are all there are so far, into their
// members' lists by ascending id.
func (s *State) enlistAll() {
	places := make([]uint32, 0, s.orders.used)
	for place := uint32(1); place < s.orders.used; place++ {
		if s.orders.at(place).status.Live() {
			places = append(places, place)
		}
	}
	slices.SortFunc(places, func(a, b uint32) int {
		if s.orders.at(a).id < s.orders.at(b).id {
			return -1
		}
		return 1
	})
	for _, place := range places {
		s.enlist(place)
	}
}
