package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"bourse/engine"
)

// The kinds of jobs that only this package asks for.
const (
	jobRepairDeposits = "deposits.repair"
	jobPurgeSessions  = "sessions.purge"
)

// job is something that the worker can do. Each is also asked for periodically.
type job struct {
	kind  string
	every time.Duration
	run   func(ctx context.Context, payload json.RawMessage) error
}

// jobs is the table of what the worker can do.
func (w *Worker) jobs(reconcileEvery time.Duration) []job {
	return []job{
		{engine.JobReconcile, reconcileEvery, w.reconcile},
		{jobRepairDeposits, time.Minute, w.repairDeposits},
		{jobPurgeSessions, time.Hour, w.purgeSessions},
	}
}

// reconcile holds every balance against the fold of its postings. A difference is no failure of the
// job: the exchange stores it, shows it in its health and raises the alarm.
func (w *Worker) reconcile(ctx context.Context, _ json.RawMessage) error {
	report, err := w.house.Reconcile(ctx)
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	w.log.DebugContext(ctx, "reconciled", "sequence", report.Sequence, "balanced", report.Balanced, "accounts", report.AccountsChecked)
	return nil
}

// repairDeposits finishes approvals that a failing database left behind.
func (w *Worker) repairDeposits(ctx context.Context, _ json.RawMessage) error {
	repaired, err := w.house.RepairDeposits(ctx)
	if err != nil {
		return fmt.Errorf("repair deposits: %w", err)
	}
	if repaired > 0 {
		w.log.InfoContext(ctx, "approvals of deposits finished", "count", repaired)
	}
	return nil
}

// purgeSessions forgets sessions that ended long ago.
func (w *Worker) purgeSessions(ctx context.Context, _ json.RawMessage) error {
	if _, err := w.house.PurgeSessions(ctx); err != nil {
		return fmt.Errorf("purge sessions: %w", err)
	}
	return nil
}

// tick is the type of the task by which the scheduler asks for a job of a kind. The task writes the
// job's row and does nothing else, so that a periodic job too is a row until it is done.
func tick(kind string) string { return "tick." + kind }

// handlers runs jobs, and turns ticks into requests for jobs.
func (w *Worker) handlers(jobs []job) *asynq.ServeMux {
	mux := asynq.NewServeMux()
	for _, j := range jobs {
		mux.Handle(j.kind, w.finishing(j.run))
		mux.HandleFunc(tick(j.kind), func(ctx context.Context, _ *asynq.Task) error { return w.request(ctx, j.kind) })
	}
	return mux
}

// schedule asks for each job at once and again at every tick.
func (w *Worker) schedule(ctx context.Context, jobs []job) error {
	for _, j := range jobs {
		if err := w.request(ctx, j.kind); err != nil {
			return fmt.Errorf("worker: ask for %s: %w", j.kind, err)
		}
		// Unique: of several processes that tick, one gets through. Less than a second asynq refuses.
		_, err := w.scheduler.Register("@every "+j.every.String(), asynq.NewTask(tick(j.kind), nil),
			asynq.Queue(Queue), asynq.MaxRetry(0), asynq.Unique(max(j.every/2, time.Second)))
		if err != nil {
			return fmt.Errorf("worker: register %s: %w", j.kind, err)
		}
	}
	if err := w.scheduler.Start(); err != nil {
		return fmt.Errorf("worker: start the scheduler: %w", err)
	}
	return nil
}

// request writes a job's row, unless one of its kind is open already, and looks at the outbox soon.
func (w *Worker) request(ctx context.Context, kind string) error {
	if err := w.house.RequestJob(ctx, kind, kind, nil); err != nil {
		return err
	}
	select {
	case w.wake <- struct{}{}:
	default: // someone woke it already
	}
	return nil
}

// finishing runs a job and removes its row once it is done.
func (w *Worker) finishing(run func(ctx context.Context, payload json.RawMessage) error) asynq.HandlerFunc {
	return func(ctx context.Context, task *asynq.Task) error {
		var e envelope
		if err := json.Unmarshal(task.Payload(), &e); err != nil {
			return fmt.Errorf("decode job: %w: %w", err, asynq.SkipRetry)
		}
		if err := run(ctx, e.Payload); err != nil {
			return err
		}
		return w.house.FinishJob(ctx, e.Job)
	}
}
