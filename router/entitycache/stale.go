package entitycache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"bourse/router/execute"
	"bourse/router/telemetry"
)

// Stale is how long an answer whose time is over is still good for something (RFC 5861).
type Stale struct {
	WhileRevalidate time.Duration // it is given at once, and asked for anew in the background
	IfError         time.Duration // it stands in when the subgraph does not answer
}

func (s Stale) longest() time.Duration { return max(s.WhileRevalidate, s.IfError) }

// Longest is the longest that anything of these options is kept beyond its time.
func (o Options) Longest() time.Duration {
	longest := o.Stale.longest()
	for name := range o.Subgraphs {
		longest = max(longest, o.staleOf(name).longest())
	}
	return longest
}

// staleOf is what the operator allows for a subgraph.
func (o Options) staleOf(subgraph string) Stale {
	s, own := o.Stale, o.Subgraphs[subgraph]
	if own.WhileRevalidate != nil {
		s.WhileRevalidate = *own.WhileRevalidate
	}
	if own.IfError != nil {
		s.IfError = *own.IfError
	}
	return s
}

// stale is what the operator allows of an answer, and less where its subgraph says so.
func (c *Cache) stale(subgraph string, header http.Header) Stale {
	s := c.o.staleOf(subgraph)
	if s == (Stale{}) {
		return s
	}
	d := readControl(header)
	if d.whileRevalidate >= 0 {
		s.WhileRevalidate = min(s.WhileRevalidate, d.whileRevalidate)
	}
	if d.ifError >= 0 {
		s.IfError = min(s.IfError, d.ifError)
	}
	return s
}

var errNoAnswer = errors.New("it is no answer")

// unanswered says why there is no answer of a subgraph; nil: there is one, if only with errors.
func unanswered(resp *execute.Response, err error) error {
	switch {
	case err != nil:
		return err
	case resp.Status >= http.StatusInternalServerError:
		return fmt.Errorf("HTTP status %d", resp.Status)
	case resp.Status < 200 || resp.Status > 299: // the subgraph refuses, which is an answer too
		return nil
	}
	if _, ok := readAnswer(resp.Body); !ok {
		return errNoAnswer
	}
	return nil
}

const (
	// maxRefreshes bounds the requests that ask one subgraph anew in the background. What finds no place stays stale until somebody asks again.
	maxRefreshes = 16
	// refreshTime bounds one of them, beside the times that the fetcher below has.
	refreshTime = time.Minute
)

// refreshes are the requests in the background that ask for something anew. Each thing is asked for once at a time.
type refreshes struct {
	base context.Context //nolint:containedctx // of goroutines that outlive the requests that began them
	end  context.CancelFunc

	mu      sync.Mutex
	keys    map[string]bool // of what is being asked for
	running map[string]int  // by subgraph
	closed  bool
	all     sync.WaitGroup
}

func newRefreshes() *refreshes {
	r := &refreshes{keys: map[string]bool{}, running: map[string]int{}}
	r.base, r.end = context.WithCancel(context.Background())
	return r
}

// close ends them and waits for their end.
func (r *refreshes) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.end()
	r.all.Wait()
}

// claim finds of what is stale what nobody is asking for; whoever gets keys runs and then gives them back.
func (r *refreshes) claim(l *lookup) map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.running[l.req.Subgraph] >= maxRefreshes {
		return nil
	}
	claimed := map[string]bool{}
	for _, w := range l.wanted {
		if w.stale && !r.keys[w.outdated] {
			r.keys[w.outdated], claimed[w.outdated] = true, true
		}
	}
	if len(claimed) > 0 {
		r.running[l.req.Subgraph]++
		r.all.Add(1)
	}
	return claimed
}

func (r *refreshes) give(subgraph string, claimed map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range claimed {
		delete(r.keys, key)
	}
	if r.running[subgraph]--; r.running[subgraph] == 0 {
		delete(r.running, subgraph)
	}
	r.all.Done()
}

// revalidate asks in the background for what is stale of a lookup. What it needs of the request is copied: that ends before.
func (c *Cache) revalidate(ctx context.Context, l *lookup) {
	claimed := c.refreshes.claim(l)
	if len(claimed) == 0 {
		return
	}
	req := l.smaller(func(w wanted) bool { return claimed[w.outdated] })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTime)
	stop := context.AfterFunc(c.refreshes.base, cancel)
	epoch := l.epoch
	go func() {
		defer c.refreshes.give(req.Subgraph, claimed)
		defer cancel()
		defer stop()
		c.refresh(ctx, req, claimed, epoch)
	}()
}

// refresh asks for all of a request, and replaces what is kept under the claimed keys.
func (c *Cache) refresh(ctx context.Context, req *execute.Request, claimed map[string]bool, epoch uint64) {
	p, ok := split(req)
	if !ok {
		return // it was taken out of one that could be
	}
	l := c.lookup(req, p)
	l.epoch = epoch
	l.names(c.means[req.Subgraph])
	for i := range l.wanted {
		w := &l.wanted[i]
		for _, key := range []string{w.public, w.private} {
			if claimed[key] {
				w.outdated = key
			}
		}
	}
	ctx, account := telemetry.FetchOf(ctx).Again(ctx, telemetry.Ask{Subgraph: req.Subgraph, Index: req.Fetch.Index, Entities: req.Entities, Sent: len(req.Body)})
	resp, err := c.Fetcher.Fetch(ctx, req)
	if err != nil {
		account.Done(0, 0, err)
		if c.refreshes.base.Err() != nil {
			return // nobody wants to know any more
		}
		c.o.OnStale(ctx, req.Subgraph, err)
		return
	}
	account.Done(resp.Status, len(resp.Body), nil)
	c.received(ctx, l, resp)
	if resp.Release != nil {
		resp.Release() // stores have copies
	}
}

// grave lies over what was kept under a key and is not to be found any more.
func grave(key string, epoch uint64) Item {
	k := kept{epoch: epoch, body: []byte("null")} // long over
	return Item{key, k.append(nil), time.Second}
}
