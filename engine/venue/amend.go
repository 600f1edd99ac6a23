package venue

import (
	"cmp"

	"bourse/engine/fault"
	"bourse/engine/risk"
)

func (c *AmendOrder) decide(s *State, d *decision) error {
	place := s.orders.find(c.Order)
	if place == 0 || s.orders.at(place).owner != d.owner {
		return errNotYours
	}
	o := s.orders.at(place)
	if !o.status.Live() {
		return fault.New(fault.OrderNotOpen, "the order is filled or cancelled already")
	}
	if o.handle == 0 || s.grouped(o) {
		return fault.New(fault.OrderNotAmendable, "only an order in the book that belongs to no group can be amended")
	}
	m := s.markets[o.market-1]
	t := taker{order: *o, member: d.actor}
	t.price, t.quantity = cmp.Or(c.Price, o.price), cmp.Or(c.Quantity, o.quantity)
	stays := t.price == o.price && t.quantity < o.quantity
	if err := m.admitsAmend(stays); err != nil {
		return err
	}
	if t.quantity <= o.filled || t.price == o.price && t.quantity == o.quantity {
		return fault.New(fault.InvalidAmend, "the amendment changes nothing or leaves nothing to trade")
	}
	if stays {
		return s.shrink(m, o, &t, d)
	}
	if err := m.banded(&t); err != nil {
		return err
	}
	check := risk.Order{Reference: t.price, Near: m.centre(), Opens: 1}
	if t.kind.Waits() {
		check.Reference = s.orders.conditions.of(o.id).Trigger
		check.Near = check.Reference
	}
	describe(&check, &t)
	var err error
	if t.hold, err = s.assess(m, []risk.Order{check}, o, d); err != nil {
		return err
	}
	if t.has(flagPostOnly) && m.takes(&t.order) {
		return errPostOnly
	}
	_, err = s.take(m, &t, amended(m, o, &t, d), d)
	return err
}

// shrink makes an order smaller that keeps its place.
func (s *State) shrink(m *venueMarket, o *order, t *taker, d *decision) error {
	if s.standingOf(m, d).freeze != risk.NotFrozen {
		return risk.ErrFrozen
	}
	var ok bool
	if t.hold, ok = risk.Hold(&m.terms, o.holdRate(), o.side, o.price, t.remaining()); !ok {
		return errUncountable
	}
	d.outcome(amended(m, o, t, d), o.id, Receipt{Status: o.status})
	return nil
}

// amended adds that an order became what t says.
func amended(m *venueMarket, o *order, t *taker, d *decision) (at int) {
	ev := d.add(OrderAmended)
	ev.Market, ev.Order, ev.Member, ev.Side, ev.Price, ev.Quantity = m.id, o.id, t.member, o.side, t.price, t.quantity
	ev.Asset, ev.Amount, ev.Release = m.held(o.side), t.hold, o.hold-t.hold
	return len(*d.events) - 1
}
