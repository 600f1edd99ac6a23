package patience_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bourse/router/patience"
)

func TestAFailureSparesTheNextQuestions(t *testing.T) {
	now, failures, returns, asked, away := time.Unix(1000, 0), 0, 0, 0, time.Duration(0)
	p := patience.New(patience.Options{
		Pause: time.Second, Now: func() time.Time { return now }, OnFailure: func(context.Context, error) { failures++ },
		OnReturn: func(_ context.Context, was time.Duration) { returns, away = returns+1, was },
	})
	broken := errors.New("broken")
	ask := func(answer error) error {
		return p.Ask(t.Context(), func(ctx context.Context) error {
			asked++
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("a question without an end")
			}
			return answer
		})
	}
	for _, c := range []struct {
		later  time.Duration
		answer error
		want   error
		asked  int
		failed int
		back   int
	}{
		{0, nil, nil, 1, 0, 0},
		{0, broken, broken, 2, 1, 0},
		{0, nil, patience.ErrAway, 2, 1, 0},
		{time.Second - 1, nil, patience.ErrAway, 2, 1, 0},
		{1, broken, broken, 3, 1, 0}, // it is known already
		{0, nil, patience.ErrAway, 3, 1, 0},
		{time.Minute, broken, broken, 4, 2, 0}, // after a minute it is told again
		{time.Second, nil, nil, 5, 2, 1},
		{0, nil, nil, 6, 2, 1},
		{0, broken, broken, 7, 3, 1},
		{time.Second, nil, nil, 8, 3, 2},
	} {
		now = now.Add(c.later)
		if err := ask(c.answer); !errors.Is(err, c.want) || asked != c.asked || failures != c.failed || returns != c.back {
			t.Errorf("%+v: got %v, %d asked, %d failures, %d returns", c, err, asked, failures, returns)
		}
	}
	if away != time.Second {
		t.Errorf("it was away for %v", away)
	}
}

// A server that hangs would otherwise cost each of the requests that come while the first of them waits its time.
func TestOneAsksOnTrialWhileTheOthersGoOn(t *testing.T) {
	now := time.Unix(1000, 0)
	p := patience.New(patience.Options{For: time.Hour, Pause: time.Second, Now: func() time.Time { return now }})
	broken := errors.New("broken")
	_ = p.Ask(t.Context(), func(context.Context) error { return broken })
	now = now.Add(time.Second)
	err := p.Ask(t.Context(), func(context.Context) error {
		for range 3 {
			if err := p.Ask(t.Context(), func(context.Context) error { return nil }); !errors.Is(err, patience.ErrAway) {
				t.Errorf("beside the one on trial another was asked: %v", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Errorf("the one on trial: %v", err)
	}
	if err := p.Ask(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Errorf("after an answer: %v", err)
	}
	// A client that leaves while its question is the one on trial leaves the trial to the next, once its time is over.
	_ = p.Ask(t.Context(), func(context.Context) error { return broken })
	now = now.Add(time.Second)
	ctx, leave := context.WithCancel(t.Context())
	_ = p.Ask(ctx, func(ctx context.Context) error { leave(); return ctx.Err() })
	now = now.Add(time.Hour)
	if err := p.Ask(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Errorf("after a client that left: %v", err)
	}
}

func TestAClientThatLeavesSaysNothingOfTheServer(t *testing.T) {
	p := patience.New(patience.Options{OnFailure: func(context.Context, error) { t.Error("it was told as a failure") }})
	ctx, leave := context.WithCancel(t.Context())
	if err := p.Ask(ctx, func(ctx context.Context) error { leave(); <-ctx.Done(); return ctx.Err() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := p.Ask(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Errorf("the next one was not asked: %v", err)
	}
}

func TestAnAnswerIsNotWaitedForWithoutEnd(t *testing.T) {
	p := patience.New(patience.Options{For: time.Millisecond})
	if err := p.Ask(t.Context(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// Those who were waiting when the server went away fail together, and that is told once.
func TestFailuresAtOnceAreOne(t *testing.T) {
	var failures atomic.Int32
	p := patience.New(patience.Options{OnFailure: func(context.Context, error) { failures.Add(1) }})
	var asked, done sync.WaitGroup
	asked.Add(2)
	for range 2 {
		done.Go(func() {
			_ = p.Ask(t.Context(), func(context.Context) error {
				asked.Done()
				asked.Wait()
				return errors.New("broken")
			})
		})
	}
	done.Wait()
	if n := failures.Load(); n != 1 {
		t.Errorf("told %d times", n)
	}
}
