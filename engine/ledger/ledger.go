package ledger

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"bourse/engine/account"
	"bourse/engine/money"
)

// Errors of Post. The ledger's caller checks beforehand, so each of them means
// a broken invariant or a forged event, not something that a member did.
var (
	ErrUnbalanced = errors.New("ledger: postings of an asset do not sum to zero")
	ErrOverdrawn  = errors.New("ledger: an account would fall below zero")
	ErrOverflow   = errors.New("ledger: a balance overflows")
	ErrMalformed  = errors.New("ledger: a posting names no account")
)

// Balance is what an owner has of one asset.
type Balance struct {
	Available money.Amount
	Held      money.Amount
}

// Ledger is the balances of every account. The zero Ledger is empty and ready.
//
// What nearly every member has, available and held, lies side by side; what few
// have, commission, transit and credit, lies apart, so that trading does not
// walk over it.
type Ledger struct {
	shift   uint8               // 64 less the bits of a slot's number
	slots   []uint32            // open addressing by owner: index into members + 1, 0 when free
	members []holding           // at most half as many
	last    uint32              // member that was posted to last, whose turn it often is again
	house   [3][]money.Amount   // Fees, Deposits, Adjustments by asset
	rarePos map[Position]uint32 // of Commission and Transit: index into rare
	rare    []money.Amount      // never shrinks: who once had such an account is likely to again
	credit  map[credited]money.Amount
	lines   []money.Amount // sum of credit lines by asset
	debts   []money.Amount // by asset, how far Commission accounts are below zero together
}

// Position is one account in one asset.
type Position struct {
	Account Account
	Asset   AssetID
}

type credited struct {
	owner account.ID
	asset AssetID
}

// houseSlot is where the balances of a house account are.
func houseSlot(k Kind) int {
	if k == Adjustments {
		return 2
	}
	return int(k - Fees)
}

type holding struct {
	owner    account.ID
	balances []Balance // by asset; index 0 is unused
}

// MaxAsset bounds what one member's holding can grow to.
const MaxAsset AssetID = 4096

// Post applies postings that together sum to zero for each asset; if it returns
// an error, nothing has changed. Amounts of zero are allowed.
func (l *Ledger) Post(postings []Posting) error {
	if err := balanced(postings); err != nil {
		return err
	}
	for i := range postings {
		if err := l.apply(&postings[i], 1); err != nil {
			for j := i - 1; j >= 0; j-- {
				if undo := l.apply(&postings[j], -1); undo != nil {
					panic(fmt.Sprintf("ledger: a posting cannot be taken back: %v", undo))
				}
			}
			return err
		}
	}
	return nil
}

// balanced is quadratic in the number of postings, of which a command's event
// has fewer than ten; it needs no memory.
func balanced(postings []Posting) error {
	for i := range postings {
		if postings[i].Amount == math.MinInt64 {
			return ErrOverflow // the one amount that cannot be taken back
		}
		if seen(postings[:i], postings[i].Asset) {
			continue
		}
		var sum money.Amount
		for j := i; j < len(postings); j++ {
			if postings[j].Asset != postings[i].Asset {
				continue
			}
			var ok bool
			if sum, ok = sum.Add(postings[j].Amount); !ok {
				return ErrOverflow
			}
		}
		if sum != 0 {
			return ErrUnbalanced
		}
	}
	return nil
}

func seen(postings []Posting, asset AssetID) bool {
	for i := range postings {
		if postings[i].Asset == asset {
			return true
		}
	}
	return false
}

// apply adds sign * amount to the account's balance.
func (l *Ledger) apply(p *Posting, sign money.Amount) error {
	balance, err := l.at(p.Account, p.Asset)
	if err != nil {
		return err
	}
	next, ok := balance.Add(sign * p.Amount)
	if !ok {
		return ErrOverflow
	}
	// Taking back runs in reverse order through balances that stood before, so
	// the check holds for it as well.
	if next < 0 && !l.mayOwe(p.Account, p.Asset, next) {
		return ErrOverdrawn
	}
	if p.Account.Kind == Commission && !l.owe(p.Asset, *balance, next) {
		return ErrOverflow
	}
	*balance = next
	return nil
}

// mayOwe reports whether an account may have the balance, which is below zero.
func (l *Ledger) mayOwe(a Account, asset AssetID, balance money.Amount) bool {
	switch a.Kind {
	case Deposits, Commission, Adjustments:
		return true
	case Available:
		return balance >= -l.credit[credited{a.Owner, asset}]
	}
	return false
}

// owe keeps count of what is missing from Commission accounts.
func (l *Ledger) owe(asset AssetID, before, after money.Amount) bool {
	change, ok := min(before, 0).Sub(min(after, 0))
	if !ok || change == 0 {
		return ok
	}
	l.debts = grown(l.debts, asset)
	sum, ok := l.debts[asset].Add(change)
	if ok {
		l.debts[asset] = sum
	}
	return ok
}

// at returns the place of a balance, making room for it.
func (l *Ledger) at(a Account, asset AssetID) (*money.Amount, error) {
	if asset == 0 || asset > MaxAsset || !a.Kind.Valid() || a.Kind.OfHouse() != (a.Owner == 0) {
		return nil, ErrMalformed
	}
	if a.Kind.OfHouse() {
		house := &l.house[houseSlot(a.Kind)]
		*house = grown(*house, asset)
		return &(*house)[asset], nil
	}
	if a.Kind > Deposits {
		return l.atRare(Position{a, asset}), nil
	}
	slot := l.last
	if int(slot) >= len(l.members) || l.members[slot].owner != a.Owner {
		var ok bool
		if slot, ok = l.find(a.Owner); !ok {
			slot = l.open(a.Owner)
		}
		l.last = slot
	}
	member := &l.members[slot]
	member.balances = grown(member.balances, asset)
	balance := &member.balances[asset]
	if a.Kind == Held {
		return &balance.Held, nil
	}
	return &balance.Available, nil
}

// atRare returns the place of a balance that few have, valid until the next one
// is opened.
func (l *Ledger) atRare(p Position) *money.Amount {
	slot, ok := l.rarePos[p]
	if !ok {
		if l.rarePos == nil {
			l.rarePos = make(map[Position]uint32)
		}
		slot = uint32(len(l.rare))
		l.rare = append(l.rare, 0)
		l.rarePos[p] = slot
	}
	return &l.rare[slot]
}

// home spreads the ids, which are dense, by one multiplication.
func (l *Ledger) home(owner account.ID) int {
	return int(uint64(owner) * 0x9e3779b97f4a7c15 >> l.shift)
}

// find returns where a member's holding is.
func (l *Ledger) find(owner account.ID) (slot uint32, ok bool) {
	if len(l.slots) == 0 {
		return 0, false
	}
	mask := len(l.slots) - 1
	for i := l.home(owner); ; i++ {
		at := l.slots[i&mask]
		if at == 0 {
			return 0, false
		}
		if l.members[at-1].owner == owner {
			return at - 1, true
		}
	}
}

// open makes room for the holding of a member that has none.
func (l *Ledger) open(owner account.ID) (slot uint32) {
	l.members = append(l.members, holding{owner: owner})
	if 2*len(l.members) > len(l.slots) {
		l.slots = make([]uint32, max(2*len(l.slots), 64))
		l.shift = uint8(64 - bits.TrailingZeros(uint(len(l.slots))))
		for i := range l.members {
			l.enter(uint32(i))
		}
	} else {
		l.enter(uint32(len(l.members) - 1))
	}
	return uint32(len(l.members) - 1)
}

func (l *Ledger) enter(slot uint32) {
	mask := len(l.slots) - 1
	i := l.home(l.members[slot].owner)
	for l.slots[i] != 0 {
		i = (i + 1) & mask
	}
	l.slots[i] = slot + 1
}

func grown[T any](list []T, asset AssetID) []T {
	if int(asset) < len(list) {
		return list
	}
	return append(list, make([]T, int(asset)+1-len(list))...)
}

// Balance returns what a member has of an asset, zero when it never had any.
func (l *Ledger) Balance(owner account.ID, asset AssetID) Balance {
	slot, ok := l.find(owner)
	if !ok || int(asset) >= len(l.members[slot].balances) {
		return Balance{}
	}
	return l.members[slot].balances[asset]
}

// House returns the balance of a house account.
func (l *Ledger) House(kind Kind, asset AssetID) money.Amount {
	if !kind.OfHouse() || int(asset) >= len(l.house[houseSlot(kind)]) {
		return 0
	}
	return l.house[houseSlot(kind)][asset]
}

// Of returns the balance of any account, zero when there is none.
func (l *Ledger) Of(a Account, asset AssetID) money.Amount {
	switch {
	case a.Kind == Available:
		return l.Balance(a.Owner, asset).Available
	case a.Kind == Held:
		return l.Balance(a.Owner, asset).Held
	case a.Kind.OfHouse():
		return l.House(a.Kind, asset)
	}
	slot, ok := l.rarePos[Position{a, asset}]
	if !ok {
		return 0
	}
	return l.rare[slot]
}

// Owners returns the members that ever had a balance, by ascending id. The
// caller owns the slice.
func (l *Ledger) Owners() []account.ID {
	owners := make([]account.ID, len(l.members))
	for i := range l.members {
		owners[i] = l.members[i].owner
	}
	slices.Sort(owners)
	return owners
}

// Restore sets what a member has of an asset, from a snapshot. The owner must
// not be 0 and the asset lie in 1..MaxAsset; whether the whole adds up is for
// Check to say.
func (l *Ledger) Restore(owner account.ID, asset AssetID, balance Balance) {
	*l.mustAt(Account{owner, Available}, asset) = balance.Available
	*l.mustAt(Account{owner, Held}, asset) = balance.Held
}

// RestoreOf sets the balance of one account of the house, or of one of the kinds
// that few have, from a snapshot. The account must be well-formed.
func (l *Ledger) RestoreOf(at Position, balance money.Amount) {
	before := l.mustAt(at.Account, at.Asset)
	if at.Account.Kind == Commission && !l.owe(at.Asset, *before, balance) {
		l.debts[at.Asset] = money.MaxAmount // which Check finds
	}
	*before = balance
}

func (l *Ledger) mustAt(a Account, asset AssetID) *money.Amount {
	balance, err := l.at(a, asset)
	if err != nil {
		panic(err)
	}
	return balance
}
