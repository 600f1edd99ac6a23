package traffic

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"bourse/router/execute"
	"bourse/router/telemetry"
)

// RetryOptions say when a fetch is made again. The zero value never does.
//
// Queries are asked again after a failed connection, an attempt that took too long, and the statuses. A mutation is only when
// certainly nothing of it was sent: when there was no connection.
type RetryOptions struct {
	Attempts   int           // after the first; 0: off
	MinBackoff time.Duration // before the second attempt, doubled with each, about half of it at random; default 50 ms
	MaxBackoff time.Duration // default 2 s; a subgraph that asks for a longer pause with Retry-After is not asked again
	Statuses   []int         // HTTP statuses worth another attempt; default 502, 503, 504
	// Budget is the share of the subgraph's requests that may be attempts again, beside a few at once: retries that all fail would
	// multiply the load on a subgraph that has too much of it. Default 0.1.
	Budget float64
}

func (o RetryOptions) withDefaults() RetryOptions {
	orDefault(&o.MinBackoff, 50*time.Millisecond)
	orDefault(&o.MaxBackoff, 2*time.Second)
	if o.Statuses == nil {
		o.Statuses = []int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	}
	if o.Budget <= 0 {
		o.Budget = 0.1
	}
	return o
}

// budget is a purse that requests fill and repetitions empty.
type budget struct {
	share float64

	mu    sync.Mutex
	purse float64
}

// purseSize is how many repetitions may be made at once after a quiet time.
const purseSize = 10

func newBudget(share float64) *budget { return &budget{share: share, purse: purseSize} }

func (b *budget) earn() {
	b.mu.Lock()
	b.purse = min(purseSize, b.purse+b.share)
	b.mu.Unlock()
}

func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.purse < 1 {
		return false
	}
	b.purse--
	return true
}

// retrier makes fetches of one subgraph again.
type retrier struct {
	o      RetryOptions
	budget *budget
	chance func(n int64) int64
}

func newRetrier(o RetryOptions, chance func(int64) int64) *retrier {
	o = o.withDefaults()
	return &retrier{o: o, budget: newBudget(o.Budget), chance: chance}
}

func (r *retrier) fetch(ctx context.Context, req *execute.Request, next fetchFunc) (*execute.Response, error) {
	r.budget.earn()
	for attempt := 1; ; attempt++ {
		resp, err := next(ctx, req)
		if attempt > r.o.Attempts || !r.worthwhile(ctx, req, resp, err) {
			return resp, err
		}
		pause := r.backoff(attempt)
		if resp != nil {
			pause = max(pause, retryAfter(resp.Header, time.Now()))
		}
		if deadline, ok := ctx.Deadline(); pause > r.o.MaxBackoff || ok && time.Until(deadline) <= pause || !r.budget.spend() {
			return resp, err
		}
		release(resp)
		if !sleep(ctx, pause) {
			return nil, ctx.Err()
		}
		telemetry.FetchOf(ctx).Retried()
	}
}

// worthwhile says whether another attempt may go better and does no harm.
func (r *retrier) worthwhile(ctx context.Context, req *execute.Request, resp *execute.Response, err error) bool {
	var refused *execute.FetchError
	switch {
	case ctx.Err() != nil, errors.As(err, &refused):
		return false
	case !req.Idempotent:
		return neverSent(err)
	case err != nil:
		return neverSent(err) || transient(err)
	}
	return slices.Contains(r.o.Statuses, resp.Status)
}

// neverSent says that there was no connection over which anything could have gone.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func transient(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// backoff is the pause after an attempt: between half and the whole of what doubles each time.
func (r *retrier) backoff(attempt int) time.Duration {
	whole := r.o.MaxBackoff
	if attempt < 30 {
		whole = min(whole, r.o.MinBackoff<<(attempt-1))
	}
	if whole <= 0 { // shifted too far
		whole = r.o.MaxBackoff
	}
	half := int64(whole / 2)
	return time.Duration(half + r.chance(half+1))
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3); 0: there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, math.MaxInt32)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

func release(resp *execute.Response) {
	if resp != nil && resp.Release != nil {
		resp.Release()
	}
}

// sleep is false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
