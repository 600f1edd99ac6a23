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

// Extent is what the journal's table holds, and what bounds how much of it may be archived.
type Extent struct {
	// Origin is the place before the first batch, Head that at the end of the last.
	Origin, Head journal.Head
	// LastFirst is the sequence with which the last batch begins; it stays.
	LastFirst uint64
	// Batches and Bytes count what is there.
	Batches, Bytes int64
	// Projected is how far the projections have come.
	Projected uint64
	// Snapshots are the sequences of the snapshots, oldest first.
	Snapshots []uint64
}

// Extent reads all of it at one instant. Its time grows with the table's rows.
func (j *Journal) Extent(ctx context.Context) (Extent, error) {
	var e Extent
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := j.store.inTx(ctx, options, func(tx pgx.Tx) (err error) {
		if e.Origin, err = origin(ctx, tx, ""); err != nil {
			return err
		}
		if e.Head, err = readHead(ctx, tx); err != nil {
			return err
		}
		var lastFirst, projected int64
		var snapshots []int64
		err = tx.QueryRow(ctx, `
			SELECT COALESCE(max(first_seq), 0), count(*), COALESCE(sum(octet_length(payload)), 0)::bigint,
				(SELECT sequence FROM projection),
				(SELECT COALESCE(array_agg(sequence ORDER BY sequence), '{}') FROM journal_snapshot)
			FROM journal_batch`).Scan(&lastFirst, &e.Batches, &e.Bytes, &projected, &snapshots)
		if err != nil {
			return fmt.Errorf("journal: extent: %w", err)
		}
		e.LastFirst, e.Projected = uint64(lastFirst), uint64(projected)
		for _, sequence := range snapshots {
			e.Snapshots = append(e.Snapshots, uint64(sequence))
		}
		return nil
	})
	return e, err
}

// LastBefore is the last sequence of the batches in the table that end before a time; 0 when none do.
func (j *Journal) LastBefore(ctx context.Context, nanoseconds int64) (uint64, error) {
	var last int64
	err := j.store.pool.QueryRow(ctx,
		`SELECT COALESCE(max(last_seq), 0) FROM journal_batch WHERE stamped_at < $1`, nanoseconds).Scan(&last)
	if err != nil {
		return 0, fmt.Errorf("journal: last before: %w", err)
	}
	return uint64(last), nil
}
