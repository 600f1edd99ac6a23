package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"bourse/engine"
)

// Queue is the one queue of the house.
const Queue = "house"

// Options is what a worker needs from outside. Zero values take the defaults named here.
type Options struct {
	Exchange *engine.Exchange
	// Redis is shared; the caller closes it after Stop.
	Redis  redis.UniversalClient
	Logger *slog.Logger // slog.Default
	// ReconcileEvery is how often balances are held against their postings; 5 minutes.
	ReconcileEvery time.Duration
	// Poll is how often the outbox is looked at; 1 second.
	Poll time.Duration
	// Lease is how long a job that was handed to the queue is left alone before it is handed out
	// again; 2 minutes. A job may run for three quarters of it.
	Lease time.Duration
	// Concurrency bounds how many jobs run at once; 2.
	Concurrency int
}

// Worker is a running worker.
type Worker struct {
	house     *engine.System
	log       *slog.Logger
	poll      time.Duration
	lease     time.Duration
	wake      chan struct{}
	client    *asynq.Client
	inspector *asynq.Inspector
	server    *asynq.Server
	scheduler *asynq.Scheduler
	stop      context.CancelFunc
	running   sync.WaitGroup
	once      sync.Once
}

// Start begins to work and returns. The worker runs until Stop; ctx bounds the start alone.
func Start(ctx context.Context, o Options) (*Worker, error) {
	if o.Exchange == nil || o.Redis == nil {
		return nil, errors.New("worker: needs an exchange and a Redis")
	}
	if err := o.Redis.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("worker: Redis does not answer: %w", err)
	}
	w := newWorker(o)
	jobs := w.jobs(orElse(o.ReconcileEvery, 5*time.Minute))
	if err := w.server.Start(w.handlers(jobs)); err != nil {
		return nil, fmt.Errorf("worker: start the queue's server: %w", err)
	}
	if err := w.schedule(ctx, jobs); err != nil {
		w.server.Shutdown()
		return nil, err
	}
	draining, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.running.Go(func() { w.drain(draining) })
	return w, nil
}

func newWorker(o Options) *Worker {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	w := &Worker{
		house:     o.Exchange.System(),
		log:       o.Logger.With("part", "worker"),
		poll:      orElse(o.Poll, time.Second),
		lease:     orElse(o.Lease, 2*time.Minute),
		wake:      make(chan struct{}, 1),
		client:    asynq.NewClientFromRedisClient(o.Redis),
		inspector: asynq.NewInspectorFromRedisClient(o.Redis),
	}
	out := logger{w.log}
	w.server = asynq.NewServerFromRedisClient(o.Redis, asynq.Config{
		Concurrency: orElse(o.Concurrency, 2),
		Queues:      map[string]int{Queue: 1},
		// The default of a second would be the wait of every job.
		TaskCheckInterval: 100 * time.Millisecond,
		RetryDelayFunc:    retryDelay,
		Logger:            out,
		LogLevel:          asynq.WarnLevel,
		ErrorHandler:      asynq.ErrorHandlerFunc(w.failed),
	})
	w.scheduler = asynq.NewScheduler(shared{o.Redis}, &asynq.SchedulerOpts{Logger: out, LogLevel: asynq.WarnLevel})
	return w
}

// Stop ends the worker: nothing new is taken, and jobs under way are waited for. What does not end
// within a few seconds goes back to the queue. Stopping twice is no error.
func (w *Worker) Stop(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.once.Do(func() {
			w.stop()
			w.running.Wait()
			w.scheduler.Shutdown()
			w.server.Shutdown()
		})
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("worker: still stopping: %w", ctx.Err())
	}
}

// shared is a Redis that asynq may not close. Its scheduler complains of one that it knows to be
// shared whenever it stops.
type shared struct{ redis.UniversalClient }

// MakeRedisClient hands the client to asynq.
func (s shared) MakeRedisClient() any { return s }

// Close leaves the client to its owner.
func (shared) Close() error { return nil }

// Inspector tells how the queues are; it needs no running worker.
func Inspector(client redis.UniversalClient) *asynq.Inspector {
	return asynq.NewInspectorFromRedisClient(client)
}

func (w *Worker) failed(ctx context.Context, task *asynq.Task, err error) {
	w.log.ErrorContext(ctx, "job failed", "kind", task.Type(), "error", err)
}

// retryDelay is short, because the outbox brings back what fails for long.
func retryDelay(attempt int, _ error, _ *asynq.Task) time.Duration {
	return time.Duration(attempt+1) * 2 * time.Second
}

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
