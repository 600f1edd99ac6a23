package journaltest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"bourse/engine/journal"
)

// sealed is a small journal with a snapshot at each end of a batch.
func sealed(t *testing.T, h Harness, n int) (journal.Journal, []journal.Batch, []journal.Head) {
	t.Helper()
	j := h.Open(t)
	w := lead(t, j)
	heads := fill(t, w, n)
	_ = w.Close()
	batches, err := readAll(t.Context(), j, journal.Head{})
	if err != nil {
		t.Fatal(err)
	}
	for _, head := range heads[1:] {
		if err := j.SaveSnapshot(t.Context(), journal.Snapshot{Head: head, Payload: payload(head.Sequence)}); err != nil {
			t.Fatal(err)
		}
	}
	return j, batches, heads
}

func missingEnd(t *testing.T, h Harness) {
	j, batches, _ := sealed(t, h, 3)
	h.Remove(t, j, batches[2].First)
	_, err := j.Head(t.Context())
	wantBroken(t, err, batches[2].First)
	if _, err := j.Lead(t.Context()); err == nil {
		t.Fatal("somebody leads a journal that lost its end")
	}
}

// damaged is a batch with one change, and what it was.
type damaged struct {
	what  string
	batch journal.Batch
}

// damages are all flips of a bit and all cuts of the payload.
func damages(b journal.Batch) (out []damaged) {
	change := func(do func(*journal.Batch), format string, args ...any) {
		bad := b
		bad.Payload = bytes.Clone(b.Payload)
		do(&bad)
		out = append(out, damaged{fmt.Sprintf(format, args...), bad})
	}
	for bit := range 64 {
		// The sequences of a table are below 2^63; what the sign says is said in other bits, too.
		mask := uint64(1) << bit
		if bit < 63 {
			change(func(b *journal.Batch) { b.First ^= mask }, "bit %d of first", bit)
			change(func(b *journal.Batch) { b.Last ^= mask }, "bit %d of last", bit)
		}
		change(func(b *journal.Batch) { b.Time ^= int64(mask) }, "bit %d of time", bit)
		change(func(b *journal.Batch) { b.Epoch ^= mask }, "bit %d of epoch", bit)
	}
	for bit := range 8 {
		change(func(b *journal.Batch) { b.Version ^= 1 << bit }, "bit %d of version", bit)
		for at := range b.Prev {
			change(func(b *journal.Batch) { b.Prev[at] ^= 1 << bit }, "bit %d of byte %d of prev", bit, at)
		}
		for at := range b.Payload {
			change(func(b *journal.Batch) { b.Payload[at] ^= 1 << bit }, "bit %d of byte %d of payload", bit, at)
		}
	}
	for bit := range 32 {
		change(func(b *journal.Batch) { b.CRC ^= 1 << bit }, "bit %d of crc", bit)
	}
	for n := range b.Payload {
		change(func(b *journal.Batch) { b.Payload = b.Payload[:n] }, "payload cut at %d", n)
	}
	return out
}

// everyChange damages each batch of a small journal in every way. What is read is what was written
// before the damage and then an error that names a sequence and a reason; a batch that lost its place
// at the end is missed by what was derived from it.
func everyChange(t *testing.T, h Harness) {
	j, batches, _ := sealed(t, h, 3)
	for i, good := range batches {
		for _, bad := range damages(good) {
			if bad.batch.First == 0 || i > 0 && bad.batch.First <= batches[i-1].First && isFirst(batches, bad.batch.First) {
				continue // two batches of one first sequence cannot stand in a table
			}
			h.Replace(t, j, good.First, bad.batch)
			got, err := readAll(t.Context(), j, journal.Head{})
			if err == nil {
				_, err = j.Head(t.Context())
			}
			var broken *journal.BrokenError
			if !errors.As(err, &broken) || broken.Sequence == 0 || broken.Reason == "" || broken.Snapshot {
				t.Fatalf("batch %d, %s: %v", good.First, bad.what, err)
			}
			if len(got) > i {
				t.Fatalf("batch %d, %s: %d batches were read", good.First, bad.what, len(got))
			}
			for k := range got {
				if !reflect.DeepEqual(got[k], batches[k]) {
					t.Fatalf("batch %d, %s: batch %d was read as %+v", good.First, bad.what, k, got[k])
				}
			}
			h.Replace(t, j, bad.batch.First, good)
		}
	}
	if got, err := readAll(t.Context(), j, journal.Head{}); err != nil || !reflect.DeepEqual(got, batches) {
		t.Fatalf("repaired: %d batches, %v", len(got), err)
	}
}

func isFirst(batches []journal.Batch, first uint64) bool {
	for _, b := range batches {
		if b.First == first {
			return true
		}
	}
	return false
}

// everySnapshotChange damages the newest snapshot in every way: it is refused by its own name, and
// the one before it loads; or it is not found any more, and the one before it loads at once.
func everySnapshotChange(t *testing.T, h Harness) {
	j, _, heads := sealed(t, h, 2)
	newest := journal.Snapshot{Head: heads[2], Payload: payload(heads[2].Sequence)}
	sum := newest.Checksum()
	try := func(what string, bad journal.Snapshot, badSum uint32) {
		t.Helper()
		h.ReplaceSnapshot(t, j, newest.Head.Sequence, bad, badSum)
		s, found, err := j.LoadSnapshot(t.Context(), math.MaxUint64)
		if err != nil {
			var broken *journal.BrokenError
			if !errors.As(err, &broken) || !broken.Snapshot || broken.Sequence != bad.Head.Sequence || broken.Reason == "" {
				t.Fatalf("%s: %v", what, err)
			}
			s, found, err = j.LoadSnapshot(t.Context(), min(broken.Sequence, newest.Head.Sequence)-1)
		}
		if err != nil || !found || s.Head != heads[1] || !bytes.Equal(s.Payload, payload(heads[1].Sequence)) {
			t.Fatalf("%s: %+v, %v, %v", what, s, found, err)
		}
		h.ReplaceSnapshot(t, j, bad.Head.Sequence, newest, sum)
	}
	for bit := range 64 {
		mask := uint64(1) << bit
		bad := newest
		if bad.Head.Sequence ^= mask; bit < 63 && bad.Head.Sequence > heads[1].Sequence {
			try(fmt.Sprintf("bit %d of the sequence", bit), bad, sum)
		}
		bad = newest
		bad.Head.Epoch ^= mask
		try(fmt.Sprintf("bit %d of the epoch", bit), bad, sum)
		bad = newest
		bad.Head.Time ^= int64(mask)
		try(fmt.Sprintf("bit %d of the time", bit), bad, sum)
	}
	for at := range newest.Head.Hash {
		bad := newest
		bad.Head.Hash[at] ^= 1
		try(fmt.Sprintf("byte %d of the hash", at), bad, sum)
	}
	for bit := range 32 {
		try(fmt.Sprintf("bit %d of the checksum", bit), newest, sum^1<<bit)
	}
	for at := range newest.Payload {
		bad := newest
		bad.Payload = bytes.Clone(newest.Payload)
		bad.Payload[at] ^= 0x10
		try(fmt.Sprintf("byte %d", at), bad, sum)
		bad.Payload = newest.Payload[:at]
		try(fmt.Sprintf("cut at %d", at), bad, sum)
	}
}

func forget(t *testing.T, h Harness) {
	j, batches, heads := sealed(t, h, 6) // the newest three snapshots are kept, from the fourth batch on
	a, ok := j.(journal.Archivable)
	if !ok {
		t.Skip("this journal keeps everything")
	}
	h.Projected(t, j, heads[6])
	for _, step := range []struct{ from, to int }{{0, 1}, {1, 4}} {
		if err := a.Forget(t.Context(), heads[step.from], heads[step.to]); err != nil {
			t.Fatal(err)
		}
		if origin, err := a.Origin(t.Context()); err != nil || origin != heads[step.to] {
			t.Fatalf("origin %+v, %v", origin, err)
		}
	}
	for i, head := range heads {
		got, err := readAll(t.Context(), j, head)
		if i >= 4 {
			if err != nil || len(got) != 6-i {
				t.Fatalf("after %d: %d batches, %v", head.Sequence, len(got), err)
			}
			continue
		}
		var archived *journal.ArchivedError
		if !errors.As(err, &archived) || archived.From != head.Sequence+1 || archived.To != heads[4].Sequence || len(got) > 0 {
			t.Fatalf("after %d: %d batches, %v", head.Sequence, len(got), err)
		}
	}
	// The chain still shows whatever is taken away or put in between.
	h.Remove(t, j, batches[4].First)
	_, err := readAll(t.Context(), j, heads[4])
	wantBroken(t, err, batches[5].First)
	w := lead(t, j)
	if w.Head() != heads[6] {
		t.Fatalf("the writer goes on at %+v", w.Head())
	}
	fill(t, w, 1)
}

func forgetRefused(t *testing.T, h Harness) {
	j, batches, heads := sealed(t, h, 4) // snapshots from the second batch on
	a, ok := j.(journal.Archivable)
	if !ok {
		t.Skip("this journal keeps everything")
	}
	h.Projected(t, j, heads[4])
	wrong := heads[1]
	binary.BigEndian.PutUint32(wrong.Hash[:], 7)
	for what, step := range map[string][2]journal.Head{
		"from elsewhere":        {heads[1], heads[2]},
		"with another hash":     {heads[0], wrong},
		"beyond a snapshot":     {heads[0], heads[3]},
		"up to the end":         {heads[0], heads[4]},
		"in the midst of one":   {heads[0], {Sequence: heads[2].Sequence - 1, Hash: heads[2].Hash}},
		"from a head of no one": {wrong, heads[2]},
	} {
		if err := a.Forget(t.Context(), step[0], step[1]); !errors.Is(err, journal.ErrForget) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got, err := readAll(t.Context(), j, journal.Head{}); err != nil || !reflect.DeepEqual(got, batches) {
		t.Fatalf("after refusals: %d batches, %v", len(got), err)
	}
}
