package sequencer

import (
	"context"
	"errors"
	"fmt"

	"bourse/engine/journal"
)

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
	opts      Options
	standby   bool
	publisher Publisher
	saved     uint64
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
	restored.report(opts.Logger)
	if err != nil {
		return nil, fmt.Errorf("sequencer: follow: %w", err)
	}
	f := &Follower{opts: opts, standby: standby, publisher: newPublisher(&opts, restored), saved: restored.Snapshot}
	return f, f.warm()
}

// warm makes the second venue where there should be one.
func (f *Follower) warm() error {
	if !f.standby {
		return nil
	}
	return f.publisher.Warm()
}

// View is the committed state. It stays the same for as long as the process lives, whoever leads.
func (f *Follower) View() *View { return f.publisher.View }

// Take shows a batch, as Publisher.Follow does.
func (f *Follower) Take(b *journal.Batch) error { return f.publisher.Follow(b) }

// CatchUp shows whatever the journal has beyond the view.
func (f *Follower) CatchUp(ctx context.Context) error {
	for b, err := range f.opts.Journal.Read(ctx, f.View().Head()) {
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
	s := newSequencer(ctx, f.opts)
	if err == nil {
		err = s.core.Resume(&f.publisher, writer.Head())
	}
	if err != nil {
		s.abandon()
		return nil, errors.Join(err, writer.Close())
	}
	s.saved.Store(f.saved)
	s.start(f.publisher, writer)
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
