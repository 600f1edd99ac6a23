package sequencer

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"bourse/engine/journal"
	"bourse/engine/venue"
)

// View is the venue as far as it is durable. It is never ahead of the disk.
type View struct {
	mu       sync.RWMutex
	state    *venue.State
	head     journal.Head
	sequence atomic.Uint64

	waitMu  sync.Mutex
	changed chan struct{} // closed and replaced at each batch, when somebody waits
}

// NewView is a view of what was restored, which it takes over.
func NewView(r Restored) *View {
	v := &View{state: r.State, head: r.Head}
	v.sequence.Store(r.Head.Sequence)
	return v
}

// Read runs a function on the state. The function must not change or keep it, and should be quick:
// no batch is published meanwhile.
func (v *View) Read(do func(*venue.State)) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	do(v.state)
}

// Sequence is what the view has reached.
func (v *View) Sequence() venue.Sequence { return venue.Sequence(v.sequence.Load()) }

// Head is where the view stands in the journal.
func (v *View) Head() journal.Head {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.head
}

// Changed returns a channel that is closed when the view moves on from here. Ask for it, then look
// at the view, then wait.
func (v *View) Changed() <-chan struct{} {
	v.waitMu.Lock()
	defer v.waitMu.Unlock()
	if v.changed == nil {
		v.changed = make(chan struct{})
	}
	return v.changed
}

// foldChunk bounds the events that are folded before readers get a turn. A turn comes only between
// commands: a reader never sees half of one.
const foldChunk = 256

// fold brings a committed batch into the view. An error means that the events in memory are not
// those of a venue: nothing to go on with.
func (v *View) fold(events venue.Events, head journal.Head) error {
	for len(events) > 0 {
		n := min(len(events), foldChunk)
		for n < len(events) && !events[n].First {
			n++
		}
		if err := v.foldSome(events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	v.mu.Lock()
	v.head = head
	v.mu.Unlock()
	v.sequence.Store(head.Sequence)
	v.waitMu.Lock()
	if v.changed != nil {
		close(v.changed)
		v.changed = nil
	}
	v.waitMu.Unlock()
	return nil
}

func (v *View) foldSome(events venue.Events) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range events {
		if err := v.state.Fold(&events[i]); err != nil {
			return fmt.Errorf("fold event of sequence %d into the view: %w", events[i].Sequence, err)
		}
	}
	return nil
}

// Snapshot is the state as it stands, with its place in the journal.
func (v *View) Snapshot() journal.Snapshot {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return journal.Snapshot{Head: v.head, Payload: v.state.AppendSnapshot(nil)}
}

// clone returns a second state equal to the view's, by the way that a restart takes, and makes sure
// that the way leads there.
func (v *View) clone() (*venue.State, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	snapshot := v.state.AppendSnapshot(nil)
	state, err := venue.Restore(snapshot)
	if err != nil {
		return nil, fmt.Errorf("copy the view: %w", err)
	}
	if digest := state.Digest(); !bytes.HasSuffix(snapshot, digest[:]) { // a snapshot ends with the digest of its state
		return nil, errors.New("copy the view: the digest differs")
	}
	return state, nil
}
