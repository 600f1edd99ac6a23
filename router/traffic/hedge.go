package traffic

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"bourse/router/execute"
	"bourse/router/telemetry"
)

// HedgeOptions say when a query that has no answer yet is asked a second time, so that the first answer counts. The zero value never
// does.
type HedgeOptions struct {
	Delay time.Duration // after which; with a percentile the least that is waited
	// Percentile of the subgraph's latest answers, 0 to 100, after whose time a query is late; 0: Delay alone counts.
	Percentile float64
	// Budget is the share of the subgraph's queries that may be asked twice; default 0.05.
	Budget float64
}

// hedger asks late queries a second time.
type hedger struct {
	o      HedgeOptions
	budget *budget

	mu     sync.Mutex
	latest [256]time.Duration // a ring of what answers took
	seen   int
	late   time.Duration // the percentile of them, as of the last multiple of reckonEvery
}

// reckonEvery is how many answers are taken in before the percentile is found anew.
const reckonEvery = 32

func newHedger(o HedgeOptions) *hedger {
	if o.Budget <= 0 {
		o.Budget = 0.05
	}
	return &hedger{o: o, budget: newBudget(o.Budget)}
}

func (h *hedger) on() bool { return h.o.Delay > 0 || h.o.Percentile > 0 }

// fetch asks, and asks again when the answer is late. It returns when both have ended: they use the caller's request.
func (h *hedger) fetch(ctx context.Context, req *execute.Request, next fetchFunc) (*execute.Response, error) {
	delay := h.delay()
	if !req.Idempotent || delay <= 0 {
		return h.timed(ctx, req, next)
	}
	h.budget.earn()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		resp *execute.Response
		err  error
	}
	results := make(chan result, 2)
	ask := func(req *execute.Request) {
		resp, err := guarded(ctx, req, func(ctx context.Context, req *execute.Request) (*execute.Response, error) {
			return h.timed(ctx, req, next)
		})
		results <- result{resp, err}
	}
	go ask(req)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	asked := 1
	var first result
	select {
	case first = <-results:
		return first.resp, first.err
	case <-timer.C:
		if h.budget.spend() {
			again := *req
			again.Body = bytes.Clone(req.Body)
			asked++
			telemetry.FetchOf(ctx).Hedged()
			go ask(&again)
		}
	}
	first = <-results
	if asked == 1 {
		return first.resp, first.err
	}
	if bad := first.err != nil || first.resp.Status >= 500; !bad {
		cancel()
	}
	second := <-results
	if (first.err != nil || first.resp.Status >= 500) && second.err == nil && second.resp.Status < 500 {
		first, second = second, first
	}
	release(second.resp)
	return first.resp, first.err
}

// timed remembers how long an answer took.
func (h *hedger) timed(ctx context.Context, req *execute.Request, next fetchFunc) (*execute.Response, error) {
	began := time.Now()
	resp, err := next(ctx, req)
	if h.o.Percentile > 0 && err == nil {
		h.took(time.Since(began))
	}
	return resp, err
}

func (h *hedger) took(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.latest[h.seen%len(h.latest)] = d
	if h.seen++; h.seen%reckonEvery != 0 {
		return
	}
	sorted := slices.Clone(h.latest[:min(h.seen, len(h.latest))])
	slices.Sort(sorted)
	h.late = sorted[min(len(sorted)-1, int(float64(len(sorted))*h.o.Percentile/100))]
}

// delay is how long to wait for a first answer; 0: it is not known yet what is late.
func (h *hedger) delay() time.Duration {
	if h.o.Percentile <= 0 {
		return h.o.Delay
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.late == 0 {
		return 0
	}
	return max(h.o.Delay, h.late)
}
