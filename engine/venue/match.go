package venue

import (
	"errors"

	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// take adds what comes of an order at the book: its trades, the cancel of what
// neither trades nor rests, and the outcome, which goes into the event at the
// place from which the order is taken.
func (s *State) take(m *venueMarket, t *taker, at int, d *decision) error {
	filled, notional, fee := t.filled, t.notional, t.fee
	var reason market.CancelReason
	var err error
	if m.phase == market.Continuous {
		if reason, err = s.match(m, t, d); err != nil {
			return err
		}
	}
	if reason == market.CancelBreaker {
		m.trip(d)
		if t.rests() {
			reason = 0
		}
	}
	status := market.Filled
	switch left := t.remaining(); {
	case left == 0:
	case reason != 0 || !t.rests():
		status = market.Cancelled
		if reason == 0 {
			reason = market.CancelImmediate
		}
		cancelled(d, &t.order, t.member, reason, left, t.hold, m)
	case t.filled > 0:
		status = market.PartiallyFilled
	default:
		status = market.Open
	}
	outcome := Receipt{
		Order: t.id, Status: status, Filled: t.filled - filled, Notional: t.notional - notional, Fee: t.fee - fee,
	}
	ev := &(*d.events)[at]
	ev.Follow = uint32(len(*d.events) - at - 1)
	if ev.First {
		d.receipt = outcome
	} else {
		outcome.Order = 0
		ev.Receipt = outcome
	}
	return nil
}

// match adds the trades of an order and says why it must go even if it may rest;
// 0 if it need not. The breaker only keeps what cannot rest from staying.
func (s *State) match(m *venueMarket, t *taker, d *decision) (market.CancelReason, error) {
	for h := m.book.First(t.side.Opposite()); h != 0 && t.remaining() > 0; h = m.book.After(h) {
		price, _, ref := m.book.Resting(h)
		if !crosses(t.side, t.price, price) {
			break
		}
		maker := s.orders.at(ref)
		if maker.owner == t.owner {
			return market.CancelSelfTrade, nil
		}
		if m.rules.Breaker != 0 && !m.passes(price, d) {
			return market.CancelBreaker, nil
		}
		if err := s.trade(m, t, maker, price, d); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

var errUncountable = errors.New("venue: a trade cannot be counted although its order's hold could")

// trade adds one trade at the maker's price. It updates the taker and leaves the
// maker to the fold.
func (s *State) trade(m *venueMarket, t *taker, maker *order, price market.Price, d *decision) error {
	quantity := min(t.remaining(), maker.remaining())
	notional, ok := m.terms.Notional(price, quantity)
	base, fits := m.terms.BaseAmount(quantity)
	if !ok || !fits {
		return errUncountable
	}
	makerFee, takerFee := money.Rate(maker.makerRate).Of(notional), money.Rate(t.takerRate).Of(notional)

	buyer, buyerFee := maker, makerFee
	if t.side == market.Buy {
		buyer, buyerFee = &t.order, takerFee
	}
	needed, ok := risk.Hold(&m.terms, buyer.holdRate(), market.Buy, buyer.price, buyer.remaining()-quantity)
	if !ok {
		return errUncountable
	}

	ev := d.add(Traded)
	d.trades++
	ev.Market, ev.Side, ev.Base, ev.Quote = m.id, t.side, m.base, m.quote
	ev.Trade = s.lastTrade + d.trades
	ev.Order, ev.Member, ev.Maker, ev.MakerMember = t.id, t.member, maker.id, s.members.at(maker.owner).id
	ev.Price, ev.Quantity, ev.Amount, ev.Notional = price, quantity, base, notional
	ev.MakerFee, ev.TakerFee = makerFee, takerFee
	ev.Release = buyer.hold - notional - buyerFee - needed

	t.filled += quantity
	t.notional += notional
	t.fee += takerFee
	t.hold -= spent(ev, t.side)
	s.accrue(m, ev.Trade, [2]feeOf{{t.owner, t.id, takerFee}, {maker.owner, maker.id, makerFee}}, d)
	return nil
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
