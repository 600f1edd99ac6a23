package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bourse/engine/journal"
)

var _ journal.Archivable = (*Journal)(nil)

// Origin implements journal.Archivable.
func (j *Journal) Origin(ctx context.Context) (journal.Head, error) {
	return origin(ctx, j.store.pool, "")
}

func origin(ctx context.Context, q querier, lock string) (journal.Head, error) {
	head, err := scanHead(q.QueryRow(ctx, `SELECT sequence, hash, stamped_at, epoch FROM journal_origin `+lock))
	if err != nil {
		return head, fmt.Errorf("journal: read the origin: %w", err)
	}
	return head, nil
}

// scanHead reads sequence, hash, stamped_at, epoch.
func scanHead(row pgx.Row) (journal.Head, error) {
	var sequence, epoch int64
	var hash []byte
	var head journal.Head
	if err := row.Scan(&sequence, &hash, &head.Time, &epoch); err != nil {
		return head, err
	}
	head.Sequence, head.Epoch = uint64(sequence), uint64(epoch)
	copy(head.Hash[:], hash)
	return head, nil
}

// Forget implements journal.Archivable. Beside what the interface asks for, the projections must
// have come to the end of what is dropped: they are filled from it.
func (j *Journal) Forget(ctx context.Context, from, to journal.Head) error {
	return j.store.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		// The order of locks is that of clearProjections: the origin, then the watermark.
		at, err := origin(ctx, tx, "FOR UPDATE")
		if err != nil {
			return err
		}
		if at != from {
			return fmt.Errorf("%w: the journal begins after %d", journal.ErrForget, at.Sequence)
		}
		if err := mayForget(ctx, tx, to); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM journal_batch WHERE first_seq <= $1`, int64(to.Sequence)); err != nil {
			return fmt.Errorf("journal: forget: %w", err)
		}
		_, err = tx.Exec(ctx, `UPDATE journal_origin SET sequence = $1, hash = $2, stamped_at = $3, epoch = $4`,
			int64(to.Sequence), to.Hash[:], to.Time, int64(to.Epoch))
		if err != nil {
			return fmt.Errorf("journal: forget: %w", err)
		}
		return nil
	})
}

// mayForget looks whether everything up to a head can go.
func mayForget(ctx context.Context, tx pgx.Tx, to journal.Head) error {
	watermark, err := projected(ctx, tx, "FOR SHARE")
	if err != nil {
		return err
	}
	var snapshot int64
	err = tx.QueryRow(ctx, `SELECT COALESCE(min(sequence), 0) FROM journal_snapshot`).Scan(&snapshot)
	if err != nil {
		return fmt.Errorf("journal: forget: %w", err)
	}
	next, err := scanBatch(tx.QueryRow(ctx,
		`SELECT `+batchColumns+` FROM journal_batch WHERE first_seq > $1 ORDER BY first_seq LIMIT 1`, int64(to.Sequence)))
	if noRows(err) {
		return fmt.Errorf("%w: the last one stays", journal.ErrForget)
	}
	if err != nil {
		return fmt.Errorf("journal: forget: %w", err)
	}
	switch {
	case uint64(snapshot) < to.Sequence:
		return fmt.Errorf("%w: a snapshot needs them", journal.ErrForget)
	case watermark.Sequence < to.Sequence:
		return fmt.Errorf("%w: they are projected up to %d only", journal.ErrForget, watermark.Sequence)
	case next.Verify(to) != nil:
		return fmt.Errorf("%w: no batch ends at %d with that hash", journal.ErrForget, to.Sequence)
	}
	return nil
}
