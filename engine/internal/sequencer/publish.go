package sequencer

import (
	"errors"
	"sync"

	"bourse/engine/journal"
	"bourse/engine/venue"
)

// Batch is what was committed at once.
type Batch struct {
	// Head is where the journal ends after it.
	Head journal.Head
	// First is the sequence of its first command.
	First venue.Sequence
	// Events are those of its commands, in order, and Payload what the journal keeps of them.
	Events  venue.Events
	Payload []byte
	// After is where the journal ended before it.
	After journal.Head
}

// ErrGap: a batch does not follow the view; what lies between is in the journal.
var ErrGap = errors.New("sequencer: the batch does not follow the view")

// Publisher is the showing half: it brings a view along with what is committed, by this process
// (Publish) or by another (Follow), in order. One goroutine uses it at a time.
type Publisher struct {
	// View follows.
	View *View
	// Gate is held while a batch enters the view and Published runs.
	Gate sync.Locker
	// Published is told of each batch; events and payload are its only until it returns.
	Published func(Batch)

	second *venue.State // follows as well, for the Core that will decide upon it; nil when none does
	events venue.Events // reused
}

// Publish shows a batch that the journal has, up to head, then answers its commands. The batch is
// not the caller's any more.
func (p *Publisher) Publish(b *Pending, head journal.Head) {
	if b.Durable() {
		p.show(Batch{Head: head, First: b.first, Events: b.events, Payload: b.payload})
	}
	for _, r := range b.requests {
		r.answer()
	}
	b.recycle()
}

// Follow shows a batch as the journal tells it. One that is in the view already is left alone;
// ErrGap tells of one that begins later. Any other error is a batch that cannot be trusted, and the
// view is as it was.
func (p *Publisher) Follow(b *journal.Batch) error {
	at := p.View.Head()
	switch {
	case b.Last <= at.Sequence:
		return nil
	case b.First > at.Sequence+1:
		return ErrGap
	}
	if err := b.Verify(at); err != nil {
		return err
	}
	events, err := decodeAll(p.events[:0], b)
	p.events = events
	if err != nil {
		return err
	}
	if n := len(events); n == 0 || uint64(events[0].Sequence) != b.First || uint64(events[n-1].Sequence) != b.Last {
		return &journal.BrokenError{Sequence: b.First, Reason: "its events are not those that it names"}
	}
	p.show(Batch{Head: b.Head(), First: venue.Sequence(b.First), Events: events, Payload: b.Payload})
	if p.second != nil {
		for i := range events {
			if err := p.second.Fold(&events[i]); err != nil {
				panic("sequencer: committed events do not fold a second time: " + err.Error())
			}
		}
	}
	clear(p.events) // keys and definitions
	return nil
}

// Warm keeps a second venue beside the view, so that to lead later takes no copy of the state.
func (p *Publisher) Warm() (err error) {
	if p.second == nil {
		p.second, err = p.View.clone()
	}
	return err
}

// show panics when the events do not fold: what is in memory is then not what any restart would
// find.
func (p *Publisher) show(b Batch) {
	b.After = p.View.Head()
	p.Gate.Lock()
	err := p.View.fold(b.Events, b.Head)
	if err == nil {
		p.Published(b)
	}
	p.Gate.Unlock()
	if err != nil {
		panic("sequencer: committed events do not fold: " + err.Error())
	}
}
