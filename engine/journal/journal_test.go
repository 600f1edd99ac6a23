package journal_test

import (
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/journal"
	"bourse/engine/journal/journaltest"
)

func TestMemory(t *testing.T) {
	tamper := func(j journal.Journal, change func([]journal.Batch, []journal.Snapshot)) {
		j.(*journal.Memory).Tamper(change)
	}
	journaltest.Run(t, journaltest.Harness{
		Open: func(*testing.T) journal.Journal { return journal.NewMemory() },
		FlipPayload: func(_ *testing.T, j journal.Journal, first uint64) {
			tamper(j, func(batches []journal.Batch, _ []journal.Snapshot) {
				for i := range batches {
					if batches[i].First == first {
						batches[i].Payload[0] ^= 4
					}
				}
			})
		},
		Remove: func(_ *testing.T, j journal.Journal, first uint64) {
			tamper(j, func(batches []journal.Batch, _ []journal.Snapshot) {
				for i := range batches {
					if batches[i].First == first {
						batches[i] = journal.Batch{}
					}
				}
			})
		},
		FlipSnapshot: func(_ *testing.T, j journal.Journal, sequence uint64) {
			tamper(j, func(_ []journal.Batch, snapshots []journal.Snapshot) {
				for i := range snapshots {
					if snapshots[i].Head.Sequence == sequence {
						snapshots[i].Payload[0] ^= 4
					}
				}
			})
		},
		Depose: func(_ *testing.T, j journal.Journal) { j.(*journal.Memory).Depose() },
		Replace: func(_ *testing.T, j journal.Journal, first uint64, with journal.Batch) {
			tamper(j, func(batches []journal.Batch, _ []journal.Snapshot) {
				for i := range batches {
					if batches[i].First == first {
						batches[i] = with
						return
					}
				}
			})
		},
		ReplaceSnapshot: func(_ *testing.T, j journal.Journal, sequence uint64, with journal.Snapshot, sum uint32) {
			tamper(j, func(_ []journal.Batch, snapshots []journal.Snapshot) {
				for i := range snapshots {
					if snapshots[i].Head.Sequence == sequence {
						snapshots[i] = with
						j.(*journal.Memory).TamperSum(i, sum)
						return
					}
				}
			})
		},
		Projected: func(*testing.T, journal.Journal, journal.Head) {},
	})
}

// A change of any single field of a batch, by any amount, is found.
func TestEveryChangeOfABatchIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		after := journal.Head{
			Sequence: rapid.Uint64Range(0, 1<<40).Draw(t, "after"),
			Time:     rapid.Int64Range(0, 1<<60).Draw(t, "time"),
			Epoch:    rapid.Uint64Range(0, 1<<30).Draw(t, "epoch"),
		}
		good := journal.Seal(journal.Entry{
			First:   after.Sequence + 1,
			Last:    after.Sequence + 1 + rapid.Uint64Range(0, 1000).Draw(t, "more"),
			Time:    after.Time + rapid.Int64Range(0, 1000).Draw(t, "later"),
			Payload: rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "payload"),
		}, after.Epoch, after)
		if err := good.Verify(after); err != nil {
			t.Fatalf("a good batch was refused: %v", err)
		}
		bad := good
		bad.Payload = append([]byte(nil), good.Payload...)
		switch rapid.IntRange(0, 7).Draw(t, "field") {
		case 0:
			bad.First += rapid.Uint64Range(1, 9).Draw(t, "by")
		case 1:
			bad.Last += rapid.Uint64Range(1, 9).Draw(t, "by")
		case 2:
			bad.Time += rapid.Int64Range(1, 9).Draw(t, "by")
		case 3:
			bad.Epoch++
		case 4:
			bad.Prev[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1
		case 5:
			bad.CRC ^= 1 << rapid.IntRange(0, 31).Draw(t, "bit")
		case 6:
			bad.Payload[rapid.IntRange(0, len(bad.Payload)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case 7:
			bad.Payload = bad.Payload[:len(bad.Payload)-1]
		}
		if err := bad.Verify(after); err == nil {
			t.Fatalf("a changed batch was accepted: %+v", bad)
		}
	})
}
