package naive

import (
	"cmp"
	"slices"

	"bourse/engine/risk"

	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/money"
)

// Transfer is a movement of money that somebody asked for.
type Transfer struct {
	ID        uint64
	From, To  ledger.Account
	Asset     string
	Amount    money.Amount
	ExpiresAt Time
	Pending   bool
}

func (v *Venue) transfer(id uint64) *Transfer {
	for _, t := range v.transfers {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// checkTransfer says whether money may go from one account to another.
func (v *Venue) checkTransfer(t *Transfer) fault.Code {
	switch {
	case v.asset(t.Asset) == nil:
		return fault.UnknownAsset
	case t.Amount <= 0:
		return fault.InvalidAmount
	case t.ID == 0 || t.From == t.To || !joins(t.From) || !joins(t.To):
		return fault.InvalidArgument
	case v.strange(t.From) || v.strange(t.To):
		return fault.UnknownAgent
	case v.transfer(t.ID) != nil:
		return fault.TransferExists
	case v.stuck(t.From):
		return fault.AccountFrozen
	case !v.gives(t.From, t.Asset, t.Amount):
		return fault.InsufficientBalance
	case (t.From == deposits || t.From.Kind == ledger.Adjustments) && !v.hasRoomFor(t.From, t.Asset, t.Amount):
		return fault.AmountOverflow
	}
	return ""
}

// joins tells whether transfers may begin or end at an account.
func joins(a ledger.Account) bool {
	switch a.Kind {
	case ledger.Available, ledger.Commission:
		return a.Owner != 0
	case ledger.Fees, ledger.Deposits, ledger.Adjustments:
		return a.Owner == 0
	}
	return false
}

// strange tells whether an account is of an agent that nobody knows.
func (v *Venue) strange(a ledger.Account) bool {
	return a.Kind == ledger.Commission && v.agents[a.Owner] == nil
}

// stuck tells whether an account is frozen wholly.
func (v *Venue) stuck(a ledger.Account) bool {
	return a.Owner != 0 && v.member(a.Owner).Freeze == risk.FrozenWholly
}

// gives tells whether an account has an amount to give.
func (v *Venue) gives(a ledger.Account, asset string, amount money.Amount) bool {
	switch a.Kind {
	case ledger.Deposits, ledger.Adjustments:
		return true
	case ledger.Available:
		return v.covers(a.Owner, asset, amount)
	}
	return v.balance(a, asset) >= amount
}

func (v *Venue) makeTransfer(c *MakeTransfer) (Receipt, fault.Code) {
	t := &Transfer{ID: c.Transfer, From: c.From, To: c.To, Asset: c.Asset, Amount: c.Amount}
	if refusal := v.checkTransfer(t); refusal != "" {
		return Receipt{}, refusal
	}
	v.transfers = append(v.transfers, t)
	v.move(t.From, t.To, t.Asset, t.Amount)
	v.tellTransfer("transfer made", t)
	return Receipt{}, ""
}

func (v *Venue) beginTransfer(c *BeginTransfer) (Receipt, fault.Code) {
	t := &Transfer{ID: c.Transfer, From: c.From, To: c.To, Asset: c.Asset, Amount: c.Amount, ExpiresAt: Time(c.ExpiresAt), Pending: true}
	if refusal := v.checkTransfer(t); refusal != "" {
		return Receipt{}, refusal
	}
	if transit(t).Owner == 0 {
		return Receipt{}, fault.InvalidArgument
	}
	if t.ExpiresAt != 0 && (t.ExpiresAt <= v.now || t.ExpiresAt-v.now > maxExpiry) {
		return Receipt{}, fault.InvalidExpiry
	}
	v.transfers = append(v.transfers, t)
	v.move(t.From, transit(t), t.Asset, t.Amount)
	v.tellTransfer("transfer begun", t)
	return Receipt{}, ""
}

func (v *Venue) postTransfer(c *PostTransfer) (Receipt, fault.Code) {
	t, refusal := v.pending(c.Transfer)
	if refusal == "" && v.stuck(t.From) {
		refusal = fault.AccountFrozen
	}
	if refusal == "" {
		v.move(transit(t), t.To, t.Asset, t.Amount)
		v.settleTransfer(t, "transfer posted")
	}
	return Receipt{}, refusal
}

func (v *Venue) voidTransfer(c *VoidTransfer) (Receipt, fault.Code) {
	t, refusal := v.pending(c.Transfer)
	if refusal == "" {
		v.void(t)
	}
	return Receipt{}, refusal
}

func (v *Venue) void(t *Transfer) {
	v.move(transit(t), t.From, t.Asset, t.Amount)
	v.settleTransfer(t, "transfer voided")
}

func (v *Venue) pending(id uint64) (*Transfer, fault.Code) {
	t := v.transfer(id)
	switch {
	case t == nil:
		return nil, fault.TransferNotFound
	case !t.Pending:
		return nil, fault.TransferNotPending
	}
	return t, ""
}

func (v *Venue) settleTransfer(t *Transfer, what string) {
	t.Pending = false
	v.tellTransfer(what, t)
}

func (v *Venue) tellTransfer(what string, t *Transfer) {
	v.tell(Effect{
		What: what, ID: t.ID, From: Account{t.From, t.Asset}, To: Account{t.To, t.Asset}, Asset: t.Asset, Amount: t.Amount,
		ExpiresAt: t.ExpiresAt,
	})
}

// transit is where the amount waits: with whom it comes from, else with whom it goes to.
func transit(t *Transfer) ledger.Account {
	return ledger.Account{Owner: cmp.Or(t.From.Owner, t.To.Owner), Kind: ledger.Transit}
}

// expireTransfers voids the pending transfers whose time has come, the earliest first; nil when there are none.
func (v *Venue) expireTransfers(now Time) func() {
	var due []*Transfer
	for _, t := range v.transfers {
		if t.Pending && t.ExpiresAt != 0 && t.ExpiresAt <= now {
			due = append(due, t)
		}
	}
	if len(due) == 0 {
		return nil
	}
	slices.SortFunc(due, func(a, b *Transfer) int {
		return cmp.Or(cmp.Compare(a.ExpiresAt, b.ExpiresAt), cmp.Compare(a.ID, b.ID))
	})
	return func() {
		v.note("transfer expired")
		for _, t := range due[:min(len(due), expiriesInAStep)] {
			v.void(t)
		}
	}
}
