package naive

import (
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/money"
)

// Account is one account in one asset.
type Account struct {
	ledger.Account
	Asset string
}

var (
	fees     = ledger.Account{Kind: ledger.Fees}
	deposits = ledger.Account{Kind: ledger.Deposits}
)

// move is all of double entry: what leaves one account arrives at another.
func (v *Venue) move(from, to ledger.Account, asset string, amount money.Amount) {
	v.accounts[Account{from, asset}] -= amount
	v.accounts[Account{to, asset}] += amount
}

func (v *Venue) balance(of ledger.Account, asset string) money.Amount {
	return v.accounts[Account{of, asset}]
}

// Member is what the house knows of a member.
type Member struct {
	Agent      account.ID
	Group      uint32
	TradeGroup uint64
	Freeze     Freeze
	Credit     map[string]money.Amount // by asset

	Volumes  map[volumeOf]money.Amount
	second   Time  // in which the member last placed or amended
	commands int64 // that it had accepted in it
}

func (v *Venue) member(id account.ID) *Member {
	if v.members[id] == nil {
		v.members[id] = &Member{}
	}
	return v.members[id]
}

// missing is what may be missing of an asset in all: what is below zero, with every credit line as if it were drawn.
func (v *Venue) missing(asset string) (parts []money.Amount) {
	for at, amount := range v.accounts {
		if at.Asset == asset && at.Kind != ledger.Available {
			parts = append(parts, max(-amount, 0))
		}
	}
	for _, m := range v.members {
		parts = append(parts, m.Credit[asset])
	}
	return parts
}

// hasRoom tells whether what is missing of an asset can still be counted when there is more of it.
func (v *Venue) hasRoom(asset string, more money.Amount) bool {
	_, ok := sum(append(v.missing(asset), more)...)
	return ok
}

// hasRoomFor tells whether an account that may fall below zero may give an amount.
func (v *Venue) hasRoomFor(from ledger.Account, asset string, amount money.Amount) bool {
	beyond := amount - max(v.balance(from, asset), 0)
	return beyond <= 0 || v.hasRoom(asset, beyond)
}

func (v *Venue) creditDeposit(c *CreditDeposit) (Receipt, fault.Code) {
	switch {
	case v.asset(c.Asset) == nil:
		return Receipt{}, fault.UnknownAsset
	case c.Amount <= 0:
		return Receipt{}, fault.InvalidAmount
	case c.Member == 0:
		return Receipt{}, fault.InvalidArgument
	case c.Deposit != 0 && v.deposits[c.Deposit]:
		return Receipt{}, fault.DepositNotPending
	case !v.hasRoomFor(deposits, c.Asset, c.Amount):
		return Receipt{}, fault.AmountOverflow
	}
	if c.Deposit != 0 {
		v.deposits[c.Deposit] = true
	}
	v.move(deposits, available(c.Member), c.Asset, c.Amount)
	v.tell(Effect{What: "deposited", Member: c.Member, Asset: c.Asset, Amount: c.Amount, ID: c.Deposit})
	return Receipt{}, ""
}
