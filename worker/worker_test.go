package worker

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bourse/cmd/embedded/postgres/postgrestest"
	embedded "bourse/cmd/embedded/redis"
	"bourse/engine"
)

const patience = 30 * time.Second

// house is a real exchange and a real Redis.
func house(t *testing.T) (*engine.Exchange, redis.UniversalClient) {
	t.Helper()
	t.Setenv("REDIS_URL", "")
	ctx := t.Context()
	db, err := pgxpool.New(ctx, postgrestest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := engine.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	x, err := engine.Open(ctx, engine.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	server, err := embedded.Start(ctx, embedded.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	address, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(address)
	t.Cleanup(func() { _ = client.Close() })
	return x, client
}

func options(t *testing.T, x *engine.Exchange, client redis.UniversalClient) Options {
	return Options{
		Exchange: x, Redis: client, Poll: 20 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

func start(t *testing.T, o Options) *Worker {
	t.Helper()
	w, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, w) })
	return w
}

func stop(t *testing.T, w *Worker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// await asks until the answer is yes.
func await(t *testing.T, what string, yes func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !yes() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come about", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// open is how many rows the outbox holds.
func open(t *testing.T, x *engine.Exchange) int {
	t.Helper()
	jobs, err := x.System().Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return jobs.Waiting + jobs.Handed
}

func TestTheFirstJobsAreDoneAtOnceAndTheirRowsAreGone(t *testing.T) {
	x, client := house(t)
	w := start(t, options(t, x, client))
	await(t, "an empty outbox", func() bool { return open(t, x) == 0 })
	info, err := Inspector(client).GetQueueInfo(Queue)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(w.jobs(time.Hour)); info.Processed < want || info.Failed > 0 {
		t.Errorf("processed %d of %d, failed %d", info.Processed, want, info.Failed)
	}
}

func TestAJobIsAskedForAgainAndAgain(t *testing.T) {
	x, client := house(t)
	o := options(t, x, client)
	o.ReconcileEvery = time.Second
	start(t, o)
	await(t, "an empty outbox", func() bool { return open(t, x) == 0 })
	first := processed(t, client)
	await(t, "another tick and its job", func() bool { return processed(t, client) >= first+2 })
}

func processed(t *testing.T, client redis.UniversalClient) int {
	t.Helper()
	info, err := Inspector(client).GetQueueInfo(Queue)
	if err != nil {
		t.Fatal(err)
	}
	return info.Processed
}

func TestARedisThatForgetsEverythingCostsNoJob(t *testing.T) {
	x, client := house(t)
	inspector := Inspector(client)
	o := options(t, x, client)
	o.Lease = time.Second
	w := start(t, o)
	await(t, "an empty outbox", func() bool { return open(t, x) == 0 })
	if err := inspector.PauseQueue(Queue); err != nil {
		t.Fatal(err)
	}
	if err := w.request(t.Context(), jobPurgeSessions); err != nil {
		t.Fatal(err)
	}
	await(t, "a job in the queue", func() bool {
		info, err := inspector.GetQueueInfo(Queue)
		return err == nil && info.Pending > 0
	})
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if open(t, x) == 0 {
		t.Fatal("the row went before the job was done")
	}
	await(t, "the job, done after all", func() bool { return open(t, x) == 0 })
}

func TestAJobThatFailsKeepsItsRow(t *testing.T) {
	x, client := house(t)
	start(t, options(t, x, client))
	await(t, "an empty outbox", func() bool { return open(t, x) == 0 })
	if err := x.System().RequestJob(t.Context(), "no.such.kind", "one", nil); err != nil {
		t.Fatal(err)
	}
	await(t, "a failure", func() bool {
		info, err := Inspector(client).GetQueueInfo(Queue)
		return err == nil && info.Failed > 0
	})
	if n := open(t, x); n != 1 {
		t.Errorf("%d rows, want the one that failed", n)
	}
}

func TestARowGoesWhenItsJobIsDoneAndNotBefore(t *testing.T) {
	x, client := house(t)
	w := newWorker(options(t, x, client)) // not started: nobody else takes jobs
	if err := w.request(t.Context(), jobPurgeSessions); err != nil {
		t.Fatal(err)
	}
	jobs, err := x.System().TakeJobs(t.Context(), 1, time.Minute)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	payload, err := json.Marshal(envelope{Job: jobs[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	task := asynq.NewTask(jobs[0].Kind, payload)
	var outcome error
	handler := w.finishing(func(context.Context, json.RawMessage) error {
		if open(t, x) != 1 {
			t.Error("the row is gone while its job runs")
		}
		return outcome
	})
	outcome = errors.New("not yet")
	if err := handler(t.Context(), task); !errors.Is(err, outcome) || open(t, x) != 1 {
		t.Errorf("%v, %d rows", err, open(t, x))
	}
	outcome = nil
	if err := handler(t.Context(), task); err != nil || open(t, x) != 0 {
		t.Errorf("%v, %d rows", err, open(t, x))
	}
	if err := handler(t.Context(), asynq.NewTask(jobs[0].Kind, []byte("rubbish"))); !errors.Is(err, asynq.SkipRetry) {
		t.Error(err)
	}
}

func TestATaskIsThereOnceAndRevivedWhenItGaveUp(t *testing.T) {
	x, client := house(t)
	w := newWorker(options(t, x, client)) // not started: nobody takes tasks
	inspector := Inspector(client)
	job := engine.Job{ID: 7, Kind: jobPurgeSessions}
	for range 2 {
		if err := w.hand(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	pending, err := inspector.ListPendingTasks(Queue)
	if err != nil || len(pending) != 1 {
		t.Fatalf("%d tasks, %v", len(pending), err)
	}
	if err := inspector.ArchiveTask(Queue, taskID(job.ID)); err != nil {
		t.Fatal(err)
	}
	if err := w.hand(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	info, err := inspector.GetTaskInfo(Queue, taskID(job.ID))
	if err != nil || info.State != asynq.TaskStatePending {
		t.Errorf("%v, %v", info, err)
	}
}

func TestStopTwiceAndStartWithoutRedis(t *testing.T) {
	x, client := house(t)
	w, err := Start(t.Context(), options(t, x, client))
	if err != nil {
		t.Fatal(err)
	}
	stop(t, w)
	stop(t, w)
	nowhere := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer func() { _ = nowhere.Close() }()
	if _, err := Start(t.Context(), options(t, x, nowhere)); err == nil {
		t.Error("started without a Redis")
	}
	if _, err := Start(t.Context(), Options{}); err == nil {
		t.Error("started with nothing")
	}
}
