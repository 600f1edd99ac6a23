package postgres

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"bourse/engine/journal"
	"bourse/engine/venue"
)

// Projector brings the projections along behind the journal. It reads the journal itself, from the
// watermark, so that a restart, a rebuild and the running day are the same work.
type Projector struct {
	store   *Store
	journal journal.Journal
	log     *slog.Logger

	wake     chan struct{} // of one: the journal has grown
	rebuilds chan chan error
	reached  atomic.Uint64
	failing  atomic.Bool
	failure  atomic.Pointer[error] // of the last attempt, when it failed
	wanted   atomic.Uint64         // a sequence that the journal has, or somebody waits for
	watching atomic.Bool           // another process projects
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when the watermark moves, when somebody waits

	cancel context.CancelFunc
	done   chan struct{}
}

const (
	// flushEvents is how many events one transaction projects, about.
	flushEvents = 20_000
	// projectPause is the least time between two transactions while the projector keeps up: small
	// ones cost more in sum, and readers can wait that long.
	projectPause = 20 * time.Millisecond
	// projectRetry is the pause after a failure.
	projectRetry = 500 * time.Millisecond
)

// StartProjector starts it at the watermark. It runs until Stop.
func (s *Store) StartProjector(ctx context.Context, log *slog.Logger) (*Projector, error) {
	return s.StartProjectorFrom(ctx, s.Journal(), log)
}

// StartProjectorFrom starts it on the store's journal as told by another: with an archive before it.
func (s *Store) StartProjectorFrom(ctx context.Context, j journal.Journal, log *slog.Logger) (*Projector, error) {
	head, err := s.Projected(ctx)
	if err != nil {
		return nil, err
	}
	p := &Projector{
		store: s, journal: j, log: log,
		wake: make(chan struct{}, 1), rebuilds: make(chan chan error), done: make(chan struct{}),
	}
	p.reached.Store(head.Sequence)
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.cancel = cancel
	p.Notify()
	go func() {
		defer close(p.done)
		p.run(run)
	}()
	return p, nil
}

// Stop ends the projector; what is not projected is when it starts again.
func (p *Projector) Stop() {
	p.cancel()
	<-p.done
}

// Notify says that the journal has grown.
func (p *Projector) Notify() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// NotifyTo says that the journal has grown to a sequence.
func (p *Projector) NotifyTo(sequence uint64) {
	for {
		old := p.wanted.Load()
		if sequence <= old || p.wanted.CompareAndSwap(old, sequence) {
			break
		}
	}
	p.Notify()
}

// Watch says whether another process brings the projections along: then this one only looks how far
// they have come.
func (p *Projector) Watch(on bool) {
	p.watching.Store(on)
	p.Notify()
}

// Sequence is how far the projections have come.
func (p *Projector) Sequence() uint64 { return p.reached.Load() }

// Failing reports whether the last attempt failed.
func (p *Projector) Failing() bool { return p.failing.Load() }

// Failure is why the last attempt failed; nil when it did not.
func (p *Projector) Failure() error {
	if err := p.failure.Load(); err != nil && p.failing.Load() {
		return *err
	}
	return nil
}

// Await waits until the projections have reached a sequence, or ctx ends.
func (p *Projector) Await(ctx context.Context, sequence uint64) error {
	for {
		p.mu.Lock()
		if p.changed == nil {
			p.changed = make(chan struct{})
		}
		changed := p.changed
		p.mu.Unlock()
		if p.reached.Load() >= sequence {
			return nil
		}
		if p.watching.Load() {
			p.Notify()
		}
		select {
		case <-changed:
		case <-p.done:
			return context.Canceled
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Rebuild empties the projections and begins anew. It returns when they are empty; Await tells when
// they are full again.
func (p *Projector) Rebuild(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case p.rebuilds <- answer:
	case <-p.done:
		return context.Canceled
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-p.done:
		return context.Canceled
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Projector) run(ctx context.Context) {
	rows := newRows()
	refilling := false // what was emptied here is filled here, whoever leads
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case answer := <-p.rebuilds:
			err := p.store.clearProjections(ctx, p.journal)
			if err == nil {
				p.moveTo(0)
				p.Notify()
				refilling = true
			}
			answer <- err
			continue
		case <-p.wake:
		}
		var err error
		wait := projectPause
		if p.watching.Load() && !refilling {
			if err = p.look(ctx); err == nil && p.reached.Load() < p.wanted.Load() {
				p.Notify()
			}
		} else if err = p.catchUp(ctx, rows); err == nil {
			refilling = false
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, ErrMoved) {
			p.failure.Store(&err)
			if !p.failing.Swap(true) {
				p.log.Error("the projections do not advance; trying on", "sequence", p.reached.Load(), "error", err)
			}
			wait = projectRetry
			p.Notify()
		} else if p.failing.Swap(false) {
			p.log.Info("the projections advance again", "sequence", p.reached.Load())
		}
		pause.Reset(wait)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

// look sees how far another process has come.
func (p *Projector) look(ctx context.Context) error {
	at, err := p.store.Projected(ctx)
	if err == nil && at.Sequence != p.reached.Load() {
		p.moveTo(at.Sequence)
	}
	return err
}

// catchUp projects what there is, in transactions of flushEvents.
func (p *Projector) catchUp(ctx context.Context, rows *rows) error {
	err := CatchUp(ctx, p.journal, &rowSink{rows, p.store}, flushEvents, p.moveTo)
	if errors.Is(err, ErrMoved) {
		p.Notify() // to go on from where the other one came
	}
	return err
}

// rowSink writes rows into the tables.
type rowSink struct {
	rows  *rows
	store *Store
}

func (s *rowSink) Projected(ctx context.Context) (journal.Head, error) { return s.store.Projected(ctx) }
func (s *rowSink) Reset()                                              { s.rows.reset() }
func (s *rowSink) Add(ev *venue.Event) error                           { return s.rows.add(ev) }
func (s *rowSink) Events() int                                         { return s.rows.events }
func (s *rowSink) Flush(ctx context.Context, from, to journal.Head) error {
	return s.store.writeRows(ctx, s.rows, from, to)
}

func (p *Projector) moveTo(sequence uint64) {
	p.reached.Store(sequence)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}
