package simulation

import (
	"fmt"
	"time"

	"bourse/engine/internal/remote"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

// furnish builds the world: a store with an opened house, three processes, clients, and trouble.
func (w *world) furnish() {
	w.oracle = newOracle(w)
	w.store = newStore(w)
	w.openHouse()
	for i := range 3 {
		p := &process{w: w, name: fmt.Sprint("p", i+1)}
		w.processes = append(w.processes, p)
		p.start()
	}
	for i := range 8 {
		actor := house
		if i > 0 {
			actor = members[i%len(members)]
		}
		c := &client{w: w, name: fmt.Sprint("c", i+1), actor: actor}
		w.clients = append(w.clients, c)
		w.after(w.between(0, 100*time.Millisecond), c.live)
	}
	w.after(w.between(0, time.Second), w.trouble)
	w.after(200*time.Millisecond, w.syncTables)
}

func (w *world) syncTables() {
	w.store.syncTables()
	w.after(w.between(100*time.Millisecond, 600*time.Millisecond), w.syncTables)
}

// openHouse writes the first batch, before any process lives.
func (w *world) openHouse() {
	state, events, payload := venue.New(), venue.Events{}, []byte(nil)
	for _, cmd := range opening() {
		_, err := state.Apply(cmd, epoch, &events)
		w.mustf(err == nil, "the house does not open: %v", err)
	}
	for i := range events {
		payload = venue.AppendEvent(payload, &events[i])
	}
	w.store.term = 1
	b := journal.Seal(journal.Entry{First: 1, Last: uint64(state.Sequence()), Time: epoch, Payload: payload}, 1, journal.Head{})
	w.store.writing = &writing{b, b.AppendRecord(nil)}
	w.store.sync()
}

// trouble makes something go wrong, again and again.
func (w *world) trouble() {
	if w.calm {
		return
	}
	p := pick(w, w.processes)
	switch w.dice.IntN(16) {
	case 0, 1:
		w.kill(p)
	case 2:
		w.kill(w.leader())
	case 3:
		w.crashStore()
	case 4:
		w.logf("store: the disk is full")
		w.count("full disks")
		w.store.fullUntil = w.now + int64(w.between(100*time.Millisecond, 2*time.Second))
	case 5:
		w.logf("store: the disk is slow")
		w.count("slow disks")
		w.store.slowUntil = w.now + int64(w.between(100*time.Millisecond, 2*time.Second))
	case 6:
		w.isolate(pick(w, []*process{p, w.leader()}))
	case 7, 8:
		w.freeze(pick(w, []*process{p, w.leader()}))
	case 9, 10:
		w.turnClock(pick(w, []*process{p, w.leader()}))
	case 11:
		if s := w.store; s.holder != nil {
			s.depose(s.holder)
		}
	case 12:
		w.spoilSnapshot()
	case 13:
		w.logf("history: is emptied")
		w.count("rebuilds")
		if w.store.up {
			w.store.tables = newStore(w).tables
			w.store.era++
		}
	case 14:
		w.forge(p)
	case 15:
		w.logf("%s: cannot hear the others, nor they it", p)
		w.count("partitions")
		p.apart = true
		w.after(w.between(100*time.Millisecond, 3*time.Second), func() { p.apart = false })
	}
	w.after(w.between(20*time.Millisecond, 500*time.Millisecond), w.trouble)
}

// leader is who leads, if anybody does, and anybody else otherwise.
func (w *world) leader() *process {
	for _, p := range w.processes {
		if p.up && p.role == leading {
			return p
		}
	}
	return w.processes[0]
}

func (w *world) kill(p *process) {
	if !p.up {
		return
	}
	w.count("crashes")
	p.crash()
	w.after(w.between(time.Millisecond, 2*time.Second), func() {
		if !p.up {
			p.start()
		}
	})
}

func (w *world) crashStore() {
	if !w.store.up {
		return
	}
	w.count("crashes of the store")
	w.store.crash()
	w.after(w.between(20*time.Millisecond, 1500*time.Millisecond), func() {
		if !w.store.up {
			w.store.restart()
		}
	})
}

func (w *world) isolate(p *process) {
	w.logf("%s: cannot reach the store", p)
	w.count("processes without the store")
	p.cutOff = true
	held := w.store.holder
	w.after(w.between(50*time.Millisecond, 3*time.Second), func() { p.cutOff = false })
	w.after(w.between(50*time.Millisecond, 3*time.Second), func() { // the store gives the session up, or not
		if held != nil && held.of == p && w.often(500) {
			w.store.depose(held)
		}
	})
}

func (w *world) freeze(p *process) {
	delay := w.between(10*time.Millisecond, 4*time.Second)
	w.logf("%s: is frozen for %v", p, delay)
	w.count("frozen processes")
	p.frozen = w.now + int64(delay)
	if held := w.store.holder; held != nil && held.of == p && w.often(600) {
		w.after(w.between(0, 2*time.Second), func() { w.store.depose(held) })
	}
}

func (w *world) turnClock(p *process) {
	w.count("clocks that were turned")
	switch w.dice.IntN(4) {
	case 0:
		p.still = int64(p.wall())
		w.after(w.between(10*time.Millisecond, 2*time.Second), func() { p.still = 0 })
	case 1:
		p.skew += int64(w.between(time.Millisecond, time.Hour))
	default:
		p.skew -= int64(w.between(time.Millisecond, time.Hour))
	}
	w.logf("%s: its clock says %d", p, p.wall())
}

// forge sends a process a batch that is whole and in its turn, and of another chain.
func (w *world) forge(p *process) {
	if !p.up || p.role == starting {
		return
	}
	at := p.publisher.View.Head()
	for _, b := range w.store.batches {
		if b.First == at.Sequence+1 {
			at.Hash[0] ^= 1
			forged := journal.Seal(b.Entry, b.Epoch, at)
			w.count("forged batches")
			p.receive(encode(w, remote.Committed{Batch: forged}))
			return
		}
	}
}

// spoilSnapshot flips a bit in one of the snapshots.
func (w *world) spoilSnapshot() {
	w.store.snapshots.Tamper(func(_ []journal.Batch, snapshots []journal.Snapshot) {
		if len(snapshots) == 0 {
			return
		}
		s := pick(w, snapshots)
		w.count("spoilt snapshots")
		w.logf("store: the snapshot of %d is spoilt", s.Head.Sequence)
		s.Payload[w.dice.IntN(len(s.Payload))] ^= 1 << w.dice.IntN(8)
	})
}

// patience is how long everything may take to settle once faults have stopped.
const patience = 60 * time.Second

// settle stops all trouble and waits, no longer than patience, until everybody has an answer and
// everybody shows the end of the journal.
func (w *world) settle() {
	w.logf("faults stop")
	w.calm = true
	w.store.fullUntil, w.store.slowUntil = 0, 0
	for _, p := range w.processes {
		p.cutOff, p.apart, p.still = false, false, 0
		p.frozen = min(p.frozen, w.now)
	}
	until := w.now + int64(patience)
	for waits := w.unsettled(); waits != ""; waits = w.unsettled() {
		w.mustf(w.now < until, "%v after the last fault, %s", patience, waits)
		w.step()
	}
	w.logf("all is settled at %d", w.store.head.Sequence)
	w.finish()
}

// unsettled is what is still waited for.
func (w *world) unsettled() string {
	for _, c := range w.clients {
		if c.open > 0 {
			return fmt.Sprintf("%s waits for %d answers", c.name, c.open)
		}
	}
	if !w.store.up {
		return "the store is down"
	}
	leaders := 0
	for _, p := range w.processes {
		switch {
		case !p.up || p.role == starting:
			return p.String() + " is not up"
		case p.role == leading:
			leaders++
		case p.role == down:
			return p.String() + " is down"
		}
		if at := p.publisher.View.Head(); at != w.store.head {
			return fmt.Sprintf("%s shows %d of %d", p, at.Sequence, w.store.head.Sequence)
		}
		if len(p.reads) > 0 {
			return "a reader waits at " + p.String()
		}
		if p.projector.reached != w.store.head.Sequence {
			return fmt.Sprintf("%s has heard of history to %d", p, p.projector.reached)
		}
	}
	if w.store.tables.head != w.store.head {
		return "history is behind"
	}
	if leaders != 1 {
		return fmt.Sprint(leaders, " processes lead")
	}
	return ""
}
