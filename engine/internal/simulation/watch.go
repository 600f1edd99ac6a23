package simulation

import (
	"context"

	"bourse/engine/feed"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

// update is what a watcher is told: the snapshot first, then each batch.
type update struct {
	first venue.Sequence // 0: the snapshot
	head  journal.Head
	err   error // the last one
}

func newHub() *feed.Hub[string, update] {
	return feed.NewHub[string](64, func(err error) update { return update{err: err} })
}

// published is the hook of the publisher.
func (p *process) published(b sequencer.Batch) {
	p.hub.Publish("", update{first: b.First, head: b.Head})
}

// watch is a subscription: what was heard of it.
type watch struct {
	p        *process
	life     int
	messages <-chan update
	at       journal.Head
	begun    bool
}

// begin watches any process, instead of the one that was watched. Nothing is shown between the
// snapshot and the first message after it: the gate is held.
func (c *client) begin() {
	p := pick(c.w, c.w.processes)
	if !p.up || p.role == starting {
		return
	}
	p.publisher.Gate.Lock()
	defer p.publisher.Gate.Unlock()
	messages, err := p.hub.Watch(context.Background(), "", 4, update{head: p.publisher.View.Head()})
	c.w.mustf(err == nil || err == feed.ErrFull, "%s: cannot watch: %v", p, err)
	if err == nil {
		c.watch = &watch{p: p, life: p.life, messages: messages}
		c.w.count("watches")
	}
}

// listen reads some of what the watched process said: each update follows the one before, or the
// watch ends and says why.
func (c *client) listen() {
	s, w := c.watch, c.w
	if s == nil {
		return
	}
	for range 1 + w.dice.IntN(4) {
		select {
		case m := <-s.messages:
			if m.err != nil {
				w.count("watches that were told of a gap")
				c.watch = nil
				return
			}
			if m.first == 0 {
				w.mustf(!s.begun, "%s: a second snapshot", c.name)
				s.begun = true
			} else {
				w.mustf(s.begun && uint64(m.first) == s.at.Sequence+1, "%s: heard of %d after %d from %s", c.name, m.first, s.at.Sequence, s.p)
				w.count("updates heard")
			}
			s.at = m.head
			w.oracle.shown(c.name, m.head)
		default:
			if s.life != s.p.life || !s.p.up {
				c.watch = nil // the connection is gone
			}
			return
		}
	}
}
