package engine

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"time"

	"bourse/engine/fault"
	"bourse/engine/venue"
)

// Sequence is a place in the journal: the number of an accepted command. Two answers with the same
// sequence describe the same instant.
type Sequence = venue.Sequence

// MaxPage is the largest page that a list hands out.
const MaxPage = 200

// Page asks for a part of a list.
type Page struct {
	// First is how many items are wanted, 1 to MaxPage.
	First int
	// After is the Next of the page before; empty for the first one. It stays valid while rows are
	// added.
	After string
}

func (p Page) check() error {
	if p.First < 1 || p.First > MaxPage {
		return fault.Newf(fault.InvalidArgument, "a page has 1 to %d items", MaxPage)
	}
	return nil
}

// A cursor is the key of the last row that was seen, in an envelope that names its list, so that a
// cursor of another list is refused instead of misread.
const cursorVersion = 1

func encodeCursor(list byte, key uint64) string {
	raw := binary.BigEndian.AppendUint64([]byte{cursorVersion, list}, key)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeCursor(list byte, cursor string) (uint64, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) != 10 || raw[0] != cursorVersion || raw[1] != list {
		return 0, fault.New(fault.InvalidArgument, "the cursor is not one of this list")
	}
	return binary.BigEndian.Uint64(raw[2:]), nil
}

type minSequenceKey struct{}

// WithMinSequence makes reads under the context wait, for a bounded time, until they see at least
// that sequence: to read one's own writes. They are refused with SEQUENCE_NOT_REACHED otherwise.
func WithMinSequence(ctx context.Context, sequence Sequence) context.Context {
	return context.WithValue(ctx, minSequenceKey{}, sequence)
}

func minSequence(ctx context.Context) Sequence {
	sequence, _ := ctx.Value(minSequenceKey{}).(Sequence)
	return sequence
}

// reachTimeout bounds how long a read waits for a sequence.
const reachTimeout = 5 * time.Second

var errNotReached = fault.New(fault.SequenceNotReached, "that sequence was not reached in time")
