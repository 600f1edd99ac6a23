// Package ledger keeps accounts by double entry: whatever leaves one account
// arrives at others, so that the postings of each asset always sum to zero.
//
// It does not know why money moves, nor orders, markets or time. Amounts are in
// minor units; overflow is checked; which accounts may fall below zero is said at
// their kinds.
package ledger

import (
	"strconv"

	"bourse/engine/account"
	"bourse/engine/money"
)

// AssetID names an asset in postings and balances: dense from 1, in the order
// in which assets were added.
type AssetID uint16

// Kind is what an account is for.
type Kind uint8

const (
	// Available is what an account can dispose of. Below zero only within its
	// credit line.
	Available Kind = 1
	// Held is what a member's open orders need. Never negative.
	Held Kind = 2
	// Fees is the house's income from trades. Its owner is 0. Never negative.
	Fees Kind = 3
	// Deposits stands for the world outside: what came in is owed to it, so its
	// balance is the negative of everything inside. Its owner is 0.
	Deposits Kind = 4
	// Commission is what an agent has earned and not been paid. Below zero after
	// a bust took back what it was paid.
	Commission Kind = 5
	// Adjustments is what the house gave or took without a reason of the other
	// kinds. Its owner is 0. It may be below zero.
	Adjustments Kind = 6
	// Transit is what is on its way out of or into an account. Never negative.
	Transit Kind = 7
)

// Valid reports whether the kind is one.
func (k Kind) Valid() bool { return k >= Available && k <= Transit }

// OfHouse reports whether accounts of this kind belong to the house.
func (k Kind) OfHouse() bool { return k == Fees || k == Deposits || k == Adjustments }

// Kinds returns all kinds. The caller owns the slice.
func Kinds() []Kind {
	return []Kind{Available, Held, Fees, Deposits, Commission, Adjustments, Transit}
}

func (k Kind) String() string {
	names := [...]string{"", "AVAILABLE", "HELD", "FEES", "DEPOSITS", "COMMISSION", "ADJUSTMENTS", "TRANSIT"}
	if !k.Valid() {
		return "UNKNOWN(" + strconv.Itoa(int(k)) + ")"
	}
	return names[k]
}

// Account is one account: the part of an owner's holding of some asset that
// serves one purpose. House accounts have owner 0.
type Account struct {
	Owner account.ID
	Kind  Kind
}

// Posting changes the balance of one account in one asset. A positive amount
// arrives, a negative one leaves.
type Posting struct {
	Account Account
	Asset   AssetID
	Amount  money.Amount
}
