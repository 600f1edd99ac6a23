package ledger

import (
	"cmp"
	"slices"

	"bourse/engine/account"
	"bourse/engine/money"
)

// Credit returns by how much an account's available balance of an asset may fall
// below zero.
func (l *Ledger) Credit(owner account.ID, asset AssetID) money.Amount {
	if len(l.credit) == 0 {
		return 0
	}
	return l.credit[credited{owner, asset}]
}

// MayCredit says what keeps a credit line from being set: ErrMalformed without
// an owner, asset or with a negative amount, ErrOverdrawn when more than that is
// drawn already, and ErrOverflow when the exchange could not count what its
// accounts may come to.
func (l *Ledger) MayCredit(owner account.ID, asset AssetID, amount money.Amount) error {
	before := l.Credit(owner, asset)
	switch {
	case owner == 0 || asset == 0 || asset > MaxAsset || amount < 0:
		return ErrMalformed
	case l.Balance(owner, asset).Available < -amount:
		return ErrOverdrawn
	case amount > before && amount-before > l.Room(asset):
		return ErrOverflow
	}
	return nil
}

// SetCredit sets a credit line; zero ends it. Its errors are those of MayCredit.
func (l *Ledger) SetCredit(owner account.ID, asset AssetID, amount money.Amount) error {
	if err := l.MayCredit(owner, asset, amount); err != nil {
		return err
	}
	l.lines = grown(l.lines, asset)
	l.lines[asset] += amount - l.Credit(owner, asset)
	if amount == 0 {
		delete(l.credit, credited{owner, asset})
		return nil
	}
	if l.credit == nil {
		l.credit = make(map[credited]money.Amount)
	}
	l.credit[credited{owner, asset}] = amount
	return nil
}

// CreditLine is a credit line that stands.
type CreditLine struct {
	Owner  account.ID
	Asset  AssetID
	Amount money.Amount // above zero
}

// CreditLines returns all of them by owner and asset. The caller owns the slice.
func (l *Ledger) CreditLines() []CreditLine {
	lines := make([]CreditLine, 0, len(l.credit))
	for at, amount := range l.credit {
		lines = append(lines, CreditLine{at.owner, at.asset, amount})
	}
	slices.SortFunc(lines, func(a, b CreditLine) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Asset, b.Asset))
	})
	return lines
}

// Spendable is what an account can dispose of: what is available, and what is
// left of its credit line.
func (l *Ledger) Spendable(owner account.ID, asset AssetID) money.Amount {
	// Room keeps the sum of all lines and of all balances within what can be
	// counted, but not a line and a balance of the same account together.
	spendable, ok := l.Balance(owner, asset).Available.Add(l.Credit(owner, asset))
	if !ok {
		return money.MaxAmount
	}
	return spendable
}

// Room is by how much more the accounts of an asset may fall below zero
// together: from outside, by adjustments, credit or commission taken back. As
// long as what is missing can be counted, with every credit line as if it were
// drawn, so can every balance above zero and every sum of them.
func (l *Ledger) Room(asset AssetID) money.Amount {
	missing := [...]money.Amount{
		-min(l.House(Deposits, asset), 0), -min(l.House(Adjustments, asset), 0), at(l.lines, asset), at(l.debts, asset),
	}
	room := money.MaxAmount
	for _, m := range missing {
		room -= m
		if room < 0 {
			return 0
		}
	}
	return room
}

// RoomFrom is how much a house account that may be below zero can give: Room, and
// what it has.
func (l *Ledger) RoomFrom(kind Kind, asset AssetID) money.Amount {
	room, ok := l.Room(asset).Add(max(l.House(kind, asset), 0))
	if !ok {
		return money.MaxAmount
	}
	return room
}

func at(list []money.Amount, asset AssetID) money.Amount {
	if int(asset) >= len(list) {
		return 0
	}
	return list[asset]
}

// RarePositions returns the accounts of the kinds that few have whose balance is
// not zero, by asset, owner and kind. The caller owns the slice.
func (l *Ledger) RarePositions() []Position {
	var list []Position
	for p, slot := range l.rarePos {
		if l.rare[slot] != 0 {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Position) int {
		return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Account.Owner, b.Account.Owner),
			cmp.Compare(a.Account.Kind, b.Account.Kind))
	})
	return list
}
