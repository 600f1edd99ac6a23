package venue

import (
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/risk"
)

func (c *PlaceOCO) decide(s *State, d *decision) error {
	m, ok := s.bySymbol[c.Symbol]
	if !ok {
		return unknownMarket()
	}
	if err := m.admits(0, 0, false, true); err != nil {
		return err
	}
	limit, stop, err := c.fit(m, d)
	if err != nil {
		return err
	}
	s.identify(m, d, &limit)
	s.identify(m, d, &stop)
	stop.id++
	limit.conditions.Sibling, stop.conditions.Sibling = stop.id, limit.id
	reference, err := m.anchor(&stop)
	if err != nil {
		return err
	}
	for _, t := range [...]*taker{&limit, &stop} {
		if err := m.banded(t); err != nil {
			return err
		}
	}
	checks := []risk.Order{
		{Reference: limit.price, Near: m.centre(), Opens: 1, Approved: c.Approved},
		{Reference: reference, Opens: 1, Approved: c.Approved},
	}
	if stop.kind == market.StopLimit {
		checks[1].Near = reference
	}
	describe(&checks[0], &limit)
	describe(&checks[1], &stop)
	needed, err := s.assess(m, checks, nil, d)
	if err != nil {
		return err
	}
	if m.takes(&limit.order) {
		return errPostOnly
	}
	if limit.hold, ok = risk.Hold(&m.terms, limit.holdRate(), limit.side, limit.price, limit.quantity); !ok {
		return errUncountable
	}
	stop.hold = needed - limit.hold
	if _, err := s.take(m, &limit, placed(m, &limit, d), d); err != nil {
		return err
	}
	pending(placed(m, &stop, d), &stop, d)
	return nil
}

// fit makes the two legs, if the parts of the command fit together.
func (c *PlaceOCO) fit(m *venueMarket, d *decision) (limit, stop taker, err error) {
	limit.market, limit.side, limit.kind, limit.timeInForce, limit.mode = m.id, c.Side, market.Limit, c.TimeInForce, c.SelfTrade
	limit.price, limit.quantity = c.Price, c.Quantity
	limit.defaults()
	stop = limit
	limit.flags |= flagPostOnly
	stop.kind, stop.price = stopKind(c.StopPrice), c.StopPrice
	switch {
	case c.Actor == 0:
		err = fault.New(fault.InvalidArgument, "the house does not trade")
	case !limit.side.Valid() || !limit.timeInForce.Rests() || !limit.mode.Valid():
		err = fault.New(fault.InvalidArgument, "there is no such side or self-trade mode, or the time in force is not for orders that rest")
	case !inOrder(c.Side, c.Price, c.Trigger):
		err = fault.New(fault.InvalidArgument, "a sell's limit price lies above its trigger, a buy's below")
	case c.Price == 0:
		err = fault.New(fault.InvalidPrice, "the limit price is missing")
	case !wanted(true, c.Trigger):
		err = fault.New(fault.InvalidTrigger, "the trigger price is missing or out of range")
	}
	if err != nil {
		return limit, stop, err
	}
	expires, err := m.expiry(limit.timeInForce, c.ExpiresAt, d.time)
	limit.conditions = &Conditions{ExpiresAt: expires}
	stop.conditions = &Conditions{Trigger: c.Trigger, ExpiresAt: expires}
	return limit, stop, err
}

// inOrder reports whether the limit price of a pair of exits lies on its side of
// the trigger, as far as both are given.
func inOrder(side market.Side, limit, trigger market.Price) bool {
	if limit == 0 || trigger == 0 {
		return true
	}
	if side == market.Sell {
		return limit > trigger
	}
	return limit < trigger
}

func stopKind(price market.Price) market.Type {
	if price == 0 {
		return market.Stop
	}
	return market.StopLimit
}

func (c *PlaceBracket) decide(s *State, d *decision) error {
	m, ok := s.bySymbol[c.Symbol]
	if !ok {
		return unknownMarket()
	}
	if err := m.admits(0, 0, false, true); err != nil {
		return err
	}
	entry, profit, loss, err := c.fit(m, d)
	if err != nil {
		return err
	}
	for i, t := range [...]*taker{&entry, &profit, &loss} {
		s.identify(m, d, t)
		t.id += market.OrderID(i)
	}
	entry.conditions.Child = profit.id
	profit.conditions.Parent, loss.conditions.Parent = entry.id, entry.id
	profit.conditions.Sibling, loss.conditions.Sibling = loss.id, profit.id
	reference := entry.price
	if entry.kind == market.Market {
		if reference, err = m.anchor(&entry); err != nil {
			return err
		}
	}
	if loss.kind == market.Stop {
		loss.price = m.terms.Protected(loss.side, c.StopTrigger)
	}
	for _, t := range [...]*taker{&entry, &profit, &loss} {
		if err := m.banded(t); err != nil {
			return err
		}
	}
	check := risk.Order{Reference: reference, Opens: 3, Approved: c.Approved}
	if entry.kind == market.Limit {
		check.Near = m.centre()
	}
	describe(&check, &entry)
	exits := [...]risk.Order{{Reference: profit.price}, {Reference: c.StopTrigger}}
	describe(&exits[0], &profit)
	describe(&exits[1], &loss)
	for _, o := range [...]*risk.Order{&check, &exits[0], &exits[1]} {
		if err := risk.InRange(&m.terms, o); err != nil {
			return err
		}
	}
	if entry.hold, err = s.assess(m, []risk.Order{check}, nil, d); err != nil {
		return err
	}
	at := placed(m, &entry, d)
	for _, t := range [...]*taker{&profit, &loss} {
		pending(placed(m, t, d), t, d)
	}
	status, err := s.take(m, &entry, at, d)
	switch {
	case err != nil:
		return err
	case entry.timeInForce == market.FOK && entry.filled < c.Quantity:
		return fault.New(fault.NotFillable, "the entry cannot be filled whole at once")
	case status == market.Cancelled && entry.filled == 0:
		for _, t := range [...]*taker{&profit, &loss} {
			t.cancel(m, market.CancelLinked, d)
		}
	}
	return nil
}

// fit makes the entry and its exits, if the parts of the command fit together.
func (c *PlaceBracket) fit(m *venueMarket, d *decision) (entry, profit, loss taker, err error) {
	entry.market, entry.side, entry.kind, entry.timeInForce, entry.mode = m.id, c.Side, c.Type, c.TimeInForce, c.SelfTrade
	entry.price, entry.quantity = c.Price, c.Quantity
	entry.defaults()
	profit.market, profit.side, profit.kind, profit.timeInForce, profit.mode = m.id, c.Side.Opposite(), market.Limit, market.GTC, entry.mode
	profit.price, profit.quantity = c.TakeProfit, c.Quantity
	loss = profit
	loss.kind, loss.price = stopKind(c.StopPrice), c.StopPrice
	switch {
	case c.Actor == 0:
		err = fault.New(fault.InvalidArgument, "the house does not trade")
	case !entry.side.Valid() || !entry.timeInForce.Valid() || !entry.mode.Valid():
		err = fault.New(fault.InvalidArgument, "there is no such side, time in force or self-trade mode")
	case entry.kind != market.Limit && (entry.kind != market.Market || entry.timeInForce.Rests()):
		err = fault.New(fault.InvalidArgument, "the entry is a limit order, or a market order that does not rest")
	case !inOrder(profit.side, c.TakeProfit, c.StopTrigger):
		err = fault.New(fault.InvalidArgument, "the take-profit of a buy lies above the stop-loss, of a sell below")
	case (entry.kind == market.Limit) != (c.Price != 0) || c.TakeProfit == 0:
		err = fault.New(fault.InvalidPrice, "a price is missing, or not wanted")
	case !wanted(true, c.StopTrigger):
		err = fault.New(fault.InvalidTrigger, "the trigger price is missing or out of range")
	}
	if err != nil {
		return entry, profit, loss, err
	}
	expires, err := m.expiry(entry.timeInForce, c.ExpiresAt, d.time)
	entry.conditions = &Conditions{ExpiresAt: expires}
	profit.conditions, loss.conditions = &Conditions{}, &Conditions{Trigger: c.StopTrigger}
	return entry, profit, loss, err
}
