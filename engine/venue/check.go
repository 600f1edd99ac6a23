package venue

import (
	"fmt"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
)

// Check verifies, in time proportional to the state, what must never be false:
// balances of each asset sum to zero and none of a member is negative; what is
// held is what the open orders need; no book is crossed in CONTINUOUS, priority is
// by price and time, and level totals are the sums of their orders; and the lists of
// orders agree with the books. It changes nothing.
func (s *State) Check() error {
	if err := s.ledger.Check(ledger.AssetID(len(s.assets))); err != nil {
		return err
	}
	if err := s.checkPhaseEnd(); err != nil {
		return err
	}
	if err := s.checkUncrossing(); err != nil {
		return err
	}
	needed, err := s.checkBooks()
	if err != nil {
		return err
	}
	if err := s.checkPending(needed); err != nil {
		return err
	}
	if err := s.checkConditions(); err != nil {
		return err
	}
	if err := s.checkHolds(needed); err != nil {
		return err
	}
	if err := s.checkLists(); err != nil {
		return err
	}
	if err := s.checkClosed(); err != nil {
		return err
	}
	return s.checkHouse()
}

type holding struct {
	owner account.ID
	asset ledger.AssetID
}

// checkBooks returns what the open orders need held.
func (s *State) checkBooks() (needs, error) {
	needed := make(needs)
	for _, m := range s.markets {
		if err := m.book.Check(); err != nil {
			return nil, fmt.Errorf("venue: %s: %w", m.definition.Symbol, err)
		}
		if err := s.checkMarket(m); err != nil {
			return nil, fmt.Errorf("venue: %s: %w", m.definition.Symbol, err)
		}
		if m.book.Len()+m.pending != m.open {
			return nil, fmt.Errorf("venue: %s counts %d open orders, its book has %d and %d wait", m.definition.Symbol, m.open, m.book.Len(), m.pending)
		}
		for _, side := range [...]market.Side{market.Buy, market.Sell} {
			if err := s.checkQueue(m, side, needed); err != nil {
				return nil, err
			}
		}
	}
	return needed, nil
}

func (s *State) checkHolds(needed needs) error {
	for _, owner := range s.ledger.Owners() {
		for i := range s.assets {
			at := holding{owner, ledger.AssetID(i + 1)}
			if held := s.ledger.Balance(owner, at.asset).Held; held != needed[at] {
				return fmt.Errorf("venue: account %d holds %d of asset %d, its orders need %d", owner, held, at.asset, needed[at])
			}
			delete(needed, at)
		}
	}
	for at, amount := range needed {
		if amount != 0 {
			return fmt.Errorf("venue: account %d has open orders and no balance", at.owner)
		}
	}
	return nil
}

// checkLists verifies the members' lists of open orders.
func (s *State) checkLists() error {
	total := 0
	for i := range s.members.list {
		m := &s.members.list[i]
		n, last := 0, uint32(0)
		for at := m.oldest; at != 0; at = s.orders.at(at).next {
			o := s.orders.at(at)
			if o.prev != last || int(o.owner) != i || (o.handle == 0) != (o.status == market.Pending) || !o.has(flagListed) || s.orders.find(o.id) != at {
				return fmt.Errorf("venue: order %d is listed wrongly", o.id)
			}
			if last != 0 && s.orders.at(last).id >= o.id {
				return fmt.Errorf("venue: order %d is listed behind a later one", o.id)
			}
			last = at
			n++
		}
		if n != m.open || m.youngest != last {
			return fmt.Errorf("venue: account %d counts %d open orders and lists %d", m.id, m.open, n)
		}
		total += n
	}
	open := 0
	for _, m := range s.markets {
		open += m.open
	}
	if total != s.orders.open || open != s.orders.open {
		return fmt.Errorf("venue: %d open orders are counted, %d listed, %d in books", s.orders.open, total, open)
	}
	return nil
}

func (s *State) checkClosed() error {
	n := len(s.orders.closed.list)
	for i := range n {
		c := s.orders.closed.at(i)
		o := s.orders.at(c.place)
		if o.id != c.id || o.status.Live() || o.hold != 0 || o.handle != 0 || o.has(flagListed) || s.orders.find(o.id) != c.place {
			return fmt.Errorf("venue: closed order %d is not closed", o.id)
		}
	}
	known := s.orders.open + n
	if s.taking.place != 0 {
		known++
	}
	if known != s.orders.places.count {
		return fmt.Errorf("venue: %d orders are known, %d of them closed, %d found by id", known, n, s.orders.places.count)
	}
	return nil
}
