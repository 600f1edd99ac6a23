package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/engine/internal/postgres"
	"bourse/engine/journal"
	"bourse/engine/journal/journaltest"
)

func exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(context.Background(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func TestJournal(t *testing.T) {
	pool := open(t)
	// What the table would not take from a program, a disk may still make of it.
	exec(t, pool, `ALTER TABLE journal_batch DROP CONSTRAINT journal_batch_first_seq_check, DROP CONSTRAINT journal_batch_check`)
	flip := `set_byte(payload, 0, get_byte(payload, 0) # 4)`
	journaltest.Run(t, journaltest.Harness{
		Open: func(t *testing.T) journal.Journal {
			exec(t, pool, `TRUNCATE journal_batch, journal_snapshot`)
			exec(t, pool, `UPDATE journal_origin SET sequence = 0, hash = decode(repeat('00', 32), 'hex'), stamped_at = 0, epoch = 0`)
			exec(t, pool, `UPDATE projection SET sequence = 0`)
			return postgres.NewStore(pool).Journal()
		},
		FlipPayload: func(t *testing.T, _ journal.Journal, first uint64) {
			exec(t, pool, `UPDATE journal_batch SET payload = `+flip+` WHERE first_seq = $1`, int64(first))
		},
		Remove: func(t *testing.T, _ journal.Journal, first uint64) {
			exec(t, pool, `DELETE FROM journal_batch WHERE first_seq = $1`, int64(first))
		},
		FlipSnapshot: func(t *testing.T, _ journal.Journal, sequence uint64) {
			exec(t, pool, `UPDATE journal_snapshot SET payload = `+flip+` WHERE sequence = $1`, int64(sequence))
		},
		Depose: func(t *testing.T, _ journal.Journal) {
			exec(t, pool, `UPDATE journal_lease SET epoch = epoch + 1`)
		},
		Replace: func(t *testing.T, _ journal.Journal, first uint64, b journal.Batch) {
			exec(t, pool, `UPDATE journal_batch SET first_seq = $2, last_seq = $3, stamped_at = $4, epoch = $5, crc = $6,
				version = $7, prev = $8, payload = $9 WHERE first_seq = $1`, int64(first),
				int64(b.First), int64(b.Last), b.Time, int64(b.Epoch), int64(b.CRC), int16(b.Version), b.Prev[:], b.Payload)
		},
		ReplaceSnapshot: func(t *testing.T, _ journal.Journal, sequence uint64, s journal.Snapshot, sum uint32) {
			exec(t, pool, `UPDATE journal_snapshot SET sequence = $2, hash = $3, stamped_at = $4, epoch = $5, crc = $6, payload = $7
				WHERE sequence = $1`, int64(sequence),
				int64(s.Head.Sequence), s.Head.Hash[:], s.Head.Time, int64(s.Head.Epoch), int64(sum), s.Payload)
		},
		Projected: func(t *testing.T, _ journal.Journal, head journal.Head) {
			exec(t, pool, `UPDATE projection SET sequence = $1, hash = $2, stamped_at = $3, epoch = $4`,
				int64(head.Sequence), head.Hash[:], head.Time, int64(head.Epoch))
		},
	})
}

// A writer whose connection is killed has an unknown outcome; whoever leads next knows it.
func TestKilledWriterIsSucceeded(t *testing.T) {
	pool := open(t)
	j := postgres.NewStore(pool).Journal()
	old, err := j.Lead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Close() }()
	if _, err := old.Append(t.Context(), journal.Entry{First: 1, Last: 3, Payload: []byte("a")}); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'bourse journal' AND datname = current_database()`)
	if _, err := old.Append(t.Context(), journal.Entry{First: 4, Last: 4, Payload: []byte("b")}); err == nil || errors.Is(err, journal.ErrFenced) {
		t.Fatalf("append on a dead connection: %v", err)
	}
	next, err := j.Lead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = next.Close() }()
	if next.Head().Sequence != 3 || next.Epoch() != old.Epoch()+1 {
		t.Fatalf("head %+v, epoch %d", next.Head(), next.Epoch())
	}
}

// While an append is on its way, the next leader waits for its outcome and then reads it: nothing
// of an old epoch can land after the head was read.
func TestLeadWaitsForAnAppendOnItsWay(t *testing.T) {
	pool := open(t)
	j := postgres.NewStore(pool).Journal()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	// A lock as Append takes it, held by a session whose advisory lock is already gone.
	if _, err := tx.Exec(t.Context(), `SELECT 1 FROM journal_lease FOR SHARE`); err != nil {
		t.Fatal(err)
	}
	b := journal.Seal(journal.Entry{First: 1, Last: 2, Payload: []byte("late")}, 0, journal.Head{})
	if _, err := tx.Exec(t.Context(), `INSERT INTO journal_batch VALUES (1, 2, 0, 0, $1, 1, $2, $3)`, int64(b.CRC), b.Prev[:], b.Payload); err != nil {
		t.Fatal(err)
	}
	leads := make(chan journal.Head, 1)
	go func() {
		w, err := j.Lead(context.Background())
		if err != nil {
			t.Error(err)
			close(leads)
			return
		}
		leads <- w.Head()
		_ = w.Close()
	}()
	for waiting := false; !waiting; {
		err := pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'bourse journal' AND wait_event_type = 'Lock' AND datname = current_database())`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if head := <-leads; head.Sequence != 2 {
		t.Fatalf("the next leader read head %+v, want the late append", head)
	}
}
