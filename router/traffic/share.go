package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/execute"
	"bourse/router/identity"
	"bourse/router/plan"
	"bourse/router/telemetry"
)

// Fetcher reaches subgraphs for queries, mutations and subscriptions.
type Fetcher interface {
	execute.Fetcher
	Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error)
}

// Operations executes equal queries that are under way once. It is safe for concurrent use.
type Operations struct {
	flights *flights[*plan.Plan, Executed]
	shared  atomic.Uint64
}

// NewOperations returns Operations in which at most followers wait for one execution; 0: 10,000.
func NewOperations(followers int) *Operations {
	return &Operations{flights: newFlights[*plan.Plan, Executed](followers)}
}

// Shared counts the queries that were answered by the execution of another.
func (o *Operations) Shared() uint64 { return o.shared.Load() }

// Executed is an operation's result.
type Executed struct {
	*execute.Result
	Caching string      // Cache-Control of the answer; empty: not said
	Told    http.Header // headers of subgraphs that the client sees; may be nil
}

// Answer is an executed operation, perhaps for several clients. It is an execute.Result but for Release.
type Answer struct {
	Executed
	flight *flight[*plan.Plan, Executed]
}

// Release gives the result back when the last of its users is done.
func (a Answer) Release() {
	if a.flight == nil || a.flight.release() {
		a.Result.Release()
	}
}

// CacheControl is how long clients may keep the answer, in the words of that header; empty: it is not said.
func (a Answer) CacheControl() string { return a.Caching }

// Header is what the client sees of subgraphs' headers.
func (a Answer) Header() http.Header { return a.Told }

// Execute runs an operation, or takes the result of an equal query that is under way.
func (o *Operations) Execute(ctx context.Context, in execute.Input, run func(context.Context, execute.Input) Executed) Answer {
	switch in.Plan.Operation() {
	case ast.Mutation:
		defer o.flights.wrote()
		return Answer{Executed: run(ctx, in)}
	case ast.Query:
	default:
		return Answer{Executed: run(ctx, in)}
	}
	buf := texts.Get().(*[]byte)
	defer giveBack(buf)
	k, ok := operationKey((*buf)[:0], in)
	*buf = k.body
	if !ok {
		return Answer{Executed: run(ctx, in)}
	}
	led := false
	flight, err := o.flights.do(ctx, k, func(ctx context.Context) (Executed, error) {
		led = true
		return run(ctx, in), nil
	})
	if err != nil {
		// Nobody to wait for, or no more time to wait: by itself. Without time that fails at once, in the answer's own words.
		return Answer{Executed: run(ctx, in)}
	}
	if !led {
		o.shared.Add(1)
		telemetry.Of(ctx).Shared()
	}
	return Answer{flight.value, flight}
}

// operationKey writes into buf what a query's answer depends on.
func operationKey(buf []byte, in execute.Input) (key[*plan.Plan], bool) {
	buf = appendIdentity(buf, in.Identity)
	buf = AppendHeader(buf, in.Header)
	buf, ok := AppendVariables(buf, in.Variables)
	return key[*plan.Plan]{scope: in.Plan, body: buf}, ok
}

// appendIdentity tells nobody from everyone.
func appendIdentity(dst []byte, i *identity.Identity) []byte {
	if i == nil {
		return append(dst, 0)
	}
	return append(append(dst, 1), i.Digest[:]...)
}

// Fetches sends equal fetches of queries that are under way once.
type Fetches struct {
	Fetcher
	flights *flights[string, *execute.Response]
	shared  atomic.Uint64
}

// NewFetches puts the sharing of fetches before a fetcher; at most followers wait for one fetch, 0: 10,000.
func NewFetches(below Fetcher, followers int) *Fetches {
	return &Fetches{Fetcher: below, flights: newFlights[string, *execute.Response](followers)}
}

// Shared counts the fetches that were answered by another.
func (f *Fetches) Shared() uint64 { return f.shared.Load() }

// Fetch implements execute.Fetcher.
func (f *Fetches) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	if !req.Idempotent {
		defer f.flights.wrote()
		return f.Fetcher.Fetch(ctx, req)
	}
	buf := texts.Get().(*[]byte)
	defer giveBack(buf)
	*buf = AppendHeader(appendIdentity((*buf)[:0], req.Identity), req.Header)
	led := false
	flight, err := f.flights.do(ctx, key[string]{req.Subgraph, *buf, req.Body}, func(ctx context.Context) (*execute.Response, error) {
		led = true
		return f.Fetcher.Fetch(ctx, req)
	})
	switch {
	case errors.Is(err, errAlone), errors.Is(err, errPanicked):
		return f.Fetcher.Fetch(ctx, req)
	case err != nil:
		return nil, err
	}
	if !led {
		f.shared.Add(1)
		telemetry.FetchOf(ctx).Shared()
	}
	return response(flight), nil
}

// response is what one of those aboard gets: the body is given back with the last of them, the header is for reading.
func response(f *flight[string, *execute.Response]) *execute.Response {
	own := *f.value
	if release := own.Release; release != nil {
		own.Release = func() {
			if f.release() {
				release()
			}
		}
	}
	return &own
}

// timely tells a client that had no more time from one that left: to what is shared both are the end of its context.
type timely struct{ Fetcher }

// Fetch implements execute.Fetcher.
func (t *timely) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	resp, err := t.Fetcher.Fetch(ctx, req)
	if errors.Is(err, context.Canceled) && errors.Is(reason(ctx), context.DeadlineExceeded) {
		err = fmt.Errorf("subgraph %s: nobody had time to wait any longer: %w", req.Subgraph, context.DeadlineExceeded)
	}
	return resp, err
}
