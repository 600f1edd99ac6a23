package journal_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"bourse/engine/journal"
)

// three is a small journal as records, one after another.
func three() (batches []journal.Batch, records []byte) {
	var head journal.Head
	for i, payload := range []string{"first", "", "the third"} {
		b := journal.Seal(journal.Entry{
			First: head.Sequence + 1, Last: head.Sequence + 1 + uint64(i), Time: int64(i), Payload: []byte(payload),
		}, 1, head)
		batches, records, head = append(batches, b), b.AppendRecord(records), b.Head()
	}
	return batches, records
}

// readRecords reads records until they end or break.
func readRecords(records []byte) (out []journal.Batch, err error) {
	r := bytes.NewReader(records)
	var head journal.Head
	for r.Len() > 0 {
		b, err := journal.ReadRecord(r, head)
		if err != nil {
			return out, err
		}
		out, head = append(out, b), b.Head()
	}
	return out, nil
}

// wantPrefix fails unless what was read is the beginning of what was written, and the error names
// what should have come next.
func wantPrefix(t *testing.T, what string, got []journal.Batch, err error, want []journal.Batch) {
	t.Helper()
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("%s: batch %d was read as %+v, written as %+v", what, i, got[i], want[i])
		}
	}
	var broken *journal.BrokenError
	if len(got) < len(want) && (!errors.As(err, &broken) || broken.Sequence != want[len(got)].First || broken.Reason == "") {
		t.Fatalf("%s: %d batches were read, then %v; want a BrokenError at %d", what, len(got), err, want[len(got)].First)
	}
}

func TestRecordsAreReadBack(t *testing.T) {
	want, records := three()
	got, err := readRecords(records)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d batches, %v", len(got), err)
	}
	wantPrefix(t, "as written", got, err, want)
	if size := want[0].RecordSize() + want[1].RecordSize() + want[2].RecordSize(); size != len(records) {
		t.Fatalf("the records have %d bytes, they say %d", len(records), size)
	}
}

// Whatever bit is flipped and wherever the records are cut: the batches before are read, the rest is
// refused.
func TestEveryFlipAndCutOfRecordsIsFound(t *testing.T) {
	want, records := three()
	whole := func(n int) int { // how many records lie wholly before a byte
		i := 0
		for end := 0; i < len(want); i++ {
			if end += want[i].RecordSize(); end > n {
				break
			}
		}
		return i
	}
	for at := range records {
		for bit := range 8 {
			bad := bytes.Clone(records)
			bad[at] ^= 1 << bit
			got, err := readRecords(bad)
			wantPrefix(t, "a flipped bit", got, err, want)
			if err == nil || len(got) != whole(at) {
				t.Fatalf("bit %d of byte %d flipped: %d batches, %v", bit, at, len(got), err)
			}
		}
		got, err := readRecords(records[:at])
		wantPrefix(t, "a cut", got, nilAtBoundary(err, at, whole(at), want), want[:whole(at)])
		if len(got) != whole(at) {
			t.Fatalf("cut at byte %d: %d batches, %v", at, len(got), err)
		}
	}
}

// nilAtBoundary insists on an error unless the cut falls between two records, which only the end
// mark of a file can tell.
func nilAtBoundary(err error, at, whole int, want []journal.Batch) error {
	end := 0
	for _, b := range want[:whole] {
		end += b.RecordSize()
	}
	if at != end && err == nil {
		panic("a cut within a record was not found")
	}
	return err
}

// FuzzBatch reads records that were cut at one place, and changed at another: nothing but the
// beginning of what was written may come out. The bytes themselves are read as records as well, and
// what is read from them is written the same.
func FuzzBatch(f *testing.F) {
	_, records := three()
	f.Add(records, uint32(0), byte(0), uint32(len(records)))
	f.Add(records[:100], uint32(33), byte(1), uint32(99))
	f.Add([]byte{1}, uint32(70), byte(0x80), uint32(140))
	f.Fuzz(func(t *testing.T, raw []byte, at uint32, mask byte, cut uint32) {
		var after journal.Head
		if b, err := journal.ReadRecord(bytes.NewReader(raw), after); err == nil {
			if again := b.AppendRecord(nil); !bytes.HasPrefix(raw, again) {
				t.Fatalf("%x was read as %+v, which is written %x", raw, b, again)
			}
		}
		want, records := three()
		bad := bytes.Clone(records)
		bad[int(at)%len(bad)] ^= mask
		bad = bad[:min(int(cut), len(bad))]
		got, err := readRecords(bad)
		if len(got) > len(want) || mask != 0 && int(cut) >= len(records) && err == nil {
			t.Fatalf("byte %d changed by %02x, cut at %d: %d batches, %v", int(at)%len(records), mask, cut, len(got), err)
		}
		if err != nil {
			wantPrefix(t, "changed and cut", got, err, want)
		} else {
			wantPrefix(t, "changed and cut", got, err, want[:len(got)])
		}
	})
}
