// Package execute runs a query plan: it sends the plan's fetches through a Fetcher stage by stage, joins the
// answers and prints one response.
//
//	Input ──► stage: represent ─► fetch in parallel ─► read into the arena ──► next stage … ──► print
//
// Where a plan has deferred parts, there are no stages but an order of fetches, and each part is printed once its own are
// read (deliver.go).
//
// It owns the memory of a response and knows nothing of HTTP, of parsing operations or of how a plan
// was found.
package execute

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
	"bourse/router/identity"
	"bourse/router/plan"
)

// Options of an Executor.
type Options struct {
	Errors   Errors            // what clients see of the errors of subgraphs
	ErrorsOf map[string]Errors // instead, of those of one subgraph
	// OnFetchError hears of every fetch that failed as a whole (down, timeout, malformed answer), with
	// what the client is not told; may be nil. Called on the goroutine of Execute.
	OnFetchError func(ctx context.Context, subgraph string, err error)
}

// Executor runs plans of one supergraph. It is safe for concurrent use.
type Executor struct {
	sg     *federation.Supergraph
	f      Fetcher
	o      Options
	runs   sync.Pool
	hidden map[string]bool // types that introspection does not show
}

// New returns an executor of plans made for sg.
func New(sg *federation.Supergraph, f Fetcher, o Options) *Executor {
	e := &Executor{sg: sg, f: f, o: o, hidden: unusedScalars(sg.API())}
	e.runs.New = func() any { return new(run) }
	return e
}

// Input is one request for a plan.
type Input struct {
	Plan      *plan.Plan
	Variables map[string]any     // coerced by gqlparser's validator.VariableValues; json.Number kept for numbers
	Header    http.Header        // passed on to every fetch
	Identity  *identity.Identity // likewise
}

// Execute runs a query or a mutation. It always returns a result; failures are errors in it. Of a plan with deferred
// parts it is the primary answer; see Deliver.
func (e *Executor) Execute(ctx context.Context, in Input) *Result {
	r := e.start(ctx, in)
	r.stages()
	return r.finish()
}

// Event completes one subscription event. raw is the response body of the plan's primary subgraph for
// this event ({"data":...,"errors":...}); it must stay unchanged until the Result is released.
func (e *Executor) Event(ctx context.Context, in Input, raw []byte) *Result {
	r := e.start(ctx, in)
	for i, stage := range in.Plan.Stages {
		if i > 0 {
			r.stage(stage)
			continue
		}
		c := &call{fetch: stage[0], response: &Response{Status: http.StatusOK, Body: raw}}
		r.read(c)
	}
	return r.finish()
}

// SubscriptionRequest is the plan's primary subscription fetch. It fails when the plan is not of a
// subscription.
func (e *Executor) SubscriptionRequest(in Input) (*Request, error) {
	if in.Plan.Operation() != ast.Subscription || len(in.Plan.Stages) == 0 || len(in.Plan.Stages[0]) != 1 {
		return nil, errors.New("execute: the plan has no subscription fetch")
	}
	r := e.start(context.Background(), in)
	defer r.end()
	f := in.Plan.Stages[0][0]
	c := &call{fetch: f, body: append([]byte(nil), f.Prefix...)}
	r.finishBody(c)
	return r.request(c), nil
}

// run is the state of one execution; pooled.
type run struct {
	e       *Executor
	ctx     context.Context //nolint:containedctx // a run is one call of Execute, not a value that outlives it
	in      Input
	arena   arena
	root    uint32
	entry   uint32 // mark of the last entry that collected records
	conds   []bool
	calls   []call
	errs    []responseError
	out     []byte
	path    []segment
	part    int // being read or printed; plan.Fetch.Part
	pending []pending
	reps    repTable
	after   []func() // releases response bodies
}

func (e *Executor) start(ctx context.Context, in Input) *run {
	r := e.runs.Get().(*run)
	r.e, r.ctx, r.in = e, ctx, in
	r.part, r.conds = primary, r.conds[:0]
	for _, c := range in.Plan.Conditions {
		r.conds = append(r.conds, c.Holds(in.Variables))
	}
	r.root, _ = r.arena.record(in.Plan.Root, in.Plan.RootType.ID)
	return r
}

func (r *run) wants(c plan.CondID) bool { return c == plan.Always || r.conds[c] }

// finish prints the response, which is all that is left of the run.
func (r *run) finish() *Result {
	result := results.Get().(*Result)
	r.out = result.out
	r.print()
	*result = Result{out: r.out, errors: len(r.errs) > 0}
	r.out = nil
	r.end()
	return result
}

// call is one fetch under way.
type call struct {
	fetch    *plan.Fetch
	entries  []called
	body     []byte
	response *Response
	err      error
}

// called is what an entry sent.
type called struct {
	targets []target // in the order of collection
	count   int      // representations sent
	read    bool     // entities came back
}

// target is a record that an entry completes, by the representation at an index.
type target struct {
	record uint32
	rep    uint32
}

// stage runs fetches in parallel, the last one on this goroutine, then reads the answers in order.
func (r *run) stage(fetches []*plan.Fetch) {
	n := 0
	for _, f := range fetches {
		if n == len(r.calls) {
			r.calls = append(r.calls, call{})
		}
		if r.wants(f.Cond) && r.prepare(&r.calls[n], f) {
			n++
		}
	}
	if n == 0 {
		return
	}
	var wg sync.WaitGroup
	for i := range n - 1 {
		wg.Go(func() { r.fetch(&r.calls[i]) })
	}
	r.fetch(&r.calls[n-1])
	wg.Wait()
	for i := range n {
		r.read(&r.calls[i])
		r.calls[i].response = nil
	}
}

// fetch runs one call. A Fetcher that panics fails its fetch, not the process: it may run on a goroutine
// that nobody else guards.
func (r *run) fetch(c *call) {
	defer func() {
		if p := recover(); p != nil {
			c.err = fmt.Errorf("the fetcher panicked: %v", p)
		}
	}()
	c.response, c.err = r.e.f.Fetch(r.ctx, r.request(c))
	if c.response == nil && c.err == nil {
		c.err = errors.New("the fetcher gave no response")
	}
}

func (r *run) request(c *call) *Request {
	return &Request{
		Subgraph: c.fetch.Subgraph, Body: c.body, Header: r.in.Header, Identity: r.in.Identity,
		Idempotent: c.fetch.Operation == ast.Query, Fetch: c.fetch, Entities: c.entities(),
	}
}

// entities counts the representations that a call sends.
func (c *call) entities() int {
	n := 0
	for _, e := range c.entries {
		n += e.count
	}
	return n
}

// maxPooled is the largest output buffer, in bytes, and the largest arena, in values, that is kept.
const maxPooled = 4 << 20

// end gives back what the run has: subgraphs' answers, and itself.
func (r *run) end() {
	for _, release := range r.after {
		release()
	}
	if cap(r.out) > maxPooled || cap(r.arena.values) > maxPooled {
		return
	}
	r.arena.reset()
	clear(r.after)
	clear(r.errs)
	clear(r.pending)
	r.after, r.errs, r.out, r.path, r.pending = r.after[:0], r.errs[:0], r.out[:0], r.path[:0], r.pending[:0]
	r.in, r.ctx = Input{}, nil
	r.entry = 0
	r.e.runs.Put(r)
}

// Result is the printed response of one execution; nothing else of it is left. It may be read by many at once.
type Result struct {
	out      []byte
	errors   bool
	released bool
}

var results = sync.Pool{New: func() any { return new(Result) }}

// AppendJSON appends {"data":...} with "errors" when there are any.
func (r *Result) AppendJSON(dst []byte) []byte { return append(dst, r.out...) }

// JSON is what AppendJSON appends, without a copy: valid until Release.
func (r *Result) JSON() []byte { return r.out }

// HasErrors says whether the response has an errors entry.
func (r *Result) HasErrors() bool { return r.errors }

// HasNext says that nothing follows: a Result is whole.
func (r *Result) HasNext() bool { return false }

// DataIsNull says whether data is null: nothing could be answered.
func (r *Result) DataIsNull() bool { return bytes.HasPrefix(r.out, []byte(`{"data":null`)) }

// Release gives pooled memory back. It is optional; after it the Result must not be used.
func (r *Result) Release() {
	if !r.released && cap(r.out) <= maxPooled {
		r.released = true
		results.Put(r)
	}
}
