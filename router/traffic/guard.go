package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"time"

	"bourse/router/execute"
)

// Codes in extensions.code of what a subgraph was not asked.
const (
	CodeUnavailable = "SUBGRAPH_UNAVAILABLE" // its breaker is open
	CodeOverloaded  = "SUBGRAPH_OVERLOADED"  // too many requests wait for it, or one has waited too long
)

// Rules are the bounds of the traffic to one subgraph. The zero value has none.
type Rules struct {
	Timeout       time.Duration // of one attempt; 0: the fetcher's own
	MaxConcurrent int           // requests at once; 0: any number
	MaxQueue      int           // that may wait for their turn; beyond it they fail at once
	QueueTimeout  time.Duration // how long; default 1 s
	Retry         RetryOptions
	Hedge         HedgeOptions
	Breaker       BreakerOptions
}

func (r Rules) empty() bool {
	return r.Timeout <= 0 && r.MaxConcurrent <= 0 && r.Retry.Attempts <= 0 && r.Hedge.Delay <= 0 && r.Hedge.Percentile <= 0 && r.Breaker.FailureRatio <= 0
}

// fetchFunc is execute.Fetcher's method.
type fetchFunc func(ctx context.Context, req *execute.Request) (*execute.Response, error)

// Guard keeps the traffic to subgraphs within their rules. It is safe for concurrent use.
type Guard struct {
	below Fetcher
	of    map[string]*gate
}

// NewGuard puts rules, by subgraph, before a fetcher. onState hears of breakers that change; it may be nil and must not block.
func NewGuard(below Fetcher, rules map[string]Rules, onState func(subgraph string, from, to State)) *Guard {
	return newGuard(below, rules, onState, nil, nil)
}

// newGuard goes on with what the guard before, which may be nil, knows of subgraphs that are where they were and have the rules that they had.
func newGuard(below Fetcher, rules map[string]Rules, onState func(subgraph string, from, to State), addresses map[string]string, before *Guard) *Guard {
	g := &Guard{below: below, of: map[string]*gate{}}
	for name, r := range rules {
		if r.empty() {
			continue
		}
		orDefault(&r.QueueTimeout, time.Second)
		gate := &gate{rules: r, address: addresses[name], condition: newCondition(r)}
		if before != nil {
			if last := before.of[name]; last != nil && last.address == gate.address && reflect.DeepEqual(last.rules, r) {
				gate.condition = last.condition
			}
		}
		if gate.breaker != nil && onState != nil {
			gate.breaker.tell(func(from, to State) { onState(name, from, to) })
		}
		gate.build(below)
		g.of[name] = gate
	}
	return g
}

// Fetch implements execute.Fetcher.
func (g *Guard) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	if gate := g.of[req.Subgraph]; gate != nil {
		return gate.fetch(ctx, req)
	}
	return g.below.Fetch(ctx, req)
}

// Stream opens a stream unless the subgraph's breaker is open. Streams take no place from fetches: they last.
func (g *Guard) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	gate := g.of[req.Subgraph]
	if gate == nil || gate.breaker == nil {
		return g.below.Stream(ctx, req)
	}
	began := time.Now()
	term, ok := gate.breaker.allow(began)
	if !ok {
		return nil, unavailable(req)
	}
	what := nothing // what a panic leaves
	defer func() { gate.breaker.report(term, time.Now(), what, time.Since(began)) }()
	body, err := g.below.Stream(ctx, req)
	if what = succeeded; err != nil {
		what = judge(ctx, nil, err)
	}
	return body, err
}

// States are the breakers of subgraphs that have one.
func (g *Guard) States() map[string]State {
	states := map[string]State{}
	for name, gate := range g.of {
		if gate.breaker != nil {
			states[name] = gate.breaker.now()
		}
	}
	return states
}

// gate is the way to one subgraph.
type gate struct {
	rules   Rules
	address string
	*condition
	way fetchFunc
}

// condition is what is known of a subgraph and of the traffic to it. It outlives its guard.
type condition struct {
	retry   *retrier      // nil: nothing is asked again
	hedge   *hedger       // may be off
	breaker *breaker      // nil: there is none
	slots   chan struct{} // nil: there may be any number of requests
	waiting atomic.Int64
}

func newCondition(r Rules) *condition {
	c := &condition{hedge: newHedger(r.Hedge)}
	if r.MaxConcurrent > 0 {
		c.slots = make(chan struct{}, r.MaxConcurrent)
	}
	if r.Breaker.FailureRatio > 0 {
		c.breaker = newBreaker(r.Breaker, nil)
	}
	if r.Retry.Attempts > 0 {
		c.retry = newRetrier(r.Retry, rand.Int64N)
	}
	return c
}

// build lays the way, from the inside out.
func (g *gate) build(below Fetcher) {
	g.way = below.Fetch
	if g.rules.Timeout > 0 {
		g.through(g.timed)
	}
	if g.slots != nil {
		g.through(g.bounded)
	}
	if g.breaker != nil {
		g.through(g.broken)
	}
	if g.hedge.on() {
		g.through(g.hedge.fetch)
	}
	if g.retry != nil {
		g.through(g.retry.fetch)
	}
}

// through puts a step before those that are there.
func (g *gate) through(step func(context.Context, *execute.Request, fetchFunc) (*execute.Response, error)) {
	next := g.way
	g.way = func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
		return step(ctx, req, next)
	}
}

func (g *gate) fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	return g.way(ctx, req)
}

func (g *gate) timed(ctx context.Context, req *execute.Request, next fetchFunc) (*execute.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, g.rules.Timeout)
	defer cancel()
	return next(ctx, req)
}

// bounded waits for a slot.
func (g *gate) bounded(ctx context.Context, req *execute.Request, next fetchFunc) (*execute.Response, error) {
	select {
	case g.slots <- struct{}{}:
	default:
		if err := g.queue(ctx, req); err != nil {
			return nil, err
		}
	}
	defer func() { <-g.slots }()
	return next(ctx, req)
}

func (g *gate) queue(ctx context.Context, req *execute.Request) error {
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > int64(g.rules.MaxQueue) {
		return &execute.FetchError{Code: CodeOverloaded, What: "has too many requests to answer", Err: fmt.Errorf("subgraph %s: %d requests wait already", req.Subgraph, g.rules.MaxQueue)}
	}
	timer := time.NewTimer(g.rules.QueueTimeout)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return &execute.FetchError{Code: CodeOverloaded, What: "has too many requests to answer", Err: fmt.Errorf("subgraph %s: no turn within %s", req.Subgraph, g.rules.QueueTimeout)}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// broken asks the breaker first and tells it afterwards.
func (g *gate) broken(ctx context.Context, req *execute.Request, next fetchFunc) (*execute.Response, error) {
	began := time.Now()
	term, ok := g.breaker.allow(began)
	if !ok {
		return nil, unavailable(req)
	}
	what := nothing // what a panic leaves
	defer func() { g.breaker.report(term, time.Now(), what, time.Since(began)) }()
	resp, err := next(ctx, req)
	what = judge(ctx, resp, err)
	return resp, err
}

func unavailable(req *execute.Request) error {
	return &execute.FetchError{Code: CodeUnavailable, What: "is not available at the moment", Err: fmt.Errorf("subgraph %s: the circuit breaker is open", req.Subgraph)}
}

// judge says what an answer tells of the health of its subgraph.
func judge(ctx context.Context, resp *execute.Response, err error) outcome {
	var refused *execute.FetchError
	switch {
	case errors.As(err, &refused), err != nil && ctx.Err() != nil && !errors.Is(reason(ctx), context.DeadlineExceeded):
		return nothing
	case err != nil, resp.Status >= 500:
		return failed
	}
	return succeeded
}

// guarded runs a fetch on a goroutine of its own: a panic there is an error.
func guarded(ctx context.Context, req *execute.Request, fetch fetchFunc) (resp *execute.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the fetcher panicked: %v", p)
		}
	}()
	return fetch(ctx, req)
}
