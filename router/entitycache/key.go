package entitycache

import (
	"bytes"
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

// personalRequest says whether a request says who its client is.
func personalRequest(req *execute.Request) bool {
	if req.Identity != nil {
		return true
	}
	for name := range req.Header {
		if personal(name) {
			return true
		}
	}
	return false
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

// about is what the answers to an entry of a fetch depend on, beside representations and the client; meaning is the
// subgraph's.
func about(req *execute.Request, p *parts, e *plan.Entry, meaning []byte) []byte {
	b := appendText(appendText([]byte(nil), req.Subgraph), meaning)
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
	var room [8]member
	members := membersOf(room[:0], rep)
	for _, m := range members {
		if m.name == "__typename" && len(m.value) > 1 {
			name = string(m.value[1 : len(m.value)-1])
		}
	}
	for _, r := range e.Representations {
		if r.TypeName == name {
			members = slices.DeleteFunc(members, func(m member) bool {
				return !slices.ContainsFunc(r.Fields, func(f *plan.RepField) bool { return f.Key && f.Name == m.name })
			})
			return name, string(appendCanonicalObject(nil, members))
		}
	}
	return name, ""
}

// member is a field of a JSON object.
type member struct {
	name  string
	value []byte
}

// membersOf are the fields of an object without space in it.
func membersOf(dst []member, object []byte) []member {
	for i := 1; i < len(object) && object[i] == '"'; {
		colon := skipString(object, i)
		end := skipValue(object, min(colon+1, len(object)))
		if colon >= end {
			break
		}
		dst = append(dst, member{string(object[i+1 : colon-1]), object[colon+1 : end]})
		i = end + 1
	}
	return dst
}

// appendCanonical writes a JSON value so that whoever names it finds it: fields in order, no __typename, and numbers as text, for an ID
// may be either.
func appendCanonical(dst, value []byte) []byte {
	switch {
	case len(value) == 0:
		return dst
	case value[0] == '{':
		return appendCanonicalObject(dst, membersOf(nil, value))
	case value[0] == '[':
		dst = append(dst, '[')
		for _, e := range elements(value) {
			dst = appendText(dst, appendCanonical(nil, e))
		}
		return append(dst, ']')
	case value[0] == '"' && !slices.Contains(value, '\\'):
		return append(dst, value[1:len(value)-1]...)
	case value[0] == '"':
		var text string
		_ = json.Unmarshal(value, &text) // the value is valid
		return append(dst, text...)
	}
	return append(dst, value...)
}

func appendCanonicalObject(dst []byte, members []member) []byte {
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for _, m := range members {
		if m.name != "__typename" {
			dst = appendText(appendText(dst, m.name), appendCanonical(nil, m.value))
		}
	}
	return append(dst, '}')
}

// canonical is the key that somebody names in JSON.
func canonical(key json.RawMessage) (string, bool) {
	var compact bytes.Buffer
	if json.Compact(&compact, key) != nil || compact.Len() < len(`{"a":1}`) || compact.Bytes()[0] != '{' {
		return "", false
	}
	return string(appendCanonical(nil, compact.Bytes())), true
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
