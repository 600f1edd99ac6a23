package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/jackc/pgx/v5"

	"bourse/engine/journal"
)

// Journal is the journal in PostgreSQL.
type Journal struct {
	store *Store
}

var _ journal.Journal = (*Journal)(nil)

// Journal returns the journal that is kept in the store.
func (s *Store) Journal() *Journal { return &Journal{store: s} }

// Head implements journal.Journal.
func (j *Journal) Head(ctx context.Context) (journal.Head, error) {
	return readHead(ctx, j.store.pool)
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

const batchColumns = `first_seq, last_seq, stamped_at, epoch, crc, version, prev, payload`

// readHead reads the newest batch and how far snapshots and projections have come, in one statement
// and so at one instant: neither is ever ahead of the journal, unless its end is missing.
func readHead(ctx context.Context, q querier) (journal.Head, error) {
	var any bool
	var snapshot, projected int64
	b, err := scanBatch(q.QueryRow(ctx, newest), &any, &snapshot, &projected)
	var head journal.Head
	var broken *journal.BrokenError
	switch {
	case err != nil && !errors.As(err, &broken):
		return head, fmt.Errorf("journal: head: %w", err)
	case any && err != nil:
		return head, err
	case any:
		// What it follows cannot be known from here; that it is whole can.
		if err := b.Verify(journal.Head{Sequence: b.First - 1, Hash: b.Prev}); err != nil {
			return head, err
		}
		head = b.Head()
	}
	if uint64(snapshot) > head.Sequence {
		return journal.Head{}, journal.TailMissing(head.Sequence, uint64(snapshot), "a snapshot was taken")
	}
	if uint64(projected) > head.Sequence {
		return journal.Head{}, journal.TailMissing(head.Sequence, uint64(projected), "the projections stand")
	}
	return head, nil
}

// newest reads the last batch and how far snapshots and projections have come, in one statement and
// so at one instant: neither is ever ahead of the journal, unless the end of it is missing.
const newest = `
	SELECT COALESCE(b.first_seq, 0), COALESCE(b.last_seq, 0), COALESCE(b.stamped_at, 0), COALESCE(b.epoch, 0),
		COALESCE(b.crc, 0), COALESCE(b.version, 0), COALESCE(b.prev, ''), COALESCE(b.payload, ''),
		b.first_seq IS NOT NULL, snapshots.last, projection.sequence
	FROM projection, (SELECT COALESCE(max(sequence), 0) AS last FROM journal_snapshot) snapshots
	LEFT JOIN LATERAL (SELECT * FROM journal_batch ORDER BY first_seq DESC LIMIT 1) b ON true`

// scanBatch reads batchColumns, and what the query selects after them.
func scanBatch(row pgx.Row, more ...any) (journal.Batch, error) {
	var b journal.Batch
	var first, last, epoch, crc int64
	var version int16
	var prev []byte
	into := []any{&first, &last, &b.Time, &epoch, &crc, &version, &prev, &b.Payload}
	if err := row.Scan(append(into, more...)...); err != nil {
		return b, err
	}
	b.First, b.Last, b.Epoch, b.CRC, b.Version = uint64(first), uint64(last), uint64(epoch), uint32(crc), uint8(version)
	if crc>>32 != 0 || version>>8 != 0 || copy(b.Prev[:], prev) != len(b.Prev) || len(prev) != len(b.Prev) {
		return b, &journal.BrokenError{Sequence: b.First, Reason: "its framing is out of range"}
	}
	return b, nil
}

// readPage bounds how many batches one query of Read may return: a reader that stands still for a
// while between two of them does not hold a snapshot of the table for the whole journal.
const readPage = 4096

// Read implements journal.Journal.
func (j *Journal) Read(ctx context.Context, after journal.Head) iter.Seq2[journal.Batch, error] {
	return func(yield func(journal.Batch, error) bool) {
		from := after.Sequence
		for b, err := range journal.Verified(j.pages(ctx, from), after) {
			if err != nil {
				yield(journal.Batch{}, j.explain(ctx, from, err))
				return
			}
			from = b.Last
			if !yield(b, nil) {
				return
			}
		}
	}
}

// explain returns why what should follow a sequence does not: it was archived, perhaps while it was
// being read, or else for the reason given. The newest batch always stays, so that what is missing
// shows as a gap.
func (j *Journal) explain(ctx context.Context, from uint64, why error) error {
	var broken *journal.BrokenError
	if !errors.As(why, &broken) {
		return why
	}
	origin, err := j.Origin(ctx)
	if err != nil {
		return errors.Join(why, err)
	}
	if from < origin.Sequence {
		return &journal.ArchivedError{From: from + 1, To: origin.Sequence}
	}
	return why
}

// pages yields the batches that begin after a sequence.
func (j *Journal) pages(ctx context.Context, from uint64) iter.Seq2[journal.Batch, error] {
	return func(yield func(journal.Batch, error) bool) {
		for {
			last, n, more := j.readPage(ctx, from, yield)
			if !more || n < readPage {
				return
			}
			from = last
		}
	}
}

// readPage yields one page of batches that begin after a sequence. It reports the last sequence,
// how many there were and whether the receiver wants more.
func (j *Journal) readPage(ctx context.Context, from uint64, yield func(journal.Batch, error) bool) (last uint64, n int, more bool) {
	rows, err := j.store.pool.Query(ctx,
		`SELECT `+batchColumns+` FROM journal_batch WHERE first_seq > $1 ORDER BY first_seq LIMIT $2`, int64(from), readPage)
	if err != nil {
		yield(journal.Batch{}, fmt.Errorf("journal: read: %w", err))
		return 0, 0, false
	}
	defer rows.Close()
	for rows.Next() {
		b, err := rawBatch(rows.RawValues())
		if err != nil {
			yield(journal.Batch{}, err)
			return 0, 0, false
		}
		last = b.Last
		n++
		if !yield(b, nil) {
			return 0, 0, false
		}
	}
	if err := rows.Err(); err != nil {
		yield(journal.Batch{}, fmt.Errorf("journal: read: %w", err))
		return 0, 0, false
	}
	return last, n, true
}

// rawBatch reads batchColumns as they come over the wire, in binary: a start reads a million of them,
// and most of what Scan does is for other types.
func rawBatch(columns [][]byte) (b journal.Batch, err error) {
	number := func(i, size int) (n uint64) {
		if len(columns[i]) != size {
			err = errors.New("journal: read: a column has another size")
			return 0
		}
		for _, digit := range columns[i] {
			n = n<<8 | uint64(digit)
		}
		return n
	}
	b.First, b.Last, b.Time, b.Epoch = number(0, 8), number(1, 8), int64(number(2, 8)), number(3, 8)
	crc, version := number(4, 8), number(5, 2)
	if err != nil {
		return b, err
	}
	b.CRC, b.Version = uint32(crc), uint8(version)
	if crc>>32 != 0 || version>>8 != 0 || copy(b.Prev[:], columns[6]) != len(b.Prev) || len(columns[6]) != len(b.Prev) {
		return b, &journal.BrokenError{Sequence: b.First, Reason: "its framing is out of range"}
	}
	b.Payload = make([]byte, len(columns[7]))
	copy(b.Payload, columns[7])
	return b, nil
}

// SaveSnapshot implements journal.Journal.
func (j *Journal) SaveSnapshot(ctx context.Context, s journal.Snapshot) error {
	_, err := j.store.pool.Exec(ctx, `
		WITH saved AS (
			INSERT INTO journal_snapshot (sequence, hash, stamped_at, epoch, crc, payload)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (sequence) DO NOTHING
		)
		DELETE FROM journal_snapshot WHERE sequence < $1 AND sequence NOT IN (
			SELECT sequence FROM journal_snapshot WHERE sequence <> $1 ORDER BY sequence DESC LIMIT $7)`,
		int64(s.Head.Sequence), s.Head.Hash[:], s.Head.Time, int64(s.Head.Epoch), int64(s.Checksum()), s.Payload,
		journal.KeepSnapshots-1)
	if err != nil {
		return fmt.Errorf("journal: save snapshot: %w", err)
	}
	return nil
}

// LoadSnapshot implements journal.Journal.
func (j *Journal) LoadSnapshot(ctx context.Context, atMost uint64) (journal.Snapshot, bool, error) {
	var s journal.Snapshot
	var sequence, epoch, crc int64
	var hash []byte
	err := j.store.pool.QueryRow(ctx, `
		SELECT sequence, hash, stamped_at, epoch, crc, payload FROM journal_snapshot
		WHERE sequence BETWEEN 1 AND $1 ORDER BY sequence DESC LIMIT 1`, int64(min(atMost, math.MaxInt64))).
		Scan(&sequence, &hash, &s.Head.Time, &epoch, &crc, &s.Payload)
	if noRows(err) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("journal: load snapshot: %w", err)
	}
	s.Head.Sequence, s.Head.Epoch = uint64(sequence), uint64(epoch)
	if n := copy(s.Head.Hash[:], hash); n != len(hash) || n != len(s.Head.Hash) || int64(s.Checksum()) != crc {
		return journal.Snapshot{}, false, &journal.BrokenError{
			Sequence: s.Head.Sequence, Snapshot: true, Reason: "checksum does not match",
		}
	}
	return s, true, nil
}

// appendBatch is one statement and so one transaction and one round trip. FOR SHARE on the lease
// makes it and a change of epoch exclude one another; the second condition keeps the journal dense
// whatever the caller believes.
const appendBatch = `
	WITH lease AS (SELECT 1 FROM journal_lease WHERE epoch = $4 FOR SHARE)
	INSERT INTO journal_batch (` + batchColumns + `)
	SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM lease
	WHERE $1 = 1 + COALESCE((SELECT last_seq FROM journal_batch ORDER BY first_seq DESC LIMIT 1), 0)`

// Append implements journal.Writer.
func (w *writer) Append(ctx context.Context, e journal.Entry) (journal.Head, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.spent {
		return journal.Head{}, journal.ErrSpent
	}
	if err := journal.CheckEntry(e, w.head); err != nil {
		w.spent = !errors.Is(err, journal.ErrTooLarge)
		return journal.Head{}, err
	}
	w.spent = true // until it went well
	if e.Payload == nil {
		e.Payload = []byte{} // nothing, not NULL
	}
	b := journal.Seal(e, w.epoch, w.head)
	tag, err := w.conn.Exec(ctx, appendBatch, int64(b.First), int64(b.Last), b.Time, int64(b.Epoch),
		int64(b.CRC), int16(b.Version), b.Prev[:], b.Payload)
	if err != nil {
		return journal.Head{}, fmt.Errorf("journal: append: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return journal.Head{}, journal.ErrFenced
	}
	w.head, w.spent = b.Head(), false
	return w.head, nil
}
