package naive

import (
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
	case t.ID == 0:
		return fault.InvalidArgument
	case v.asset(t.Asset) == nil:
		return fault.UnknownAsset
	case t.Amount <= 0:
		return fault.InvalidAmount
	case v.transfer(t.ID) != nil:
		return fault.TransferExists
	}
	if v.member(t.From.Owner).Freeze == FrozenWholly {
		return fault.AccountFrozen
	}
	if !v.covers(t.From.Owner, t.Asset, t.Amount) {
		return fault.InsufficientBalance
	}
	return ""
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
	if t.ExpiresAt <= v.now {
		return Receipt{}, fault.InvalidExpiry
	}
	v.transfers = append(v.transfers, t)
	v.move(t.From, transit(t), t.Asset, t.Amount)
	v.tellTransfer("transfer begun", t)
	return Receipt{}, ""
}

func (v *Venue) postTransfer(c *PostTransfer) (Receipt, fault.Code) {
	t, refusal := v.pending(c.Transfer)
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

func transit(t *Transfer) ledger.Account {
	return ledger.Account{Owner: t.From.Owner, Kind: transitKind}
}

// nextTransfer voids the pending transfer that expired first.
func (v *Venue) nextTransfer(now Time) func() {
	var first *Transfer
	for _, t := range v.transfers {
		due := t.Pending && t.ExpiresAt <= now
		if due && (first == nil || t.ExpiresAt < first.ExpiresAt || t.ExpiresAt == first.ExpiresAt && t.ID < first.ID) {
			first = t
		}
	}
	if first == nil {
		return nil
	}
	return func() { v.void(first) }
}
