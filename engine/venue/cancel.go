package venue

import (
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

func (c *CancelOrder) decide(s *State, d *decision) error {
	place := s.orders.find(c.Order)
	if place == 0 || s.orders.at(place).owner != d.owner {
		return fault.New(fault.OrderNotFound, "you have no such order")
	}
	o := s.orders.at(place)
	if !o.status.Live() {
		return fault.New(fault.OrderNotOpen, "the order is filled or cancelled already")
	}
	s.cancel(o, market.CancelRequested, d)
	d.receipt = Receipt{
		Order: o.id, Status: market.Cancelled, Filled: o.filled, Notional: o.notional, Fee: o.fee,
	}
	return nil
}

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
		if only == 0 || o.market == only {
			s.cancel(o, market.CancelRequested, d)
			d.receipt.Count++
		}
		at = o.next
	}
	return nil
}

// cancel adds the cancel of an open order.
func (s *State) cancel(o *order, why market.CancelReason, d *decision) {
	cancelled(d, o, s.members.at(o.owner).id, why, o.remaining(), o.hold, s.markets[o.market-1])
}

func cancelled(d *decision, o *order, member account.ID, why market.CancelReason, left market.Quantity, release money.Amount, m *venueMarket) {
	ev := d.add(OrderCancelled)
	ev.Market, ev.Order, ev.Member, ev.Side, ev.Price = m.id, o.id, member, o.side, o.price
	ev.Reason, ev.Quantity, ev.Asset, ev.Amount = why, left, m.held(o.side), release
}
