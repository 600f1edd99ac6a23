package traffic

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bourse/router/execute"
)

// codeOf is the code of a refusal, or what became of the request else.
func codeOf(err error) string {
	var refused *execute.FetchError
	switch {
	case errors.As(err, &refused):
		return refused.Code
	case err != nil:
		return err.Error()
	}
	return "ok"
}

// behind sends requests through a guard, each on a goroutine of its own.
type behind struct {
	t       *testing.T
	g       *Guard
	running sync.WaitGroup
}

func (s *behind) ask(ctx context.Context, body string) <-chan string {
	got := make(chan string, 1)
	s.running.Go(func() {
		_, err := s.g.Fetch(ctx, one(body))
		got <- codeOf(err)
	})
	synctest.Wait()
	return got
}

func (s *behind) expect(what string, got <-chan string, want string) {
	s.t.Helper()
	select {
	case code := <-got:
		if code != want {
			s.t.Errorf("%s: got %s, want %s", what, code, want)
		}
	default:
		if want != "" {
			s.t.Errorf("%s still waits, want %s", what, want)
		}
	}
}

// The breaker stands before the queue: who comes while it is open does not wait for a turn, and who found no turn says nothing of the subgraph.
func TestTheBreakerStandsBeforeTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail, end := make(chan struct{}), make(chan struct{})
		b := &below{answer: func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
			if string(req.Body) == "fails" {
				<-fail
				return nil, reset
			}
			<-end
			return echo(ctx, req)
		}}
		s := &behind{t: t, g: guard(b, Rules{MaxConcurrent: 2, MaxQueue: 1, QueueTimeout: time.Hour, Breaker: BreakerOptions{FailureRatio: 0.5, MinRequests: 1}})}
		first, failing, queued := s.ask(t.Context(), "first"), s.ask(t.Context(), "fails"), s.ask(t.Context(), "queued")
		s.expect("one too many", s.ask(t.Context(), "too many"), CodeOverloaded)
		if got := s.g.States()["s"]; got != Closed {
			t.Errorf("a full queue made the breaker %s", got)
		}
		close(fail)
		synctest.Wait()
		s.expect("the one that fails", failing, reset.Error())
		s.expect("who comes while it is open", s.ask(t.Context(), "late"), CodeUnavailable)
		close(end)
		synctest.Wait()
		s.expect("the first", first, "ok")
		s.expect("who came before it opened", queued, "ok")
		s.running.Wait()
	})
}

// Places in the queue are given back, whatever became of those who had them; and nobody waits longer than their client.
func TestPlacesInTheQueueAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{}), answer: echo}
		s := &behind{t: t, g: guard(b, Rules{MaxConcurrent: 1, MaxQueue: 1, QueueTimeout: time.Second})}
		held := s.ask(t.Context(), "held")
		for range 3 {
			late := s.ask(t.Context(), "late")
			time.Sleep(time.Second)
			synctest.Wait()
			s.expect("who waits too long", late, CodeOverloaded)

			ctx, leave := context.WithCancel(t.Context())
			left := s.ask(ctx, "left")
			leave()
			synctest.Wait()
			s.expect("who leaves the queue", left, context.Canceled.Error())

			next := s.ask(t.Context(), "next")
			b.gate <- struct{}{}
			synctest.Wait()
			s.expect("who had the turn", held, "ok")
			s.expect("the next", next, "")
			held = next
		}
		close(b.gate)
		s.running.Wait()
	})
}

// Streams are judged by whether they open: a breaker counts those that do not, and lets none through while it is open.
func TestStreamsKeepToTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := script(status(200), reset, reset, reset, status(200))
		g := guard(b, Rules{MaxConcurrent: 1, Breaker: BreakerOptions{FailureRatio: 0.6, MinRequests: 4, Cooldown: time.Second, Trials: 1}})
		open := func() string {
			body, err := g.Stream(t.Context(), one("s"))
			if err == nil {
				_ = body.Close()
			}
			return codeOf(err)
		}
		for i, want := range []string{"ok", reset.Error(), reset.Error(), reset.Error(), CodeUnavailable} {
			if got := open(); got != want {
				t.Errorf("stream %d: %s, want %s", i, got, want)
			}
		}
		time.Sleep(time.Second)
		if got := open(); got != "ok" || g.States()["s"] != Closed {
			t.Errorf("after the cooldown: %s, and it is %s", got, g.States()["s"])
		}
	})
}

// A trial that panics is over: the next one may try.
func TestAPanicIsNoTrialForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{}
		b.answer = func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
			switch b.calls.Load() {
			case 1:
				return nil, reset
			case 2:
				panic("planted")
			}
			return echo(ctx, req)
		}
		g := guard(b, Rules{Breaker: BreakerOptions{FailureRatio: 0.5, MinRequests: 1, Cooldown: time.Second, Trials: 1}})
		_, _ = g.Fetch(t.Context(), one("q"))
		time.Sleep(time.Second)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _ = g.Fetch(t.Context(), one("q"))
		}()
		if _, err := g.Fetch(t.Context(), one("q")); err != nil || g.States()["s"] != Closed {
			t.Errorf("%v, and the breaker is %s", err, g.States()["s"])
		}
	})
}

// Of two answers one is the caller's, and the other goes back at once.
func TestTheLosersAnswerGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{}
		released := map[int64]int{}
		b.answer = func(context.Context, *execute.Request) (*execute.Response, error) {
			n := b.calls.Load()
			if n == 1 {
				time.Sleep(time.Second) // and does not notice that it has lost
			}
			resp := status(200)
			resp.Release = func() { released[n]++ }
			return resp, nil
		}
		resp, err := guard(b, Rules{Hedge: HedgeOptions{Delay: 50 * time.Millisecond}}).Fetch(t.Context(), one("q"))
		if err != nil || released[1] != 1 || released[2] != 0 {
			t.Fatalf("released %v, %v", released, err)
		}
		if resp.Release(); released[2] != 1 {
			t.Errorf("the caller has the answer of another: %v", released)
		}
	})
}

// Requests that say nothing of the subgraph neither open a breaker nor keep it closed.
func TestWhatSaysNothingIsNotCounted(t *testing.T) {
	b := newBreaker(BreakerOptions{FailureRatio: 0.5, MinRequests: 2}, nil)
	now := time.Unix(1000, 0)
	report := func(what outcome, times int) {
		for range times {
			term, _ := b.allow(now)
			b.report(term, now, what, 0)
		}
	}
	report(nothing, 10)
	if b.state != Closed {
		t.Error("clients that left have opened it")
	}
	report(failed, 2)
	if b.state != Open {
		t.Error("clients that left have kept it closed")
	}
}
