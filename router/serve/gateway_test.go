package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"bourse/router/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a gateway without GraphQL: the query's first word says what happens.
//
//	query X      answers {"data":"X"}          mutation X   the same
//	panic        panics when run               refuse       is refused as GraphQL
//	who          answers whom the request speaks for, and from where
//	slow         runs until its context ends   header NAME  answers that header
//	count N      subscribes to N events        silent       subscribes to nothing, until its context ends
//	ticks        subscribes to an event each millisecond
//	burst N      the same, and says that it started when all of them are on their way
//	fail         subscribes, one event, then a refusal
//	defer N      answers in N parts, if asked      defer-wait   after the first part waits for its context to end
//	defer-fail   after the first part is refused   defer-panic  panics instead
type script struct {
	mu      sync.Mutex
	started chan string // gets the query of each silent or slow operation
	ended   chan string // and again when it is over
	records []Record
}

func newScript() *script {
	return &script{started: make(chan string, 1000), ended: make(chan string, 1000)}
}

func (g *script) Prepare(_ context.Context, req *Request) (Operation, *Refusal) {
	word, rest, _ := strings.Cut(req.Query, " ")
	if word == "refuse" {
		return nil, Refuse(0, "GRAPHQL_VALIDATION_FAILED", "no")
	}
	return &scripted{g, req, word, rest}, nil
}

func (g *script) observe(_ context.Context, r Record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.records = append(g.records, r)
}

type scripted struct {
	g          *script
	req        *Request
	word, rest string
}

func (o *scripted) Name() string { return o.req.OperationName }

func (o *scripted) Kind() ast.Operation {
	switch o.word {
	case "mutation":
		return ast.Mutation
	case "count", "burst", "silent", "fail", "ticks":
		return ast.Subscription
	}
	return ast.Query
}

func (o *scripted) Run(ctx context.Context) Answer {
	switch o.word {
	case "panic", "defer-panic":
		panic("scripted")
	case "slow":
		o.g.started <- o.req.Query
		<-ctx.Done()
		o.g.ended <- o.req.Query
		return text("late")
	case "header":
		return text(o.req.Header.Get(o.rest))
	case "who":
		if o.req.Identity != identity.From(ctx) {
			return text("one in the request, another in its context")
		}
		if o.req.Identity == nil {
			return text("nobody at " + o.req.Address.String())
		}
		return text(o.req.Identity.Subject + " at " + o.req.Address.String())
	case "variables":
		b, _ := json.Marshal(o.req.Variables)
		return text(string(b))
	}
	return text(o.rest)
}

// Subscribe brings its events from a goroutine that nothing holds back but its cancellation.
func (o *scripted) Subscribe(ctx context.Context, sink Sink) (context.CancelFunc, *Refusal) {
	left := 0
	switch o.word {
	case "count", "burst":
		_, _ = fmt.Sscan(o.rest, &left)
	case "fail":
		left = 1
	case "ticks":
	default:
		o.g.started <- o.req.Query
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		for n := 1; n <= left && ctx.Err() == nil; n++ {
			sink.Event(NewEvent(text(fmt.Sprint(n)).AppendJSON(nil), false))
		}
		switch o.word {
		case "fail":
			sink.End(Refuse(0, "UPSTREAM_FAILED", "too bad"))
		case "burst":
			o.g.started <- o.req.Query
			sink.End(nil)
		case "count":
			sink.End(nil)
		case "ticks":
			for ctx.Err() == nil {
				sink.Event(NewEvent([]byte(`{"data":"tick"}`), false))
				time.Sleep(time.Millisecond)
			}
		default:
			<-ctx.Done()
			o.g.ended <- o.req.Query
		}
	}()
	return cancel, nil
}

func (o *scripted) Deferred() bool { return strings.HasPrefix(o.word, "defer") && o.req.Incremental }

func (o *scripted) Deliver(ctx context.Context) Stream {
	switch o.word {
	case "defer-panic":
		panic("scripted")
	case "defer-wait":
		o.g.started <- o.req.Query
	}
	p := &scriptedParts{o: o, ctx: ctx}
	if _, err := fmt.Sscan(o.rest, &p.last); err != nil {
		p.last = 2
	}
	return p
}

// scriptedParts answers in parts 1 to last.
type scriptedParts struct {
	o       *scripted
	ctx     context.Context
	n, last int
}

func (s *scriptedParts) Next(ctx context.Context, patience time.Duration) (Answer, error) {
	if s.n == 1 && s.o.word == "defer-fail" {
		return nil, Refuse(0, "LATE", "too bad")
	}
	if s.n == 1 && s.o.word == "defer-wait" {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.ctx.Done(): // the time of the request is over: what is there is told
		case <-time.After(patience):
			return nil, ErrNothingYet
		}
	}
	if s.n == s.last {
		return nil, io.EOF
	}
	s.n++
	return part{text(fmt.Sprint(s.n)), s.n < s.last}, nil
}

func (s *scriptedParts) Close() {
	if s.o.word == "defer-wait" {
		s.o.g.ended <- s.o.req.Query
	}
}

type part struct {
	text
	more bool
}

func (p part) HasNext() bool { return p.more }

type text string

func (t text) AppendJSON(dst []byte) []byte { return fmt.Appendf(dst, `{"data":%q}`, string(t)) }
func (t text) HasErrors() bool              { return false }
func (t text) HasNext() bool                { return false }
func (t text) Release()                     {}

// serveScript starts a server on the loopback interface.
func serveScript(t *testing.T, o Options) (*httptest.Server, *script, *Server) {
	t.Helper()
	g := newScript()
	o.Gateway, o.Observe = g, g.observe
	s := New(o)
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		h.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return h, g, s
}
