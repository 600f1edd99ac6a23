package engine

import (
	"context"
	"time"

	"bourse/engine/venue"
)

// Health is how the exchange is at this moment.
type Health struct {
	// OK: commands are accepted and history keeps up. Otherwise reads still work.
	OK bool
	// Database and Redis report whether they answer; Redis is true where there is none to ask.
	Database, Redis bool

	// Committed is the sequence of the last durable command, Epoch the term of the writer.
	Committed Sequence
	Epoch     uint64
	// LastCommitAt is zero before the first commit of this process.
	LastCommitAt time.Time
	// Commits counts the batches of this process that became durable, CommitTime is how long the
	// journal took for all of them.
	Commits    uint64
	CommitTime time.Duration
	// Writable is false while the journal cannot be written, or nobody is heard of who could.
	Writable bool
	// Leads reports whether this process decides commands; otherwise it brings them to the one that
	// does, and Epoch is the last term that it heard of.
	Leads bool

	// Projected is the sequence that history has reached, Lag how many commands it is behind.
	Projected Sequence
	Lag       int

	// QueueDepth of QueueCapacity commands wait to be decided.
	QueueDepth, QueueCapacity int
	OpenOrders                int
	// Watchers are the open watches of all kinds.
	Watchers int
	// Outbox counts the rows that were not handed to a queue yet.
	Outbox int
}

// lagOK is how many commands history may be behind without a word.
const lagOK = 100_000

// Health asks everything that the exchange stands on, each for at most a second.
func (x *Exchange) Health(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s := x.seq.Health()
	h := Health{
		Redis: true, Leads: x.Leads(), Committed: s.Committed, Epoch: s.Epoch, LastCommitAt: s.CommittedAt, Writable: s.Up,
		Commits: s.Commits, CommitTime: s.CommitTime,
		Projected: Sequence(x.projector.Sequence()), QueueDepth: s.Queued, QueueCapacity: s.Capacity,
		Watchers: x.live.trades.Watchers() + x.live.depths.Watchers() + x.live.orders.Watchers() + x.live.balances.Watchers(),
	}
	h.Lag = int(h.Committed - min(h.Committed, h.Projected))
	x.read(func(s *venue.State) { h.OpenOrders = s.OpenOrderCount() })
	waiting, _, err := x.db.OutboxCounts(ctx)
	h.Database, h.Outbox = err == nil, waiting
	if x.opts.Redis != nil {
		h.Redis = x.opts.Redis.Ping(ctx).Err() == nil
	}
	h.OK = h.Database && h.Redis && h.Writable && h.Lag <= lagOK && !x.projector.Failing()
	return h
}
