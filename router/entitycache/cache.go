package entitycache

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/telemetry"
)

const defaultMaxTTL = 24 * time.Hour

// Fetcher reaches subgraphs.
type Fetcher interface {
	execute.Fetcher
	Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error)
}

// Options of a Cache.
type Options struct {
	Store Store
	// TTL of answers of which neither the subgraph nor the schema says how long they may be kept; 0: they are not.
	TTL       time.Duration
	MaxTTL    time.Duration // whatever a subgraph says; default 24 h
	Private   bool          // keeps private answers too, apart for each client
	Stale     Stale         // what is still done with an answer whose time is over; default: nothing
	Subgraphs map[string]SubgraphOptions
	// OnLost hears of invalidations that a subgraph asked for and the store did not take; may be nil. Requests go on without a store that fails
	// otherwise, and it is the store that tells.
	OnLost func(ctx context.Context, err error)
	// OnStale hears why a subgraph does not answer where what was kept of it stands in, or is kept on; may be nil.
	OnStale func(ctx context.Context, subgraph string, err error)
}

// SubgraphOptions are what is special about one subgraph.
type SubgraphOptions struct {
	Off bool
	TTL *time.Duration // instead of Options.TTL
	// Instead of those of Options.Stale.
	WhileRevalidate, IfError *time.Duration
}

// Cache is a fetcher that asks only for what it does not keep. It is safe for concurrent use. Close it when nobody fetches any more.
type Cache struct {
	Fetcher
	o         Options
	hints     *hints
	means     map[string][]byte // by subgraph
	refreshes *refreshes
}

// New puts a cache before a fetcher. The schema may be nil.
func New(below Fetcher, sg *federation.Supergraph, o Options) *Cache {
	if o.MaxTTL <= 0 {
		o.MaxTTL = defaultMaxTTL
	}
	if o.OnLost == nil {
		o.OnLost = func(context.Context, error) {}
	}
	if o.OnStale == nil {
		o.OnStale = func(context.Context, string, error) {}
	}
	return &Cache{Fetcher: below, o: o, hints: newHints(sg), means: meanings(sg), refreshes: newRefreshes()}
}

// Close ends what is being asked anew in the background.
func (c *Cache) Close() { c.refreshes.close() }

// Fetch implements execute.Fetcher.
func (c *Cache) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	if l := c.look(ctx, req); l != nil {
		return c.complete(ctx, l)
	}
	resp, err := c.Fetcher.Fetch(ctx, req)
	if err == nil {
		c.heed(ctx, req.Subgraph, resp.Body)
	}
	return resp, err
}

// look finds what is kept; nil when the fetch is not for the cache, or the store does not answer.
func (c *Cache) look(ctx context.Context, req *execute.Request) *lookup {
	if !req.Idempotent || req.Fetch == nil || c.o.Subgraphs[req.Subgraph].Off {
		return nil
	}
	p, ok := split(req)
	if !ok {
		return nil
	}
	l := c.lookup(req, p)
	names, labels, of := l.names(c.means[req.Subgraph])
	found, err := c.o.Store.Get(ctx, names, labels)
	if err != nil {
		return nil
	}
	l.epoch = found.Epoch
	l.take(found, of)
	c.bury(ctx, l)
	return l
}

// lookup is of a request that was taken apart.
func (c *Cache) lookup(req *execute.Request, p parts) *lookup {
	l := &lookup{req: req, parts: p, who: whoIs(req), limit: c.o.staleOf(req.Subgraph)}
	if !c.o.Private {
		l.who.private = nil
	}
	return l
}

// bury lets go of what has a tag that was invalidated.
func (c *Cache) bury(ctx context.Context, l *lookup) {
	var labels []string
	for i := range l.wanted {
		for _, k := range l.wanted[i].found() {
			for _, tag := range k.tags {
				labels = append(labels, labelOfTag(l.req.Subgraph, tag))
			}
		}
	}
	if len(labels) == 0 {
		return
	}
	marks, err := c.o.Store.Get(ctx, nil, labels)
	n := 0
	for i := range l.wanted {
		for _, k := range l.wanted[i].found() {
			dead := err != nil && len(k.tags) > 0
			for range k.tags {
				dead = dead || marks.Marks[n] > k.epoch
				n++
			}
			if dead {
				l.drop(&l.wanted[i], k)
			}
		}
	}
}

// complete asks for what is missing, keeps it, and answers with all of it.
func (c *Cache) complete(ctx context.Context, l *lookup) (*execute.Response, error) {
	if l.found < len(l.wanted) {
		l.setAside() // a request is due in any case, which may as well bring what is stale
	}
	account := telemetry.FetchOf(ctx)
	account.Looked(l.found-l.stale, l.stale, len(l.wanted)-l.found)
	if l.found == len(l.wanted) {
		if l.stale > 0 {
			c.revalidate(ctx, l)
		}
		return l.response(nil, l.policy(policy{ttl: c.o.MaxTTL})), nil
	}
	asked := l.req
	if l.found > 0 {
		asked = l.smaller(wanted.missing)
	}
	resp, err := c.Fetcher.Fetch(ctx, asked)
	if failure := unanswered(resp, err); failure != nil && ctx.Err() == nil && l.standIn() {
		account.StoodIn(l.stale)
		c.o.OnStale(ctx, l.req.Subgraph, failure)
		if resp != nil && resp.Release != nil {
			resp.Release()
		}
		return l.response(nil, policy{}), nil
	}
	if err != nil {
		return nil, err
	}
	a, fresh, p, ok := c.received(ctx, l, resp)
	if !ok || l.found == 0 {
		return spoken(resp, p), nil // the executor says what is wrong with it
	}
	out := l.response(&merged{fresh: fresh, errors: l.relocated(&a)}, l.policy(p))
	if resp.Release != nil {
		resp.Release() // what is needed of it was copied
	}
	return out, nil
}

// received reads what came of what was missing, keeps it as far as it may be kept, and says how it may be; false: it is no answer.
func (c *Cache) received(ctx context.Context, l *lookup, resp *execute.Response) (answer, []json.RawMessage, policy, bool) {
	a, ok := readAnswer(resp.Body)
	if !ok || resp.Status < 200 || resp.Status > 299 {
		return a, nil, policy{}, false
	}
	c.obey(ctx, l.req.Subgraph, a.extensions["invalidation"])
	fresh, ok := l.distribute(&a)
	if !ok || a.failed() {
		return a, fresh, policy{}, ok
	}
	return a, fresh, c.keep(ctx, l, &a, fresh, resp.Header), true
}

// keep stores what came, as far as it may be kept, and says how it may be.
func (c *Cache) keep(ctx context.Context, l *lookup, a *answer, fresh []json.RawMessage, header http.Header) policy {
	whole := policy{ttl: c.o.MaxTTL}
	ofAll, ofRoot, ofEntities := a.tags(header)
	now, n := time.Now(), 0
	var items []Item
	for i, w := range l.wanted {
		if w.kept != nil {
			continue
		}
		p, stale := c.policy(l, w.entry, header), c.stale(l.req.Subgraph, header)
		whole = whole.stricter(p)
		tags := ofRoot
		if l.parts.reps[w.entry] != nil {
			if tags = nil; n < len(ofEntities) {
				tags = ofEntities[n]
			}
			n++
		}
		tags = slices.Concat(ofAll, tags)
		key := w.public
		if p.private {
			key = w.private
		}
		storable := p.ttl > 0 && key != "" && len(fresh[i]) > 0 && (fresh[i][0] == '{' || fresh[i][0] == 'n')
		if w.outdated != "" && (!storable || w.outdated != key) {
			items = append(items, grave(w.outdated, l.epoch))
		}
		if !storable {
			continue
		}
		k := kept{epoch: l.epoch, expires: now.Add(p.ttl), stale: stale, private: p.private, tags: tags, body: fresh[i]}
		items = append(items, Item{key, k.append(make([]byte, 0, len(k.body)+32)), p.ttl + stale.longest()})
	}
	if len(items) > 0 {
		_ = c.o.Store.Set(ctx, items) // else they are asked for again
	}
	return whole
}

// policy of what came for an entry: the header's word, the schema's, or the operator's.
func (c *Cache) policy(l *lookup, entry int, header http.Header) policy {
	d := readControl(header)
	p := d.policy
	shared := d.public
	if !d.said && c.hints != nil {
		p, shared = c.hints.of(l.req.Fetch)[entry], true
		p.private = p.private || d.private
	} else if !d.said {
		p.ttl = c.o.TTL
		if own := c.o.Subgraphs[l.req.Subgraph].TTL; own != nil {
			p.ttl = *own
		}
	}
	p.ttl = min(p.ttl, c.o.MaxTTL)
	// Nobody said that it is for everyone, and it was asked for in somebody's name.
	p.private = p.private || !shared && personalRequest(l.req)
	return p
}

// spoken is a subgraph's answer with the policy that was found for it.
func spoken(resp *execute.Response, p policy) *execute.Response {
	out := *resp
	if out.Header = resp.Header.Clone(); out.Header == nil {
		out.Header = http.Header{}
	}
	out.Header.Set("Cache-Control", p.header())
	return &out
}
