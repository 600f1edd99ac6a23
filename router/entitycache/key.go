package entitycache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
	"maps"
	"net/http"
	"slices"
	"strings"

	"bourse/router/execute"
	"bourse/router/plan"
)

// Labels of entries. Each is of one subgraph: what one keeps, another cannot invalidate.
func labelOfSubgraph(subgraph string) string   { return "subgraph\x00" + subgraph }
func labelOfType(subgraph, name string) string { return "type\x00" + subgraph + "\x00" + name }
func labelOfTag(subgraph, tag string) string   { return "tag\x00" + subgraph + "\x00" + tag }
func labelOfEntity(subgraph, name, key string) string {
	return "entity\x00" + subgraph + "\x00" + name + "\x00" + key
}

// who is a client as far as the cache tells clients apart.
type who struct {
	public  []byte // headers that say nothing of who it is
	private []byte // everything; nil when there is nothing by which to tell it from others
}

// personal are headers that say who a client is: shared entries go without them.
func personal(name string) bool {
	return name == "Authorization" || name == "Cookie" || name == "Proxy-Authorization"
}

func whoIs(req *execute.Request) who {
	var w who
	known := req.Identity != nil
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		switch {
		case name == "X-Request-Id", name == "Traceparent", name == "Tracestate":
			continue
		case personal(name):
			known = true
			w.private = appendHeader(w.private, name, req.Header)
		default:
			w.public = appendHeader(w.public, name, req.Header)
		}
	}
	if !known {
		return who{public: w.public}
	}
	digest := [33]byte{}
	if req.Identity != nil {
		digest[0] = 1
		copy(digest[1:], req.Identity.Digest[:])
	}
	w.private = slices.Concat(digest[:], binary.AppendUvarint(nil, uint64(len(w.public))), w.public, w.private)
	return w
}

func appendHeader(dst []byte, name string, h http.Header) []byte {
	dst = appendText(dst, name)
	dst = binary.AppendUvarint(dst, uint64(len(h[name])))
	for _, v := range h[name] {
		dst = appendText(dst, v)
	}
	return dst
}

func appendText[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// about is what the answers to an entry of a fetch depend on, beside representations and the client.
func about(req *execute.Request, p *parts, e *plan.Entry) []byte {
	b := appendText([]byte(nil), req.Subgraph)
	b = appendText(b, req.Fetch.AppendSignature(nil, e))
	for _, v := range p.variables {
		if e.Uses(v.name) {
			b = appendText(appendText(append(b, 'v'), v.name), v.value)
		}
	}
	for _, c := range e.Contexts {
		value, _ := p.value(c.Variable)
		b = appendText(append(b, 'c'), value)
	}
	return b
}

// keys of one answer: for everyone, and for this client alone; the latter is empty when nothing tells the client from others.
func keys(h hash.Hash, about, rep []byte, w who) (public, private string) {
	public = digest(h, 'p', w.public, about, rep)
	if w.private != nil {
		private = digest(h, 'i', w.private, about, rep)
	}
	return public, private
}

func digest(h hash.Hash, kind byte, texts ...[]byte) string {
	var room [sha256.Size]byte
	h.Reset()
	_, _ = h.Write([]byte{kind}) // a hash does not fail
	for _, t := range texts {
		size := binary.AppendUvarint(room[:0], uint64(len(t)))
		_, _ = h.Write(size)
		_, _ = h.Write(t)
	}
	return string(h.Sum(room[:0]))
}

// entityOf names the type and the key of a representation. Beside the key there is in it what @requires asks for.
func entityOf(e *plan.Entry, rep []byte) (name, key string) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(rep, &fields) != nil {
		return "", ""
	}
	_ = json.Unmarshal(fields["__typename"], &name)
	values := map[string]any{}
	for _, r := range e.Representations {
		if r.TypeName != name {
			continue
		}
		for _, f := range r.Fields {
			if f.Key {
				var v any
				_ = json.Unmarshal(fields[f.Name], &v)
				values[f.Name] = v
			}
		}
		break
	}
	return name, canonical(values)
}

// canonical writes a key so that whoever names it finds it: fields in order, no __typename, and numbers as text, for an ID may be
// either.
func canonical(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name != "__typename" {
				b.WriteString(string(appendText(appendText([]byte("{"), name), canonical(v[name]))))
			}
		}
		return b.String() + "}"
	case []any:
		var b strings.Builder
		for _, e := range v {
			b.WriteString(string(appendText([]byte("["), canonical(e))))
		}
		return b.String() + "]"
	case string:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}

// typesOf are the types that may occur in an answer to a selection.
func typesOf(s *plan.Selection, into map[string]bool) {
	if s == nil {
		return
	}
	if s.Type != nil {
		into[s.Type.Name] = true
	}
	for name := range s.TypeIDs {
		into[name] = true
	}
	for _, f := range s.Fields {
		typesOf(f.Child, into)
	}
}
