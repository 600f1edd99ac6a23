package sequencer

import (
	"context"
	"errors"
	"fmt"

	"bourse/engine/journal"
	"bourse/engine/venue"
)

// ErrGap: a batch does not follow the view; what lies between is in the journal.
var ErrGap = errors.New("sequencer: the batch does not follow the view")

// Follower keeps a View of a journal that another process writes. It shows what that process
// committed, batch by batch, as a Sequencer shows its own: under the gate, through Published.
//
//	Take(batch)  the next one, from wherever it came: it must fit the chain
//	CatchUp      whatever the journal has beyond the view: the truth, at the price of a query
//	Lead         go on as the one who writes
//
// With a standby a second venue is kept beside the view, as a sequencer keeps one, so that to lead
// takes no copy of the state. One goroutine uses a follower at a time; its View is for everyone.
type Follower struct {
	opts    Options
	standby bool
	view    *View
	second  *venue.State // what Lead decides with; nil when it must be copied first
	saved   uint64
	events  venue.Events
}

// Follow restores the venue as a sequencer does and stands at the end of the journal as it is found.
// It uses Journal, Published, Gate and Logger of the options, and Lead the others.
func Follow(ctx context.Context, opts Options, standby bool) (*Follower, error) {
	opts.defaults()
	head, err := opts.Journal.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("sequencer: follow: %w", err)
	}
	restored, err := Restore(ctx, opts.Journal, head.Sequence)
	if err != nil {
		return nil, fmt.Errorf("sequencer: follow: %w", err)
	}
	f := &Follower{opts: opts, standby: standby, view: newView(restored.State, restored.Head), saved: restored.Snapshot}
	return f, f.warm()
}

// warm makes the second venue where there should be one.
func (f *Follower) warm() (err error) {
	if f.standby && f.second == nil {
		f.second, err = f.view.clone()
	}
	return err
}

// View is the committed state. It stays the same for as long as the process lives, whoever leads.
func (f *Follower) View() *View { return f.view }

// Take shows a batch. One that is in the view already is left alone; ErrGap tells of one that
// begins later. Any other error is a batch that cannot be trusted, and the view is as it was.
func (f *Follower) Take(b *journal.Batch) error {
	at := f.view.Head()
	switch {
	case b.Last <= at.Sequence:
		return nil
	case b.First > at.Sequence+1:
		return ErrGap
	}
	if err := b.Verify(at); err != nil {
		return err
	}
	events, err := decodeAll(f.events[:0], b)
	f.events = events
	if err != nil {
		return err
	}
	if n := len(events); n == 0 || uint64(events[0].Sequence) != b.First || uint64(events[n-1].Sequence) != b.Last {
		return &journal.BrokenError{Sequence: b.First, Reason: "its events are not those that it names"}
	}
	show(&f.opts, f.view, Batch{Head: b.Head(), First: venue.Sequence(b.First), Events: events})
	if f.second != nil {
		for i := range events {
			if err := f.second.Fold(&events[i]); err != nil {
				panic("sequencer: committed events do not fold a second time: " + err.Error())
			}
		}
	}
	clear(f.events) // keys and definitions
	return nil
}

// CatchUp shows whatever the journal has beyond the view.
func (f *Follower) CatchUp(ctx context.Context) error {
	for b, err := range f.opts.Journal.Read(ctx, f.view.Head()) {
		if err == nil {
			err = f.Take(&b)
		}
		if err != nil {
			return fmt.Errorf("sequencer: follow: %w", err)
		}
	}
	return nil
}

// Lead goes on from the view as the writer, which the caller has just become: it shows what the
// journal has beyond the view and decides from there. On an error the writer is closed and the
// follower goes on following.
func (f *Follower) Lead(ctx context.Context, writer journal.Writer) (*Sequencer, error) {
	err := f.CatchUp(ctx)
	if head := f.view.Head(); err == nil && head != writer.Head() {
		err = fmt.Errorf("sequencer: the view reached %+v, the journal ends at %+v", head, writer.Head())
	}
	state := f.second
	f.second = nil // it runs ahead from here on
	if err == nil && state == nil {
		state, err = f.view.clone()
	}
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	s := newSequencer(ctx, f.opts)
	s.view = f.view
	s.saved.Store(f.saved)
	s.start(state, writer)
	return s, nil
}

// Resume makes a follower of a process whose sequencer has ended, and brings it to the end of the
// journal.
func (f *Follower) Resume(ctx context.Context, ended *Sequencer) error {
	f.saved = ended.saved.Load()
	if err := f.CatchUp(ctx); err != nil {
		return err
	}
	return f.warm()
}
