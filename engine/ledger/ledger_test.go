package ledger

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/money"
)

func posting(owner account.ID, kind Kind, asset AssetID, amount money.Amount) Posting {
	return Posting{Account{owner, kind}, asset, amount}
}

func deposit(owner account.ID, asset AssetID, amount money.Amount) []Posting {
	return []Posting{posting(0, Deposits, asset, -amount), posting(owner, Available, asset, amount)}
}

func TestPostRefusesAndLeavesNoTrace(t *testing.T) {
	for name, c := range map[string]struct {
		postings []Posting
		want     error
	}{
		"one-sided": {[]Posting{posting(1, Available, 1, 5)}, ErrUnbalanced},
		"balanced over assets only": {[]Posting{
			posting(1, Available, 1, 5), posting(1, Available, 2, -5),
		}, ErrUnbalanced},
		"overdrawn": {[]Posting{posting(2, Available, 1, 101), posting(1, Available, 1, -101)}, ErrOverdrawn},
		"held overdrawn": {[]Posting{
			posting(2, Available, 1, 1), posting(1, Held, 1, -1),
		}, ErrOverdrawn},
		"fees overdrawn":   {[]Posting{posting(1, Available, 1, 1), posting(0, Fees, 1, -1)}, ErrOverdrawn},
		"balance overflow": {deposit(1, 1, math.MaxInt64-50), ErrOverflow},
		"sum overflow":     {[]Posting{posting(1, Available, 1, math.MaxInt64), posting(2, Available, 1, 1)}, ErrOverflow},
		"untakeable":       {[]Posting{posting(0, Deposits, 1, math.MinInt64)}, ErrOverflow},
		"no asset":         {deposit(1, 0, 5), ErrMalformed},
		"asset too large":  {deposit(1, MaxAsset+1, 5), ErrMalformed},
		"house as member":  {deposit(0, 1, 5), ErrMalformed},
		"member as house":  {[]Posting{posting(1, Fees, 1, 5), posting(1, Available, 1, -5)}, ErrMalformed},
		"no kind":          {[]Posting{posting(1, 0, 1, 5), posting(1, Available, 1, -5)}, ErrMalformed},
		"unknown kind":     {[]Posting{posting(1, 9, 1, 5), posting(1, Available, 1, -5)}, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			var l Ledger
			if err := l.Post(deposit(1, 1, 100)); err != nil {
				t.Fatal(err)
			}
			if err := l.Post(c.postings); !errors.Is(err, c.want) {
				t.Errorf("error is %v, want %v", err, c.want)
			}
			if got := l.Balance(1, 1); got != (Balance{Available: 100}) {
				t.Errorf("the balance is %+v", got)
			}
			if got := l.Balance(2, 1); got != (Balance{}) {
				t.Errorf("the other's balance is %+v", got)
			}
			if l.House(Deposits, 1) != -100 || l.House(Fees, 1) != 0 {
				t.Error("the house's balances changed")
			}
			if err := l.Check(MaxAsset); err != nil {
				t.Error(err)
			}
		})
	}
}

// Whatever is posted, accepted or not, the balances are the sums of what was
// accepted, and sum to zero.
func TestBalancesAreTheFoldOfPostings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Ledger
		sums := map[Posting]money.Amount{} // by account and asset, with no amount
		for range rapid.IntRange(1, 50).Draw(t, "transfers") {
			var postings []Posting
			for range rapid.IntRange(1, 3).Draw(t, "legs") {
				asset := AssetID(rapid.IntRange(1, 3).Draw(t, "asset"))
				amount := money.Amount(rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64()).Draw(t, "amount"))
				postings = append(postings, draw(t, asset, amount), draw(t, asset, -amount))
			}
			if l.Post(postings) == nil {
				for _, p := range postings {
					sums[Posting{p.Account, p.Asset, 0}] += p.Amount
				}
			}
			if err := l.Check(3); err != nil {
				t.Fatal(err)
			}
			for at, want := range sums {
				balance := l.Balance(at.Account.Owner, at.Asset)
				got := map[Kind]money.Amount{
					Available: balance.Available, Held: balance.Held,
					Fees: l.House(Fees, at.Asset), Deposits: l.House(Deposits, at.Asset),
				}[at.Account.Kind]
				if got != want {
					t.Fatalf("%+v has %d, postings sum to %d", at, got, want)
				}
			}
		}
	})
}

func draw(t *rapid.T, asset AssetID, amount money.Amount) Posting {
	kind := rapid.SampledFrom([]Kind{Available, Held, Fees, Deposits}).Draw(t, "kind")
	if kind.OfHouse() {
		return posting(0, kind, asset, amount)
	}
	return posting(account.ID(rapid.IntRange(1, 3).Draw(t, "owner")), kind, asset, amount)
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(*Ledger){
		"out of balance": func(l *Ledger) { l.Restore(1, 1, Balance{Available: 101}) },
		"negative":       func(l *Ledger) { l.Restore(1, 1, Balance{Available: 110, Held: -10}) },
		"negative fees":  func(l *Ledger) { l.RestoreHouse(1, -5, -95) },
		"overflow": func(l *Ledger) {
			l.RestoreHouse(1, 0, 0)
			l.Restore(1, 1, Balance{Available: math.MaxInt64, Held: 1})
		},
	} {
		var l Ledger
		if err := l.Post(deposit(1, 1, 100)); err != nil {
			t.Fatal(err)
		}
		spoil(&l)
		if l.Check(1) == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
