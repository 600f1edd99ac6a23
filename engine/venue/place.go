package venue

import (
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/risk"
)

// taker is an order on its way to the book, as the decision sees it: the real one
// is made or changed by the fold.
type taker struct {
	order
	member     account.ID
	conditions *Conditions // nil for an order that has none
}

func (c *PlaceOrder) decide(s *State, d *decision) error {
	m, ok := s.bySymbol[c.Symbol]
	if !ok {
		return unknownMarket()
	}
	if m.phase != market.Continuous {
		if err := m.admits(c.Type, c.TimeInForce, c.PostOnly, false); err != nil {
			return err
		}
	}
	var t taker
	if err := c.fit(m, d, &t); err != nil {
		return err
	}
	s.identify(m, d, &t)
	check := risk.Order{
		Side: t.side, Price: t.price, Reference: c.Price, Quantity: t.quantity, HoldRate: t.holdRate(), Opens: 1,
		Approved: c.Approved,
	}
	if c.Type == market.Limit {
		check.Near = m.centre()
	}
	if c.Type == market.Market {
		best, ok := m.book.Best(c.Side.Opposite())
		if !ok {
			return fault.New(fault.NoLiquidity, "there is nothing on the other side to trade with")
		}
		t.price = m.terms.Protected(c.Side, best)
		check.Price, check.Reference = t.price, best
	}
	if !t.timeInForce.Rests() {
		check.Opens = 0
	}
	if m.rules.Band != 0 && c.Type != market.Market {
		if err := m.withinBand(t.price); err != nil {
			return err
		}
	}
	var err error
	if t.hold, err = s.assess(m, []risk.Order{check}, nil, d); err != nil {
		return err
	}
	at := placed(m, &t, d)
	return s.take(m, &t, at, d)
}

// fit fills in what the order is, if its parts fit together.
func (c *PlaceOrder) fit(m *venueMarket, d *decision, t *taker) error {
	timeInForce := c.TimeInForce
	switch {
	case timeInForce != 0:
	case c.Type == market.Market:
		timeInForce = market.IOC
	default:
		timeInForce = market.GTC
	}
	switch {
	case c.Actor == 0:
		return fault.New(fault.InvalidArgument, "the house does not trade")
	case !c.Side.Valid():
		return fault.New(fault.InvalidArgument, "an order buys or sells")
	case c.Type != market.Limit && c.Type != market.Market:
		return fault.New(fault.InvalidArgument, "an order is a limit or a market order")
	case !timeInForce.Valid() || timeInForce == market.FOK:
		return fault.New(fault.InvalidArgument, "an order has no such time in force")
	case c.Type == market.Market && timeInForce != market.IOC:
		return fault.New(fault.InvalidArgument, "a market order is immediate or cancel")
	case c.SelfTrade > market.CancelTaker || c.PostOnly || c.QuoteAmount != 0 || c.Trigger != 0 || c.Trail != 0 || c.Display != 0:
		return fault.New(fault.InvalidArgument, "the order has an option that is not known")
	case c.Type == market.Market && c.Price != 0:
		return fault.New(fault.InvalidPrice, "a market order has no price")
	case c.Type == market.Limit && c.Price == 0:
		return fault.New(fault.InvalidPrice, "a limit order has a price")
	}
	expires, err := m.expiry(timeInForce, c.ExpiresAt, d.time)
	if err != nil {
		return err
	}
	if expires != 0 {
		t.conditions = &Conditions{ExpiresAt: expires}
	}
	t.market, t.side, t.kind, t.timeInForce, t.mode = m.id, c.Side, c.Type, timeInForce, market.CancelTaker
	t.price, t.quantity = c.Price, c.Quantity
	return nil
}

// identify makes the order one of the actor, with the next id and with the rates
// that are in force for it.
func (s *State) identify(m *venueMarket, d *decision, t *taker) {
	t.id, t.owner, t.member = s.lastOrder+1+d.placed, d.owner, d.actor
	st := s.standingOf(m, d)
	t.makerRate, t.takerRate = uint32(st.maker), uint32(st.taker)
}

// placed adds the event that an order was placed and returns its place among the
// events.
func placed(m *venueMarket, t *taker, d *decision) (at int) {
	ev := d.add(OrderPlaced)
	ev.Market, ev.Order, ev.Member = m.id, t.id, t.member
	ev.Side, ev.Type, ev.TimeInForce, ev.SelfTrade, ev.PostOnly = t.side, t.kind, t.timeInForce, t.mode, t.has(flagPostOnly)
	ev.Price, ev.Quantity, ev.Asset, ev.Amount = t.price, t.quantity, m.held(t.side), t.hold
	ev.MakerRate, ev.TakerRate, ev.Conditions = t.makerRate, t.takerRate, t.conditions
	d.placed++
	return len(*d.events) - 1
}
