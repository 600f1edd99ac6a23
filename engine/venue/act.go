package venue

import (
	"bourse/engine/market"
	"bourse/engine/risk"
)

// act does what the first of those that became due in a market waits for: a stop
// trades, the exits of a bracket become an OCO.
func (s *State) act(m *venueMarket, d *decision) error {
	c := s.orders.conditions.at(m.acting.head)
	o := s.orders.at(c.place)
	t := taker{order: *o, member: s.members.at(o.owner).id}
	if c.stage == ready {
		return s.activate(m, c, &t, d)
	}
	return s.trigger(m, c, &t, d)
}

// trigger lets a stop take that was set off. The limit leg of its OCO goes first,
// and leaves it as much of its hold as the stop needs: that stays held, so that no
// balance dips on the way.
func (s *State) trigger(m *venueMarket, c *conditions, t *taker, d *decision) error {
	if t.kind == market.TrailingStop {
		price := m.terms.Protected(t.side, c.Trigger)
		if t.side == market.Buy {
			price = min(price, t.price) // the protection may have been widened since
		}
		t.price = price
	}
	needed, ok := risk.Hold(&m.terms, t.holdRate(), t.side, t.price, t.remaining())
	if !ok {
		return errUncountable
	}
	if place := s.orders.find(c.Sibling); place != 0 && s.orders.at(place).status.Live() {
		other := s.orders.at(place)
		passed := min(max(needed-t.hold, 0), other.hold)
		cancelled(d, other, t.member, market.CancelLinked, other.remaining(), other.hold-passed, m)
		t.hold += passed
	}
	ev := d.add(OrderTriggered)
	ev.Market, ev.Order, ev.Member, ev.Side = m.id, t.id, t.member, t.side
	ev.Price, ev.Quantity, ev.Asset = t.price, t.remaining(), m.held(t.side)
	ev.Amount, ev.Release = needed, t.hold-needed
	t.hold = needed
	_, err := s.take(m, t, len(*d.events)-1, d)
	return err
}

// activate makes an OCO of the exits of a bracket, for what its entry filled. The
// take-profit goes to the book; if anything happens to it there, the stop-loss
// goes.
func (s *State) activate(m *venueMarket, c *conditions, t *taker, d *decision) error {
	loss := *s.orders.at(s.orders.find(c.Sibling))
	t.quantity, loss.quantity = c.entered, c.entered
	needed, ok := risk.Hold(&m.terms, t.holdRate(), t.side, t.price, t.quantity)
	more, fits := risk.Hold(&m.terms, loss.holdRate(), loss.side, loss.price, loss.quantity)
	if !ok || !fits {
		return errUncountable
	}
	t.hold, loss.hold = needed, max(more-needed, 0)
	if s.ledger.Spendable(t.member, m.held(t.side)) < t.hold+loss.hold {
		for _, o := range [...]*order{s.orders.at(c.place), s.orders.at(s.orders.find(c.Sibling))} {
			cancelled(d, o, t.member, market.CancelUnfunded, o.remaining(), 0, m)
		}
		return nil
	}
	at := activated(m, &t.order, t, d)
	d.outcome(activated(m, &loss, t, d), loss.id, Receipt{Status: market.Pending})
	status, err := s.take(m, t, at, d)
	if err != nil {
		return err
	}
	if t.filled > 0 || t.quantity < c.entered || status == market.Cancelled {
		cancelled(d, &loss, t.member, market.CancelLinked, loss.quantity, loss.hold, m)
	}
	return nil
}

func activated(m *venueMarket, o *order, t *taker, d *decision) (at int) {
	ev := d.add(OrderActivated)
	ev.Market, ev.Order, ev.Member, ev.Side = m.id, o.id, t.member, o.side
	ev.Quantity, ev.Asset, ev.Amount = o.quantity, m.held(o.side), o.hold
	return len(*d.events) - 1
}
