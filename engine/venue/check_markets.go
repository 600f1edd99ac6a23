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
	case m.phaseEnds != 0 && (s.phaseEnd == 0 || s.phaseEnd > m.phaseEnds):
		return fmt.Errorf("the phase ends at %d, the first end is awaited at %d", m.phaseEnds, s.phaseEnd)
	case err != nil || rules != m.rules || terms != m.terms:
		return fmt.Errorf("the rules are %+v", m.rules)
	case m.reference < 0 || m.reference > market.MaxPrice || m.referenceAt < 0 || m.referenceAt > s.time:
		return fmt.Errorf("the reference price is %d of %d", m.reference, m.referenceAt)
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
