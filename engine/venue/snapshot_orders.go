package venue

import (
	"slices"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// appendOrders writes the open orders of each book in the order in which they
// trade, then the closed ones in the order in which they closed.
func (s *State) appendOrders(dst []byte) []byte {
	dst = appendNumbers(dst, uint64(s.orders.open))
	for _, m := range s.markets {
		for _, side := range [...]market.Side{market.Buy, market.Sell} {
			for h := m.book.First(side); h != 0; h = m.book.After(h) {
				_, _, ref := m.book.Resting(h)
				dst = s.appendOrder(dst, s.orders.at(ref))
			}
		}
	}
	dst = appendNumbers(dst, uint64(len(s.orders.closed.list)))
	for i := range s.orders.closed.list {
		dst = s.appendOrder(dst, s.orders.at(s.orders.closed.at(i).place))
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
		dst = appendConditions(dst, &s.orders.conditions.of(o.id).Conditions)
	}
	return dst
}

// lastingFlags are those that do not follow from the rest.
const lastingFlags = flagPostOnly | flagConditions | flagRequeued

func (s *State) restoreOrders(r *reader) {
	s.orders.places.follow(s.lastOrder)
	for n := r.number(); n > 0 && r.err == nil; n-- {
		s.restoreOpen(r)
	}
	s.enlistAll()
	for n := r.bounded(ClosedOrders); n > 0 && r.err == nil; n-- {
		if place, o := s.restoreOrder(r); o != nil {
			if o.status.Live() {
				r.fail("a closed order is open")
			}
			s.orders.retire(place)
		}
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
		!o.mode.Valid() || o.flags&^lastingFlags != 0 || o.price <= 0 || o.price > market.MaxPrice || o.id > s.lastOrder || s.orders.find(o.id) != 0 {
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
	if !o.status.Live() || o.remaining() <= 0 {
		r.fail("an open order is closed")
		return
	}
	if o.has(flagConditions) {
		if at := s.orders.conditions.of(o.id).ExpiresAt; at != 0 {
			s.expectExpiry(at, o.id)
		}
	}
	o.handle = s.markets[o.market-1].book.Add(o.side, o.price, o.remaining(), place)
}

// enlistAll puts the open orders, which are all there are so far, into their
// members' lists by ascending id.
func (s *State) enlistAll() {
	places := make([]uint32, 0, s.orders.used)
	for place := uint32(1); place < s.orders.used; place++ {
		if s.orders.at(place).handle != 0 {
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
