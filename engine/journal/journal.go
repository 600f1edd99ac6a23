// Package journal is the log of the exchange: batches of events in the order in which they were
// decided, chained by hash, written by one writer at a time.
//
//	Lead ──▶ Writer (epoch n) ──Append──▶ │ 1..7 │ 8..9 │ 10..31 │ ...
//	                                          ▲ Prev = hash of the batch before
//	Lead elsewhere ──▶ epoch n+1: every later Append of epoch n is refused, ErrFenced
//
// A batch is either wholly in the journal or not at all. An Append that returned an error may
// still have been written (its answer was lost): its Writer is spent, and who goes on calls Lead
// again, after which no Append of an older epoch can land any more, and then reads the head.
//
// Payloads are opaque here. The package deliberately does not know events, money or markets, nor
// what time it is; it never trusts what it reads: length, order, chain and checksum are verified,
// and a broken record is an error, never half a batch.
package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Errors that a caller can act on. Every other error of Append leaves the outcome open.
var (
	// ErrFenced: another writer took the lead; nothing was written.
	ErrFenced = errors.New("journal: another writer leads")
	// ErrHeld: the lead is held by another writer that is alive; try again later.
	ErrHeld = errors.New("journal: the lead is held elsewhere")
	// ErrGap: the batch does not follow the head; nothing was written.
	ErrGap = errors.New("journal: batch does not follow the head")
	// ErrSpent: this writer has failed or was closed; take the lead again.
	ErrSpent = errors.New("journal: writer is spent")
	// ErrForget: the batches may not be dropped, or are not there; nothing was dropped.
	ErrForget = errors.New("journal: these batches cannot be dropped")
	// ErrTooLarge: the payload is over MaxPayload; nothing was written.
	ErrTooLarge = errors.New("journal: payload too large")
)

// MaxPayload bounds the payload of one batch, in bytes.
const MaxPayload = 16 << 20

// Journal is the log and the snapshots taken of what it says. It is safe for concurrent use.
type Journal interface {
	// Lead makes the caller the writer, with an epoch above every one before. ErrHeld when another
	// writer is alive.
	Lead(ctx context.Context) (Writer, error)
	// Head is where the journal ends. The zero Head: it is empty. A *BrokenError when a snapshot was
	// taken beyond it: then the newest batches are missing.
	Head(ctx context.Context) (Head, error)
	// Read yields the batches after a head, verified, up to the end of the journal as it is found.
	// It holds a bounded part of them in memory. The first error ends it; a record that cannot be
	// trusted is a *BrokenError, batches that were moved to an archive an *ArchivedError. A payload
	// belongs to the receiver.
	Read(ctx context.Context, after Head) iter.Seq2[Batch, error]
	// SaveSnapshot keeps a snapshot; the newest few are kept. Saving the same one twice is no error.
	SaveSnapshot(ctx context.Context, s Snapshot) error
	// LoadSnapshot returns the newest snapshot at or before a sequence, or false when there is none.
	// A *BrokenError names the sequence of one that cannot be trusted; ask again below it.
	LoadSnapshot(ctx context.Context, atMost uint64) (Snapshot, bool, error)
}

// Writer appends to the journal while it leads. One goroutine uses it at a time.
type Writer interface {
	// Epoch is the term of this writer.
	Epoch() uint64
	// Head is where the journal ended after the last Append that succeeded.
	Head() Head
	// Append makes a batch durable. After any error but ErrTooLarge the writer is spent.
	Append(ctx context.Context, e Entry) (Head, error)
	// Close gives up the lead.
	Close() error
}

// Archivable is a journal whose oldest batches can be moved elsewhere: whoever moves them has them
// safe before Forget.
type Archivable interface {
	Journal
	// Origin is the place before the first batch that is kept. The zero Head: nothing was forgotten.
	Origin(ctx context.Context) (Head, error)
	// Forget drops the batches between two heads, from being the origin, wholly or not at all. The
	// batch at the end of the journal stays, and nothing after the oldest snapshot is dropped. When
	// the journal does not stand as the caller believes it is an ErrForget.
	Forget(ctx context.Context, from, to Head) error
}

// Entry is what a writer appends: the events of the commands First to Last, both included.
type Entry struct {
	First, Last uint64
	// Time is the stamp of the last command, in nanoseconds since 1970 UTC. It never decreases.
	Time    int64
	Payload []byte
}

// Head is a place in the journal: the end of a batch.
type Head struct {
	Sequence uint64
	Hash     Hash
	Time     int64
	Epoch    uint64
}

// Snapshot is a state, opaque here, and the head at which it was taken.
type Snapshot struct {
	Head    Head
	Payload []byte
}

// BrokenError says that a record cannot be trusted and why. It is never repaired silently.
type BrokenError struct {
	// Sequence is the first sequence of the broken batch, or that of the broken snapshot.
	Sequence uint64
	Snapshot bool
	Reason   string
}

func (e *BrokenError) Error() string {
	what := "batch"
	if e.Snapshot {
		what = "snapshot"
	}
	return fmt.Sprintf("journal: %s at sequence %d is broken: %s", what, e.Sequence, e.Reason)
}

// ArchivedError says that batches are asked for that are no longer kept here.
type ArchivedError struct {
	// From and To are the first and the last sequence that were asked for and are not here.
	From, To uint64
}

func (e *ArchivedError) Error() string {
	return fmt.Sprintf("journal: sequences %d to %d were archived; name the directory of the archive", e.From, e.To)
}
