package venue

import (
	"fmt"
	"slices"

	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// needs adds up what open orders need held.
type needs map[holding]money.Amount

func (n needs) add(s *State, o *order) error {
	at := holding{s.members.at(o.owner).id, s.markets[o.market-1].held(o.side)}
	var ok bool
	if n[at], ok = n[at].Add(o.hold); !ok {
		return fmt.Errorf("venue: the holds of account %d overflow", at.owner)
	}
	return nil
}

// checkQueue verifies the resting orders of a side against the book.
func (s *State) checkQueue(m *venueMarket, side market.Side, needed needs) error {
	var before *order // of those whose place follows from their age
	for h := m.book.First(side); h != 0; h = m.book.After(h) {
		price, displayed, ref := m.book.Resting(h)
		if ref == 0 || ref >= s.orders.used {
			return fmt.Errorf("venue: %s: an order in the book is not known", m.definition.Symbol)
		}
		o := s.orders.at(ref)
		hidden := m.book.Hidden(h)
		if o.handle != h || o.market != m.id || o.side != side || o.price != price || o.remaining() != displayed+hidden ||
			o.status != market.Open && o.status != market.PartiallyFilled ||
			(o.status == market.Open) != (o.filled == 0) || o.id > s.lastOrder || hidden != 0 && !o.has(flagIceberg) || !o.rests() {
			return fmt.Errorf("venue: order %d does not agree with the book", o.id)
		}
		if !o.has(flagIceberg | flagRequeued) {
			if before != nil && before.price == price && before.id >= o.id {
				return fmt.Errorf("venue: order %d stands behind the later order %d", o.id, before.id)
			}
			before = o
		}
		hold, ok := risk.Hold(&m.terms, o.holdRate(), side, price, o.remaining())
		if !ok || hold != o.hold {
			return fmt.Errorf("venue: order %d holds %d and needs %d", o.id, o.hold, hold)
		}
		if err := needed.add(s, o); err != nil {
			return err
		}
	}
	return nil
}

// checkPending verifies what the pending orders hold and that each is where it
// waits.
func (s *State) checkPending(needed needs) error {
	stops := make(map[*venueMarket]int)
	for _, place := range s.pendingOrders() {
		o := s.orders.at(place)
		m := s.markets[o.market-1]
		at := s.orders.conditions.find(o.id)
		if at == 0 || !o.has(flagConditions) || !o.has(flagListed) || o.handle != 0 || o.filled != 0 {
			return fmt.Errorf("venue: pending order %d waits for nothing", o.id)
		}
		c := s.orders.conditions.at(at)
		if c.stage == waiting {
			stops[m]++
		}
		if err := s.checkStage(m, o, c); err != nil {
			return err
		}
		if err := needed.add(s, o); err != nil {
			return err
		}
	}
	for _, m := range s.markets {
		if err := s.checkTriggers(m, stops[m]); err != nil {
			return err
		}
		if err := s.checkDue(m); err != nil {
			return err
		}
	}
	return nil
}

// checkStage verifies that a pending order holds what it needs at its stage.
func (s *State) checkStage(m *venueMarket, o *order, c *conditions) error {
	hold, ok := risk.Hold(&m.terms, o.holdRate(), o.side, o.price, o.remaining())
	if !ok {
		return fmt.Errorf("venue: what order %d needs cannot be counted", o.id)
	}
	other, sibling := (*order)(nil), s.orders.find(c.Sibling)
	if sibling != 0 && s.orders.at(sibling).status.Live() {
		other = s.orders.at(sibling)
	}
	switch c.stage {
	case waiting, triggered:
		if !o.kind.Waits() {
			return fmt.Errorf("venue: order %d waits for a trigger and is no stop", o.id)
		}
		if other != nil {
			hold = max(hold-other.hold, 0)
		}
	case dependent, ready:
		hold = 0
		if c.Parent == 0 || other == nil || c.stage == ready && (c.entered <= 0 || c.entered > o.quantity) {
			return fmt.Errorf("venue: order %d is not the exit of an entry", o.id)
		}
		parent := s.orders.find(c.Parent)
		live := parent != 0 && s.orders.at(parent).status.Live()
		otherReady := s.orders.conditions.of(other.id).stage == ready
		if s.taking.place == 0 && live == (c.stage == ready || otherReady) {
			return fmt.Errorf("venue: order %d waits for an entry that is not there", o.id)
		}
	case doomed:
		hold = o.hold
	default:
		return fmt.Errorf("venue: pending order %d waits for nothing", o.id)
	}
	if hold != o.hold {
		return fmt.Errorf("venue: pending order %d holds %d and needs %d", o.id, o.hold, hold)
	}
	return nil
}

// checkTriggers verifies that the triggers of a market have exactly the stops that
// wait, in order.
func (s *State) checkTriggers(m *venueMarket, stops int) error {
	t := &s.orders.conditions
	n := 0
	for i := range m.triggers {
		x := &m.triggers[i]
		stop := func(heap []uint32, i int, before func(a, b uint32) bool) error {
			c := t.at(heap[i])
			o := s.orders.at(c.place)
			n++
			if c.stage != waiting || c.at != i || o.market != m.id || o.side != x.side || i > 0 && before(heap[i], heap[(i-1)/2]) ||
				m.lastTrade.ID != 0 && x.reached(x.trigger(c), m.lastTrade.Price) {
				return fmt.Errorf("venue: stop %d is out of place among the triggers of %s", o.id, m.definition.Symbol)
			}
			return nil
		}
		for i := range x.fixed {
			if err := stop(x.fixed, i, x.fixedBefore); err != nil {
				return err
			}
		}
		for k, id := range x.trails {
			g := &x.groups[id]
			if len(g.members) == 0 || x.nearest[g.at] != id || k > 0 && !x.passes(x.groups[x.trails[k-1]].peak, g.peak) {
				return fmt.Errorf("venue: trailing stops of %s are out of order", m.definition.Symbol)
			}
			for i := range g.members {
				if err := stop(g.members, i, x.trailBefore); err != nil {
					return err
				}
				if t.at(g.members[i]).group != id {
					return fmt.Errorf("venue: a trailing stop of %s follows another peak", m.definition.Symbol)
				}
			}
		}
		for i := range x.nearest {
			if i > 0 && x.groupBefore(x.nearest[i], x.nearest[(i-1)/2]) {
				return fmt.Errorf("venue: peaks of %s are out of order", m.definition.Symbol)
			}
		}
		if len(x.nearest) != len(x.trails) {
			return fmt.Errorf("venue: %s has %d peaks, %d in order", m.definition.Symbol, len(x.trails), len(x.nearest))
		}
	}
	if n != m.waiting || n != stops {
		return fmt.Errorf("venue: %s counts %d stops, %d wait, %d are among its triggers", m.definition.Symbol, m.waiting, stops, n)
	}
	return nil
}

// checkDue verifies the queues of what has become due.
func (s *State) checkDue(m *venueMarket) error {
	t := &s.orders.conditions
	for _, q := range []struct {
		*placeQueue
		stages []stage
	}{{&m.doomed, []stage{doomed}}, {&m.acting, []stage{triggered, ready}}} {
		last := uint32(0)
		for at := q.head; at != 0; at = t.at(at).next {
			c := t.at(at)
			if c.prev != last || !slices.Contains(q.stages, c.stage) || s.orders.at(c.place).market != m.id {
				return fmt.Errorf("venue: order %d stands in a queue of %s where it does not belong", c.id, m.definition.Symbol)
			}
			last = at
		}
		if q.tail != last {
			return fmt.Errorf("venue: a queue of %s has no end", m.definition.Symbol)
		}
	}
	if busy := m.doomed.head != 0 || m.acting.head != 0; busy != slices.Contains(s.busy, m) {
		return fmt.Errorf("venue: what is due in %s is counted wrongly", m.definition.Symbol)
	}
	return nil
}

// checkConditions verifies that the table has an entry for each order that says
// so and for no other, and that what expires is expected.
func (s *State) checkConditions() error {
	t := &s.orders.conditions
	n, expiring := 0, 0
	for place := uint32(1); place < s.orders.used; place++ {
		o := s.orders.at(place)
		if s.orders.find(o.id) != place || !o.has(flagConditions) {
			continue
		}
		n++
		at := t.find(o.id)
		if at == 0 || t.at(at).id != o.id || t.at(at).place != place {
			return fmt.Errorf("venue: the conditions of order %d are lost", o.id)
		}
		if o.status.Live() && t.at(at).ExpiresAt != 0 {
			expiring++
		}
	}
	if n != t.places.count {
		return fmt.Errorf("venue: %d orders have conditions, %d are kept", n, t.places.count)
	}
	if expiring != len(s.expiries.heap)-s.expiries.dead {
		return fmt.Errorf("venue: %d orders expire, %d are expected to", expiring, len(s.expiries.heap)-s.expiries.dead)
	}
	for i := range s.expiries.heap {
		if i > 0 && expiresBefore(&s.expiries.heap[i], &s.expiries.heap[(i-1)/2]) {
			return fmt.Errorf("venue: order %d expires out of order", s.expiries.heap[i].order)
		}
	}
	return nil
}
