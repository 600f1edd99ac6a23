// Package execute runs a query plan: it sends the plan's fetches through a Fetcher in waves, joins the
// answers and prints one response.
//
// It owns the memory of a response and knows nothing of HTTP, of parsing operations or of how a plan
// was found.
package execute

import (
	"context"
	"errors"
	"net/http"

	"bourse/router/federation"
	"bourse/router/plan"
)

// Options of an Executor.
type Options struct {
	// MaskErrors replaces the message of a subgraph's error by a general one unless the subgraph gave
	// the error a code in extensions.code.
	MaskErrors bool
	// OnFetchError hears of every fetch that failed as a whole (down, timeout, malformed answer), with
	// what the client is not told; may be nil. Called on the goroutine of Execute.
	OnFetchError func(ctx context.Context, subgraph string, err error)
}

// Executor runs plans of one supergraph. It is safe for concurrent use.
type Executor struct {
	sg *federation.Supergraph
	f  Fetcher
	o  Options
}

// New returns an executor of plans made for sg.
func New(sg *federation.Supergraph, f Fetcher, o Options) *Executor {
	return &Executor{sg: sg, f: f, o: o}
}

// Input is one request for a plan.
type Input struct {
	Plan      *plan.Plan
	Variables map[string]any // coerced by gqlparser's validator.VariableValues; json.Number kept for numbers
	Header    http.Header    // passed on to every fetch
}

// Result is the response of one execution. It is not safe for concurrent use.
type Result struct {
	errs int
}

// Execute runs a query or a mutation. It always returns a result; failures are errors in it.
func (e *Executor) Execute(ctx context.Context, in Input) *Result { return &Result{} }

// Event completes one subscription event. raw is the response body of the plan's primary subgraph for
// this event ({"data":...,"errors":...}); it must stay unchanged until the Result is released.
func (e *Executor) Event(ctx context.Context, in Input, raw []byte) *Result { return &Result{} }

// SubscriptionRequest is the plan's primary subscription fetch. It fails when the plan is not of a
// subscription.
func (e *Executor) SubscriptionRequest(in Input) (*Request, error) {
	return nil, errors.New("execute: not yet")
}

// AppendJSON appends {"data":...} with "errors" when there are any.
func (r *Result) AppendJSON(dst []byte) []byte { return dst }

// HasErrors says whether the response has an errors entry.
func (r *Result) HasErrors() bool { return r.errs > 0 }

// DataIsNull says whether data is null: nothing could be answered.
func (r *Result) DataIsNull() bool { return true }

// Release gives pooled memory back. It is optional; after it the Result must not be used.
func (r *Result) Release() {}
