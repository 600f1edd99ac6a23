package simulation

import (
	"context"
	"maps"
	"math"
	"slices"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/ledger"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// oracle knows what is on the disk, and so what may be said and shown.
type oracle struct {
	w         *world
	state     *venue.State // folded from what is durable
	head      journal.Head
	effects   map[effect]venue.Receipt
	never     map[effect]bool // commands whose clients were told by everyone that nothing happened
	marks     map[uint64]mark // by the sequence at the end of a batch
	orders    int
	trades    []venue.Event
	projected journal.Head // when the tables were last checked

	balances map[holding]money.Amount
	moved    uint64
}

// effect names a command for good.
type effect struct {
	actor account.ID
	key   string
}

// mark is what a view and the projections must be at a place of the journal.
type mark struct {
	head   journal.Head
	digest [32]byte
	moved  uint64
}

func newOracle(w *world) *oracle {
	o := &oracle{
		w: w, state: venue.New(), effects: map[effect]venue.Receipt{}, never: map[effect]bool{},
		marks: map[uint64]mark{}, balances: map[holding]money.Amount{},
	}
	o.marks[0] = mark{digest: o.state.Digest()}
	return o
}

// landed takes a batch that is durable.
func (o *oracle) landed(b journal.Batch) {
	w := o.w
	err := b.Verify(o.head)
	w.mustf(err == nil, "the disk holds what does not follow: %v", err)
	w.mustf(b.Epoch == w.store.term, "a batch of term %d is durable in term %d", b.Epoch, w.store.term)
	decoder := venue.NewDecoder(b.Payload)
	for {
		var ev venue.Event
		more, err := decoder.Next(&ev)
		w.mustf(err == nil, "the disk holds what cannot be read: %v", err)
		if ev.First || !more {
			err := o.state.Check()
			w.mustf(err == nil, "after sequence %d: %v", o.state.Sequence(), err)
		}
		if !more {
			break
		}
		if ev.First && ev.Key != "" {
			at := effect{ev.Actor, ev.Key}
			first, twice := o.effects[at]
			w.mustf(!twice, "%s has an effect at %d and another at %d", ev.Key, first.Sequence, ev.Sequence)
			w.mustf(!o.never[at], "%s has an effect at %d, and its client was told that nothing happened", ev.Key, ev.Sequence)
			o.effects[at] = ev.Receipt
		}
		err = o.state.Fold(&ev)
		w.mustf(err == nil, "the disk holds what does not fold: %v", err)
		o.orders = max(o.orders, int(ev.Order))
		if ev.Kind == venue.Traded {
			o.trades = append(o.trades, ev)
		}
		o.moved = move(o.balances, o.moved, &ev)
		w.count("event " + ev.Kind.String())
	}
	o.head = b.Head()
	w.mustf(uint64(o.state.Sequence()) == b.Last, "a batch to %d ends at %d", b.Last, o.state.Sequence())
	o.marks[b.Last] = mark{o.head, o.state.Digest(), o.moved}
}

// move folds what an event did to balances, and returns the new sum over them: one number to
// compare them by, whatever their order.
func move(balances map[holding]money.Amount, sum uint64, ev *venue.Event) uint64 {
	for _, p := range venue.Postings(ev) {
		at := holding{p.Account, p.Asset}
		sum -= mix(at, balances[at])
		balances[at] += p.Amount
		sum += mix(at, balances[at])
	}
	return sum
}

func mix(at holding, amount money.Amount) uint64 {
	if amount == 0 {
		return 0
	}
	x := uint64(amount)*0x9e3779b97f4a7c15 ^ uint64(at.Owner)<<24 ^ uint64(at.Kind)<<16 ^ uint64(at.asset)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (a *ask) effect() effect { return effect{a.of.actor, a.key} }

// acknowledged takes what a client was told: that its command is durable, with this receipt.
func (o *oracle) acknowledged(a *ask, told venue.Receipt) {
	written, found := o.effects[a.effect()]
	o.w.mustf(found, "%s was acknowledged at %d and is not on the disk, which ends at %d", a.key, told.Sequence, o.head.Sequence)
	if told.Repeated { // then without the amounts
		written.Repeated, written.Notional, written.Fee = true, told.Notional, told.Fee
	}
	o.w.mustf(written == told, "%s was acknowledged as %+v and stands on the disk as %+v", a.key, told, written)
}

// refused takes that the venue refused a command.
func (o *oracle) refused(a *ask, code fault.Code) {
	o.w.mustf(code != fault.ClockWentBack && code != fault.InvalidIdempotencyKey, "%s is refused with %s", a.key, code)
	o.w.mustf(!a.repeat, "%s was acknowledged and is refused now: %s", a.key, code)
	if !a.maybe {
		o.nothing(a)
	}
}

// nothingYet takes that a client was told by everyone it has asked so far that nothing happened.
func (o *oracle) nothingYet(a *ask) {
	written, found := o.effects[a.effect()]
	o.w.mustf(!found, "%s had its effect at %d, and its client was told that nothing happened", a.key, written.Sequence)
}

// nothing takes that such a client will not ask again.
func (o *oracle) nothing(a *ask) {
	o.nothingYet(a)
	o.never[a.effect()] = true
}

// shown takes that somebody was shown the venue as of a head.
func (o *oracle) shown(who string, head journal.Head) mark {
	at, known := o.marks[head.Sequence]
	o.w.mustf(known && at.head == head, "%s shows %+v, which is no prefix of the journal", who, head)
	return at
}

// check is what must hold after every step.
func (w *world) check() {
	leaders := 0
	for _, p := range w.processes {
		if !p.up || p.publisher == nil {
			continue
		}
		if p.role == leading && p.session.term == w.store.term {
			leaders++
		}
		head := p.publisher.View.Head()
		if head == p.seen {
			continue
		}
		at := w.oracle.shown(p.String(), head)
		w.mustf(head.Sequence >= p.seen.Sequence, "%s goes back from %d to %d", p, p.seen.Sequence, head.Sequence)
		p.publisher.View.Read(func(s *venue.State) {
			w.mustf(s.Digest() == at.digest, "%s shows something else at %d than the journal says", p, head.Sequence)
			err := s.Check()
			w.mustf(err == nil, "%s at %d: %v", p, head.Sequence, err)
		})
		p.seen = head
		p.wakeReads()
	}
	for _, p := range w.processes {
		x := &p.projector
		w.mustf(x.p == nil || x.reached <= w.store.tables.head.Sequence || x.era != w.store.era,
			"%s says that history has come to %d, and it stands at %d", p, x.reached, w.store.tables.head.Sequence)
	}
	w.mustf(leaders <= 1, "%d processes lead term %d", leaders, w.store.term)
	w.checkTables()
}

// finish is what must hold at the end: the journal alone tells the whole story, with snapshots and
// without, and everybody shows the end of it.
func (w *world) finish() {
	o := w.oracle
	w.mustf(len(o.effects) > 0 && w.counts["acknowledged"] > 0, "nothing was acknowledged")
	for _, j := range []journal.Journal{reader{w.processes[0]}, bare{reader{w.processes[0]}}} {
		restored, err := sequencer.Restore(context.Background(), j, math.MaxUint64)
		w.mustf(err == nil, "the journal cannot be replayed: %v", err)
		w.mustf(restored.Head == o.head && restored.State.Digest() == o.state.Digest(), "replay leads elsewhere: %+v, not %+v", restored.Head, o.head)
	}
	for _, c := range w.clients {
		for c.watch != nil && c.watch.at != o.head {
			before := c.watch.at
			c.listen()
			w.mustf(c.watch == nil || c.watch.at != before, "%s heard nothing after %d, the journal ends at %d", c.name, before.Sequence, o.head.Sequence)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(o.balances), holding.compare) {
		b, had := o.state.Balance(at.Owner, at.asset), o.balances[at]
		holds := at.Owner == 0 || at.Kind == ledger.Available && had == b.Available || at.Kind == ledger.Held && had == b.Held ||
			at.Kind != ledger.Available && at.Kind != ledger.Held
		w.mustf(holds, "%v has %d by its postings and %+v by the venue", at, had, b)
	}
}

// bare is a journal without its snapshots.
type bare struct{ reader }

func (bare) LoadSnapshot(context.Context, uint64) (journal.Snapshot, bool, error) {
	return journal.Snapshot{}, false, nil
}
