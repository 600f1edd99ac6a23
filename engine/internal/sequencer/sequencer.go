// Package sequencer is the single writer of the exchange. Whatever changes the venue goes through
// it, one command after another, and is answered when it is durable.
//
//	Submit ──▶ queue ──▶ decide ──▶ commit ──▶ publish ──▶ answer
//	           bounded   venue      journal    View, hook
//	                     ▲
//	                     └ batch n+1 is gathered and decided while batch n commits
//
// What is decided and what becomes of a batch stands in Core and Publisher, which have no goroutine
// and no clock and can be driven step by step. A Sequencer drives them with three goroutines that
// hand batches on, one each.
//
// The venue that decides runs ahead of the disk; nobody sees it. What anyone sees is the View, a
// second venue that is folded from committed events only. Refusals, too, may follow from what is not
// durable yet, and so wait like receipts.
//
// When a commit fails, memory that ran ahead is thrown away, the lead of the journal is taken again
// (after which nothing of the old term can land), what did land is published, and the venue is
// rebuilt. The same happens until the database is back; reads go on meanwhile. Whoever waited for
// the commit that failed is told OUTCOME_UNKNOWN, unless the journal says that nothing was written;
// everybody else UNAVAILABLE, because what was not handed to the journal never happened.
//
// A process that does not lead keeps the same View as a Follower, from what the leader commits, and
// can go on from there as the next Sequencer.
//
// It deliberately does not know what commands mean, nor who may give them.
package sequencer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"bourse/engine/journal"
	"bourse/engine/venue"
)

// Options configure a sequencer. Journal is required; zero values take the defaults.
type Options struct {
	Journal journal.Journal
	// Clock stamps commands; time.Now by default. A clock that goes back stands still here.
	Clock func() time.Time
	// Published is called for each batch after it is durable and in the view, before its commands
	// are answered, in order and from one goroutine. The events are its only until it returns.
	Published func(Batch)
	// Gate, when given, is held while a batch enters the view and Published runs: whoever holds it
	// sees the view between two batches.
	Gate sync.Locker
	// Pace may slow the writer down: how long to wait before the next batch, asked for each one.
	// Waits are cut at 50 ms.
	Pace func() time.Duration
	// Queue bounds the commands that wait to be decided; 65,536 by default.
	Queue int
	// BatchCommands and BatchBytes bound a batch; 4,096 and 1 MiB by default. A batch may pass the
	// bytes by what one command adds.
	BatchCommands, BatchBytes int
	// SnapshotEvery is the number of commands between two snapshots; 500,000 by default.
	SnapshotEvery uint64
	// CommitTimeout is how long an append may take before its outcome counts as open; 10 s by
	// default.
	CommitTimeout time.Duration
	// LeadTimeout is how long Open waits for a writer elsewhere to give up the lead; 10 s by default.
	LeadTimeout time.Duration
	// StepDown ends the sequencer when somebody else leads, instead of waiting for the lead to come
	// back: Done tells.
	StepDown bool
	// Backoff and MaxBackoff are the first and the longest pause between attempts to recover; 50 ms
	// and 2 s by default.
	Backoff, MaxBackoff time.Duration
	// Logger takes what an operator should read; discarded by default.
	Logger *slog.Logger
}

func (o *Options) defaults() {
	set := func(value *int, fallback int) {
		if *value <= 0 {
			*value = fallback
		}
	}
	last := func(value *time.Duration, fallback time.Duration) {
		if *value <= 0 {
			*value = fallback
		}
	}
	set(&o.Queue, 1<<16)
	set(&o.BatchCommands, 4096)
	set(&o.BatchBytes, 1<<20)
	last(&o.CommitTimeout, 10*time.Second)
	last(&o.LeadTimeout, 10*time.Second)
	last(&o.Backoff, 50*time.Millisecond)
	last(&o.MaxBackoff, 2*time.Second)
	if o.SnapshotEvery == 0 {
		o.SnapshotEvery = 500_000
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Published == nil {
		o.Published = func(Batch) {}
	}
	if o.Gate == nil {
		o.Gate = new(sync.Mutex)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Sequencer decides commands and makes them durable. It is safe for concurrent use.
type Sequencer struct {
	opts Options
	view *View

	core      *Core      // of the first stage
	publisher Publisher  // of the third stage, and of the first while the third has nothing to do
	commits   chan work  // decide -> commit; unbuffered: one commit at a time
	settled   chan error // commit -> decide
	publish   chan work  // commit -> publish

	requests sync.Pool // *request

	up          atomic.Bool
	deposed     atomic.Bool
	epoch       atomic.Uint64
	commitAt    atomic.Int64 // wall clock of the last commit, nanoseconds; 0 before the first
	commitCount atomic.Uint64
	commitTime  atomic.Int64 // of all commits, nanoseconds

	stop      chan struct{} // closed by Close
	stopOnce  sync.Once
	done      chan struct{} // closed when all goroutines have ended
	snapshots sync.WaitGroup
	saving    atomic.Bool
	saved     atomic.Uint64 // sequence of the newest snapshot
	lost      context.Context
	abandon   context.CancelFunc // ends what Close no longer waits for
}

// Open takes the lead of the journal, restores the venue from it and starts. It waits for a writer
// elsewhere no longer than Options.LeadTimeout.
func Open(ctx context.Context, opts Options) (*Sequencer, error) {
	s := newSequencer(ctx, opts)
	opts = s.opts
	writer, err := s.waitForLead(ctx)
	if err != nil {
		s.abandon()
		return nil, fmt.Errorf("sequencer: %w", err)
	}
	restored, err := Restore(ctx, opts.Journal, writer.Head().Sequence)
	restored.report(opts.Logger)
	var publisher Publisher
	if err == nil {
		s.saved.Store(restored.Snapshot)
		publisher = newPublisher(&opts, restored)
		err = s.core.Resume(&publisher, writer.Head())
	}
	if err != nil {
		_ = writer.Close()
		s.abandon()
		return nil, fmt.Errorf("sequencer: %w", err)
	}
	s.start(publisher, writer)
	return s, nil
}

// newSequencer is one that nothing runs in yet.
func newSequencer(ctx context.Context, opts Options) *Sequencer {
	opts.defaults()
	s := &Sequencer{
		opts:    opts,
		core:    NewCore(Limits{Queue: opts.Queue, BatchCommands: opts.BatchCommands, BatchBytes: opts.BatchBytes}),
		commits: make(chan work),
		settled: make(chan error, 1),
		publish: make(chan work, 2),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	s.requests.New = newRequest
	s.lost, s.abandon = context.WithCancel(context.WithoutCancel(ctx))
	return s
}

// waitForLead asks for the lead until it is given.
func (s *Sequencer) waitForLead(ctx context.Context) (journal.Writer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.LeadTimeout)
	defer cancel()
	var held error
	for {
		writer, err := s.opts.Journal.Lead(ctx)
		if errors.Is(err, journal.ErrHeld) {
			held = err
		} else if err == nil || held == nil || ctx.Err() == nil {
			return writer, err
		}
		select {
		case <-time.After(s.opts.Backoff):
		case <-ctx.Done():
			return nil, held
		}
	}
}

// newPublisher shows what was restored.
func newPublisher(opts *Options, restored Restored) Publisher {
	return Publisher{View: NewView(restored), Gate: opts.Gate, Published: opts.Published}
}

// start runs the three stages. They end in the order of the pipeline.
func (s *Sequencer) start(publisher Publisher, writer journal.Writer) {
	s.publisher, s.view = publisher, publisher.View
	s.epoch.Store(writer.Epoch())
	s.up.Store(true)
	var stages sync.WaitGroup
	stages.Go(func() {
		defer close(s.commits)
		s.decide(writer)
	})
	stages.Go(func() {
		defer close(s.publish)
		s.commit()
	})
	stages.Go(s.publishAll)
	go func() {
		stages.Wait()
		s.snapshots.Wait()
		close(s.done)
	}()
}

// View is the committed state.
func (s *Sequencer) View() *View { return s.view }

// Done is closed when the sequencer has ended: after Close, or because it was deposed and steps down.
// The view then stands where the last batch of this sequencer left it.
func (s *Sequencer) Done() <-chan struct{} { return s.done }

// Submit gives a command to the venue and returns its receipt once it is durable. The command must
// not be changed any more, unless it was answered with a receipt or a refusal of its own.
//
// Beside the refusals of the command: OVERLOADED, the queue is full; UNAVAILABLE, the journal cannot
// be written, or ctx ended before the command was decided: nothing happened in either case.
// OUTCOME_UNKNOWN: the journal did not acknowledge, or ctx ended before it did; asking again with the
// same key settles it.
func (s *Sequencer) Submit(ctx context.Context, cmd venue.Command) (venue.Receipt, error) {
	r := s.requests.Get().(*request)
	r.cmd = cmd
	if err := s.core.inbox.put(r); err != nil {
		s.release(r)
		return venue.Receipt{}, err
	}
	select {
	case <-r.done:
		receipt, err := r.receipt, r.err
		s.release(r)
		return receipt, err
	case <-ctx.Done():
		// The request is left to the collector: the queue or a batch still has it.
		if r.withdraw() {
			return venue.Receipt{}, errLate
		}
		select {
		case <-r.done:
			return r.receipt, r.err
		default:
			return venue.Receipt{}, errUnanswered
		}
	}
}

// release gives back a request that was answered and read, or never queued.
func (s *Sequencer) release(r *request) {
	*r = request{done: r.done}
	s.requests.Put(r)
}

// Offer is Submit for one who does not wait: answer is called once, from a goroutine that must not be
// held up. An error is the answer at once.
func (s *Sequencer) Offer(cmd venue.Command, answer func(venue.Receipt, error)) error {
	return s.core.Offer(cmd, answer)
}

// OfferUntil is Offer with a moment, by Options.Clock, after which the command is not decided any more
// but refused as UNAVAILABLE.
func (s *Sequencer) OfferUntil(deadline venue.Time, cmd venue.Command, answer func(venue.Receipt, error)) error {
	return s.core.OfferUntil(deadline, cmd, answer)
}

// Health is how the sequencer is.
type Health struct {
	// Up is false while the journal cannot be written.
	Up bool
	// Epoch is the term of this writer.
	Epoch uint64
	// Committed is the sequence that the view has reached.
	Committed venue.Sequence
	// CommittedAt is when the last commit succeeded here; zero before the first.
	CommittedAt time.Time
	// Commits counts those that succeeded here, CommitTime is how long the journal took for all.
	Commits    uint64
	CommitTime time.Duration
	// Queued of Capacity commands wait.
	Queued, Capacity int
}

// Health returns figures of this moment.
func (s *Sequencer) Health() Health {
	h := Health{
		Up: s.up.Load(), Epoch: s.epoch.Load(), Committed: s.view.Sequence(),
		Queued: s.core.inbox.length(), Capacity: s.opts.Queue,
		Commits: s.commitCount.Load(), CommitTime: time.Duration(s.commitTime.Load()),
	}
	if at := s.commitAt.Load(); at != 0 {
		h.CommittedAt = time.Unix(0, at).UTC()
	}
	return h
}

// Close refuses new commands, finishes those that wait, takes a last snapshot and gives up the lead.
// When ctx ends first, what still waits is answered UNAVAILABLE, or OUTCOME_UNKNOWN where a commit was
// on its way.
func (s *Sequencer) Close(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.core.Close()
		close(s.stop)
	})
	defer s.abandon()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		s.abandon()
		<-s.done
		return ctx.Err()
	}
}
