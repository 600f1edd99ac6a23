// Package journaltest says what every journal must do, as tests that each implementation runs.
package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"bourse/engine/journal"
)

// Harness makes what the suite tests. Every field is required.
type Harness struct {
	// Open returns an empty journal that ends with the test.
	Open func(t *testing.T) journal.Journal
	// FlipPayload changes one bit in the payload of the batch that begins at a sequence.
	FlipPayload func(t *testing.T, j journal.Journal, first uint64)
	// Remove takes the batch that begins at a sequence away.
	Remove func(t *testing.T, j journal.Journal, first uint64)
	// FlipSnapshot changes one bit in the snapshot at a sequence.
	FlipSnapshot func(t *testing.T, j journal.Journal, sequence uint64)
	// Depose raises the epoch behind the writer's back, without its giving up the lead.
	Depose func(t *testing.T, j journal.Journal)
	// Replace writes another batch over the one that begins at a sequence, whatever it says.
	Replace func(t *testing.T, j journal.Journal, first uint64, with journal.Batch)
	// ReplaceSnapshot writes another snapshot and checksum over the one at a sequence.
	ReplaceSnapshot func(t *testing.T, j journal.Journal, sequence uint64, with journal.Snapshot, sum uint32)
	// Projected tells the journal that everything up to a head was derived from it elsewhere, where
	// it minds.
	Projected func(t *testing.T, j journal.Journal, head journal.Head)
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"an empty journal has the zero head", empty},
		{"what was appended is read back, chained", roundTrip},
		{"reading goes on from any head", readFrom},
		{"more batches than a page are all read", manyBatches},
		{"a batch must follow the head", gaps},
		{"time never goes back", timeBack},
		{"one writer leads at a time", oneLeader},
		{"a new leader goes on where the old one ended", succession},
		{"a deposed writer is refused and writes nothing", fencing},
		{"a flipped bit is found", flippedBit},
		{"a missing batch is found", missingBatch},
		{"the newest snapshot at or before a sequence is loaded", snapshots},
		{"a broken snapshot is refused and older ones still load", brokenSnapshot},
		{"a payload that is too large is refused and the writer goes on", tooLarge},
		{"a reader may stop early and cancel", stopEarly},
		{"a missing end is found by what was derived from it", missingEnd},
		{"any flipped bit and any cut of a batch is found", everyChange},
		{"any flipped bit and any cut of a snapshot is found", everySnapshotChange},
		{"old batches are forgotten and the rest still stands", forget},
		{"what is needed is not forgotten", forgetRefused},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h) })
	}
}

func lead(t *testing.T, j journal.Journal) journal.Writer {
	t.Helper()
	w, err := j.Lead(t.Context())
	if err != nil {
		t.Fatalf("lead: %v", err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// fill appends n batches of growing size and returns the head after each, the zero one first.
func fill(t *testing.T, w journal.Writer, n int) []journal.Head {
	t.Helper()
	heads := []journal.Head{w.Head()}
	for i := range n {
		first := w.Head().Sequence + 1
		head, err := w.Append(t.Context(), journal.Entry{
			First: first, Last: first + uint64(i%3), Time: w.Head().Time + int64(i%2), Payload: payload(first),
		})
		if err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
		heads = append(heads, head)
	}
	return heads
}

func payload(first uint64) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("batch %d.", first)), 1+int(first%5))
}

func readAll(ctx context.Context, j journal.Journal, after journal.Head) (out []journal.Batch, err error) {
	for b, err := range j.Read(ctx, after) {
		if err != nil {
			return out, err
		}
		out = append(out, b)
	}
	return out, nil
}

func wantBroken(t *testing.T, err error, sequence uint64) {
	t.Helper()
	var broken *journal.BrokenError
	if !errors.As(err, &broken) {
		t.Fatalf("got error %v, want a BrokenError", err)
	}
	if broken.Sequence != sequence {
		t.Fatalf("broken at %d (%v), want %d", broken.Sequence, err, sequence)
	}
}

func empty(t *testing.T, h Harness) {
	j := h.Open(t)
	head, err := j.Head(t.Context())
	if err != nil || head != (journal.Head{}) {
		t.Fatalf("head %+v, %v", head, err)
	}
	if batches, err := readAll(t.Context(), j, journal.Head{}); err != nil || len(batches) != 0 {
		t.Fatalf("read %d batches, %v", len(batches), err)
	}
	if _, found, err := j.LoadSnapshot(t.Context(), math.MaxUint64); found || err != nil {
		t.Fatalf("snapshot found %v, %v", found, err)
	}
}

func roundTrip(t *testing.T, h Harness) {
	j := h.Open(t)
	w := lead(t, j)
	heads := fill(t, w, 7)
	batches, err := readAll(t.Context(), j, journal.Head{})
	if err != nil || len(batches) != 7 {
		t.Fatalf("read %d batches, %v", len(batches), err)
	}
	for i, b := range batches {
		if b.Prev != heads[i].Hash || b.Head() != heads[i+1] || b.Epoch != w.Epoch() || !bytes.Equal(b.Payload, payload(b.First)) {
			t.Fatalf("batch %d came back different: %+v", i, b)
		}
	}
	if head, err := j.Head(t.Context()); err != nil || head != heads[7] || head != w.Head() {
		t.Fatalf("head %+v, %v; want %+v", head, err, heads[7])
	}
}

func readFrom(t *testing.T, h Harness) {
	j := h.Open(t)
	heads := fill(t, lead(t, j), 5)
	for i, head := range heads {
		batches, err := readAll(t.Context(), j, head)
		if err != nil || len(batches) != 5-i {
			t.Fatalf("after %d: %d batches, %v", head.Sequence, len(batches), err)
		}
	}
	stranger := heads[2]
	stranger.Hash[0] ^= 1
	_, err := readAll(t.Context(), j, stranger)
	wantBroken(t, err, heads[2].Sequence+1)
}

func manyBatches(t *testing.T, h Harness) {
	j := h.Open(t)
	fill(t, lead(t, j), 1100)
	batches, err := readAll(t.Context(), j, journal.Head{})
	if err != nil || len(batches) != 1100 {
		t.Fatalf("read %d batches, %v", len(batches), err)
	}
}

func gaps(t *testing.T, h Harness) {
	for _, first := range []uint64{0, 1, 2, 3, 5} {
		j := h.Open(t)
		w := lead(t, j)
		head := fill(t, w, 2)[2] // ends at 3
		if _, err := w.Append(t.Context(), journal.Entry{First: first, Last: first + 4, Time: head.Time}); !errors.Is(err, journal.ErrGap) {
			t.Fatalf("append at %d: %v", first, err)
		}
		if now, err := j.Head(t.Context()); err != nil || now != head {
			t.Fatalf("head moved to %+v, %v", now, err)
		}
		_ = w.Close()
	}
}

func timeBack(t *testing.T, h Harness) {
	j := h.Open(t)
	w := lead(t, j)
	if _, err := w.Append(t.Context(), journal.Entry{First: 1, Last: 1, Time: 100}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append(t.Context(), journal.Entry{First: 2, Last: 2, Time: 99}); !errors.Is(err, journal.ErrGap) {
		t.Fatalf("append into the past: %v", err)
	}
}

func oneLeader(t *testing.T, h Harness) {
	j := h.Open(t)
	w := lead(t, j)
	if _, err := j.Lead(t.Context()); !errors.Is(err, journal.ErrHeld) {
		t.Fatalf("second lead: %v", err)
	}
	fill(t, w, 1)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append(t.Context(), journal.Entry{First: 2, Last: 2}); !errors.Is(err, journal.ErrSpent) {
		t.Fatalf("append after close: %v", err)
	}
	lead(t, j)
}

func succession(t *testing.T, h Harness) {
	j := h.Open(t)
	old := lead(t, j)
	heads := fill(t, old, 3)
	_ = old.Close()
	next := lead(t, j)
	if next.Epoch() <= old.Epoch() {
		t.Fatalf("epoch %d after %d", next.Epoch(), old.Epoch())
	}
	if next.Head() != heads[3] {
		t.Fatalf("head %+v, want %+v", next.Head(), heads[3])
	}
	fill(t, next, 2)
	if batches, err := readAll(t.Context(), j, journal.Head{}); err != nil || len(batches) != 5 {
		t.Fatalf("read %d batches, %v", len(batches), err)
	}
}

func fencing(t *testing.T, h Harness) {
	j := h.Open(t)
	w := lead(t, j)
	head := fill(t, w, 2)[2]
	h.Depose(t, j)
	entry := journal.Entry{First: head.Sequence + 1, Last: head.Sequence + 1, Time: head.Time, Payload: []byte("late")}
	if _, err := w.Append(t.Context(), entry); !errors.Is(err, journal.ErrFenced) {
		t.Fatalf("append of a deposed writer: %v", err)
	}
	if _, err := w.Append(t.Context(), entry); !errors.Is(err, journal.ErrSpent) {
		t.Fatalf("second append of a deposed writer: %v", err)
	}
	if now, err := j.Head(t.Context()); err != nil || now != head {
		t.Fatalf("head moved to %+v, %v", now, err)
	}
	_ = w.Close()
	fill(t, lead(t, j), 1)
}

func flippedBit(t *testing.T, h Harness) {
	j := h.Open(t)
	heads := fill(t, lead(t, j), 5)
	first := heads[2].Sequence + 1
	h.FlipPayload(t, j, first)
	batches, err := readAll(t.Context(), j, journal.Head{})
	wantBroken(t, err, first)
	if len(batches) != 2 {
		t.Fatalf("%d batches were passed on before the broken one, want 2", len(batches))
	}
}

func missingBatch(t *testing.T, h Harness) {
	j := h.Open(t)
	heads := fill(t, lead(t, j), 5)
	h.Remove(t, j, heads[2].Sequence+1)
	_, err := readAll(t.Context(), j, journal.Head{})
	wantBroken(t, err, heads[3].Sequence+1)
}

func snapshots(t *testing.T, h Harness) {
	j := h.Open(t)
	heads := fill(t, lead(t, j), 6)
	for _, i := range []int{1, 4, 4, 2, 6} {
		if err := j.SaveSnapshot(t.Context(), journal.Snapshot{Head: heads[i], Payload: payload(heads[i].Sequence)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []struct {
		atMost uint64
		head   journal.Head
	}{{math.MaxUint64, heads[6]}, {heads[6].Sequence - 1, heads[4]}, {heads[4].Sequence, heads[4]}} {
		s, found, err := j.LoadSnapshot(t.Context(), want.atMost)
		if err != nil || !found || s.Head != want.head || !bytes.Equal(s.Payload, payload(want.head.Sequence)) {
			t.Fatalf("at most %d: %+v, %v, %v", want.atMost, s, found, err)
		}
		if _, err := readAll(t.Context(), j, s.Head); err != nil {
			t.Fatalf("the tail does not follow the snapshot: %v", err)
		}
	}
	if _, found, err := j.LoadSnapshot(t.Context(), 0); found || err != nil {
		t.Fatalf("snapshot before the first: %v, %v", found, err)
	}
}

func brokenSnapshot(t *testing.T, h Harness) {
	j := h.Open(t)
	heads := fill(t, lead(t, j), 2)
	for _, head := range heads[1:] {
		if err := j.SaveSnapshot(t.Context(), journal.Snapshot{Head: head, Payload: []byte("state")}); err != nil {
			t.Fatal(err)
		}
	}
	h.FlipSnapshot(t, j, heads[2].Sequence)
	_, _, err := j.LoadSnapshot(t.Context(), math.MaxUint64)
	wantBroken(t, err, heads[2].Sequence)
	s, found, err := j.LoadSnapshot(t.Context(), heads[2].Sequence-1)
	if err != nil || !found || s.Head != heads[1] {
		t.Fatalf("older snapshot: %+v, %v, %v", s, found, err)
	}
}

func tooLarge(t *testing.T, h Harness) {
	j := h.Open(t)
	w := lead(t, j)
	if _, err := w.Append(t.Context(), journal.Entry{First: 1, Last: 1, Payload: make([]byte, journal.MaxPayload+1)}); !errors.Is(err, journal.ErrTooLarge) {
		t.Fatalf("append: %v", err)
	}
	fill(t, w, 1)
}

func stopEarly(t *testing.T, h Harness) {
	j := h.Open(t)
	fill(t, lead(t, j), 5)
	n := 0
	for _, err := range j.Read(t.Context(), journal.Head{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readAll(ctx, j, journal.Head{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("read with an ended context: %v", err)
	}
}
