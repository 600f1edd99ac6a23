package ledger

import (
	"fmt"

	"bourse/engine/money"
)

// Check verifies that the balances of each asset up to the last sum to zero,
// that no account is below zero that must not be, and that what may be below
// zero can be counted.
func (l *Ledger) Check(last AssetID) error {
	for asset := AssetID(1); asset <= last; asset++ {
		sum, ok := l.sum(asset)
		if !ok {
			return fmt.Errorf("ledger: the sum of asset %d overflows", asset)
		}
		if sum != 0 {
			return fmt.Errorf("ledger: asset %d is out of balance by %d", asset, sum)
		}
		if l.House(Fees, asset) < 0 {
			return fmt.Errorf("ledger: the fees of asset %d are negative", asset)
		}
	}
	for i := range l.members {
		m := &l.members[i]
		for asset, b := range m.balances {
			if b.Held < 0 || b.Available < 0 && b.Available < -l.Credit(m.owner, AssetID(asset)) {
				return fmt.Errorf("ledger: account %d has a negative balance of asset %d", m.owner, asset)
			}
		}
	}
	for p, slot := range l.rarePos {
		if l.rare[slot] < 0 && p.Account.Kind != Commission {
			return fmt.Errorf("ledger: %v of account %d has a negative balance of asset %d", p.Account.Kind, p.Account.Owner, p.Asset)
		}
	}
	return l.checkSides()
}

func (l *Ledger) sum(asset AssetID) (sum money.Amount, ok bool) {
	ok = true
	add := func(a money.Amount) {
		if ok {
			sum, ok = sum.Add(a)
		}
	}
	for _, kind := range [...]Kind{Fees, Deposits, Adjustments} {
		add(l.House(kind, asset))
	}
	for i := range l.members {
		if balances := l.members[i].balances; int(asset) < len(balances) {
			add(balances[asset].Available)
			add(balances[asset].Held)
		}
	}
	for p, slot := range l.rarePos {
		if p.Asset == asset {
			add(l.rare[slot])
		}
	}
	return sum, ok
}

// checkSides verifies the sums that are kept beside the balances.
func (l *Ledger) checkSides() error {
	lines, debts := make([]money.Amount, len(l.lines)), make([]money.Amount, len(l.debts))
	for at, amount := range l.credit {
		if amount <= 0 || int(at.asset) >= len(lines) {
			return fmt.Errorf("ledger: account %d has a credit line of %d", at.owner, amount)
		}
		lines[at.asset] += amount
	}
	for p, slot := range l.rarePos {
		if p.Account.Kind == Commission && l.rare[slot] < 0 {
			if int(p.Asset) >= len(debts) {
				return fmt.Errorf("ledger: commission of asset %d is missing and not counted", p.Asset)
			}
			debts[p.Asset] -= l.rare[slot]
		}
	}
	for asset := range lines {
		if lines[asset] != l.lines[asset] {
			return fmt.Errorf("ledger: credit lines of asset %d sum to %d, not %d", asset, lines[asset], l.lines[asset])
		}
	}
	for asset := range debts {
		if debts[asset] != l.debts[asset] {
			return fmt.Errorf("ledger: commission of asset %d lacks %d, not %d", asset, debts[asset], l.debts[asset])
		}
	}
	return nil
}
