package venue

import (
	"slices"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

func (c *CancelOrder) decide(s *State, d *decision) error {
	place := s.orders.find(c.Order)
	if place == 0 || s.orders.at(place).owner != d.owner {
		return errNotYours
	}
	return s.cancelOne(s.orders.at(place), market.CancelRequested, d)
}

var errNotYours = fault.New(fault.OrderNotFound, "you have no such order")

func (c *CancelAll) decide(s *State, d *decision) error {
	var only MarketID
	if c.Symbol != "" {
		m, ok := s.bySymbol[c.Symbol]
		if !ok {
			return unknownMarket()
		}
		only = m.id
	}
	d.add(OrdersCancelled).Market = only
	place := s.members.find(c.Actor)
	if place == 0 {
		return nil
	}
	for at := s.members.at(place).oldest; at != 0; {
		o := s.orders.at(at)
		if (only == 0 || o.market == only) && !slices.Contains(d.gone, o.id) {
			s.cancel(o, market.CancelRequested, d)
		}
		at = o.next
	}
	d.receipt.Count = uint32(len(*d.events) - d.start - 1)
	return nil
}

func (c *CancelFor) decide(s *State, d *decision) error {
	place := s.orders.find(c.Order)
	if place == 0 {
		return fault.New(fault.OrderNotFound, "there is no such order")
	}
	return s.cancelOne(s.orders.at(place), market.CancelAdministrative, d)
}

// cancelOne cancels an order that somebody asked for by its id.
func (s *State) cancelOne(o *order, why market.CancelReason, d *decision) error {
	if !o.status.Live() {
		return fault.New(fault.OrderNotOpen, "the order is filled or cancelled already")
	}
	s.cancel(o, why, d)
	d.receipt = Receipt{
		Order: o.id, Status: market.Cancelled, Filled: o.filled, Notional: o.notional, Fee: o.fee,
	}
	return nil
}

// cancel adds the cancel of an open order, and of those that go with it.
func (s *State) cancel(o *order, why market.CancelReason, d *decision) {
	cancelled(d, o, s.members.at(o.owner).id, why, o.remaining(), o.hold, s.markets[o.market-1])
	if !o.has(flagConditions) {
		return
	}
	c := s.orders.conditions.of(o.id)
	if c.Sibling == 0 && c.Child == 0 {
		return
	}
	d.gone = append(d.gone, o.id)
	if c.Child != 0 && o.filled == 0 {
		s.cancelLinked(c.Child, d)
	}
	if c.Sibling != 0 {
		s.cancelLinked(c.Sibling, d)
	}
}

// cancelLinked cancels what goes with an order that was cancelled, unless that
// was decided already.
func (s *State) cancelLinked(id market.OrderID, d *decision) {
	place := s.orders.find(id)
	if place == 0 || slices.Contains(d.gone, id) {
		return
	}
	if o := s.orders.at(place); o.status.Live() && s.orders.conditions.of(id).stage != doomed {
		s.cancel(o, market.CancelLinked, d)
	}
}

// cancelDoomed cancels the first order whose sibling traded.
func (s *State) cancelDoomed(m *venueMarket, d *decision) error {
	o := s.orders.at(s.orders.conditions.at(m.doomed.head).place)
	cancelled(d, o, s.members.at(o.owner).id, market.CancelLinked, o.remaining(), o.hold, m)
	return nil
}

func cancelled(d *decision, o *order, member account.ID, why market.CancelReason, left market.Quantity, release money.Amount, m *venueMarket) {
	ev := d.add(OrderCancelled)
	ev.Market, ev.Order, ev.Member, ev.Side, ev.Price = m.id, o.id, member, o.side, o.price
	ev.Reason, ev.Quantity, ev.Asset, ev.Amount = why, left, m.held(o.side), release
}
