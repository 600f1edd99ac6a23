package venue

import (
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// describe fills in what the checks of risk look at in every order.
func describe(o *risk.Order, t *taker) {
	o.Side, o.Price, o.Quantity, o.Filled, o.HoldRate = t.side, t.price, t.quantity, t.filled, t.holdRate()
}

// assess passes the orders of a command of the actor, which are of one side,
// through the checks of risk and returns what they must hold together. instead is
// the order that is amended, nil when none is. Refusals: those of risk.Check.
func (s *State) assess(m *venueMarket, orders []risk.Order, instead *order, d *decision) (money.Amount, error) {
	st := s.standingOf(m, d)
	who := risk.Member{Freeze: st.freeze, Available: s.ledger.Spendable(d.actor, m.held(orders[0].Side))}
	if d.owner != 0 {
		member := s.members.at(d.owner)
		who.OpenOrders = member.open
		if st.limits.OrdersPerSecond != 0 && instead == nil {
			who.Placed = member.rate.at(d.time)
		}
		if st.limits.Exposure != 0 {
			who.Exposure = s.exposure(d.owner, m, instead)
		}
	}
	if st.limits.Position != 0 && orders[0].Side == market.Buy {
		who.Position = s.position(d, m, instead)
	}
	if instead != nil {
		who.OpenOrders--
		who.Available = saturated(who.Available, instead.hold)
	}
	s.expectOrder(d.owner)
	return risk.Check(&m.terms, &st.limits, orders, &who)
}

// standingOf is the standing of the actor, who may never have done anything.
func (s *State) standingOf(m *venueMarket, d *decision) *standing {
	if d.owner != 0 {
		return s.standing(d.owner, m, d.time)
	}
	if s.rules.general == 0 {
		return &m.plain
	}
	fresh := s.resolve(0, m, dayOf(d.time))
	return &fresh
}

// position is base that the actor has, also one that never did anything but be
// given it, and what its open buys in a market would bring. It is counted when it is asked for: few members have such a limit, none
// has many open orders, and what is not kept need not be kept right.
func (s *State) position(d *decision, m *venueMarket, instead *order) money.Amount {
	balance := s.ledger.Balance(d.actor, m.base)
	sum := saturated(balance.Available, balance.Held)
	if d.owner == 0 {
		return sum
	}
	for at := s.members.at(d.owner).oldest; at != 0; at = s.orders.at(at).next {
		o := s.orders.at(at)
		if o.market != m.id || o.side != market.Buy || o == instead {
			continue
		}
		base, ok := m.terms.BaseAmount(o.remaining())
		if !ok {
			return money.MaxAmount
		}
		sum = saturated(sum, base)
	}
	return sum
}

// exposure is the notional of a member's open orders in a market.
func (s *State) exposure(owner uint32, m *venueMarket, instead *order) (sum money.Amount) {
	for at := s.members.at(owner).oldest; at != 0; at = s.orders.at(at).next {
		o := s.orders.at(at)
		if o.market != m.id || o == instead {
			continue
		}
		notional, ok := m.terms.Notional(o.price, o.remaining())
		if !ok {
			return money.MaxAmount
		}
		sum = saturated(sum, notional)
	}
	return sum
}
