package venue

import (
	"cmp"
	"slices"

	"bourse/engine/market"
)

// What a pending order waits for changes with each trade and with the end of the
// orders that it is linked to. All of that is bookkeeping that follows from
// events and is done by the fold; what it leads to is done by Advance.

// hang has an order that was placed or activated wait for its trigger, or act when
// the last price has set it off already.
func (s *State) hang(m *venueMarket, at uint32) {
	c := s.orders.conditions.at(at)
	o := s.orders.at(c.place)
	if m.lastTrade.ID != 0 && c.Trail == 0 && reached(o.side, c.Trigger, m.lastTrade.Price) {
		s.enqueue(m, at, triggered)
		return
	}
	c.stage = waiting
	m.waiting++
	m.stops(o.side).add(at)
}

// enqueue puts a pending order at the end of the queue of what has become due.
func (s *State) enqueue(m *venueMarket, at uint32, why stage) {
	s.unhang(m, at)
	c := s.orders.conditions.at(at)
	c.stage = why
	m.due(why).push(&s.orders.conditions, at)
	i, found := slices.BinarySearchFunc(s.busy, m.id, func(b *venueMarket, id MarketID) int { return cmp.Compare(b.id, id) })
	if !found {
		s.busy = slices.Insert(s.busy, i, m)
	}
}

// unhang takes a pending order out of what it waits in.
func (s *State) unhang(m *venueMarket, at uint32) {
	c := s.orders.conditions.at(at)
	switch c.stage {
	case waiting:
		m.stops(s.orders.at(c.place).side).remove(at)
		m.waiting--
	case triggered, ready, doomed:
		m.due(c.stage).remove(&s.orders.conditions, at)
		if m.acting.head == 0 && m.doomed.head == 0 {
			s.busy = slices.DeleteFunc(s.busy, func(b *venueMarket) bool { return b == m })
		}
	}
	c.stage = 0
}

// due is the queue of those that wait for their turn.
func (m *venueMarket) due(why stage) *placeQueue {
	if why == doomed {
		return &m.doomed
	}
	return &m.acting
}

func (m *venueMarket) stops(side market.Side) *triggers { return &m.triggers[side-market.Buy] }

// look shows the price of a trade to the stops of the market: those that it sets
// off queue up to act, then the trailing ones follow it.
func (s *State) look(m *venueMarket, price market.Price) {
	if m.waiting == 0 {
		return
	}
	for i := range m.triggers {
		for at := m.triggers[i].next(price); at != 0; at = m.triggers[i].next(price) {
			s.enqueue(m, at, triggered)
		}
	}
	for i := range m.triggers {
		m.triggers[i].follow(price)
	}
}

// touched is told that an order traded or lost lots: the other leg of its OCO is
// to be cancelled.
func (s *State) touched(o *order) {
	at := s.orders.conditions.find(s.orders.conditions.of(o.id).Sibling)
	if at == 0 {
		return
	}
	if c := s.orders.conditions.at(at); c.stage != 0 && c.stage != doomed {
		s.enqueue(s.markets[o.market-1], at, doomed)
	}
}

// lift is told that an order with conditions has ended. When it was the entry of a
// bracket and traded, its take-profit becomes ready.
func (s *State) lift(o *order) {
	t := &s.orders.conditions
	at := t.find(o.id)
	c := t.at(at)
	m := s.markets[o.market-1]
	s.unhang(m, at)
	if c.ExpiresAt != 0 {
		s.forgetExpiry()
	}
	if c.Child == 0 || o.filled == 0 {
		return
	}
	if child := t.find(c.Child); child != 0 && t.at(child).stage == dependent {
		t.at(child).entered = o.filled
		s.enqueue(m, child, ready)
	}
}

// grouped reports whether the order still belongs to a group with others.
func (s *State) grouped(o *order) bool {
	if !o.has(flagConditions) {
		return false
	}
	c := s.orders.conditions.of(o.id)
	return c.Sibling != 0 && s.isOpen(c.Sibling) || c.Child != 0 && s.isOpen(c.Child)
}
