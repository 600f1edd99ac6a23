package venue

import (
	"cmp"
	"slices"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/money"
	"bourse/engine/risk"
)

const (
	// MaxPendingTransfers bounds the transfers that were begun and not ended.
	MaxPendingTransfers = 1 << 16
	// voidsPerStep bounds the transfers that one step lets expire.
	voidsPerStep = 1000
)

// transfers is the transfers that were begun and not ended, and the ids of all
// that ever were.
type transfers struct {
	used    idSet
	pending map[uint64]*Transfer // by id; not to be changed
	expire  []expiring           // those that do, by time and id; derived
}

type expiring struct {
	at Time
	id uint64
}

func compareExpiring(a, b expiring) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id))
}

func newTransfers() transfers {
	return transfers{used: make(idSet), pending: make(map[uint64]*Transfer)}
}

func (ts *transfers) add(t *Transfer) {
	ts.pending[t.ID] = t
	if t.ExpiresAt != 0 {
		e := expiring{t.ExpiresAt, t.ID}
		at, _ := slices.BinarySearchFunc(ts.expire, e, compareExpiring)
		ts.expire = slices.Insert(ts.expire, at, e)
	}
}

func (ts *transfers) remove(t *Transfer) {
	delete(ts.pending, t.ID)
	if at, ok := slices.BinarySearchFunc(ts.expire, expiring{t.ExpiresAt, t.ID}, compareExpiring); ok {
		ts.expire = slices.Delete(ts.expire, at, at+1)
	}
}

// due reports whether a transfer has expired.
func (ts *transfers) due(now Time) bool { return len(ts.expire) > 0 && ts.expire[0].at <= now }

func (c *MakeTransfer) decide(s *State, d *decision) error {
	t := Transfer{ID: c.Transfer, From: c.From, To: c.To, Amount: c.Amount}
	if err := s.checkTransfer(&t, c.Asset); err != nil {
		return err
	}
	d.transfer(TransferMade, &t)
	return nil
}

func (c *BeginTransfer) decide(s *State, d *decision) error {
	t := Transfer{ID: c.Transfer, From: c.From, To: c.To, Amount: c.Amount, ExpiresAt: c.ExpiresAt}
	if err := s.checkTransfer(&t, c.Asset); err != nil {
		return err
	}
	switch {
	case t.transit().Owner == 0:
		return fault.New(fault.InvalidArgument, "what moves within the house moves at once")
	case t.ExpiresAt != 0 && (t.ExpiresAt <= d.time || t.ExpiresAt-d.time > longestExpiry):
		return fault.New(fault.InvalidExpiry, "the transfer must expire after now and within 366 days")
	case len(s.transfers.pending) >= MaxPendingTransfers:
		return fault.New(fault.Overloaded, "too many transfers are waiting to be posted or voided")
	}
	d.transfer(TransferBegun, &t)
	return nil
}

func (c *PostTransfer) decide(s *State, d *decision) error {
	t, err := s.pendingTransfer(c.Transfer)
	if err != nil {
		return err
	}
	if s.frozenOut(t) {
		return frozenOut()
	}
	d.transfer(TransferPosted, t)
	return nil
}

func (c *VoidTransfer) decide(s *State, d *decision) error {
	t, err := s.pendingTransfer(c.Transfer)
	if err != nil {
		return err
	}
	d.transfer(TransferVoided, t)
	return nil
}

// voidExpired voids the transfers whose time has come, the earliest first.
func (s *State) voidExpired(d *decision) error {
	for _, e := range s.transfers.expire[:min(len(s.transfers.expire), voidsPerStep)] {
		if e.at > d.time {
			break
		}
		d.transfer(TransferVoided, s.transfers.pending[e.id])
	}
	return nil
}

func (d *decision) transfer(kind Kind, t *Transfer) {
	ev := d.add(kind)
	ev.Detail = &Detail{Transfer: *t}
}

func (s *State) pendingTransfer(id uint64) (*Transfer, error) {
	if t := s.transfers.pending[id]; t != nil {
		return t, nil
	}
	if s.transfers.used.has(id) {
		return nil, fault.New(fault.TransferNotPending, "the transfer was posted or voided already")
	}
	return nil, fault.New(fault.TransferNotFound, "there is no such transfer")
}

// checkTransfer checks what both kinds of transfers have in common and fills in
// the asset.
func (s *State) checkTransfer(t *Transfer, asset string) error {
	id, ok := s.asset(asset)
	t.Asset = id
	switch {
	case !ok:
		return unknownAsset()
	case t.Amount <= 0:
		return fault.New(fault.InvalidAmount, "the amount must be positive")
	case t.ID == 0 || !transferable(t.From) || !transferable(t.To) || t.From == t.To:
		return fault.New(fault.InvalidArgument, "a transfer has an id and goes from one account that is no hold to another")
	case !s.earns(t.From) || !s.earns(t.To):
		return unknownAgent()
	case s.transfers.used.has(t.ID):
		return fault.New(fault.TransferExists, "a transfer with this id was begun before")
	case s.frozenOut(t):
		return frozenOut()
	}
	return s.hasFor(t)
}

// transferable reports whether an account is well-formed and of a kind that
// transfers move: holds and transit follow from orders and from transfers.
func transferable(a ledger.Account) bool {
	return a.Kind.Valid() && a.Kind != ledger.Held && a.Kind != ledger.Transit && a.Kind.OfHouse() == (a.Owner == 0)
}

// earns reports whether an account, if it is of commission, is that of an agent.
func (s *State) earns(a ledger.Account) bool {
	return a.Kind != ledger.Commission || s.rules.agents[a.Owner] != nil
}

// frozenOut reports whether a transfer would move money out of an account that
// is kept from that.
func (s *State) frozenOut(t *Transfer) bool { return s.freezeOf(t.From.Owner) == risk.FrozenWholly }

func (s *State) freezeOf(id account.ID) risk.Freeze {
	p, _ := s.Profile(id)
	return p.Freeze
}

func frozenOut() error {
	return fault.New(fault.AccountFrozen, "the account is frozen: no money may move out of it")
}

// hasFor reports whether the source of a transfer can give it.
func (s *State) hasFor(t *Transfer) error {
	var has money.Amount
	switch t.From.Kind {
	case ledger.Deposits, ledger.Adjustments:
		if t.Amount > s.ledger.RoomFrom(t.From.Kind, t.Asset) {
			return uncountable()
		}
		return nil
	case ledger.Available:
		has = s.ledger.Spendable(t.From.Owner, t.Asset)
	default:
		has = s.ledger.Of(t.From, t.Asset)
	}
	if t.Amount > has {
		return fault.New(fault.InsufficientBalance, "the account has less than that")
	}
	return nil
}

// PendingTransfer returns a transfer that was begun and not ended.
func (s *State) PendingTransfer(id uint64) (Transfer, bool) {
	t := s.transfers.pending[id]
	if t == nil {
		return Transfer{}, false
	}
	return *t, true
}

// PendingTransfers returns all transfers that were begun and not ended, by id.
func (s *State) PendingTransfers() []Transfer {
	list := make([]Transfer, 0, len(s.transfers.pending))
	for _, t := range s.transfers.pending {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b Transfer) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
