package resolver

import (
	"context"
	"fmt"

	"bourse/engine"
	"bourse/subgraphs/admin/internal/gen"
)

// Health tells how the house is doing, even where parts of it do not answer: that is when it is asked
// for.
func (r queryResolver) Health(ctx context.Context) (*gen.Health, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	health, err := view.Health(ctx)
	if err != nil {
		return nil, err
	}
	return healthOf(&health), nil
}

// Queues asks Redis at the moment of the question. While Redis does not answer there are none to be
// seen; the status is DEGRADED then, and the reason stands in the log.
func (r healthResolver) Queues(ctx context.Context, _ *gen.Health) ([]*gen.QueueHealth, error) {
	if r.Inspector == nil {
		return []*gen.QueueHealth{}, nil
	}
	queues, err := r.queues()
	if err != nil {
		r.Log.WarnContext(ctx, "job queues could not be inspected", "error", err)
		return []*gen.QueueHealth{}, nil
	}
	return queues, nil
}

func (r Root) queues() ([]*gen.QueueHealth, error) {
	names, err := r.Inspector.Queues()
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	out := make([]*gen.QueueHealth, 0, len(names))
	for _, name := range names {
		info, err := r.Inspector.GetQueueInfo(name)
		if err != nil {
			return nil, fmt.Errorf("inspect queue %s: %w", name, err)
		}
		out = append(out, &gen.QueueHealth{
			Name: info.Queue, Pending: info.Pending, Active: info.Active, Scheduled: info.Scheduled,
			Retry: info.Retry, Archived: info.Archived,
			ProcessedToday: info.Processed, FailedToday: info.Failed,
		})
	}
	return out, nil
}

// Reconciliation is null before the first one.
func (r healthResolver) Reconciliation(ctx context.Context, _ *gen.Health) (*gen.Reconciliation, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	last, err := view.LastReconciliation(ctx)
	if err != nil || last == nil {
		return nil, err
	}
	return &gen.Reconciliation{
		FinishedAt: last.FinishedAt, Sequence: uint64(last.Sequence), Balanced: last.Balanced,
		AccountsChecked: last.AccountsChecked, Differences: last.Differences,
	}, nil
}

func healthOf(h *engine.Health) *gen.Health {
	status := gen.HealthStatusDegraded
	if h.OK {
		status = gen.HealthStatusOk
	}
	journal := &gen.JournalHealth{CommittedSequence: uint64(h.Committed), Epoch: int(h.Epoch)}
	if !h.LastCommitAt.IsZero() {
		journal.LastCommitAt = &h.LastCommitAt
	}
	return &gen.Health{
		Status:     status,
		Journal:    journal,
		Projection: &gen.ProjectionHealth{ProjectedSequence: uint64(h.Projected), Lag: h.Lag},
		Sequencer: &gen.SequencerHealth{
			QueueDepth: h.QueueDepth, QueueCapacity: h.QueueCapacity, OpenOrders: h.OpenOrders,
		},
		OutboxDepth: h.Outbox,
	}
}
