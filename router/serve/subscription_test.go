package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever comes and is taken in whatever order, a client sees a run without holes, or is told how large each hole is; and what waits
// stays within its bounds.
func TestInboxShowsNoHoleUntold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := Backlog{Events: rapid.IntRange(1, 5).Draw(t, "events"), Bytes: rapid.IntRange(1, 60).Draw(t, "bytes"), DropOldest: rapid.Bool().Draw(t, "drop")}
		in := newInbox(&bound)
		put, seen := 0, 0
		take := func() bool {
			answer, err := in.Next(t.Context(), time.Nanosecond)
			if errors.Is(err, ErrNothingYet) {
				return false
			}
			var refusal *Refusal
			if errors.As(err, &refusal) {
				if bound.DropOldest || refusal.Code() != CodeSubscriptionLagged {
					t.Fatalf("ended with %v", err)
				}
				return false
			}
			if err != nil {
				if !errors.Is(err, io.EOF) || seen != put {
					t.Fatalf("%d of %d events, then %v", seen, put, err)
				}
				return false
			}
			e := answer.(*Event)
			var gap int
			if n, _ := fmt.Sscanf(string(e.JSON()), `{"data":%d,"extensions":{"gap":{"dropped":%d}}}`, new(int), &gap); n < 2 {
				gap = 0
			}
			seen += gap + 1
			var got int
			if _, err := fmt.Sscanf(string(e.JSON()), `{"data":%d`, &got); err != nil || got != seen {
				t.Fatalf("event %s as number %d", e.JSON(), seen)
			}
			return true
		}
		for _, puts := range rapid.SliceOfN(rapid.Bool(), 0, 60).Draw(t, "steps") {
			if puts {
				put++
				in.Event(NewEvent(fmt.Appendf(nil, `{"data":%d}`, put), false))
			} else {
				take()
			}
			if len(in.waiting.events) > bound.Events || len(in.waiting.events) > 1 && in.waiting.bytes > bound.Bytes {
				t.Fatalf("%d events of %d bytes wait", len(in.waiting.events), in.waiting.bytes)
			}
		}
		in.End(nil)
		for take() {
		}
	})
}

func TestGapIsToldInTheExtensions(t *testing.T) {
	for response, want := range map[string]string{
		`{"data":{"a":1}}`:                                 `{"data":{"a":1},"extensions":{"gap":{"dropped":3}}}`,
		`{"data":null,"errors":[{"message":"x"}]}`:         `{"data":null,"errors":[{"message":"x"}],"extensions":{"gap":{"dropped":3}}}`,
		`{"data":1,"extensions":{"cost":{"actual":1.50}}}`: `{"data":1,"extensions":{"cost":{"actual":1.50},"gap":{"dropped":3}}}`,
	} {
		if got := string(NewEvent([]byte(response), false).AfterGap(2).AfterGap(1).JSON()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFramingsAreMadeOnceAndBounded(t *testing.T) {
	e, made := NewEvent([]byte(`1`), false), 0
	for range 3 {
		for kind := range 2 * maxFrames {
			got := e.Framed(fmt.Sprint(kind), func(response []byte) []byte { made++; return fmt.Appendf(nil, "%d:%s", kind, response) })
			if string(got) != fmt.Sprintf("%d:1", kind) {
				t.Fatalf("kind %d: %s", kind, got)
			}
		}
	}
	if made != maxFrames+3*maxFrames || len(e.frames) != maxFrames {
		t.Errorf("%d framings made, %d kept", made, len(e.frames))
	}
}

// ceaseless always has another event; after the first the server closes.
type ceaseless struct{ close context.CancelFunc }

func (c *ceaseless) Next(context.Context, time.Duration) (Answer, error) {
	c.close()
	return text("more"), nil
}

func (c *ceaseless) Close() {}

// A stream for which something always waits, because its client is slow and the oldest go, ends when the server closes all the same.
func TestAStreamThatNeverCeasesEndsWithTheServer(t *testing.T) {
	s := New(Options{Gateway: newScript()})
	x := &exchange{s: s.now(), r: httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)}
	ctx, stop := x.untilClosing(t.Context())
	defer stop()
	w := &words{most: 10}
	var closed sync.WaitGroup
	x.follow(ctx, w, &ceaseless{close: func() {
		closed.Go(func() {
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		<-ctx.Done()
	}})
	closed.Wait()
	if x.record.Code != CodeShuttingDown || w.last != "fail" {
		t.Errorf("it ended with %q and %q after %d events", x.record.Code, w.last, w.events)
	}
}

// words is a client that goes after so many events.
type words struct {
	most, events int
	last         string
}

func (w *words) next(Answer)   { w.events++ }
func (w *words) alive()        {}
func (w *words) complete()     { w.last = "complete" }
func (w *words) fail(*Refusal) { w.last = "fail" }
func (w *words) broken() bool  { return w.events >= w.most }
