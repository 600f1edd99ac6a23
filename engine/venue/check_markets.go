package venue

import (
	"errors"
	"fmt"

	"bourse/engine/market"
)

// checkMarket verifies the phase, the rules and the reference price of a market.
func (s *State) checkMarket(m *venueMarket) error {
	_, mayEnd := m.phase.Next()
	rules, err := m.rules.Checked()
	terms := m.terms
	terms.Apply(&m.rules)
	switch {
	case !m.phase.Valid():
		return errors.New("the phase is not known")
	case m.phase == market.Continuous && m.book.Crossed():
		return errors.New("the book is crossed in CONTINUOUS")
	case m.phaseEnds < 0 || m.phaseEnds != 0 && !mayEnd:
		return fmt.Errorf("%v ends at %d", m.phase, m.phaseEnds)
	case err != nil || rules != m.rules || terms != m.terms:
		return fmt.Errorf("the rules are %+v", m.rules)
	case m.reference < 0 || m.reference > market.MaxPrice || m.referenceAt < 0 || m.referenceAt > s.time:
		return fmt.Errorf("the reference price is %d of %d", m.reference, m.referenceAt)
	}
	return nil
}

// checkPhaseEnd verifies that the earliest end of a phase is awaited.
func (s *State) checkPhaseEnd() error {
	var earliest Time
	for _, m := range s.markets {
		if m.phaseEnds != 0 && (earliest == 0 || m.phaseEnds < earliest) {
			earliest = m.phaseEnds
		}
	}
	if s.phaseEnd != earliest {
		return fmt.Errorf("venue: a phase ends at %d, the first end is awaited at %d", earliest, s.phaseEnd)
	}
	return nil
}

// checkUncrossing verifies the uncrossing that goes on, if one does.
func (s *State) checkUncrossing() error {
	u := &s.uncrossing
	if u.market == 0 {
		return nil
	}
	m := s.market(u.market)
	if m == nil || !m.phase.CanBecome(u.phase) || !m.phase.Uncrosses(u.phase) || u.left <= 0 {
		return errors.New("venue: an uncrossing that cannot be goes on")
	}
	bid, bids := m.book.Best(market.Buy)
	ask, asks := m.book.Best(market.Sell)
	if !bids || !asks || u.price < ask || u.price > bid {
		return fmt.Errorf("venue: %s is uncrossed at %d, where nothing trades", m.definition.Symbol, u.price)
	}
	return nil
}
