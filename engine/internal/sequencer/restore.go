package sequencer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"bourse/engine/journal"
	"bourse/engine/venue"
)

// Restored is a venue as the journal tells it.
type Restored struct {
	State *venue.State
	// Head is the end of the last batch that is wholly in the state.
	Head journal.Head
	// Snapshot is the sequence of the snapshot that it began with; 0 when with nothing.
	Snapshot uint64
	// Refused are newer snapshots that could not be trusted, newest first.
	Refused []*journal.BrokenError
}

// Restore rebuilds the venue from the newest sound snapshot at or before a sequence and the events
// after it, up to and including that sequence. A sequence within a batch leaves Head at the end of
// the batch before. A broken snapshot only means a longer way. A broken batch is an error: then what
// is returned beside it is the state before that batch, or none where the batch spoilt it.
func Restore(ctx context.Context, j journal.Journal, to uint64) (Restored, error) {
	r, err := fromSnapshot(ctx, j, to)
	if err == nil {
		err = r.follow(ctx, j, to)
	}
	return r, err
}

// report tells the operator of snapshots that could not be used.
func (r *Restored) report(log *slog.Logger) {
	for _, broken := range r.Refused {
		log.Error("a snapshot cannot be trusted; an older one, or none, was used", "error", broken, "used", r.Snapshot)
	}
}

// follow folds what stands after the head. Batches are read and verified ahead, beside the folding.
func (r *Restored) follow(ctx context.Context, j journal.Journal, to uint64) error {
	reading, stop := context.WithCancel(ctx)
	ahead := readAhead(reading, j, r.Head)
	defer func() {
		stop()
		for range ahead { // until the reader has ended
		}
	}()
	var last *journal.Batch // the newest one wholly folded; its hash is only needed once
	defer func() {
		if last != nil {
			r.Head = last.Head()
		}
	}()
	for chunk := range ahead {
		for i := range chunk.batches {
			b := &chunk.batches[i]
			if b.First > to {
				return nil
			}
			if err := foldBatch(r.State, b, to); err != nil {
				r.State = nil
				return err
			}
			if b.Last > to {
				return nil
			}
			last = b
		}
		if chunk.err != nil {
			return chunk.err
		}
	}
	return ctx.Err() // a reader that was told to stop sends nothing more
}

// chunk is some batches, in order, and what ended the reading after them.
type chunk struct {
	batches []journal.Batch
	err     error
}

const (
	// chunkBatches and chunkBytes bound a chunk, chunksAhead how many wait to be folded.
	chunkBatches = 512
	chunkBytes   = 4 << 20
	chunksAhead  = 4
)

// readAhead reads the batches after a head in a goroutine, which ends with the journal, an error or
// ctx, and then closes the channel.
func readAhead(ctx context.Context, j journal.Journal, after journal.Head) <-chan chunk {
	out := make(chan chunk, chunksAhead)
	go func() {
		defer close(out)
		var c chunk
		bytes := 0
		send := func() bool {
			select {
			case out <- c:
				c, bytes = chunk{}, 0
				return true
			case <-ctx.Done():
				return false
			}
		}
		for b, err := range j.Read(ctx, after) {
			if err != nil {
				c.err = err
				break
			}
			c.batches = append(c.batches, b)
			bytes += len(b.Payload)
			if (len(c.batches) >= chunkBatches || bytes >= chunkBytes) && !send() {
				return
			}
		}
		send()
	}()
	return out
}

func fromSnapshot(ctx context.Context, j journal.Journal, atMost uint64) (Restored, error) {
	var refused []*journal.BrokenError
	for {
		s, found, err := j.LoadSnapshot(ctx, atMost)
		if err == nil && !found {
			return Restored{State: venue.New(), Refused: refused}, nil
		}
		if err == nil {
			state, bad := venue.Restore(s.Payload)
			if bad == nil && uint64(state.Sequence()) == s.Head.Sequence {
				return Restored{State: state, Head: s.Head, Snapshot: s.Head.Sequence, Refused: refused}, nil
			}
			err = &journal.BrokenError{Sequence: s.Head.Sequence, Snapshot: true, Reason: fmt.Sprint("the venue refuses it: ", bad)}
		}
		var broken *journal.BrokenError
		if !errors.As(err, &broken) || broken.Sequence == 0 || broken.Sequence > atMost {
			return Restored{Refused: refused}, err
		}
		refused = append(refused, broken)
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
