package router

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/cost"
	"bourse/router/entitycache"
	"bourse/router/execute"
	"bourse/router/plan"
	"bourse/router/serve"
	"bourse/router/telemetry"
	"bourse/router/traffic"
)

// operation is one client's run of a plan.
type operation struct {
	g     *gateway
	name  string
	input execute.Input

	explains  explanation
	protected bool        // not everyone may see all of it
	cost      int         // estimated; 0: not computed
	meter     *cost.Meter // nil: what answers cost is not counted
	actual    int         // by meter
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
	var answer traffic.Answer
	if o.g.operations == nil {
		answer.Executed = o.g.execute(ctx, o.input)
	} else {
		answer = o.g.operations.Execute(ctx, o.input, o.g.execute)
	}
	o.count(ctx, answer.Result)
	if o.protected {
		answer.Caching = entitycache.Private(answer.Caching)
	}
	return answer
}

// count tells what an answer costs by what stands in it, where that is wanted.
func (o *operation) count(ctx context.Context, answer *execute.Result) {
	if o.meter != nil {
		o.actual = o.meter.Cost(o.input.Variables, answer.JSON())
		telemetry.Of(ctx).Spent(o.actual)
	}
}

// runExplained executes an operation for one client alone; a mutation still tells those who share that something may have changed.
func (o *operation) runExplained(ctx context.Context) serve.Answer {
	switch {
	case o.explains.only:
		return &unexecuted{o.extensions(ctx)}
	case o.g.operations != nil && o.Kind() == ast.Mutation:
		answer := o.g.operations.Execute(ctx, o.input, o.g.execute)
		o.count(ctx, answer.Result)
		return &explained{answer, func() []byte { return o.extensions(ctx) }}
	default:
		answer := o.g.executor.Execute(ctx, o.input)
		o.count(ctx, answer)
		return &explained{answer, func() []byte { return o.extensions(ctx) }}
	}
}

// Deferred implements serve.Operation.
func (o *operation) Deferred() bool { return !o.explains.only && len(o.input.Plan.Deferred) > 0 }

// Deliver implements serve.Operation.
func (o *operation) Deliver(ctx context.Context) serve.Stream {
	collecting, told := o.g.collected(ctx)
	d := &delivery{Delivery: o.g.executor.Deliver(collecting, o.input), told: told}
	if o.explains.wanted() {
		d.extensions = func() []byte { return o.extensions(ctx) }
	}
	return d
}

// delivery is an answer in parts.
type delivery struct {
	*execute.Delivery
	extensions func() []byte      // of its last message; nil: none
	told       func() http.Header // what clients see of subgraphs' headers; nil once the first message has brought it
}

// headed is the first message, with what subgraphs have said in headers up to then.
type headed struct {
	serve.Answer
	header http.Header
}

// Header is for the head of the whole.
func (h headed) Header() http.Header { return h.header }

// Next implements serve.Stream.
func (d *delivery) Next(ctx context.Context, patience time.Duration) (serve.Answer, error) {
	answer, err := d.next(ctx, patience)
	if err != nil || d.told == nil {
		return answer, err
	}
	header := d.told()
	if d.told = nil; len(header) == 0 {
		return answer, nil
	}
	return headed{answer, header}, nil
}

func (d *delivery) next(ctx context.Context, patience time.Duration) (serve.Answer, error) {
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
