package venue

import (
	"slices"

	"bourse/engine/fault"
	"bourse/engine/market"
)

const (
	day = Time(24 * 3600 * 1e9)
	// longestExpiry is how far ahead a GTD order may expire.
	longestExpiry = 366 * day
	// expiriesPerStep bounds the orders that one step lets expire.
	expiriesPerStep = 1000
)

// expiries is when open orders expire, the earliest first, then by id. What ends
// otherwise stays until it comes to the top or until such are the most, so that
// cancelling costs next to nothing and the heap is at most twice what it needs.
type expiries struct {
	heap []expiry
	dead int // entries of orders that have ended
}

type expiry struct {
	at    Time
	order market.OrderID
}

func expiresBefore(a, b *expiry) bool { return a.at < b.at || a.at == b.at && a.order < b.order }

// expectExpiry remembers when an open order expires.
func (s *State) expectExpiry(at Time, id market.OrderID) {
	s.expiries.heap = push(s.expiries.heap, expiry{at, id}, expiresBefore)
}

// forgetExpiry is told that an order with an expiry has ended.
func (s *State) forgetExpiry() {
	x := &s.expiries
	x.dead++
	for len(x.heap) > 0 && !s.isOpen(x.heap[0].order) {
		_, x.heap = pop(x.heap, expiresBefore)
		x.dead--
	}
	if x.dead <= len(x.heap)/2 {
		return
	}
	kept := x.heap[:0]
	for _, e := range x.heap {
		if s.isOpen(e.order) {
			kept = append(kept, e)
		}
	}
	x.heap, x.dead = kept, 0
	x.order()
}

// expireDay has all DAY orders of a market expire at a time.
func (s *State) expireDay(m *venueMarket, at Time) {
	x := &s.expiries
	for i := range x.heap {
		place := s.orders.find(x.heap[i].order)
		if place == 0 {
			continue
		}
		if o := s.orders.at(place); o.status.Live() && o.market == m.id && o.timeInForce == market.DAY {
			x.heap[i].at = at
			s.orders.conditions.of(o.id).ExpiresAt = at
		}
	}
	x.order()
}

// order puts all entries where they belong.
func (x *expiries) order() {
	for at := len(x.heap)/2 - 1; at >= 0; at-- {
		sink(x.heap, at, expiresBefore)
	}
}

// isOpen reports whether an order is known and has not ended.
func (s *State) isOpen(id market.OrderID) bool {
	place := s.orders.find(id)
	return place != 0 && s.orders.at(place).status.Live()
}

// due returns what has expired by now, the earliest first, at most n. The heap
// does not change: those below an entry come after it, so it is enough to look
// at the children of what was taken.
func (x *expiries) due(now Time, n int) (ids []market.OrderID) {
	type candidate struct {
		expiry
		at int
	}
	before := func(a, b *candidate) bool { return expiresBefore(&a.expiry, &b.expiry) }
	var candidates []candidate
	consider := func(at int) {
		if at < len(x.heap) && x.heap[at].at <= now {
			candidates = push(candidates, candidate{x.heap[at], at}, before)
		}
	}
	consider(0)
	for len(candidates) > 0 && len(ids) < n {
		var c candidate
		c, candidates = pop(candidates, before)
		ids = append(ids, c.order)
		consider(2*c.at + 1)
		consider(2*c.at + 2)
	}
	return ids
}

// expire lets orders expire whose time has come. A leg that goes with its sibling
// may have come to its own time as well.
func (s *State) expire(d *decision) error {
	for _, id := range s.expiries.due(d.time, expiriesPerStep) {
		if place := s.orders.find(id); place != 0 && s.orders.at(place).status.Live() && !slices.Contains(d.gone, id) {
			s.cancel(s.orders.at(place), market.CancelExpired, d)
		}
	}
	return nil
}

// expiry works out when an order of this time in force expires, 0 for never.
// Refusal: INVALID_EXPIRY.
func (m *venueMarket) expiry(timeInForce market.TimeInForce, asked, now Time) (Time, error) {
	switch {
	case timeInForce == market.GTD && (asked <= now || asked-now > longestExpiry):
		return 0, fault.New(fault.InvalidExpiry, "the order must expire after now and within 366 days")
	case timeInForce == market.GTD:
		return asked, nil
	case asked != 0:
		return 0, fault.New(fault.InvalidExpiry, "only an order that is good till a date names when it expires")
	case timeInForce == market.DAY:
		return m.nextDayEnd(now), nil
	}
	return 0, nil
}

// nextDayEnd is the first end of a trading day after now.
func (m *venueMarket) nextDayEnd(now Time) Time {
	end := now - now%day + Time(m.rules.DayEnd)
	if end <= now {
		end += day
	}
	return end
}
