package traffic

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"bourse/router/execute"
)

func status(code int, header ...string) *execute.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &execute.Response{Status: code, Header: h, Body: []byte(strconv.Itoa(code))}
}

// script answers one call after another, the last one for ever.
func script(answers ...any) *below {
	b := &below{}
	b.answer = func(context.Context, *execute.Request) (*execute.Response, error) {
		switch a := answers[min(int(b.calls.Load()), len(answers))-1].(type) {
		case error:
			return nil, a
		case *execute.Response:
			return a, nil
		}
		panic("unknown answer")
	}
	return b
}

var (
	noConnection = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	reset        = &net.OpError{Op: "read", Err: syscall.ECONNRESET}
)

func guard(b *below, r Rules) *Guard { return NewGuard(b, map[string]Rules{"s": r}, nil) }

func write() *execute.Request {
	req := one("w")
	req.Idempotent = false
	return req
}

func TestWhatIsAskedAgain(t *testing.T) {
	retry := RetryOptions{Attempts: 2, MinBackoff: 100 * time.Millisecond}
	for _, c := range []struct {
		name    string
		req     *execute.Request
		answers []any
		calls   int64
		status  int // 0: an error
	}{
		{"a query after a reset", one("q"), []any{reset, status(200)}, 2, 200},
		{"a query after no connection", one("q"), []any{noConnection, noConnection, status(200)}, 3, 200},
		{"a query no more than it may", one("q"), []any{reset}, 3, 0},
		{"a query after 503", one("q"), []any{status(503), status(200)}, 2, 200},
		{"a query that stays at 503", one("q"), []any{status(503)}, 3, 503},
		{"no query after 500", one("q"), []any{status(500), status(200)}, 1, 500},
		{"no query after 429", one("q"), []any{status(429), status(200)}, 1, 429},
		{"no query after an unknown fault", one("q"), []any{errors.New("too large"), status(200)}, 1, 0},
		{"a mutation that was never sent", write(), []any{noConnection, status(200)}, 2, 200},
		{"no mutation after a reset", write(), []any{reset, status(200)}, 1, 0},
		{"no mutation after 503", write(), []any{status(503), status(200)}, 1, 503},
		{"after a pause that the subgraph asks for", one("q"), []any{status(503, "Retry-After", "1"), status(200)}, 2, 200},
		{"after a moment that it names", one("q"), []any{status(503, "Retry-After", "Sat, 01 Jan 2000 00:00:01 GMT"), status(200)}, 2, 200},
		{"after a moment that has passed", one("q"), []any{status(503, "Retry-After", "Fri, 31 Dec 1999 00:00:00 GMT"), status(200)}, 2, 200},
		{"not when it asks for too long a pause", one("q"), []any{status(503, "Retry-After", "60"), status(200)}, 1, 503},
		{"not when it asks for ages", one("q"), []any{status(503, "Retry-After", "99999999999"), status(200)}, 1, 503},
		{"not when it names a day", one("q"), []any{status(503, "Retry-After", "Sun, 02 Jan 2000 00:00:00 GMT"), status(200)}, 1, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := script(c.answers...)
				began := time.Now()
				resp, err := guard(b, Rules{Retry: retry}).Fetch(t.Context(), c.req)
				if b.calls.Load() != c.calls || (err == nil) != (c.status != 0) || err == nil && resp.Status != c.status {
					t.Errorf("%d calls, got %v, %v", b.calls.Load(), resp, err)
				}
				least := time.Duration(0)
				if c.calls > 1 {
					least = 50*time.Millisecond + 100*time.Millisecond*time.Duration(c.calls-2)
				}
				if first, ok := c.answers[0].(*execute.Response); ok && c.calls > 1 && first.Header.Get("Retry-After") != "" && !strings.Contains(c.name, "passed") {
					least = time.Second
				}
				if took := time.Since(began); took < least || took > 2*time.Second {
					t.Errorf("%d calls took %s", c.calls, took)
				}
			})
		})
	}
}

// Pauses double up to their bound, and half of each is left to chance, so that clients who failed together do not come back together.
func TestPausesDoubleAndAreSpread(t *testing.T) {
	o := RetryOptions{Attempts: 1, MinBackoff: 100 * time.Millisecond, MaxBackoff: time.Second}
	least := newRetrier(o, func(int64) int64 { return 0 })
	most := newRetrier(o, func(n int64) int64 { return n - 1 })
	for attempt, whole := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 29: time.Second, 1000: time.Second} {
		if a, b := least.backoff(attempt), most.backoff(attempt); a != whole/2 || b != whole {
			t.Errorf("attempt %d: between %s and %s, want the half and the whole of %s", attempt, a, b, whole)
		}
	}
}

func TestRetriesEndWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := script(reset)
		ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := guard(b, Rules{Retry: RetryOptions{Attempts: 50, MinBackoff: 50 * time.Millisecond}}).Fetch(ctx, one("q"))
		if !errors.Is(err, syscall.ECONNRESET) || time.Since(began) >= 120*time.Millisecond || b.calls.Load() < 2 {
			t.Errorf("%d calls, %s, %v", b.calls.Load(), time.Since(began), err)
		}
		// Without a deadline, but given up in the middle of a pause.
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		if _, err = guard(script(reset), Rules{Retry: RetryOptions{Attempts: 50, MinBackoff: time.Second}}).Fetch(ctx, one("q")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// A subgraph that is down gets little more than the requests that there are.
func TestRetriesDoNotStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := script(status(503))
		g := guard(b, Rules{Retry: RetryOptions{Attempts: 5, Budget: 0.1}})
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { _, _ = g.Fetch(t.Context(), one("q")) })
		}
		wg.Wait()
		if n := b.calls.Load(); n < 1000+purseSize || n > 1000+purseSize+100 {
			t.Errorf("%d calls for 1000 requests", n)
		}
	})
}

func TestRetriedAnswersAreReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := status(503)
		released := 0
		bad.Release = func() { released++ }
		if _, err := guard(script(bad, bad, status(200)), Rules{Retry: RetryOptions{Attempts: 2}}).Fetch(t.Context(), one("q")); err != nil || released != 2 {
			t.Errorf("released %d, %v", released, err)
		}
	})
}

func TestABreakerOpensTriesAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{}
		var answer atomic.Pointer[execute.Response]
		answer.Store(status(200))
		b.answer = func(context.Context, *execute.Request) (*execute.Response, error) { return answer.Load(), nil }
		var states []State
		g := NewGuard(b, map[string]Rules{"s": {Breaker: BreakerOptions{FailureRatio: 0.5, MinRequests: 10, Window: 10 * time.Second, Cooldown: 5 * time.Second, Trials: 2}}},
			func(_ string, _, to State) { states = append(states, to) })
		ask := func(times int) (refused int) {
			for range times {
				var why *execute.FetchError
				if _, err := g.Fetch(t.Context(), one("q")); errors.As(err, &why) && why.Code == CodeUnavailable {
					refused++
				}
			}
			return refused
		}
		expect := func(what string, refused, want int, s State) {
			t.Helper()
			if refused != want || g.States()["s"] != s {
				t.Errorf("%s: %d refused and %s, want %d and %s", what, refused, g.States()["s"], want, s)
			}
		}
		expect("good", ask(6), 0, Closed)
		answer.Store(status(500))
		expect("half bad", ask(5), 0, Closed)
		time.Sleep(11 * time.Second)
		expect("what is old does not count", ask(9), 0, Closed)
		expect("too much is bad", ask(3), 2, Open)
		time.Sleep(4 * time.Second)
		expect("cooling down", ask(1), 1, Open)
		time.Sleep(2 * time.Second)
		expect("a trial fails", ask(2), 1, Open)
		answer.Store(status(200))
		time.Sleep(6 * time.Second)
		expect("a trial succeeds", ask(1), 0, HalfOpen)
		expect("enough trials", ask(1), 0, Closed)
		expect("as before", ask(20), 0, Closed)
		want := []State{Open, HalfOpen, Open, HalfOpen, Closed}
		if len(states) != len(want) {
			t.Fatalf("states %v", states)
		}
		for i := range want {
			if states[i] != want[i] {
				t.Errorf("states %v, want %v", states, want)
			}
		}
	})
}

// Whatever happens, a half-open breaker lets no more through than its trials, an open one nothing, and it never stays stuck.
func TestABreakerIsNeverStuck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := BreakerOptions{FailureRatio: 0.5, MinRequests: rapid.IntRange(1, 5).Draw(t, "min"), Cooldown: time.Second, Trials: rapid.IntRange(1, 3).Draw(t, "trials")}
		b := newBreaker(o, nil)
		now := time.Unix(1000, 0)
		var underway []int
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				if term, ok := b.allow(now); ok {
					underway = append(underway, term)
				}
			case 1:
				if len(underway) > 0 {
					i := rapid.IntRange(0, len(underway)-1).Draw(t, "which")
					b.report(underway[i], now, outcome(rapid.IntRange(0, 2).Draw(t, "what")), 0)
					underway = append(underway[:i], underway[i+1:]...)
				}
			case 2:
				now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
			}
			if b.state == HalfOpen && (b.trials < 0 || b.trials+b.passed > o.Trials) {
				t.Fatalf("%d trials under way and %d passed of %d", b.trials, b.passed, o.Trials)
			}
		}
		for _, term := range underway {
			b.report(term, now, succeeded, 0)
		}
		for range 10 + o.Trials { // the window of a closed one, which may open it once more, and the trials
			now = now.Add(o.Cooldown)
			if term, ok := b.allow(now); ok {
				b.report(term, now, succeeded, 0)
			}
		}
		if _, ok := b.allow(now); !ok || b.state != Closed {
			t.Fatalf("the breaker is %s for a subgraph that is well", b.state)
		}
	})
}

// Who comes first after a quiet time finds the subgraph closed to nobody, however many they are; but not while a trial is under way.
func TestAQuietTimeClosesABreaker(t *testing.T) {
	o := BreakerOptions{FailureRatio: 0.5, MinRequests: 1, Window: 2 * time.Second, Cooldown: time.Second, Trials: 3}
	opened := time.Unix(1000, 0)
	open := func() *breaker {
		b := newBreaker(o, nil)
		term, _ := b.allow(opened)
		b.report(term, opened, failed, 0)
		return b
	}
	allowed := func(b *breaker, after time.Duration) (n int) {
		for range 10 {
			if _, ok := b.allow(opened.Add(after)); ok {
				n++
			}
		}
		return n
	}
	b := open()
	if n := allowed(b, 3*time.Second-1); n != o.Trials || b.state != HalfOpen {
		t.Errorf("a moment before, %d are let through by one that is %s", n, b.state)
	}
	if n := allowed(b, time.Minute); n != 0 || b.state != HalfOpen {
		t.Errorf("while trials are under way, %d are let through by one that is %s", n, b.state)
	}
	b = open()
	if n := allowed(b, 3*time.Second); n != 10 || b.state != Closed {
		t.Errorf("then, %d are let through by one that is %s", n, b.state)
	}
}

// Good answers leave the window before the failures that came after them: what is left is mostly bad, and yet all is well by then.
func TestAGoodAnswerOpensNoBreaker(t *testing.T) {
	b := newBreaker(BreakerOptions{FailureRatio: 0.5, MinRequests: 10, Window: 10 * time.Second}, nil)
	began := time.Unix(1000, 0)
	ask := func(times int, after time.Duration, what outcome) {
		for range times {
			term, _ := b.allow(began.Add(after))
			b.report(term, began.Add(after), what, 0)
		}
	}
	ask(20, 0, succeeded)
	ask(15, 9*time.Second, failed)
	ask(1, 12*time.Second, succeeded)
	if b.state != Closed {
		t.Errorf("after a good answer it is %s", b.state)
	}
	if ask(1, 12*time.Second, failed); b.state != Open {
		t.Errorf("after a failure, with 16 of 17 failed, it is %s", b.state)
	}
}

func TestSlowCallsOpenABreaker(t *testing.T) {
	b := newBreaker(BreakerOptions{FailureRatio: 1, MinRequests: 1, SlowCall: time.Second}, nil)
	now := time.Unix(1000, 0)
	term, _ := b.allow(now)
	b.report(term, now, succeeded, 2*time.Second)
	if _, ok := b.allow(now); ok {
		t.Error("it is still closed")
	}
}

func TestAClientThatLeavesSaysNothingOfTheSubgraph(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{}), answer: echo}
		g := guard(b, Rules{Breaker: BreakerOptions{FailureRatio: 0.1, MinRequests: 1}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := g.Fetch(ctx, one("q")); done <- err }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || g.States()["s"] != Closed {
			t.Errorf("%v, %s", err, g.States()["s"])
		}
	})
}

func TestRequestsAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{}), answer: echo}
		g := guard(b, Rules{MaxConcurrent: 3, MaxQueue: 2, QueueTimeout: time.Second})
		codes := make(chan string, 6)
		for range 6 {
			go func() {
				var why *execute.FetchError
				if _, err := g.Fetch(t.Context(), one("q")); errors.As(err, &why) {
					codes <- why.Code
				} else {
					codes <- ""
				}
			}()
			synctest.Wait()
		}
		if got := <-codes; got != CodeOverloaded || b.calls.Load() != 3 {
			t.Errorf("the sixth got %q, %d at once", got, b.calls.Load())
		}
		b.gate <- struct{}{} // one of three is done: the first in the queue takes its place
		if got := <-codes; got != "" {
			t.Errorf("got %q", got)
		}
		synctest.Wait()
		if n := b.calls.Load(); n != 4 {
			t.Errorf("%d calls", n)
		}
		time.Sleep(2 * time.Second)
		if got := <-codes; got != CodeOverloaded || b.calls.Load() != 4 {
			t.Errorf("the one that waited too long got %q", got)
		}
		close(b.gate)
		for range 3 {
			if got := <-codes; got != "" {
				t.Errorf("got %q", got)
			}
		}
	})
}

func TestAnAttemptHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{}), answer: echo}
		began := time.Now()
		_, err := guard(b, Rules{Timeout: time.Second, Retry: RetryOptions{Attempts: 1}}).Fetch(t.Context(), one("q"))
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || b.calls.Load() != 2 || took > 3*time.Second {
			t.Errorf("%v after %s and %d calls", err, took, b.calls.Load())
		}
	})
}

// first answers late, or never; all others at once.
func firstIsLate(d time.Duration) *below {
	b := &below{}
	b.answer = func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
		if n := b.calls.Load(); n == 1 {
			select {
			case <-time.After(d):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return echo(ctx, req)
	}
	return b
}

func TestALateQueryIsAskedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hedge := Rules{Hedge: HedgeOptions{Delay: 50 * time.Millisecond}}
		b := firstIsLate(time.Hour)
		began := time.Now()
		resp, err := guard(b, hedge).Fetch(t.Context(), one("q"))
		if took := time.Since(began); err != nil || string(resp.Body) != signature(one("q")) || b.calls.Load() != 2 || took != 50*time.Millisecond {
			t.Errorf("%v, %v after %s and %d calls", resp, err, took, b.calls.Load())
		}
		b = firstIsLate(40 * time.Millisecond)
		if _, err := guard(b, hedge).Fetch(t.Context(), one("q")); err != nil || b.calls.Load() != 1 {
			t.Errorf("one in time was asked %d times: %v", b.calls.Load(), err)
		}
		b = firstIsLate(time.Second)
		if _, err := guard(b, hedge).Fetch(t.Context(), write()); err != nil || b.calls.Load() != 1 {
			t.Errorf("a mutation was asked %d times: %v", b.calls.Load(), err)
		}
		// The second fails, the first comes through.
		b = &below{}
		b.answer = func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
			if b.calls.Load() == 1 {
				time.Sleep(time.Second)
				return echo(ctx, req)
			}
			return nil, reset
		}
		if resp, err := guard(b, hedge).Fetch(t.Context(), one("q")); err != nil || resp.Status != 200 {
			t.Errorf("%v, %v", resp, err)
		}
		// The second is refused, which is no answer that would count; the first comes through, or is refused as well.
		for _, first := range []int{200, 502} {
			b = &below{}
			b.answer = func(context.Context, *execute.Request) (*execute.Response, error) {
				if b.calls.Load() == 1 {
					time.Sleep(time.Second)
					return status(first), nil
				}
				return status(503), nil
			}
			want := first
			if first >= 500 {
				want = 503
			}
			if resp, err := guard(b, hedge).Fetch(t.Context(), one("q")); err != nil || resp.Status != want {
				t.Errorf("first %d: got %v, %v", first, resp, err)
			}
		}
	})
}

func TestHedgesAreBudgetedAndWaitForWhatIsUsual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{answer: func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
			time.Sleep(100 * time.Millisecond)
			return echo(ctx, req)
		}}
		g := guard(b, Rules{Hedge: HedgeOptions{Delay: time.Millisecond, Budget: 0.1}})
		for range 1000 {
			_, _ = g.Fetch(t.Context(), one("q"))
		}
		if n := b.calls.Load(); n < 1100 || n > 1100+purseSize+1 {
			t.Errorf("%d calls for 1000 requests", n)
		}
		var late atomic.Bool
		b = &below{}
		b.answer = func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
			took := time.Duration(50+b.calls.Load()*37%51) * time.Millisecond
			if late.CompareAndSwap(true, false) {
				took = time.Hour
			}
			select {
			case <-time.After(took):
				return echo(ctx, req)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		g = guard(b, Rules{Hedge: HedgeOptions{Percentile: 95}})
		for range 100 {
			_, _ = g.Fetch(t.Context(), one("q"))
		}
		if n := b.calls.Load(); n > 110 {
			t.Errorf("%d calls for 100 requests of which none was late", n)
		}
		late.Store(true)
		began := time.Now()
		if _, err := g.Fetch(t.Context(), one("q")); err != nil || time.Since(began) > time.Second {
			t.Errorf("a late one took %s: %v", time.Since(began), err)
		}
	})
}

// What is known of a subgraph outlives its guard where its rules and address stay, and those who are told of it are those of the new one.
func TestABreakerStaysOpenInTheGuardThatFollows(t *testing.T) {
	b := script(reset)
	r := Rules{Breaker: BreakerOptions{FailureRatio: 0.5, MinRequests: 2, Cooldown: time.Nanosecond, Trials: 1}}
	here := map[string]string{"s": "here"}
	first := Options{Rules: r}.Guard(b, here, nil)
	for range 2 {
		_, _ = first.Fetch(t.Context(), one("q"))
	}
	if got := first.States()["s"]; got != Open {
		t.Fatalf("the breaker is %s", got)
	}
	var told []State
	next := Options{Rules: r, OnState: func(_ string, _, to State) { told = append(told, to) }}
	second := next.Guard(b, here, first)
	if got := second.States()["s"]; got != Open {
		t.Errorf("with the same rules the breaker is %s", got)
	}
	_, _ = second.Fetch(t.Context(), one("q"))
	if !slices.Equal(told, []State{HalfOpen, Open}) {
		t.Errorf("the one who follows is told %v", told)
	}
	if got := next.Guard(b, map[string]string{"s": "there"}, second).States()["s"]; got != Closed {
		t.Errorf("elsewhere the breaker is %s", got)
	}
	next.Rules.Breaker.Trials = 2
	if got := next.Guard(b, here, second).States()["s"]; got != Closed {
		t.Errorf("with other rules the breaker is %s", got)
	}
}
