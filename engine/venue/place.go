package venue

import (
	"errors"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

func (c *PlaceOrder) decide(s *State, d *decision) error {
	m, ok := s.bySymbol[c.Symbol]
	switch {
	case !ok:
		return unknownMarket()
	case m.phase == market.Halted:
		return fault.New(fault.MarketHalted, "the market is halted: only cancels are accepted")
	case c.Actor == 0:
		return fault.New(fault.InvalidArgument, "the house does not trade")
	case !c.Side.Valid():
		return fault.New(fault.InvalidArgument, "an order buys or sells")
	}
	check, timeInForce, err := c.terms(m)
	if err != nil {
		return err
	}
	var who risk.Member
	who.Available = s.ledger.Balance(c.Actor, m.held(c.Side)).Available
	if d.owner != 0 {
		who.OpenOrders = s.members.at(d.owner).open
	}
	hold, err := risk.Check(&m.terms, s.limits, check, who)
	if err != nil {
		return err
	}
	taker := order{
		id: s.lastOrder + 1, owner: d.owner, side: c.Side,
		price: check.Price, quantity: c.Quantity, hold: hold,
	}
	ev := d.add(OrderPlaced)
	ev.Market, ev.Order, ev.Member, ev.Side, ev.Type = m.id, taker.id, c.Actor, c.Side, c.Type
	ev.TimeInForce, ev.Price, ev.Quantity = timeInForce, check.Price, c.Quantity
	ev.Asset, ev.Amount = m.held(c.Side), hold
	return s.take(m, &taker, timeInForce, d)
}

// terms works out at which price and for how long the order stands.
func (c *PlaceOrder) terms(m *venueMarket) (risk.Order, market.TimeInForce, error) {
	check := risk.Order{Side: c.Side, Price: c.Price, Reference: c.Price, Quantity: c.Quantity}
	timeInForce := c.TimeInForce
	switch c.Type {
	case market.Limit:
		if timeInForce == 0 {
			timeInForce = market.GTC
		}
	case market.Market:
		if timeInForce == 0 {
			timeInForce = market.IOC
		}
		if timeInForce != market.IOC {
			return check, 0, fault.New(fault.InvalidArgument, "a market order is immediate or cancel")
		}
		if c.Price != 0 {
			return check, 0, fault.New(fault.InvalidPrice, "a market order has no price")
		}
		best, ok := m.book.Best(c.Side.Opposite())
		if !ok {
			return check, 0, fault.New(fault.NoLiquidity, "there is nothing on the other side to trade with")
		}
		check.Price, check.Reference = m.terms.Protected(c.Side, best), best
	default:
		return check, 0, fault.New(fault.InvalidArgument, "an order is a limit or a market order")
	}
	if !timeInForce.Valid() {
		return check, 0, fault.New(fault.InvalidArgument, "an order has no such time in force")
	}
	check.Rests = timeInForce == market.GTC
	return check, timeInForce, nil
}

// take adds the trades of an order that was placed, the cancel of what neither
// trades nor rests, and the receipt. An order that would meet one of its own
// member's stops there, and its rest is cancelled.
func (s *State) take(m *venueMarket, taker *order, timeInForce market.TimeInForce, d *decision) error {
	reason := market.CancelImmediate
	opposite := taker.side.Opposite()
	for h := m.book.First(opposite); h != 0 && taker.remaining() > 0; h = m.book.After(h) {
		price, _, ref := m.book.Resting(h)
		if taker.side == market.Buy && price > taker.price || taker.side == market.Sell && price < taker.price {
			break
		}
		maker := s.orders.at(ref)
		if maker.owner == taker.owner {
			reason = market.CancelSelfTrade
			break
		}
		if err := s.trade(m, taker, maker, price, d); err != nil {
			return err
		}
	}
	left := taker.remaining()
	switch {
	case left == 0:
		d.receipt.Status = market.Filled
	case timeInForce == market.IOC || reason == market.CancelSelfTrade:
		d.receipt.Status = market.Cancelled
		cancelled(d, taker, d.actor, reason, left, taker.hold, m)
	case taker.filled > 0:
		d.receipt.Status = market.PartiallyFilled
	default:
		d.receipt.Status = market.Open
	}
	d.receipt.Order, d.receipt.Filled = taker.id, taker.filled
	d.receipt.Notional, d.receipt.Fee = taker.notional, taker.fee
	return nil
}

var errUncountable = errors.New("venue: a trade cannot be counted although its order's hold could")

// trade adds one trade at the maker's price. It updates the taker, which is the
// decision's own, and leaves the maker to the fold.
func (s *State) trade(m *venueMarket, taker, maker *order, price market.Price, d *decision) error {
	quantity := min(taker.remaining(), maker.remaining())
	notional, ok := m.terms.Notional(price, quantity)
	base, fits := m.terms.BaseAmount(quantity)
	if !ok || !fits {
		return errUncountable
	}
	makerFee, takerFee := m.terms.MakerFee.Of(notional), m.terms.TakerFee.Of(notional)

	buyer, buyerFee := maker, makerFee
	if taker.side == market.Buy {
		buyer, buyerFee = taker, takerFee
	}
	needed, ok := risk.Hold(&m.terms, market.Buy, buyer.price, buyer.remaining()-quantity)
	if !ok {
		return errUncountable
	}

	ev := d.add(Traded)
	ev.Market, ev.Side, ev.Base, ev.Quote = m.id, taker.side, m.base, m.quote
	ev.Trade = s.lastTrade + market.TradeID(len(*d.events)-d.start-1)
	ev.Order, ev.Member, ev.Maker, ev.MakerMember = taker.id, d.actor, maker.id, s.members.at(maker.owner).id
	ev.Price, ev.Quantity, ev.Amount, ev.Notional = price, quantity, base, notional
	ev.MakerFee, ev.TakerFee = makerFee, takerFee
	ev.Release = buyer.hold - notional - buyerFee - needed

	taker.filled += quantity
	taker.notional += notional
	taker.fee += takerFee
	taker.hold -= spent(ev, taker.side)
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
