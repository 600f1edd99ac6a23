package naive

import (
	"cmp"
	"slices"

	"bourse/engine/market"
)

const expiriesInAStep = 1000

// Due tells whether something has to be done by itself at a time, before any command.
func (v *Venue) Due(now Time) bool { return v.next(now) != nil }

// Step does the next thing that is due by itself.
func (v *Venue) Step(now Time) (Receipt, []Effect) {
	v.effects, v.notes = nil, nil
	step := v.next(now)
	v.now = now
	v.sequence++
	step()
	return Receipt{Sequence: v.sequence, Time: now}, v.effects
}

// next returns what has to be done next, nil when nothing is due.
func (v *Venue) next(now Time) func() {
	for _, m := range v.markets {
		if m.Uncrossing != nil {
			return func() { v.goOnUncrossing(m) }
		}
	}
	for _, m := range v.markets {
		if len(m.Linked) > 0 {
			return func() { v.cancelLinked(m.Linked[0]) }
		}
	}
	for _, m := range v.markets {
		if len(m.Acting) > 0 && m.Phase == market.Continuous {
			return func() { v.actNext(m) }
		}
	}
	for _, m := range v.markets {
		if m.PhaseEnds != 0 && m.PhaseEnds <= now {
			return func() { v.goTo(m, following[m.Phase], 0) }
		}
	}
	if expired := v.expired(now); len(expired) > 0 {
		return func() { v.expire(expired) }
	}
	return v.expireTransfers(now)
}

// cancelLinked cancels a leg because the other one traded.
func (v *Venue) cancelLinked(o *Order) {
	v.dissolveGroup(o)
	v.cancel(o, market.CancelLinked)
}

func (v *Venue) actNext(m *Market) {
	o := m.Acting[0]
	m.Acting = m.Acting[1:]
	if len(o.Exits) > 0 {
		v.activate(o)
		return
	}
	v.act(o)
}

// expired returns the orders whose time has come, the earliest first.
func (v *Venue) expired(now Time) (orders []*Order) {
	for _, o := range v.open {
		if o.ExpiresAt != 0 && o.ExpiresAt <= now {
			orders = append(orders, o)
		}
	}
	slices.SortStableFunc(orders, func(a, b *Order) int { return cmp.Compare(a.ExpiresAt, b.ExpiresAt) })
	return orders
}

// expire ends orders, each with the other leg of its group.
func (v *Venue) expire(orders []*Order) {
	if len(orders) > expiriesInAStep {
		v.note("expiries in several steps")
	}
	for _, o := range orders[:min(len(orders), expiriesInAStep)] {
		if o.Status.Live() {
			v.cancel(o, market.CancelExpired)
		}
	}
}
