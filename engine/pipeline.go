package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bourse/engine/fault"
	"bourse/engine/internal/sequencer"
	"bourse/engine/venue"
)

// submit runs a command through the sequencer and returns when it is durable.
func (x *Exchange) submit(ctx context.Context, cmd venue.Command) (venue.Receipt, error) {
	return x.seq.Submit(ctx, cmd)
}

// unread is the answer to a command that stands, when an error keeps from reading what it made: to say
// that nothing happened would be wrong. Asking again with the same key settles it.
func unread(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(errUnread, err)
}

var errUnread = fault.New(fault.OutcomeUnknown, "the answer cannot be read now; ask again with the same key")

// read runs a function on the committed state; the function must not keep it.
func (x *Exchange) read(do func(*venue.State)) { x.seq.View().Read(do) }

// reach waits until the live view has come to the sequence that the context asks for.
func (x *Exchange) reach(ctx context.Context) error {
	want := minSequence(ctx)
	view := x.seq.View()
	if view.Sequence() >= want {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	for {
		changed := view.Changed()
		if view.Sequence() >= want {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errNotReached
		}
	}
}

// settleTime is how long a read of history waits, unasked, for what is committed already to be
// projected. It is far above the usual lag and far below what a reader would notice; history that
// lags more is better late than not at all.
const settleTime = 250 * time.Millisecond

// reachProjected waits for history to come to what is committed, for a moment, or to the sequence
// that the context asks for, which it insists on.
func (x *Exchange) reachProjected(ctx context.Context) error {
	want, insist := minSequence(ctx), true
	if want == 0 {
		want, insist = x.seq.View().Sequence(), false
	}
	if x.projector.Sequence() >= uint64(want) {
		return nil
	}
	if !insist {
		wait, cancel := context.WithTimeout(ctx, settleTime)
		defer cancel()
		_ = x.projector.Await(wait, uint64(want))
		return nil
	}
	return x.AwaitProjected(ctx, want)
}

// AwaitProjected waits, no longer than some seconds, until history has come to a sequence. Refusal:
// SEQUENCE_NOT_REACHED.
func (x *Exchange) AwaitProjected(ctx context.Context, want Sequence) error {
	wait, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if err := x.projector.Await(wait, uint64(want)); err != nil {
		return errNotReached
	}
	return nil
}

// Rebuild empties the projections and fills them again from the journal up to what is committed
// now. Reads of history see less meanwhile.
func (x *Exchange) Rebuild(ctx context.Context) error {
	if err := x.projector.Rebuild(ctx); err != nil {
		return refusal(err)
	}
	err := x.projector.Await(ctx, uint64(x.seq.View().Sequence()))
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "the projections are still being filled")
	}
	return err
}

const (
	// paceFrom is how many commands the projections may be behind before the sequencer slows down,
	// and paceFull where it is slowest: between them a batch waits up to paceMost.
	paceFrom = 500_000
	paceFull = 2_000_000
	paceMost = 50 * time.Millisecond
)

// pace is the sequencer's: how long the next batch waits because history is behind.
func (x *Exchange) pace() time.Duration {
	behind := uint64(x.seq.View().Sequence()) - min(x.projector.Sequence(), uint64(x.seq.View().Sequence()))
	if behind <= paceFrom || x.projector.Failing() || x.opts.unpaced {
		return 0 // a projector that fails does not catch up any faster for our waiting
	}
	return min(paceMost, paceMost*time.Duration(behind-paceFrom)/(paceFull-paceFrom))
}

// stateAt rebuilds the venue from the journal as it was at a sequence.
func (x *Exchange) stateAt(ctx context.Context, at uint64) (*venue.State, error) {
	restored, err := sequencer.Restore(ctx, x.opts.journal, at)
	if err == nil && uint64(restored.State.Sequence()) != at {
		err = fmt.Errorf("the journal ends at %d, not %d", restored.State.Sequence(), at)
	}
	return restored.State, err
}
