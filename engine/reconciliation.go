package engine

import (
	"context"
	"errors"
	"time"

	"bourse/engine/account"
	"bourse/engine/internal/postgres"
)

// Reconciliation is what a comparison of balances with their postings found.
type Reconciliation struct {
	FinishedAt time.Time
	// Sequence is up to where in the log the postings were counted.
	Sequence Sequence
	// Balanced is true when every balance equals the fold of its postings, and the postings of every
	// asset sum to zero.
	Balanced        bool
	AccountsChecked int
	Differences     int
}

// Reconcile compares balances with their postings now; needs the duty audit.
func (a *Admin) Reconcile(ctx context.Context) (Reconciliation, error) {
	if err := a.must(account.DutyAudit); err != nil {
		return Reconciliation{}, err
	}
	return a.x.reconcile(ctx)
}

// LastReconciliation returns what the last one found; nil before the first. Needs the duty health.
func (a *Admin) LastReconciliation(ctx context.Context) (*Reconciliation, error) {
	if err := a.must(account.DutyHealth); err != nil {
		return nil, err
	}
	found, err := a.x.db.LastReconciliation(ctx)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return nil, nil //nolint:nilnil // none yet is an answer
	case err != nil:
		return nil, refusal(err)
	}
	r := reconciliation(found)
	return &r, nil
}

// Reconcile compares balances with their postings now. A difference is logged as an error: it is an
// alarm.
func (s *System) Reconcile(ctx context.Context) (Reconciliation, error) { return s.x.reconcile(ctx) }

func (x *Exchange) reconcile(ctx context.Context) (Reconciliation, error) {
	found, err := x.db.Reconcile(ctx, stamp(x.now))
	if err != nil {
		return Reconciliation{}, refusal(err)
	}
	if found.Differences > 0 {
		x.log.ErrorContext(ctx, "balances differ from their postings", "differences", found.Differences, "sequence", found.Sequence)
	}
	return reconciliation(found), nil
}

func reconciliation(r postgres.Reconciliation) Reconciliation {
	return Reconciliation{
		FinishedAt: r.FinishedAt, Sequence: Sequence(r.Sequence), Balanced: r.Differences == 0,
		AccountsChecked: r.AccountsChecked, Differences: r.Differences,
	}
}
