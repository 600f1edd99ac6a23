package router

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/execute"
	"bourse/router/plan"
	"bourse/router/serve"
	"bourse/router/subscribe"
)

const codeSubrequestFailed = "SUBREQUEST_HTTP_ERROR"

// operation is one client's run of a plan.
type operation struct {
	g     *gateway
	name  string
	input execute.Input

	explains explanation
	cost     int // estimated; 0: not computed
}

// Plan is the plan that a request with this operation would run, out of the cache where it is there. The error is what the client would be
// told.
func (r *Router) Plan(ctx context.Context, query, operationName string, variables map[string]any) (*plan.Plan, error) {
	prepared, refusal := r.gateway.Load().Prepare(ctx, &serve.Request{Query: query, OperationName: operationName, Variables: variables})
	if refusal != nil {
		return nil, errors.New(refusal.Errors[0].Message)
	}
	return prepared.(*operation).input.Plan, nil
}

// Kind implements serve.Operation. What is not executed is asked for as a query is, whatever it is.
func (o *operation) Kind() ast.Operation {
	if o.explains.only {
		return ast.Query
	}
	return o.input.Plan.Operation()
}

// Name implements serve.Operation.
func (o *operation) Name() string { return o.name }

// Run implements serve.Operation.
func (o *operation) Run(ctx context.Context) serve.Answer {
	if o.explains.wanted() {
		return o.runExplained(ctx)
	}
	if o.g.operations == nil {
		return o.g.executor.Execute(ctx, o.input)
	}
	return o.g.operations.Execute(ctx, o.input, o.g.executor.Execute)
}

// runExplained executes an operation for one client alone; a mutation still tells those who share that something may have changed.
func (o *operation) runExplained(ctx context.Context) serve.Answer {
	switch {
	case o.explains.only:
		return &unexecuted{o.extensions(ctx)}
	case o.g.operations != nil && o.Kind() == ast.Mutation:
		return &explained{o.g.operations.Execute(ctx, o.input, o.g.executor.Execute), func() []byte { return o.extensions(ctx) }}
	default:
		return &explained{o.g.executor.Execute(ctx, o.input), func() []byte { return o.extensions(ctx) }}
	}
}

// Deferred implements serve.Operation.
func (o *operation) Deferred() bool { return !o.explains.only && len(o.input.Plan.Deferred) > 0 }

// Deliver implements serve.Operation.
func (o *operation) Deliver(ctx context.Context) serve.Stream {
	d := &delivery{Delivery: o.g.executor.Deliver(ctx, o.input)}
	if o.explains.wanted() {
		d.extensions = func() []byte { return o.extensions(ctx) }
	}
	return d
}

// delivery is an answer in parts.
type delivery struct {
	*execute.Delivery
	extensions func() []byte // of its last message; nil: none
}

// Next implements serve.Stream.
func (d *delivery) Next(ctx context.Context, patience time.Duration) (serve.Answer, error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := d.Delivery.Next(waiting)
	switch {
	case err == nil && d.extensions != nil && !p.HasNext():
		return &explained{p, d.extensions}, nil
	case err == nil:
		return p, nil
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return nil, serve.ErrNothingYet
	default:
		return nil, err
	}
}

// Subscribe implements serve.Operation.
func (o *operation) Subscribe(ctx context.Context, sink serve.Sink) (context.CancelFunc, *serve.Refusal) {
	if len(o.input.Plan.Stages) == 0 {
		return nil, o.denied()
	}
	req, err := o.g.executor.SubscriptionRequest(o.input)
	if err != nil {
		o.g.logger.ErrorContext(ctx, "subscription cannot be requested", "operation", o.name, "error", err)
		return nil, serve.Refuse(http.StatusInternalServerError, serve.CodeInternal, "internal error")
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	upstream, err := subscribe.Open(ctx, o.g.fetcher, req, o.g.subscribe)
	if err != nil {
		cancel()
		return nil, o.ended(ctx, err)
	}
	go o.follow(ctx, upstream, sink, o.watched(ctx, req.Subgraph))
	return cancel, nil
}

// watched reports the beginning of a subscription to the operator's hook. What it returns reports the end, before the client hears of it.
func (o *operation) watched(ctx context.Context, subgraph string) func(told *serve.Refusal) {
	if o.g.hooks.Subscription == nil {
		return func(*serve.Refusal) {}
	}
	began, e := time.Now(), SubscriptionEvent{Phase: SubscriptionStarted, Operation: o.name, Subgraph: subgraph}
	o.g.hooks.Subscription(ctx, e)
	return func(told *serve.Refusal) {
		e.Phase, e.Duration, e.Told = SubscriptionEnded, time.Since(began), told
		o.g.hooks.Subscription(ctx, e)
	}
}

// follow completes the events of a subscription.
func (o *operation) follow(ctx context.Context, upstream *subscribe.Subscription, sink serve.Sink, end func(told *serve.Refusal)) {
	defer upstream.Close()
	for {
		raw, err := upstream.Next(ctx)
		switch {
		case err == nil:
			result := o.g.executor.Event(ctx, o.input, raw)
			e := serve.NewEvent(result.AppendJSON(nil), result.HasErrors())
			result.Release()
			sink.Event(e)
		case ctx.Err() != nil:
			end(nil)
			return
		case errors.Is(err, io.EOF):
			end(nil)
			sink.End(nil)
			return
		default:
			told := o.ended(ctx, err)
			end(told)
			sink.End(told)
			return
		}
	}
}

// denied refuses a subscription whose root field the client may not see: there is nothing to subscribe to.
func (o *operation) denied() *serve.Refusal {
	refusal := serve.Refuse(0, execute.CodeDenied, execute.DeniedMessage)
	if root := o.input.Plan.Output.Only; root != nil && len(root.Fields) > 0 {
		refusal.Errors[0].Path = []any{root.Fields[0].Name}
	}
	return refusal
}

// ended says in the client's terms why a subscription is over.
func (o *operation) ended(ctx context.Context, err error) *serve.Refusal {
	if errors.Is(err, subscribe.ErrLagged) {
		return serve.Refuse(0, serve.CodeSubscriptionLagged, "events came faster than they were taken; some are lost: subscribe again")
	}
	refusal := serve.Refuse(http.StatusBadGateway, codeSubrequestFailed, "the subscription was broken off")
	var dropped *subscribe.DroppedError
	if errors.As(err, &dropped) {
		refusal.Errors[0].Extensions["service"] = dropped.Subgraph
		o.g.logger.WarnContext(ctx, "subscription dropped by its subgraph", "subgraph", dropped.Subgraph, "operation", o.name, "error", dropped.Err)
	}
	return refusal
}
