package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"bourse/engine/journal"
)

// ErrNotEmpty says that a journal cannot be imported because there is one.
var ErrNotEmpty = errors.New("postgres: the database has a journal already")

// Import writes batches that were read elsewhere, from the first one on, into an empty journal:
// all of them, verified, or none. ErrNotEmpty when there is one already.
func (j *Journal) Import(ctx context.Context, batches iter.Seq2[journal.Batch, error]) (journal.Head, error) {
	var head journal.Head
	err := j.store.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		// Whoever leads meanwhile is deposed by the change of epoch below.
		var kept, archived bool
		err := tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM journal_batch), o.sequence > 0
			FROM journal_lease, journal_origin o FOR UPDATE`).Scan(&kept, &archived)
		if err != nil {
			return err
		}
		if kept || archived {
			return ErrNotEmpty
		}
		rows := &importedRows{}
		rows.next, rows.stop = iter.Pull2(journal.Verified(batches, journal.Head{}))
		defer rows.stop()
		columns := []string{"first_seq", "last_seq", "stamped_at", "epoch", "crc", "version", "prev", "payload"}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"journal_batch"}, columns, rows); err != nil {
			return err
		}
		if rows.batch.Last != 0 {
			head = rows.batch.Head()
		}
		_, err = tx.Exec(ctx, `UPDATE journal_lease SET epoch = greatest(epoch, $1) + 1, holder = ''`, int64(head.Epoch))
		return err
	})
	if err != nil {
		return journal.Head{}, fmt.Errorf("journal: import: %w", err)
	}
	return head, nil
}

// importedRows is batches as COPY wants them.
type importedRows struct {
	next  func() (journal.Batch, error, bool)
	stop  func()
	batch journal.Batch
	err   error
}

func (r *importedRows) Next() bool {
	b, err, ok := r.next()
	if !ok || err != nil {
		r.err = err
		return false
	}
	r.batch = b
	return true
}

func (r *importedRows) Values() ([]any, error) {
	b := &r.batch
	return []any{
		int64(b.First), int64(b.Last), b.Time, int64(b.Epoch), int64(b.CRC), int16(b.Version), b.Prev[:], b.Payload,
	}, nil
}

func (r *importedRows) Err() error { return r.err }
