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
		"transit overdrawn": {[]Posting{
			posting(1, Available, 1, 1), posting(1, Transit, 1, -1),
		}, ErrOverdrawn},
		"commission of the house": {[]Posting{
			posting(1, Available, 1, -1), posting(0, Commission, 1, 1),
		}, ErrMalformed},
		"adjustments of a member": {[]Posting{
			posting(1, Available, 1, -1), posting(1, Adjustments, 1, 1),
		}, ErrMalformed},
		"commission cannot owe that much": {[]Posting{
			posting(1, Commission, 1, -math.MaxInt64), posting(2, Commission, 1, -1),
			posting(0, Adjustments, 1, math.MaxInt64), posting(0, Fees, 1, 1),
		}, ErrOverflow},
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

// Whatever is posted and whatever credit is given, accepted or not, the balances
// are the sums of what was accepted, sum to zero, and fall below zero only where
// they may; what Room leaves can be taken, and nothing more of it.
func TestBalancesAreTheFoldOfPostings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Ledger
		sums := map[Posting]money.Amount{} // by account and asset, with no amount
		for range rapid.IntRange(1, 50).Draw(t, "transfers") {
			if rapid.IntRange(0, 4).Draw(t, "credit") == 0 {
				owner := account.ID(rapid.IntRange(1, 3).Draw(t, "debtor"))
				drawn := -l.Balance(owner, 1).Available
				line := money.Amount(rapid.OneOf(rapid.Int64Range(-1, 40), rapid.Int64()).Draw(t, "line"))
				rest := l.Room(1) + l.Credit(owner, 1)
				want := line >= 0 && line >= drawn && (line <= rest || rest < 0)
				if err := l.SetCredit(owner, 1, line); (err == nil) != want {
					t.Fatalf("a line of %d with %d drawn and room for %d: %v", line, drawn, rest, err)
				}
			}
			var postings []Posting
			for range rapid.IntRange(1, 3).Draw(t, "legs") {
				asset := AssetID(rapid.IntRange(1, 3).Draw(t, "asset"))
				// Large, but so that what all legs take out can be counted.
				amount := money.Amount(rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64Range(-1<<55, 1<<55)).Draw(t, "amount"))
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
			for owner := account.ID(1); owner <= 3; owner++ {
				if l.Spendable(owner, 1) < 0 {
					t.Fatalf("account %d has drawn more than its credit line", owner)
				}
			}
			for at, want := range sums {
				got := l.Of(at.Account, at.Asset)
				if got != want {
					t.Fatalf("%+v has %d, postings sum to %d", at, got, want)
				}
			}
		}
	})
}

func draw(t *rapid.T, asset AssetID, amount money.Amount) Posting {
	kind := rapid.SampledFrom(Kinds()).Draw(t, "kind")
	if kind.OfHouse() {
		return posting(0, kind, asset, amount)
	}
	return posting(account.ID(rapid.IntRange(1, 3).Draw(t, "owner")), kind, asset, amount)
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(*Ledger){
		"out of balance": func(l *Ledger) { l.Restore(1, 1, Balance{Available: 101}) },
		"negative":       func(l *Ledger) { l.Restore(1, 1, Balance{Available: 110, Held: -10}) },
		"negative fees": func(l *Ledger) {
			l.RestoreOf(Position{Account{0, Fees}, 1}, -5)
			l.RestoreOf(Position{Account{0, Deposits}, 1}, -95)
		},
		"negative transit": func(l *Ledger) {
			l.RestoreOf(Position{Account{1, Transit}, 1}, -5)
			l.RestoreOf(Position{Account{0, Adjustments}, 1}, 5)
		},
		"more drawn than the line": func(l *Ledger) {
			if err := l.SetCredit(1, 1, 10); err != nil {
				panic(err)
			}
			l.Restore(1, 1, Balance{Available: -11})
			l.Restore(2, 1, Balance{Available: 111})
		},
		"credit that is not counted": func(l *Ledger) { l.credit = map[credited]money.Amount{{1, 1}: 5} },
		"commission that is not counted": func(l *Ledger) {
			l.RestoreOf(Position{Account{1, Commission}, 1}, -5)
			l.Restore(1, 1, Balance{Available: 105})
			l.debts[1] = 4
		},
		"overflow": func(l *Ledger) {
			l.RestoreOf(Position{Account{0, Deposits}, 1}, 0)
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

func TestCredit(t *testing.T) {
	var l Ledger
	take := func(amount money.Amount) error {
		return l.Post([]Posting{posting(1, Available, 1, -amount), posting(2, Available, 1, amount)})
	}
	if err := take(1); !errors.Is(err, ErrOverdrawn) {
		t.Errorf("without a line: %v", err)
	}
	if err := l.SetCredit(1, 1, 100); err != nil {
		t.Fatal(err)
	}
	if err := take(101); !errors.Is(err, ErrOverdrawn) || l.Spendable(1, 1) != 100 {
		t.Errorf("more than the line: %v, %d can be spent", err, l.Spendable(1, 1))
	}
	if err := take(60); err != nil || l.Spendable(1, 1) != 40 || l.Balance(1, 1).Available != -60 {
		t.Errorf("within the line: %v, %+v", err, l.Balance(1, 1))
	}
	for _, line := range []struct {
		amount money.Amount
		want   error
	}{{59, ErrOverdrawn}, {-1, ErrMalformed}, {math.MaxInt64, nil}, {60, nil}} {
		if err := l.SetCredit(1, 1, line.amount); !errors.Is(err, line.want) {
			t.Errorf("a line of %d: %v, want %v", line.amount, err, line.want)
		}
	}
	for _, line := range []struct {
		owner account.ID
		asset AssetID
	}{{0, 1}, {1, 0}, {1, MaxAsset + 1}} {
		if err := l.SetCredit(line.owner, line.asset, 1); !errors.Is(err, ErrMalformed) {
			t.Errorf("%+v: %v", line, err)
		}
	}
	if err := l.SetCredit(2, 1, 10); err != nil || len(l.CreditLines()) != 2 {
		t.Errorf("%v, %v", err, l.CreditLines())
	}
	if err := l.SetCredit(2, 1, 0); err != nil || len(l.CreditLines()) != 1 {
		t.Errorf("%v, %v", err, l.CreditLines())
	}
	if err := l.Check(1); err != nil {
		t.Error(err)
	}
}

// Room counts whatever may be missing, and no line is given that it does not leave.
func TestRoom(t *testing.T) {
	var l Ledger
	for _, postings := range [][]Posting{
		deposit(1, 1, 1000),
		{posting(0, Adjustments, 1, -200), posting(1, Available, 1, 200)},
		{posting(3, Commission, 1, -30), posting(1, Available, 1, 30)},
	} {
		if err := l.Post(postings); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SetCredit(2, 1, 4); err != nil {
		t.Fatal(err)
	}
	if got := l.Room(1); got != math.MaxInt64-1234 {
		t.Errorf("there is room for %d", got)
	}
	if err := l.SetCredit(1, 1, math.MaxInt64-1233); !errors.Is(err, ErrOverflow) {
		t.Errorf("a line beyond what can be counted: %v", err)
	}
	if err := l.SetCredit(1, 1, math.MaxInt64-1234); err != nil || l.Room(1) != 0 {
		t.Errorf("a line to the end: %v, room for %d", err, l.Room(1))
	}
	if err := l.Check(1); err != nil {
		t.Error(err)
	}
}
