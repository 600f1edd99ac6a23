package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hibiken/asynq"

	"bourse/engine"
)

const (
	// drainBatch bounds how many rows one round takes.
	drainBatch = 100
	// queueRetries are the attempts within the queue; after that the task rests until the row's lease is over.
	queueRetries = 3
)

// envelope is the payload of a task: which row asked for it, and what the row says.
type envelope struct {
	Job     uint64          `json:"job"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// drain moves due rows to the queue until ctx ends.
func (w *Worker) drain(ctx context.Context) {
	for {
		more := w.drainOnce(ctx)
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-time.After(w.poll):
		}
	}
}

// drainOnce reports whether there may be more rows at once.
func (w *Worker) drainOnce(ctx context.Context) bool {
	jobs, err := w.house.TakeJobs(ctx, drainBatch, w.lease)
	if err != nil {
		if ctx.Err() == nil {
			w.log.WarnContext(ctx, "outbox could not be read", "error", err)
		}
		return false
	}
	for _, job := range jobs {
		if err := w.hand(ctx, job); err != nil {
			w.log.WarnContext(ctx, "job could not be handed to the queue", "job", job.ID, "kind", job.Kind, "error", err)
			// The queue is away; asking for the row sooner than its lease ends would only fill the log.
			if err := w.house.RetryJob(ctx, job.ID, 10*w.poll); err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "job waits for its lease to end", "job", job.ID, "error", err)
			}
		}
	}
	return len(jobs) == drainBatch
}

// hand enqueues a job under the id of its row, so that it is in the queue once however often it is
// handed out.
func (w *Worker) hand(ctx context.Context, job engine.Job) error {
	payload, err := json.Marshal(envelope{Job: job.ID, Payload: job.Payload})
	if err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	id := taskID(job.ID)
	_, err = w.client.EnqueueContext(ctx, asynq.NewTask(job.Kind, payload),
		asynq.TaskID(id), asynq.Queue(Queue), asynq.MaxRetry(queueRetries), asynq.Timeout(w.lease*3/4))
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	return w.revive(id)
}

// revive runs a task again that used up its retries. One that waits or runs is left alone.
func (w *Worker) revive(id string) error {
	info, err := w.inspector.GetTaskInfo(Queue, id)
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return nil // done in this instant; the row is gone or is handed out again
	case err != nil:
		return err
	case info.State == asynq.TaskStateArchived:
		return w.inspector.RunTask(Queue, id)
	}
	return nil
}

func taskID(job uint64) string { return "outbox-" + strconv.FormatUint(job, 10) }
