package sequencer

import (
	"context"
	"errors"
	"fmt"

	"bourse/engine/journal"
	"bourse/engine/venue"
)

// Restored is a venue as the journal tells it.
type Restored struct {
	State *venue.State
	Head  journal.Head
	// Snapshot is the sequence of the snapshot that it began with; 0 when with nothing.
	Snapshot uint64
}

// Restore rebuilds the venue from the newest sound snapshot at or before a sequence and the events
// after it, up to and including that sequence. A sequence within a batch leaves Head at the end of
// the batch before. A broken batch is an error; a broken snapshot only means a longer way.
func Restore(ctx context.Context, j journal.Journal, to uint64) (Restored, error) {
	r, err := fromSnapshot(ctx, j, to)
	if err != nil {
		return Restored{}, err
	}
	for b, err := range j.Read(ctx, r.Head) {
		if err != nil {
			return Restored{}, err
		}
		if b.First > to {
			break
		}
		if err := foldBatch(r.State, &b, to); err != nil {
			return Restored{}, err
		}
		if b.Last > to {
			break
		}
		r.Head = b.Head()
	}
	return r, nil
}

func fromSnapshot(ctx context.Context, j journal.Journal, atMost uint64) (Restored, error) {
	for {
		s, found, err := j.LoadSnapshot(ctx, atMost)
		if err == nil && !found {
			return Restored{State: venue.New()}, nil
		}
		if err == nil {
			state, bad := venue.Restore(s.Payload)
			if bad == nil && uint64(state.Sequence()) == s.Head.Sequence {
				return Restored{State: state, Head: s.Head, Snapshot: s.Head.Sequence}, nil
			}
			err = &journal.BrokenError{Sequence: s.Head.Sequence, Snapshot: true, Reason: fmt.Sprint("the venue refuses it: ", bad)}
		}
		var broken *journal.BrokenError
		if !errors.As(err, &broken) || broken.Sequence == 0 {
			return Restored{}, err
		}
		atMost = broken.Sequence - 1
	}
}

func foldBatch(state *venue.State, b *journal.Batch, to uint64) error {
	broken := func(format string, args ...any) error {
		return &journal.BrokenError{Sequence: b.First, Reason: fmt.Sprintf(format, args...)}
	}
	decoder := venue.NewDecoder(b.Payload)
	var event venue.Event
	for {
		more, err := decoder.Next(&event)
		if err != nil {
			return broken("its events cannot be read: %v", err)
		}
		if !more || uint64(event.Sequence) > to {
			break
		}
		if err := state.Fold(&event); err != nil {
			return broken("its events do not follow: %v", err)
		}
	}
	if reached := uint64(state.Sequence()); reached != min(b.Last, to) {
		return broken("its events end at %d, not %d", reached, b.Last)
	}
	return nil
}

// decodeAll reads all events of a batch, appended to dst.
func decodeAll(dst venue.Events, b *journal.Batch) (venue.Events, error) {
	decoder := venue.NewDecoder(b.Payload)
	for {
		var event venue.Event
		more, err := decoder.Next(&event)
		if err != nil {
			return dst, &journal.BrokenError{Sequence: b.First, Reason: fmt.Sprintf("its events cannot be read: %v", err)}
		}
		if !more {
			return dst, nil
		}
		dst = append(dst, event)
	}
}
