package venue

import (
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
)

// SetPhase moves a market to another phase. Setting the phase that stands is
// accepted and changes nothing but its end. Until is when the phase ends by
// itself, for those that can (market.Phase.Next), and zero for never.
//
// When orders can trade on the way (market.Phase.Uncrosses), the command only
// fixes the price and the volume: the trades are made by Advance, and with the
// last of them the phase changes. Refusals: UNKNOWN_MARKET, INVALID_ARGUMENT,
// INVALID_PHASE_CHANGE.
type SetPhase struct {
	Actor  account.ID
	Key    string
	Symbol market.Symbol
	Phase  market.Phase
	Until  Time
}

func (c *SetPhase) origin() (account.ID, string) { return c.Actor, c.Key }

func (c *SetPhase) fingerprint() uint64 {
	m := newMixer(3)
	m.text(string(c.Symbol))
	m.word(uint64(c.Phase))
	if c.Until != 0 {
		m.word(uint64(c.Until))
	}
	return m.sum()
}

func (c *SetPhase) decide(s *State, d *decision) error {
	m, ok := s.bySymbol[c.Symbol]
	if !ok {
		return unknownMarket()
	}
	_, mayEnd := c.Phase.Next()
	switch {
	case !c.Phase.Valid():
		return fault.New(fault.InvalidArgument, "a market has no such phase")
	case c.Until != 0 && (!mayEnd || c.Until <= d.time):
		return fault.New(fault.InvalidArgument, "only an auction or a pause ends by itself, and after now")
	case !m.phase.CanBecome(c.Phase):
		return fault.New(fault.InvalidPhaseChange, "a market that is "+m.phase.String()+" cannot become "+c.Phase.String())
	}
	m.become(c.Phase, c.Until, d)
	return nil
}

// become adds the change to another phase, or the uncrossing that leads to it.
func (m *venueMarket) become(phase market.Phase, until Time, d *decision) {
	if m.phase.Uncrosses(phase) {
		if price, volume := m.book.Uncross(m.centre()); volume > 0 {
			ev := d.add(AuctionUncrossed)
			ev.Market, ev.Phase, ev.Price, ev.Quantity = m.id, phase, price, volume
			return
		}
	}
	ev := d.add(PhaseChanged)
	ev.Market, ev.Phase, ev.Until = m.id, phase, until
}

// endPhase lets the first market go on whose phase has come to its end.
func (s *State) endPhase(d *decision) error {
	for _, m := range s.markets {
		if m.phaseEnds != 0 && m.phaseEnds <= d.time {
			next, _ := m.phase.Next()
			m.become(next, 0, d)
			break
		}
	}
	return nil
}

func (s *State) foldPhase(ev *Event) error {
	m := s.market(ev.Market)
	if m == nil || !ev.Phase.Valid() {
		return misfit(ev, "there is no such market or phase")
	}
	if _, mayEnd := ev.Phase.Next(); ev.Until < 0 || ev.Until != 0 && (!mayEnd || ev.Until <= ev.Time) {
		return misfit(ev, "the phase cannot end then")
	}
	if !m.phase.CanBecome(ev.Phase) {
		return misfit(ev, "the market cannot become that")
	}
	if u := &s.uncrossing; u.market != 0 {
		if u.market != ev.Market || u.phase != ev.Phase || u.left != 0 {
			return misfit(ev, "an uncrossing goes on")
		}
		*u = uncrossing{}
	}
	m.phase, m.phaseEnds = ev.Phase, ev.Until
	s.findPhaseEnd()
	if ev.Phase == market.Closed {
		s.expireDay(m, ev.Time)
	}
	return nil
}

// findPhaseEnd looks for the earliest end of a phase.
func (s *State) findPhaseEnd() {
	s.phaseEnd = 0
	for _, m := range s.markets {
		if m.phaseEnds != 0 && (s.phaseEnd == 0 || m.phaseEnds < s.phaseEnd) {
			s.phaseEnd = m.phaseEnds
		}
	}
}

// admits says why an order cannot be placed in the market's phase, which is not
// CONTINUOUS. Orders of a group are placed in CONTINUOUS only.
func (m *venueMarket) admits(kind market.Type, timeInForce market.TimeInForce, postOnly, grouped bool) error {
	switch {
	case m.phase == market.Continuous:
		return nil
	case m.phase == market.Halted:
		return fault.New(fault.MarketHalted, "the market is halted: only cancels are accepted")
	case m.phase == market.CancelOnly:
		return fault.New(fault.CancelOnly, "the market accepts cancels and reductions only")
	case !m.phase.Collects():
		return marketClosed()
	case grouped || postOnly,
		!kind.Waits() && (kind != market.Limit || timeInForce != 0 && !timeInForce.Rests()):
		return fault.New(fault.OrderTypeNotAllowed, "until the auction ends the market takes limit orders that rest, and stops")
	}
	return nil
}

// admitsAmend says why an order cannot be amended in the market's phase. A
// reduction leaves the order at its place in the book.
func (m *venueMarket) admitsAmend(reduction bool) error {
	switch {
	case m.phase == market.Continuous || m.phase.Collects():
		return nil
	case m.phase == market.Halted:
		return fault.New(fault.MarketHalted, "the market is halted: only cancels are accepted")
	case m.phase == market.CancelOnly && reduction:
		return nil
	case m.phase == market.CancelOnly:
		return fault.New(fault.CancelOnly, "the market accepts cancels and reductions only")
	}
	return marketClosed()
}

func marketClosed() error {
	return fault.New(fault.MarketClosed, "the market is closed: only cancels are accepted")
}
