package router

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/execute"
	"bourse/router/limits"
	"bourse/router/plan"
	"bourse/router/serve"
)

// Hooks are where a program that uses the router as a library takes part in a request. A hook that is nil costs nothing; all are called by many
// goroutines at once. The context of each descends from the one that Request returned.
type Hooks struct {
	// Request hears of each HTTP request and each WebSocket's upgrade before its body is read. The context that it returns is the
	// request's from then on; a refusal ends the request.
	Request func(ctx context.Context, r *http.Request) (context.Context, *serve.Refusal)

	// Operation hears of each operation once it is planned and before anything is asked of a subgraph; a refusal ends it.
	Operation func(ctx context.Context, op *OperationInfo) *serve.Refusal

	// SubgraphRequest hears of each request to a subgraph, subscriptions too. It may change the request, which is its own copy, but not
	// write into Body. An error fails the request as if the subgraph were down; an *execute.FetchError says what clients are told instead.
	SubgraphRequest func(ctx context.Context, req *execute.Request) error

	// SubgraphResponse hears of each answer of a subgraph to a query or mutation, or of the error instead. It may change the
	// response; whoever replaces Body keeps Release as it is.
	SubgraphResponse func(ctx context.Context, req *execute.Request, resp *execute.Response, err error)

	// Subscription hears of the beginning and of the end of each client's subscription.
	Subscription func(ctx context.Context, e SubscriptionEvent)

	// Reload hears of each Reload: the new options' hook of one that is served now, the old ones' hook of one that was refused.
	Reload func(e ReloadEvent)
}

// OperationInfo is what is known of a planned operation. Nothing in it may be changed.
type OperationInfo struct {
	Name      string // as the client calls it; may be empty
	Kind      ast.Operation
	Query     string         // its text
	Variables map[string]any // coerced, with those that stand for the text's literals; numbers are json.Number
	Header    http.Header    // what subgraphs will see
	Plan      *plan.Plan
	Cost      int // estimated; 0 where costs are not computed
	// Exceeded are the limits that it exceeds and that only warn, cost among them where that is over budget.
	Exceeded []limits.Exceeded
}

// SubscriptionPhase says what happened to a subscription.
type SubscriptionPhase int

// Phases of a subscription.
const (
	SubscriptionStarted SubscriptionPhase = iota
	SubscriptionEnded
)

func (p SubscriptionPhase) String() string {
	if p == SubscriptionStarted {
		return "started"
	}
	return "ended"
}

// SubscriptionEvent is the beginning or the end of one client's subscription.
type SubscriptionEvent struct {
	Phase     SubscriptionPhase
	Operation string // name; may be empty
	Subgraph  string // that the events come from
	// Of the end:
	Duration time.Duration
	Told     *serve.Refusal // what the client is told; nil when it was completed, or left
}

// hooked calls the hooks around the requests to subgraphs.
type hooked struct {
	FetcherWithStream
	hooks Hooks
}

// withHooks puts the hooks around f where there are any.
func withHooks(f FetcherWithStream, h Hooks) FetcherWithStream {
	if h.SubgraphRequest == nil && h.SubgraphResponse == nil {
		return f
	}
	return &hooked{f, h}
}

// Fetch implements execute.Fetcher.
func (f *hooked) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	req, err := f.before(ctx, req)
	var resp *execute.Response
	if err == nil {
		resp, err = f.FetcherWithStream.Fetch(ctx, req)
	}
	if f.hooks.SubgraphResponse != nil {
		f.hooks.SubgraphResponse(ctx, req, resp, err)
	}
	return resp, err
}

// Stream implements FetcherWithStream.
func (f *hooked) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	req, err := f.before(ctx, req)
	if err != nil {
		return nil, err
	}
	return f.FetcherWithStream.Stream(ctx, req)
}

// before gives the hook a request of its own: the header is shared by all requests of an operation.
func (f *hooked) before(ctx context.Context, req *execute.Request) (*execute.Request, error) {
	if f.hooks.SubgraphRequest == nil {
		return req, nil
	}
	own := *req
	if own.Header = req.Header.Clone(); own.Header == nil {
		own.Header = http.Header{}
	}
	return &own, f.hooks.SubgraphRequest(ctx, &own)
}

// admitted asks the hook about a planned operation.
func (g *gateway) admitted(ctx context.Context, o *operation, query string, exceeded []limits.Exceeded) *serve.Refusal {
	if g.hooks.Operation == nil {
		return nil
	}
	return g.hooks.Operation(ctx, &OperationInfo{
		Name: o.name, Kind: o.Kind(), Query: query, Variables: o.input.Variables, Header: o.input.Header, Plan: o.input.Plan, Cost: o.cost, Exceeded: exceeded,
	})
}
