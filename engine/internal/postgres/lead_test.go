package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"bourse/engine/internal/postgres"
	"bourse/engine/journal"
)

// waiting takes the lead in the background, and says when.
func waiting(t *testing.T, j journal.Journal) <-chan journal.Writer {
	t.Helper()
	leads := make(chan journal.Writer, 1)
	go func() {
		w, err := journal.AwaitLead(context.Background(), j, time.Second)
		if err != nil {
			t.Error(err)
		}
		leads <- w
	}()
	return leads
}

// Whoever waits leads as soon as the one before has ended, in whatever way, and that one can write
// nothing more.
func TestTheLeadIsHandedOver(t *testing.T) {
	pool := open(t)
	j := postgres.NewStore(pool).Journal()
	first, err := j.Lead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Lead(t.Context()); !errors.Is(err, journal.ErrHeld) {
		t.Fatalf("the lead of the living: %v", err)
	}
	if _, err := first.Append(t.Context(), journal.Entry{First: 1, Last: 1, Payload: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	leads := waiting(t, j)
	exec(t, pool, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	ended := time.Now()
	second := <-leads
	if took := time.Since(ended); took > 3*time.Second {
		t.Errorf("the lead was handed over after %s", took)
	}
	if second.Epoch() <= first.Epoch() || second.Head().Sequence != 1 {
		t.Errorf("epoch %d after %d, head %+v", second.Epoch(), first.Epoch(), second.Head())
	}
	select {
	case <-journal.Lost(first):
	case <-time.After(10 * time.Second):
		t.Error("the one before does not notice")
	}
	if _, err := first.Append(t.Context(), journal.Entry{First: 2, Last: 2, Payload: []byte{2}}); err == nil {
		t.Error("the one before wrote")
	}
	_ = first.Close()

	leads = waiting(t, j)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	third := <-leads
	_ = third.Close()
}

// A leader whose process stands still shows nothing; after some seconds its session is ended. One
// that has nothing to write, but lives, is left alone.
func TestALeaderThatHangsIsDeposed(t *testing.T) {
	pool := open(t)
	store := postgres.NewStore(pool)
	alive, err := store.Journal().Lead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leads := waiting(t, store.Journal())
	select {
	case <-leads:
		t.Fatal("one that lives was deposed")
	case <-time.After(7 * time.Second): // longer than one that hangs is given
	}
	_ = alive.Close()
	_ = (<-leads).Close()

	hung, err := pool.Acquire(t.Context()) // as the session of a process that was stopped
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Release()
	var key int64 = 0x626f757273650001
	if _, err := hung.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, key); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w := <-waiting(t, store.Journal())
	if took := time.Since(began); took < 4*time.Second || took > 9*time.Second {
		t.Errorf("deposed after %s", took)
	}
	_ = w.Close()
}
