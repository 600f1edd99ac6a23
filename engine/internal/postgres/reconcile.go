package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Reconciliation is what a comparison of balances with postings found.
type Reconciliation struct {
	FinishedAt time.Time
	// Sequence is up to where the postings were counted.
	Sequence uint64
	// AccountsChecked is how many balances were compared.
	AccountsChecked int
	// Differences is how many of them differ from the fold of their postings, plus how many assets
	// have postings that do not sum to zero.
	Differences int
}

// Reconcile folds the postings since the last time into balances of its own, and compares them with
// the projection's, all at one instant. Its cost is that of the new postings and one pass over the
// balances.
func (s *Store) Reconcile(ctx context.Context, now time.Time) (Reconciliation, error) {
	r := Reconciliation{FinishedAt: now.UTC()}
	// The lock is taken before the snapshot, so that two runs follow one another.
	err := s.inTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		var from uint64
		if err := tx.QueryRow(ctx, `SELECT sequence FROM reconciliation FOR UPDATE`).Scan(&from); err != nil {
			return readError("reconciliation", err)
		}
		// One statement is one snapshot: the watermark, the postings and the balances agree.
		return tx.QueryRow(ctx, `
			WITH mark AS (SELECT sequence FROM projection),
			fresh AS (
				SELECT owner_id, kind, asset_id, sum(amount) AS amount FROM postings, mark
				WHERE postings.sequence > $1 AND postings.sequence <= mark.sequence GROUP BY 1, 2, 3
			),
			folded AS (
				SELECT owner_id, kind, asset_id, sum(amount) AS amount
				FROM (SELECT * FROM reconciled_balances UNION ALL SELECT * FROM fresh) both_parts GROUP BY 1, 2, 3
			),
			compared AS (
				SELECT coalesce(f.amount, 0) <> coalesce(b.amount, 0) AS differs
				FROM folded f FULL JOIN balances b USING (owner_id, kind, asset_id)
			),
			uneven AS (SELECT asset_id FROM folded GROUP BY asset_id HAVING sum(amount) <> 0),
			kept AS (
				INSERT INTO reconciled_balances AS r (owner_id, kind, asset_id, amount) SELECT * FROM fresh
				ON CONFLICT (owner_id, kind, asset_id) DO UPDATE SET amount = r.amount + excluded.amount
			),
			counted AS (
				SELECT (SELECT count(*) FROM compared) AS accounts,
				       (SELECT count(*) FROM compared WHERE differs) + (SELECT count(*) FROM uneven) AS differences
			)
			UPDATE reconciliation SET sequence = mark.sequence, finished_at = $2,
				accounts_checked = counted.accounts, differences = counted.differences
			FROM mark, counted RETURNING mark.sequence, counted.accounts, counted.differences`, from, r.FinishedAt).
			Scan(&r.Sequence, &r.AccountsChecked, &r.Differences)
	})
	if err != nil {
		return Reconciliation{}, fmt.Errorf("postgres: reconcile: %w", err)
	}
	return r, nil
}

// LastReconciliation returns what the last one found, or ErrNotFound before the first.
func (s *Store) LastReconciliation(ctx context.Context) (Reconciliation, error) {
	var r Reconciliation
	err := s.pool.QueryRow(ctx, `
		SELECT finished_at, sequence, accounts_checked, differences FROM reconciliation WHERE finished_at IS NOT NULL`).
		Scan(&r.FinishedAt, &r.Sequence, &r.AccountsChecked, &r.Differences)
	r.FinishedAt = r.FinishedAt.UTC()
	return r, readError("reconciliation", err)
}
