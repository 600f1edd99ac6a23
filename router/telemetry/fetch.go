package telemetry

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// maxFetches bounds how many fetches of one operation are kept for logs and timings. All are counted and traced.
const maxFetches = 512

// fetches of one operation.
type fetches struct {
	mu   sync.Mutex
	list []*Fetch
	room [8]*Fetch // for the list, as long as it lasts
	all  int
}

func (f *fetches) add(one *Fetch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all++
	if len(f.list) < maxFetches {
		f.list = append(f.list, one)
	}
}

// done are the fetches that have come back, and how many there were altogether.
func (f *fetches) done() ([]*Fetch, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*Fetch
	for _, one := range f.list {
		if one.ended.Load() {
			list = append(list, one)
		}
	}
	return list, f.all
}

// Ask is one request to a subgraph, before it goes out.
type Ask struct {
	Subgraph string
	Index    int // of the fetch in its plan
	Entities int // representations sent; 0: it is no entity fetch
	Sent     int // bytes
}

// Fetch is what became of an Ask. Whoever stands on its way may tell what they did about it; Done ends it.
type Fetch struct {
	Ask
	Start    time.Duration // since the operation began
	Duration time.Duration
	Status   int // HTTP; 0: no answer
	Received int // bytes
	Failed   bool

	t       *Telemetry
	began   time.Time
	span    *span
	ended   atomic.Bool
	retries atomic.Int32
	shared  atomic.Bool
	cached  atomic.Bool
	hedged  atomic.Bool
}

type fetchKey struct{}

// errand is a Fetch and the context in which it is found, in one piece.
type errand struct {
	context.Context //nolint:containedctx // it is one
	told            Fetch
}

// Value implements context.Context.
func (e *errand) Value(key any) any {
	if key == (fetchKey{}) {
		return &e.told
	}
	return e.Context.Value(key)
}

// Fetch opens the account of a request to a subgraph, within the operation that ctx belongs to if there is one.
func (t *Telemetry) Fetch(ctx context.Context, ask Ask) (context.Context, *Fetch) {
	if t == nil {
		return ctx, nil
	}
	e := &errand{}
	f := &e.told
	f.Ask, f.t, f.began = ask, t, time.Now()
	if o := Of(ctx); o != nil {
		f.Start = f.began.Sub(o.began)
		if o.prepared.Kind != ast.Subscription { // whose list would grow with every event
			o.fetches.add(f)
		}
	}
	e.Context, f.span = t.tracer.fetch(ctx, &f.Ask)
	return e, f
}

// FetchOf is the account of the subgraph request that ctx belongs to; nil when there is none.
func FetchOf(ctx context.Context) *Fetch {
	f, _ := ctx.Value(fetchKey{}).(*Fetch)
	return f
}

// Retried says that the request is made once more.
func (f *Fetch) Retried() {
	if f != nil {
		f.retries.Add(1)
		f.t.metrics.retried(f.Subgraph)
	}
}

// Hedged says that a second request was made because the first was slow.
func (f *Fetch) Hedged() {
	if f != nil {
		f.hedged.Store(true)
		f.t.metrics.hedged(f.Subgraph)
	}
}

// Shared says that an equal request that was under way answers this one too.
func (f *Fetch) Shared() {
	if f != nil {
		f.shared.Store(true)
		f.t.metrics.sharedFetch(f.Subgraph)
	}
}

// Looked says how much of the answer was found in a cache, in entities and root selections, how much of that was stale, and how much was not.
func (f *Fetch) Looked(fresh, stale, missing int) {
	if f != nil {
		f.cached.Store(fresh+stale > 0 && missing == 0)
		f.t.metrics.looked(f.Subgraph, "hit", fresh)
		f.t.metrics.looked(f.Subgraph, "stale", stale)
		f.t.metrics.looked(f.Subgraph, "miss", missing)
	}
}

// StoodIn says how much of the answer a cache had, although it was stale, where the subgraph failed.
func (f *Fetch) StoodIn(stale int) {
	if f != nil {
		f.cached.Store(true)
		f.t.metrics.looked(f.Subgraph, "stale_if_error", stale)
	}
}

// Again opens the account of a request that is made because of this one, which may have ended.
func (f *Fetch) Again(ctx context.Context, ask Ask) (context.Context, *Fetch) {
	if f == nil {
		return ctx, nil
	}
	return f.t.Fetch(ctx, ask)
}

// Done ends the account: with the HTTP status and the size of the answer, or the error when there was none.
func (f *Fetch) Done(status, received int, err error) {
	if f == nil {
		return
	}
	f.Duration, f.Status, f.Received, f.Failed = time.Since(f.began), status, received, err != nil
	f.span.endFetch(f, err)
	f.t.metrics.fetched(f)
	f.ended.Store(true)
}
