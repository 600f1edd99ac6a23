package venue

import (
	"errors"

	"bourse/engine/account"
	"bourse/engine/book"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// maxMeetings is how many makers a taker meets at most, each time that it meets
// one: it bounds the events of a command.
const maxMeetings = 10_000

// take adds what comes of an order at the book: its trades, the cancel of what
// neither trades nor rests, and the outcome, which goes into the event at the
// place from which the order is taken.
func (s *State) take(m *venueMarket, t *taker, at int, d *decision) (market.Status, error) {
	filled, notional, fee := t.filled, t.notional, t.fee
	var reason market.CancelReason
	if m.phase == market.Continuous {
		var err error
		if reason, err = s.match(m, t, d); err != nil {
			return 0, err
		}
	}
	if t.spends {
		t.quantity = t.filled
	}
	if reason == market.CancelBreaker {
		m.trip(d)
		if t.rests() {
			reason = 0
		}
	}
	left := t.remaining()
	switch {
	case t.status == market.Cancelled: // on the way
	case left == 0:
		t.status = market.Filled
	case reason != 0 || !t.rests():
		if reason == 0 {
			reason = market.CancelImmediate
		}
		t.cancel(m, reason, d)
	case t.filled > 0:
		t.status = market.PartiallyFilled
	default:
		t.status = market.Open
	}
	d.outcome(at, t.id, Receipt{
		Status: t.status, Filled: t.filled - filled, Notional: t.notional - notional, Fee: t.fee - fee,
	})
	return t.status, nil
}

// cancel adds the cancel of what the taker has left.
func (t *taker) cancel(m *venueMarket, why market.CancelReason, d *decision) {
	cancelled(d, &t.order, t.member, why, t.remaining(), t.hold, m)
	t.status = market.Cancelled
}

// match adds what happens between an order and those that it meets, and says why
// its rest must go even if it may rest; 0 if it need not. The breaker only keeps
// what cannot rest from staying.
func (s *State) match(m *venueMarket, t *taker, d *decision) (market.CancelReason, error) {
	var group uint64
	if t.owner != 0 {
		group = s.members.at(t.owner).tradeGroup
	}
	w := m.book.Walk(t.side.Opposite())
	for met := 0; t.remaining() > 0 && (!t.spends || t.budget > 0); met++ {
		if met == maxMeetings {
			return market.CancelFillLimit, nil
		}
		if w.Handle == 0 || !crosses(t.side, t.price, w.Price) {
			return 0, nil
		}
		maker := s.orders.at(w.Ref)
		if (maker.owner == t.owner || group != 0 && s.members.at(maker.owner).tradeGroup == group) && t.mode != market.Allow {
			if s.avoid(m, t, maker, &w, d) {
				return market.CancelSelfTrade, nil
			}
			continue
		}
		quantity := min(t.remaining(), w.Quantity)
		if t.spends {
			if quantity = m.affordable(t, w.Price, quantity); quantity == 0 {
				return 0, nil
			}
		}
		if m.rules.Breaker != 0 && !m.passes(w.Price, d) {
			return market.CancelBreaker, nil
		}
		if err := s.trade(m, t, maker, &w, quantity, d); err != nil {
			return 0, err
		}
		if t.spends && quantity < w.Quantity {
			return 0, nil
		}
		w.Take(quantity)
	}
	return 0, nil
}

// avoid keeps two orders of one hand from trading, by the taker's mode, and
// reports whether matching ends.
func (s *State) avoid(m *venueMarket, t *taker, maker *order, w *book.Walk, d *decision) (ends bool) {
	switch t.mode {
	case market.CancelMaker, market.CancelBoth:
		s.cancel(maker, market.CancelSelfTrade, d)
		w.Pass()
		return t.mode == market.CancelBoth
	case market.Decrement:
		quantity := min(t.remaining(), w.Quantity)
		switch whole := w.Whole(); {
		case quantity == whole && w.Again:
			// An iceberg that was met before holds less than the state says. It has no
			// order linked to it.
			hold, _ := risk.Hold(&m.terms, maker.holdRate(), maker.side, maker.price, whole)
			cancelled(d, maker, s.members.at(maker.owner).id, market.CancelSelfTrade, whole, hold, m)
		case quantity == whole:
			s.cancel(maker, market.CancelSelfTrade, d)
		default:
			reduced(m, maker, s.members.at(maker.owner).id, whole, quantity, d)
		}
		w.Take(quantity)
		if quantity == t.remaining() {
			t.cancel(m, market.CancelSelfTrade, d)
			return true
		}
		t.hold -= reduced(m, &t.order, t.member, t.remaining(), quantity, d)
		t.quantity -= quantity
		return false
	}
	return true
}

// reduced adds the loss of lots of an order that has more, and returns what is
// released.
func reduced(m *venueMarket, o *order, member account.ID, left, lost market.Quantity, d *decision) money.Amount {
	// That the smaller amounts can be counted follows from the larger one.
	before, _ := risk.Hold(&m.terms, o.holdRate(), o.side, o.price, left)
	after, _ := risk.Hold(&m.terms, o.holdRate(), o.side, o.price, left-lost)
	ev := d.add(OrderReduced)
	ev.Market, ev.Order, ev.Member, ev.Side, ev.Reason = m.id, o.id, member, o.side, market.CancelSelfTrade
	ev.Quantity, ev.Asset, ev.Amount = lost, m.held(o.side), before-after
	return before - after
}

// affordable is how many of a maker's lots the rest of an amount pays for, with
// the taker's fee.
func (m *venueMarket) affordable(t *taker, price market.Price, displayed market.Quantity) market.Quantity {
	low, high := market.Quantity(0), displayed // low can be paid
	for low < high {
		middle := high - (high-low)/2
		if cost, ok := m.cost(t, price, middle); ok && cost <= t.budget {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}

// cost is what a taker pays for lots.
func (m *venueMarket) cost(t *taker, price market.Price, quantity market.Quantity) (money.Amount, bool) {
	notional, ok := m.terms.Notional(price, quantity)
	if !ok {
		return 0, false
	}
	return notional.Add(money.Rate(t.takerRate).Of(notional))
}

var errUncountable = errors.New("venue: a trade cannot be counted although its order's hold could")

// trade adds one trade at the maker's price. It updates the taker and leaves the
// maker to the fold.
func (s *State) trade(m *venueMarket, t *taker, maker *order, w *book.Walk, quantity market.Quantity, d *decision) error {
	notional, ok := m.terms.Notional(w.Price, quantity)
	base, fits := m.terms.BaseAmount(quantity)
	if !ok || !fits {
		return errUncountable
	}
	makerFee, takerFee := money.Rate(maker.makerRate).Of(notional), money.Rate(t.takerRate).Of(notional)
	var release money.Amount
	switch {
	case t.spends:
		t.budget -= notional + takerFee
	case t.side == market.Buy:
		release, ok = m.freed(&t.order, t.remaining(), t.hold, quantity, notional+takerFee)
	default:
		left, hold := maker.remaining(), maker.hold
		if w.Again {
			left = w.Whole()
			hold, _ = risk.Hold(&m.terms, maker.holdRate(), market.Buy, maker.price, left)
		}
		release, ok = m.freed(maker, left, hold, quantity, notional+makerFee)
	}
	if !ok {
		return errUncountable
	}

	ev := d.add(Traded)
	d.trades++
	ev.Market, ev.Side, ev.Base, ev.Quote = m.id, t.side, m.base, m.quote
	ev.Trade = s.lastTrade + d.trades
	ev.Order, ev.Member, ev.Maker, ev.MakerMember = t.id, t.member, maker.id, s.members.at(maker.owner).id
	ev.Price, ev.Quantity, ev.Amount, ev.Notional = w.Price, quantity, base, notional
	ev.MakerFee, ev.TakerFee, ev.Release = makerFee, takerFee, release

	t.filled += quantity
	t.notional += notional
	t.fee += takerFee
	if !t.spends {
		t.hold -= spent(ev, t.side)
	}
	s.accrue(m, ev.Trade, [2]feeOf{{t.owner, t.id, takerFee}, {maker.owner, maker.id, makerFee}}, d)
	return nil
}

// freed is what a buyer, who has lots left and holds an amount for them, need not
// hold any more when some of them were bought at a cost.
func (m *venueMarket) freed(o *order, left market.Quantity, hold money.Amount, bought market.Quantity, cost money.Amount) (money.Amount, bool) {
	needed, ok := risk.Hold(&m.terms, o.holdRate(), market.Buy, o.price, left-bought)
	return hold - cost - needed, ok
}

// spent is what a trade takes out of the hold of its party on this side.
func spent(ev *Event, side market.Side) money.Amount {
	if side == market.Sell {
		return ev.Amount
	}
	fee := ev.MakerFee
	if ev.Side == market.Buy {
		fee = ev.TakerFee
	}
	return ev.Notional + fee + ev.Release
}
