package engine

import (
	"context"
	"fmt"

	"bourse/engine/account"
	"bourse/engine/internal/postgres"
	"bourse/engine/ledger"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// Proof is a comparison, at one sequence, of three tellings of every balance: the projected
// balance, the sum of its postings, and the venue rebuilt from the journal. It reads everything
// there ever was, for drills and for the doubtful; Reconcile is the check of every day.
type Proof struct {
	Sequence Sequence
	Accounts int
	// Digest is that of the venue rebuilt from the journal.
	Digest [32]byte
	// Faults are what does not hold, at most maxFaults of them, in words for an operator.
	Faults []string
}

const maxFaults = 100

// Prove makes a proof.
func (x *Exchange) Prove(ctx context.Context) (Proof, error) {
	books, head, err := x.db.Books(ctx)
	if err != nil {
		return Proof{}, refusal(err)
	}
	// History stands at some sequence; the live view has moved on since.
	state, err := x.stateAt(ctx, head.Sequence)
	if err != nil {
		return Proof{}, fmt.Errorf("engine: prove: %w", err)
	}
	p := Proof{Sequence: Sequence(head.Sequence), Digest: state.Digest()}
	if err := state.Check(); err != nil {
		p.fault("%v", err)
	}
	sums := make([]money.Amount, len(state.Assets())+1)
	eachBalance(state, books, func(at postgres.Account, held money.Amount) {
		entry := books[at]
		p.Accounts++
		sums[at.Asset] += entry.Postings
		if entry.Balance != held || entry.Postings != held {
			p.fault("account %d %s %s: the venue has %d, the balance is %d, its postings sum to %d", at.Owner, at.Kind,
				state.Assets()[at.Asset-1].Code, held, entry.Balance, entry.Postings)
		}
	})
	for id, sum := range sums {
		if sum != 0 {
			p.fault("the postings of asset %d sum to %d", id, sum)
		}
	}
	return p, nil
}

func (p *Proof) fault(format string, args ...any) {
	if len(p.Faults) < maxFaults {
		p.Faults = append(p.Faults, fmt.Sprintf(format, args...))
	}
}

// eachBalance walks the accounts of everybody in the books, and those of the house, with what the
// venue has there. A member that is not in the books has nothing, or a fault shows, but where what two
// such members have and owe cancels out: each asset sums to zero on both sides, so what the books lack
// is missed elsewhere.
func eachBalance(s *venue.State, books map[postgres.Account]postgres.Entry, do func(postgres.Account, money.Amount)) {
	owners := map[account.ID]bool{0: true}
	for at := range books {
		owners[at.Owner] = true
	}
	for owner := range owners {
		for i := range s.Assets() {
			asset := ledger.AssetID(i + 1)
			for _, kind := range ledger.Kinds() {
				if kind.OfHouse() == (owner == 0) {
					at := ledger.Account{Owner: owner, Kind: kind}
					do(postgres.Account{Owner: owner, Kind: kind, Asset: asset}, s.AccountBalance(at, asset))
				}
			}
		}
	}
}
