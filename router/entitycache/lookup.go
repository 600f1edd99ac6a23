package entitycache

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"

	"bourse/router/execute"
)

// lookup is a fetch and what is kept of its answer.
type lookup struct {
	req    *execute.Request
	parts  parts
	who    who
	limit  Stale // that the operator allows
	epoch  uint64
	wanted []wanted // in the order of the request
	found  int
	stale  int // of those that were found: they are answered with, and asked for anew
}

// wanted is one root selection or one representation.
type wanted struct {
	entry, place    int // place among the entry's representations
	public, private string
	kept            *kept  // nil: missing
	stale           bool   // kept is
	spare           *kept  // stands in where the subgraph fails
	outdated        string // the key of what is to be replaced: of kept that is stale, or of spare
}

func (w wanted) missing() bool { return w.kept == nil }

// found is what was found of it.
func (w *wanted) found() []*kept {
	var all []*kept
	for _, k := range []*kept{w.kept, w.spare} {
		if k != nil {
			all = append(all, k)
		}
	}
	return all
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
			if err != nil || k.epoch > found.Epoch || k.private != (which == 1) {
				continue
			}
			dead := false
			for _, label := range of[i] {
				dead = dead || found.Marks[label] > k.epoch
			}
			if !dead {
				w.choose(k, l.limit, now)
			}
		}
		if w.kept != nil {
			l.found++
		}
		if w.stale {
			l.stale++
		}
	}
}

// choose takes what was found as far as its age allows: fresh before stale, and that before what only stands in.
func (w *wanted) choose(k *kept, limit Stale, now time.Time) {
	key := w.public
	if k.private {
		key = w.private
	}
	switch over := now.Sub(k.expires); {
	case w.kept != nil && !w.stale:
	case over < 0:
		w.kept, w.stale, w.spare, w.outdated = k, false, nil, ""
	case w.kept != nil:
	case over < min(k.stale.WhileRevalidate, limit.WhileRevalidate):
		w.kept, w.stale, w.spare, w.outdated = k, true, nil, key
	case over < min(k.stale.IfError, limit.IfError) && w.spare == nil:
		w.spare, w.outdated = k, key
	}
}

// drop lets go of what was found of one.
func (l *lookup) drop(w *wanted, k *kept) {
	if w.spare == k {
		w.spare = nil
		return
	}
	l.found--
	if w.stale {
		l.stale--
	}
	w.kept, w.stale = nil, false
}

// setAside takes what is stale for missing, with something to stand in.
func (l *lookup) setAside() {
	for i := range l.wanted {
		if w := &l.wanted[i]; w.stale {
			k := w.kept
			l.drop(w, k)
			w.spare = k
		}
	}
}

// standIn answers with what was kept for the case that the subgraph fails; false when something of it is missing.
func (l *lookup) standIn() bool {
	for _, w := range l.wanted {
		if w.missing() && w.spare == nil {
			return false
		}
	}
	for i := range l.wanted {
		if w := &l.wanted[i]; w.missing() {
			w.kept, w.stale = w.spare, true
			l.found++
			l.stale++
		}
	}
	return true
}

// smaller is the request with some of the representations only. What it asks with is its own.
func (l *lookup) smaller(with func(wanted) bool) *execute.Request {
	reps := make([][][]byte, len(l.parts.reps))
	for i := range reps {
		if l.parts.reps[i] != nil {
			reps[i] = [][]byte{}
		}
	}
	req := *l.req
	req.Entities = 0
	for _, w := range l.wanted {
		if l.parts.reps[w.entry] != nil && with(w) {
			reps[w.entry] = append(reps[w.entry], l.parts.reps[w.entry][w.place])
			req.Entities++
		}
	}
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
