package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"bourse/router/execute"
	"bourse/router/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// below is a fetcher whose answers wait until they are let go.
type below struct {
	gate   chan struct{} // closed: let go
	answer func(ctx context.Context, req *execute.Request) (*execute.Response, error)
	calls  atomic.Int64
}

func (b *below) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	b.calls.Add(1)
	if b.gate != nil {
		select {
		case <-b.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return b.answer(ctx, req)
}

// Stream opens no streams but those that end at once.
func (b *below) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	resp, err := b.Fetch(ctx, req)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(resp.Body)), nil
}

// signature is all that an answer may depend on.
func signature(req *execute.Request) string {
	who := "nobody"
	if req.Identity != nil {
		who = fmt.Sprintf("%x", req.Identity.Digest)
	}
	h := req.Header.Clone()
	for _, name := range []string{"X-Request-Id", "Traceparent", "Tracestate"} {
		h.Del(name)
	}
	return fmt.Sprintf("%q %q %s %q", req.Subgraph, req.Body, who, fmt.Sprint(h))
}

func echo(_ context.Context, req *execute.Request) (*execute.Response, error) {
	return &execute.Response{Status: 200, Body: []byte(signature(req))}, nil
}

// Whatever hashes do, an answer is only shared by those for whom it is theirs. All hashes collide here.
func TestNothingIsSharedThatDiffers(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SampledFrom([]string{"", "a", "b", "ab", "a:", "\x01a", "\x00"})
		requests := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *execute.Request {
			req := &execute.Request{Idempotent: true, Subgraph: few.Draw(t, "subgraph"), Body: []byte(few.Draw(t, "body")), Header: http.Header{}}
			for range rapid.IntRange(0, 2).Draw(t, "headers") {
				name := rapid.SampledFrom([]string{"Authorization", "B", "X-Request-Id", "Traceparent", "Tracestate"}).Draw(t, "name")
				req.Header[name] = append(req.Header[name], few.Draw(t, "value"))
			}
			if n := rapid.IntRange(0, 2).Draw(t, "identity"); n > 0 {
				req.Identity = &identity.Identity{Digest: [32]byte{31: byte(n)}}
			}
			return req
		}), 2, 24).Draw(t, "requests")
		synctest.Test(outer, func(*testing.T) {
			b := &below{gate: make(chan struct{}), answer: echo}
			f := NewFetches(b, 0)
			f.flights.hash = func(*key[string]) uint64 { return 7 }
			different := map[string]bool{}
			var wg sync.WaitGroup
			for _, req := range requests {
				different[signature(req)] = true
				wg.Go(func() {
					got, err := f.Fetch(context.Background(), req)
					if err != nil || string(got.Body) != signature(req) {
						t.Errorf("%s got %v, %v", signature(req), got, err)
					}
				})
			}
			synctest.Wait()
			close(b.gate)
			wg.Wait()
			if n := int(b.calls.Load()); n != len(different) || int(f.Shared()) != len(requests)-n {
				t.Errorf("%d calls and %d shared for %d requests, %d of them different", n, f.Shared(), len(requests), len(different))
			}
			for i := range f.flights.shards {
				if len(f.flights.shards[i].listed) > 0 {
					t.Errorf("flights are still listed")
				}
			}
		})
	})
}

func one(body string) *execute.Request {
	return &execute.Request{Subgraph: "s", Body: []byte(body), Idempotent: true}
}

func TestALeaderThatLeavesDoesNotFailThoseWhoFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{}), answer: echo}
		f := NewFetches(b, 0)
		leading, leave := context.WithCancel(t.Context())
		answers := make(chan string, 3)
		ask := func(ctx context.Context) {
			got, err := f.Fetch(ctx, one("q"))
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- string(got.Body)
		}
		go ask(leading)
		synctest.Wait()
		go ask(t.Context())
		synctest.Wait()
		leave()
		synctest.Wait()
		go ask(t.Context()) // after the leader has left: a flight of its own
		synctest.Wait()
		if n := b.calls.Load(); n != 2 {
			t.Errorf("%d calls; nobody may join a flight whose leader has left", n)
		}
		close(b.gate)
		for range 3 {
			if got := <-answers; got != signature(one("q")) {
				t.Errorf("got %s", got)
			}
		}
	})
}

func TestAFollowerThatLeavesTakesNothingFromTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{}), answer: echo}
		f := NewFetches(b, 0)
		led := make(chan error, 1)
		go func() { _, err := f.Fetch(t.Context(), one("q")); led <- err }()
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		followed := make(chan error, 1)
		go func() { _, err := f.Fetch(ctx, one("q")); followed <- err }()
		synctest.Wait()
		leave()
		if err := <-followed; !errors.Is(err, context.Canceled) {
			t.Errorf("the follower got %v", err)
		}
		synctest.Wait()
		close(b.gate)
		if err := <-led; err != nil {
			t.Errorf("the leader got %v", err)
		}
	})
}

// A follower whose time ends in the moment of the answer takes it: the answer is counted with him.
func TestAnAnswerThatHasLandedIsTaken(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	other := &flight[string, *execute.Response]{done: make(chan struct{}), landed: true, followers: 1}
	close(other.done)
	s := &shard[string, *execute.Response]{}
	for range 50 {
		if got, err := s.follow(gone, other); got != other || err != nil {
			t.Fatalf("got %v, %v", got, err)
		}
	}
}

// Work whose hashes collide ends in any order, and what is still under way can be joined.
func TestWhatHasEndedHidesNothingThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gates sync.Map
		b := &below{}
		b.answer = func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
			gate, _ := gates.LoadOrStore(string(req.Body), make(chan struct{}))
			<-gate.(chan struct{})
			return echo(ctx, req)
		}
		f := NewFetches(b, 0)
		f.flights.hash = func(*key[string]) uint64 { return 7 }
		var wg sync.WaitGroup
		ask := func(body string) { wg.Go(func() { _, _ = f.Fetch(t.Context(), one(body)) }); synctest.Wait() }
		let := func(body string) {
			gate, _ := gates.Load(body)
			close(gate.(chan struct{}))
			synctest.Wait()
		}
		for _, body := range []string{"a", "b", "c", "d"} {
			ask(body)
		}
		let("c")
		let("d")
		ask("a")
		ask("b")
		if n := b.calls.Load(); n != 4 {
			t.Errorf("%d calls for four that differ", n)
		}
		let("a")
		let("b")
		wg.Wait()
	})
}

func TestWorkThatNobodyWaitsForEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{}), answer: echo}
		f := NewFetches(b, 0)
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan error, 2)
		for range 2 {
			go func() { _, err := f.Fetch(ctx, one("q")); done <- err }()
			synctest.Wait()
		}
		leave()
		for range 2 {
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestMutationsAreNeverSharedAndEndSharing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{}), answer: func(_ context.Context, req *execute.Request) (*execute.Response, error) {
			return echo(t.Context(), req)
		}}
		f := NewFetches(b, 0)
		var wg sync.WaitGroup
		ask := func(req *execute.Request) { wg.Go(func() { _, _ = f.Fetch(t.Context(), req) }); synctest.Wait() }
		write := one("w")
		write.Idempotent = false
		ask(write)
		ask(write)
		if n := b.calls.Load(); n != 2 {
			t.Fatalf("%d calls for two mutations", n)
		}
		ask(one("q")) // before the mutations have ended
		ask(one("q"))
		if n := b.calls.Load(); n != 3 {
			t.Fatalf("%d calls; two equal queries are one", n)
		}
		b.gate <- struct{}{} // one of the waiting ends: the mutation, for it came first
		synctest.Wait()
		ask(one("q"))
		if n := b.calls.Load(); n != 4 {
			t.Errorf("%d calls; a query after a mutation joined one from before it", n)
		}
		close(b.gate)
		wg.Wait()
	})
}

func TestFollowersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{}), answer: echo}
		f := NewFetches(b, 2)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { _, _ = f.Fetch(t.Context(), one("q")) })
			synctest.Wait()
		}
		if n := b.calls.Load(); n != 3 {
			t.Errorf("%d calls for one leader, two followers and two beyond the bound", n)
		}
		close(b.gate)
		wg.Wait()
	})
}

// The body goes back to its owner once, after everyone has released it.
func TestASharedBodyIsReleasedByTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := 0
		b := &below{gate: make(chan struct{}), answer: func(_ context.Context, req *execute.Request) (*execute.Response, error) {
			return &execute.Response{Status: 200, Body: []byte("b"), Release: func() { released++ }}, nil
		}}
		f := NewFetches(b, 0)
		got := make(chan *execute.Response, 3)
		for range 3 {
			go func() { r, _ := f.Fetch(t.Context(), one("q")); got <- r }()
		}
		synctest.Wait()
		close(b.gate)
		for i := range 3 {
			if released != 0 {
				t.Errorf("released after %d of three", i)
			}
			(<-got).Release()
		}
		if released != 1 {
			t.Errorf("released %d times", released)
		}
	})
}

func TestFollowersOfAPanicAskByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &below{gate: make(chan struct{})}
		b.answer = func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
			if b.calls.Load() == 1 {
				panic("planted")
			}
			return echo(ctx, req)
		}
		f := NewFetches(b, 0)
		go func() {
			defer func() {
				if recover() == nil {
					t.Error("the leader's caller did not see the panic")
				}
			}()
			_, _ = f.Fetch(t.Context(), one("q"))
		}()
		synctest.Wait()
		got := make(chan error, 1)
		go func() { _, err := f.Fetch(t.Context(), one("q")); got <- err }()
		synctest.Wait()
		close(b.gate)
		if err := <-got; err != nil {
			t.Errorf("the follower got %v", err)
		}
	})
}

// Different variables never give the same bytes.
func TestVariablesAreToldApart(t *testing.T) {
	values := []any{
		nil, true, false, "", "z", "a", "1", int64(1), 1.0, json.Number("1"), json.Number("1.0"),
		[]any{},
		[]any{"a"},
		[]any{"a", "a"},
		[]any{[]any{"a"}, "a"},
		map[string]any{},
		map[string]any{"a": "a"},
		map[string]any{"a": nil},
	}
	for i, a := range values {
		for j, b := range values {
			x, _ := AppendVariables(nil, map[string]any{"x": a})
			y, _ := AppendVariables(nil, map[string]any{"x": b})
			if slices.Equal(x, y) != (i == j) {
				t.Errorf("%#v and %#v: %q and %q", a, b, x, y)
			}
		}
	}
	value := rapid.SampledFrom(values)
	variables := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "aa", ""}), value, 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		a, b := variables.Draw(t, "a"), variables.Draw(t, "b")
		x, _ := AppendVariables(nil, a)
		y, _ := AppendVariables(nil, b)
		if slices.Equal(x, y) != reflect.DeepEqual(a, b) {
			t.Errorf("%#v and %#v: %q and %q", a, b, x, y)
		}
	})
}
