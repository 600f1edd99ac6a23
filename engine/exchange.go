// Package engine is the exchange as its users see it: one Exchange, and the views that it hands
// out. A Visitor signs in and looks at markets, a Member trades, an Agent looks after its downline,
// an Admin runs the house. There is one file per use case, and a view names only what its holder
// may do, so that a resolver for members cannot call an admin's command.
//
//	Visitor Member Agent Admin          views: who may do what
//	         │ commands      ▲ reads
//	         ▼               │
//	     sequencer ──▶ live view ──▶ feed ──▶ watches
//	         │               ▲
//	         ▼               │ committed batches
//	      journal ───────────┴──▶ projector ──▶ history
//
// It deliberately does not know GraphQL, HTTP or how processes are wired.
package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bourse/engine/auth"
	"bourse/engine/internal/postgres"
	link "bourse/engine/internal/redis"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
)

// Options is what an exchange needs from outside. Zero values take the defaults named here.
type Options struct {
	// DB is the database, already migrated (Migrate). The caller closes it after Close.
	DB *pgxpool.Pool
	// Redis is asked for its health; it may be nil when the exchange is Alone. Processes that share
	// a database must share a Redis.
	Redis redis.UniversalClient
	// Process is what this process is to others on the same database; Alone by default.
	Process Process
	// Clock tells the time; time.Now by default.
	Clock func() time.Time
	// Rand gives chance for secrets; crypto/rand by default.
	Rand io.Reader
	// Logger takes what an operator should read; discarded by default.
	Logger *slog.Logger
	// TokenSecret signs access tokens; at least 32 bytes.
	TokenSecret []byte
	// Argon is the cost of a password hash; auth.DefaultParams by default.
	Argon auth.Params
	// SnapshotEvery is the number of commands between two snapshots of the venue; 500,000 by default.
	SnapshotEvery uint64
	// ArchiveDir holds what was archived of the journal. It is only needed where something reads that
	// far back: a replay, a rebuild, a start for which no snapshot is left.
	ArchiveDir string

	// journal replaces the one in DB: tests inject faults with it.
	journal journal.Journal
	unpaced bool // history is not waited for, because it has none of what happens
}

// Process is what a process is to the others on the same database.
type Process uint8

const (
	// Alone decides commands and needs nobody. While another process leads, Open waits some seconds
	// and then fails with journal.ErrHeld.
	Alone Process = iota
	// Candidate decides commands when nobody else does, and otherwise brings them to the process that
	// does, until that one ends.
	Candidate
	// Follower never decides: it brings commands to whoever does.
	Follower
)

// Exchange is one running exchange. Its methods are safe for concurrent use.
type Exchange struct {
	opts Options
	db   *postgres.Store
	now  func() time.Time
	rand io.Reader
	log  *slog.Logger

	seq       sequencing
	peer      *peer // seq, when the database is shared
	projector *postgres.Projector
	live      *live
	catalogue atomic.Pointer[catalogue]
	stop      chan struct{} // ends the goroutines of the exchange itself
	closing   context.Context
	end       context.CancelFunc // of closing
	running   sync.WaitGroup

	people   *people
	deposits *depositDesk
}

// Migrate brings the database to what Open needs. It may be called at each start, by several
// processes at once.
func Migrate(ctx context.Context, db *pgxpool.Pool) error { return postgres.Migrate(ctx, db) }

// Open starts an exchange on a migrated database: it restores the venue from the journal and
// returns when commands are accepted, or, for a Follower, when what is committed can be read.
func Open(ctx context.Context, opts Options) (*Exchange, error) {
	if opts.DB == nil {
		return nil, errors.New("engine: no database given")
	}
	x, err := newExchange(opts)
	if err != nil {
		return nil, err
	}
	err = x.open(ctx)
	if err == nil && x.peer == nil { // one that shares does so whenever it takes the lead
		err = x.repairDeposits(ctx)
	}
	if err == nil && x.Leads() {
		_, err = x.enrolAll(ctx)
	}
	if err != nil {
		_ = x.Close(ctx)
		return nil, fmt.Errorf("engine: open: %w", err)
	}
	return x, nil
}

// newExchange is an exchange that nothing runs in yet: enough for what needs no venue.
func newExchange(opts Options) (_ *Exchange, err error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Rand == nil {
		opts.Rand = rand.Reader
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	store := postgres.NewStore(opts.DB)
	if opts.journal == nil {
		if opts.journal, err = logOf(store, opts.ArchiveDir); err != nil {
			return nil, err
		}
	}
	x := &Exchange{
		opts: opts, db: store, now: opts.Clock, rand: opts.Rand, log: opts.Logger,
		live: newLive(), stop: make(chan struct{}),
	}
	x.closing, x.end = context.WithCancel(context.Background())
	if x.people, err = newPeople(x); err != nil {
		return nil, err
	}
	x.deposits = newDepositDesk(x)
	return x, nil
}

func (x *Exchange) open(ctx context.Context) error {
	if err := x.restore(ctx); err != nil {
		return err
	}
	if x.peer != nil {
		if err := x.peer.start(ctx); err != nil {
			return err
		}
	}
	x.running.Go(func() { x.flushDepths(x.stop) })
	return nil
}

// restore brings everything to where the journal ends.
func (x *Exchange) restore(ctx context.Context) (err error) {
	if x.projector, err = x.db.StartProjector(ctx, x.log); err != nil {
		return err
	}
	// Nothing is published before somebody can submit, which is after Open; recovery is the one
	// exception, and waits at the gate until tapes and catalogue are there.
	x.live.gate.Lock()
	defer x.live.gate.Unlock()
	if err := x.openSequencing(ctx, sequencer.Options{
		Journal: x.opts.journal, Clock: x.now, Published: x.published, Gate: &x.live.gate, Pace: x.pace,
		SnapshotEvery: x.opts.SnapshotEvery, Logger: x.log,
	}); err != nil {
		return err
	}
	x.renewCatalogue()
	return x.loadTapes(ctx)
}

func (x *Exchange) openSequencing(ctx context.Context, o sequencer.Options) error {
	if x.opts.Process == Alone {
		s, err := sequencer.Open(ctx, o)
		if err == nil {
			x.seq = s
		}
		return err
	}
	if x.opts.Redis == nil {
		return errors.New("processes that share a database need a Redis that they share")
	}
	house, err := x.db.House(ctx)
	if err != nil {
		return err
	}
	p, err := newPeer(ctx, link.New(x.opts.Redis, house), o, x.opts.Process == Candidate)
	if err != nil {
		return err
	}
	p.changed = x.leadChanged
	x.seq, x.peer = p, p
	return nil
}

// Leads reports whether this process decides commands.
func (x *Exchange) Leads() bool { return x.peer == nil || x.peer.Leads() }

// leadChanged is told when this process takes or loses the lead: the one that leads projects, and
// finishes what the one before left between the journal and the deposits' rows.
func (x *Exchange) leadChanged(leads bool) {
	x.projector.Watch(!leads)
	if !leads {
		return
	}
	x.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), repairTimeout)
		defer cancel()
		defer context.AfterFunc(x.closing, cancel)()
		if err := x.repairDeposits(ctx); err != nil && ctx.Err() == nil {
			x.log.Error("approvals of deposits are not finished yet", "error", err)
		}
		if _, err := x.enrolAll(ctx); err != nil && ctx.Err() == nil {
			x.log.Error("not everybody is known to the venue yet", "error", err)
		}
	})
}

// repairTimeout bounds what a new leader finishes at once; the worker does the rest later.
const repairTimeout = 30 * time.Second

// Close ends the exchange: commands that wait are finished, watches end with ErrClosing, goroutines
// are waited for. Use it once, after Open succeeded.
func (x *Exchange) Close(ctx context.Context) error {
	close(x.stop)
	x.end()
	var err error
	if x.seq != nil {
		err = x.seq.Close(ctx)
	}
	x.running.Wait()
	x.live.close()
	if x.projector != nil {
		x.projector.Stop()
	}
	return err
}
