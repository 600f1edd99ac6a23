package patience_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"bourse/router/patience"
)

func TestAFailureSparesTheNextQuestions(t *testing.T) {
	now, failures, asked := time.Unix(1000, 0), 0, 0
	p := patience.New(patience.Options{Pause: time.Second, Now: func() time.Time { return now }, OnFailure: func(context.Context, error) { failures++ }})
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
	}{
		{0, nil, nil, 1, 0},
		{0, broken, broken, 2, 1},
		{0, nil, patience.ErrAway, 2, 1},
		{time.Second - 1, nil, patience.ErrAway, 2, 1},
		{1, broken, broken, 3, 2},
		{0, nil, patience.ErrAway, 3, 2},
		{time.Second, nil, nil, 4, 2},
		{0, nil, nil, 5, 2},
	} {
		now = now.Add(c.later)
		if err := ask(c.answer); !errors.Is(err, c.want) || asked != c.asked || failures != c.failed {
			t.Errorf("%+v: got %v, %d asked, %d failures", c, err, asked, failures)
		}
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
