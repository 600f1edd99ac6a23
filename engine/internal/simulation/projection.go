package simulation

import (
	"cmp"
	"context"
	"errors"
	"time"

	"bourse/engine/internal/postgres"
	"bourse/engine/journal"
	"bourse/engine/money"
	"bourse/engine/venue"
)

func (h holding) compare(other holding) int {
	return cmp.Or(cmp.Compare(h.Owner, other.Owner), cmp.Compare(h.Kind, other.Kind), cmp.Compare(h.asset, other.asset))
}

// projector brings the tables along, as each process does. The order of its steps and what it makes
// of the watermark is the projector's of the real tables; the rows are balances alone.
type projector struct {
	p       *process
	reached uint64
	moves   map[holding]money.Amount
	events  int
	era     int // of the tables, when the watermark was last read
}

var _ postgres.Sink = (*projector)(nil)

// project is one turn.
func (p *process) project() {
	p.projector.turn()
	p.after(p.w.between(10*time.Millisecond, 120*time.Millisecond), p.project)
}

func (x *projector) turn() {
	err := postgres.CatchUp(context.Background(), reader{x.p}, x, 20, func(reached uint64) { x.reached = reached })
	if err != nil && !errors.Is(err, postgres.ErrMoved) {
		_ = x.p.trustworthy(err)
	}
}

// Projected implements postgres.Sink.
func (x *projector) Projected(context.Context) (journal.Head, error) {
	w := x.p.w
	at, err := w.store.tables.head, reader{x.p}.fails()
	if err == nil {
		x.era = w.store.era
	}
	if err == nil && w.chance(30) { // another process takes its turn before this one goes on
		other := pick(w, w.processes)
		if other != x.p && other.up && other.publisher != nil && w.now >= other.frozen {
			w.count("projectors at once")
			other.projector.turn()
		}
	}
	return at, err
}

// Reset implements postgres.Sink.
func (x *projector) Reset() { x.moves, x.events = map[holding]money.Amount{}, 0 }

// Add implements postgres.Sink.
func (x *projector) Add(ev *venue.Event) error {
	for _, p := range venue.Postings(ev) {
		x.moves[holding{p.Account, p.Asset}] += p.Amount
	}
	x.events++
	return nil
}

// Events implements postgres.Sink.
func (x *projector) Events() int { return x.events }

// Flush implements postgres.Sink: rows and watermark in one transaction.
func (x *projector) Flush(_ context.Context, from, to journal.Head) error {
	w := x.p.w
	if err := (reader{x.p}).fails(); err != nil {
		return err
	}
	t := &w.store.tables
	if t.head != from {
		w.count("projections that another process moved")
		return postgres.ErrMoved
	}
	for at, amount := range x.moves {
		t.moved -= mix(at, t.balances[at])
		t.balances[at] += amount
		t.moved += mix(at, t.balances[at])
	}
	t.head = to
	w.count("projections")
	if w.chance(20) {
		return errCut // it is done, and nobody says so
	}
	return nil
}

// checkTables holds the projections against the journal at their watermark.
func (w *world) checkTables() {
	t := &w.store.tables
	if t.head == w.oracle.projected {
		return
	}
	at := w.oracle.shown("history", t.head)
	w.mustf(at.moved == t.moved, "the projections at %d are not what the postings come to", t.head.Sequence)
	w.oracle.projected = t.head
}
