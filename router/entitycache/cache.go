package entitycache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
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
	Subgraphs map[string]SubgraphOptions
	// OnLost hears of invalidations that a subgraph asked for and the store did not take; may be nil. Requests go on without a store that fails
	// otherwise, and it is the store that tells.
	OnLost func(ctx context.Context, err error)
}

// SubgraphOptions are what is special about one subgraph.
type SubgraphOptions struct {
	Off bool
	TTL *time.Duration // instead of Options.TTL
}

// Cache is a fetcher that asks only for what it does not keep. It is safe for concurrent use.
type Cache struct {
	Fetcher
	o     Options
	hints *hints
	means map[string][]byte // by subgraph
}

// New puts a cache before a fetcher. The schema may be nil.
func New(below Fetcher, sg *federation.Supergraph, o Options) *Cache {
	if o.MaxTTL <= 0 {
		o.MaxTTL = defaultMaxTTL
	}
	if o.OnLost == nil {
		o.OnLost = func(context.Context, error) {}
	}
	return &Cache{Fetcher: below, o: o, hints: newHints(sg), means: meanings(sg)}
}

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

// lookup is a fetch and what is kept of its answer.
type lookup struct {
	req    *execute.Request
	parts  parts
	who    who
	epoch  uint64
	wanted []wanted // in the order of the request
	found  int
}

// wanted is one root selection or one representation.
type wanted struct {
	entry, place    int // place among the entry's representations
	public, private string
	kept            *kept
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
	l := &lookup{req: req, parts: p, who: whoIs(req)}
	if !c.o.Private {
		l.who.private = nil
	}
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

// names lists the keys of everything wanted of a subgraph with this meaning, and the labels whose marks decide over it: of gives the labels of each.
func (l *lookup) names(meaning []byte) (names, labels []string, of [][]int) {
	at := map[string]int{}
	label := func(text string) int {
		i, ok := at[text]
		if !ok {
			i = len(labels)
			at[text], labels = i, append(labels, text)
		}
		return i
	}
	subgraph := l.req.Subgraph
	h := sha256.New()
	for i, e := range l.req.Fetch.Entries {
		types := map[string]bool{}
		typesOf(e.Selection, types)
		common := []int{label(labelOfSubgraph(subgraph))}
		for name := range types {
			common = append(common, label(labelOfType(subgraph, name)))
		}
		about := about(l.req, &l.parts, e, meaning)
		reps := l.parts.reps[i]
		if e.Variable == "" {
			reps = [][]byte{nil}
			common = append(common, label(labelOfType(subgraph, "Query")))
		}
		for place, rep := range reps {
			w := wanted{entry: i, place: place}
			w.public, w.private = keys(h, about, rep, l.who)
			names = append(names, w.public)
			if w.private != "" {
				names = append(names, w.private)
			}
			l.wanted = append(l.wanted, w)
			own := common
			if rep != nil {
				name, key := entityOf(e, rep)
				own = append(own[:len(own):len(own)], label(labelOfType(subgraph, name)), label(labelOfEntity(subgraph, name, key)))
			}
			of = append(of, own)
		}
	}
	return names, labels, of
}

// take keeps of what was found what is alive.
func (l *lookup) take(found Found, of [][]int) {
	now, n := time.Now(), 0
	for i := range l.wanted {
		w := &l.wanted[i]
		values := found.Values[n : n+1]
		if n++; w.private != "" {
			values = found.Values[n-1 : n+1]
			n++
		}
		for which, value := range values {
			k, err := readKept(value)
			if err != nil || !now.Before(k.expires) || k.epoch > found.Epoch || k.private != (which == 1) {
				continue
			}
			dead := false
			for _, label := range of[i] {
				dead = dead || found.Marks[label] > k.epoch
			}
			if !dead {
				w.kept = k
				l.found++
				break
			}
		}
	}
}

// bury lets go of what has a tag that was invalidated.
func (c *Cache) bury(ctx context.Context, l *lookup) {
	var labels []string
	for i := range l.wanted {
		if k := l.wanted[i].kept; k != nil {
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
		k := l.wanted[i].kept
		if k == nil {
			continue
		}
		dead := err != nil && len(k.tags) > 0
		for range k.tags {
			dead = dead || marks.Marks[n] > k.epoch
			n++
		}
		if dead {
			l.wanted[i].kept = nil
			l.found--
		}
	}
}

// complete asks for what is missing, keeps it, and answers with all of it.
func (c *Cache) complete(ctx context.Context, l *lookup) (*execute.Response, error) {
	telemetry.FetchOf(ctx).Looked(l.found, len(l.wanted)-l.found)
	if l.found == len(l.wanted) {
		return l.response(nil, l.policy(policy{ttl: c.o.MaxTTL})), nil
	}
	asked := l.req
	if l.found > 0 {
		asked = l.smaller()
	}
	resp, err := c.Fetcher.Fetch(ctx, asked)
	if err != nil {
		return nil, err
	}
	a, ok := readAnswer(resp.Body)
	if !ok || resp.Status < 200 || resp.Status > 299 {
		return spoken(resp, policy{}), nil // the executor says what is wrong with it
	}
	c.obey(ctx, l.req.Subgraph, a.extensions["invalidation"])
	fresh, ok := l.distribute(&a)
	if !ok {
		return spoken(resp, policy{}), nil
	}
	var p policy
	if !a.failed() {
		p = c.keep(ctx, l, &a, fresh, resp.Header)
	}
	if l.found == 0 {
		return spoken(resp, p), nil
	}
	out := l.response(&merged{fresh: fresh, errors: l.relocated(&a)}, l.policy(p))
	if resp.Release != nil {
		resp.Release() // what is needed of it was copied
	}
	return out, nil
}

// smaller is the request without what is kept.
func (l *lookup) smaller() *execute.Request {
	reps := make([][][]byte, len(l.parts.reps))
	for i := range reps {
		if l.parts.reps[i] != nil {
			reps[i] = [][]byte{}
		}
	}
	for _, w := range l.wanted {
		if w.kept == nil {
			reps[w.entry] = append(reps[w.entry], l.parts.reps[w.entry][w.place])
		}
	}
	req := *l.req
	req.Body = l.parts.join(l.req.Fetch, reps)
	return &req
}

// distribute gives each of those that were missing its part of an answer, by the order of wanted; false when the answer does not have
// the parts.
func (l *lookup) distribute(a *answer) ([]json.RawMessage, bool) {
	fresh := make([]json.RawMessage, len(l.wanted))
	if !a.object() {
		return fresh, a.failed() // nothing came, and there is an error that says why
	}
	f := l.req.Fetch
	if f.Entries[0].Variable == "" {
		fresh[0] = a.data
		return fresh, len(l.wanted) == 1
	}
	aliases, places := l.missing()
	asked := make([]int, len(places))
	for i := range places {
		asked[i] = len(places[i])
	}
	lists, ok := a.lists(aliases, asked)
	if !ok {
		return nil, false
	}
	next := make([]int, len(lists))
	for i, w := range l.wanted {
		if w.kept == nil {
			fresh[i] = lists[w.entry][next[w.entry]]
			next[w.entry]++
		}
	}
	return fresh, true
}

// missing lists for each entry its alias and the places of the representations that were asked for.
func (l *lookup) missing() (aliases []string, places [][]int) {
	places = make([][]int, len(l.req.Fetch.Entries))
	for _, e := range l.req.Fetch.Entries {
		aliases = append(aliases, e.Alias)
	}
	for _, w := range l.wanted {
		if w.kept == nil {
			places[w.entry] = append(places[w.entry], w.place)
		}
	}
	return aliases, places
}

func (l *lookup) relocated(a *answer) json.RawMessage {
	if !a.failed() {
		return nil
	}
	aliases, places := l.missing()
	return relocate(a.errors, aliases, places)
}

// keep stores what came, as far as it may be kept, and says how it may be.
func (c *Cache) keep(ctx context.Context, l *lookup, a *answer, fresh []json.RawMessage, header http.Header) policy {
	whole := policy{ttl: c.o.MaxTTL}
	rootTags, entityTags := a.tags()
	now, n := time.Now(), 0
	var items []Item
	for i, w := range l.wanted {
		if w.kept != nil {
			continue
		}
		p := c.policy(l, w.entry, header)
		whole = whole.stricter(p)
		tags := rootTags
		if l.parts.reps[w.entry] != nil {
			if tags = nil; n < len(entityTags) {
				tags = entityTags[n]
			}
			n++
		}
		key := w.public
		if p.private {
			key = w.private
		}
		if p.ttl <= 0 || key == "" || len(fresh[i]) == 0 || fresh[i][0] != '{' && fresh[i][0] != 'n' {
			continue
		}
		k := kept{epoch: l.epoch, expires: now.Add(p.ttl), private: p.private, tags: tags, body: fresh[i]}
		items = append(items, Item{key, k.append(make([]byte, 0, len(k.body)+32)), p.ttl})
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

// policy of the whole answer: of what was kept and of what came.
func (l *lookup) policy(fresh policy) policy {
	now := time.Now()
	for _, w := range l.wanted {
		if w.kept != nil {
			fresh = fresh.stricter(policy{w.kept.expires.Sub(now), w.kept.private})
		}
	}
	return fresh
}

// merged is what came from the subgraph.
type merged struct {
	fresh  []json.RawMessage
	errors json.RawMessage
}

// response is the answer to the whole request.
func (l *lookup) response(m *merged, p policy) *execute.Response {
	var body bytes.Buffer
	body.WriteString(`{"data":`)
	if l.req.Fetch.Entries[0].Variable == "" {
		body.Write(l.wanted[0].kept.body)
	} else {
		l.writeEntities(&body, m)
	}
	if m != nil && m.errors != nil {
		body.WriteString(`,"errors":`)
		body.Write(m.errors)
	}
	body.WriteByte('}')
	return &execute.Response{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {p.header()}}, Body: body.Bytes(),
	}
}

func (l *lookup) writeEntities(body *bytes.Buffer, m *merged) {
	at := 0
	for i, e := range l.req.Fetch.Entries {
		if i > 0 {
			body.WriteByte(',')
		} else {
			body.WriteByte('{')
		}
		body.WriteString(`"` + e.Alias + `":[`)
		for place := range l.parts.reps[i] {
			if place > 0 {
				body.WriteByte(',')
			}
			switch w := l.wanted[at]; {
			case w.kept != nil:
				body.Write(w.kept.body)
			case m != nil && m.fresh[at] != nil:
				body.Write(m.fresh[at])
			default:
				body.WriteString("null")
			}
			at++
		}
		body.WriteByte(']')
	}
	body.WriteByte('}')
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
