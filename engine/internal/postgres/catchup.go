package postgres

import (
	"context"
	"errors"

	"bourse/engine/journal"
	"bourse/engine/venue"
)

// ErrMoved says that somebody else brought the projections further meanwhile.
var ErrMoved = errors.New("postgres: the projections were moved by another process")

// Sink is where events become rows. Rows and watermark are written together or not at all.
type Sink interface {
	// Projected is the watermark.
	Projected(ctx context.Context) (journal.Head, error)
	// Reset forgets what was added and not written.
	Reset()
	// Add takes the next event, which is lent.
	Add(ev *venue.Event) error
	// Events is how many were added since the last Reset.
	Events() int
	// Flush writes what was added and moves the watermark between two heads, in one transaction.
	// ErrMoved when it does not stand at from.
	Flush(ctx context.Context, from, to journal.Head) error
}

// CatchUp brings a sink from its watermark to the end of the journal, in transactions of so many
// events, about, and never of a part of a batch. It says how far the projections have come, also
// when that is less than it was: a database that crashed may have lost what was not yet synced.
func CatchUp(ctx context.Context, j journal.Journal, sink Sink, flushEvents int, reached func(uint64)) error {
	from, err := sink.Projected(ctx)
	if err != nil {
		return err
	}
	reached(from.Sequence)
	sink.Reset()
	to := from
	flush := func() error {
		if err := sink.Flush(ctx, from, to); err != nil {
			return err
		}
		from = to
		sink.Reset()
		reached(to.Sequence)
		return nil
	}
	for b, err := range j.Read(ctx, from) {
		if err != nil {
			return err
		}
		if err := eachEvent(&b, sink.Add); err != nil {
			return err
		}
		to = b.Head()
		if sink.Events() >= flushEvents {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if to == from {
		return nil
	}
	return flush()
}
