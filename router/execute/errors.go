package execute

import (
	"encoding/json"
	"slices"

	"bourse/router/federation"
	"bourse/router/plan"
)

// Codes in extensions.code that the executor itself gives.
const (
	codeHTTP      = "SUBREQUEST_HTTP_ERROR"
	codeMalformed = "SUBREQUEST_MALFORMED_RESPONSE"
	// codeSubgraph marks an error that a subgraph reported without a code of its own.
	codeSubgraph = "DOWNSTREAM_SERVICE_ERROR"
	codeNull     = "INTERNAL_SERVER_ERROR"
)

// maxErrors bounds the errors of one response.
const maxErrors = 200

// Of a field that the client may not see; both are Apollo's.
const (
	CodeDenied    = "UNAUTHORIZED_FIELD_OR_TYPE"
	DeniedMessage = "Unauthorized field or type"
)

const maskedMessage = "The subgraph reported an error."

type responseError struct {
	text []byte // JSON
	path []segment
	part int  // the part of the answer that it came up in; plan.Fetch.Part
	told bool // with an earlier part
}

// addError appends an error. more holds further extensions, without code and service.
func (r *run) addError(message string, path []segment, code, service string, more map[string]json.RawMessage) {
	if len(r.errs) >= maxErrors {
		return
	}
	b := append([]byte(`{"message":`), quote(message)...)
	if len(path) > 0 {
		b = appendPath(append(b, `,"path":`...), path)
	}
	b = append(append(b, `,"extensions":{"code":`...), quote(code)...)
	if service != "" {
		b = append(append(b, `,"service":`...), quote(service)...)
	}
	delete(more, "code")
	delete(more, "service")
	if len(more) > 0 {
		if text, err := json.Marshal(more); err == nil {
			b = append(append(b, ','), text[1:len(text)-1]...)
		}
	}
	r.errs = append(r.errs, responseError{text: append(b, "}}"...), path: slices.Clone(path), part: r.part})
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`)
	}
	return b
}

// fetchFailed gives an error to everything that the client does not get because of a fetch.
func (r *run) fetchFailed(c *call, code, what string, cause error) {
	if r.e.o.OnFetchError != nil {
		r.e.o.OnFetchError(r.ctx, c.fetch.Subgraph, cause)
	}
	message := "Subgraph '" + c.fetch.Subgraph + "' " + what + "."
	for i, e := range c.fetch.Entries {
		r.discard(e, &c.entries[i])
		r.eachPlace(e, &c.entries[i], -1, func(path []segment, record uint32) {
			r.failFields(e, path, record, message, code, c.fetch.Subgraph)
		})
	}
}

// discard drops what was read of an answer that turned out to be unusable.
func (r *run) discard(e *plan.Entry, ce *called) {
	for _, t := range ce.targets {
		for _, f := range e.Selection.Fields {
			if !f.TypeName {
				r.arena.set(t.record, f.Slot, value{})
			}
		}
	}
}

// failFields reports at the fields that the client asked for, or at the object where the planner alone asked.
func (r *run) failFields(e *plan.Entry, path []segment, record uint32, message, code, service string) {
	reported := false
	for _, f := range e.Selection.Fields {
		if f.Client == "" || !r.wants(f.Cond) || !r.hasType(f.Types, record) {
			continue
		}
		r.addError(message, append(slices.Clip(path), segment{key: f.Client}), code, service, nil)
		reported = true
	}
	if !reported {
		r.addError(message, path, code, service, nil)
	}
}

func (r *run) hasType(types []*federation.Type, record uint32) bool {
	id := r.arena.typeID(record)
	return slices.ContainsFunc(types, func(t *federation.Type) bool { return t.ID == id })
}

// subgraphErrors takes over the errors of a subgraph's answer, with paths in the client's terms. Whatever is wrong with an error, it
// costs nothing of the data.
func (r *run) subgraphErrors(c *call, text []byte) {
	var list []json.RawMessage
	if json.Unmarshal(text, &list) != nil {
		list = []json.RawMessage{text} // one error that came without a list around it
	}
	policy := r.e.errorsOf(c.fetch.Subgraph)
	for _, raw := range list {
		if len(r.errs) >= maxErrors {
			return
		}
		e := readError(raw, c.fetch.Subgraph)
		code := policy.view(&e)
		r.placeError(c, e.path, func(path []segment) { r.addError(e.message, path, code, c.fetch.Subgraph, e.extensions) })
	}
}

type subgraphError struct {
	message    string
	path       []any
	extensions map[string]json.RawMessage
}

// readError takes what can be read of an error.
func readError(raw json.RawMessage, subgraph string) subgraphError {
	var e subgraphError
	var parts struct{ Message, Path, Extensions json.RawMessage }
	_ = json.Unmarshal(raw, &parts)
	_ = json.Unmarshal(parts.Path, &e.path)
	_ = json.Unmarshal(parts.Extensions, &e.extensions)
	if json.Unmarshal(parts.Message, &e.message) != nil || e.message == "" {
		e.message = "Subgraph '" + subgraph + "' gave an error without a message."
	}
	return e
}

// placeError calls report with each path of the client's response that a path of a subgraph's answer stands for.
func (r *run) placeError(c *call, path []any, report func([]segment)) {
	if first := c.fetch.Entries[0]; first.Variable == "" {
		r.eachPlace(first, &c.entries[0], -1, func(at []segment, _ uint32) { report(translate(first.Selection, at, path)) })
		return
	}
	alias, rest := "", path
	if len(path) > 0 {
		alias, _ = path[0].(string)
		rest = path[1:]
	}
	for i, e := range c.fetch.Entries {
		if alias != "" && e.Alias != alias {
			continue
		}
		rep, under := -1, []any(nil)
		if len(rest) > 0 {
			if n, ok := rest[0].(float64); ok {
				rep, under = int(n), rest[1:]
				if n != float64(rep) || rep < 0 || rep >= c.entries[i].count {
					report(nil) // of an entity that was not asked for
					continue
				}
			}
		}
		r.eachPlace(e, &c.entries[i], rep, func(at []segment, _ uint32) {
			report(translate(e.Selection, at, under))
		})
	}
}

// translate appends a subgraph's path under a selection to a path of the client. It ends where the client
// did not ask.
func translate(sel *plan.Selection, at []segment, path []any) []segment {
	out := slices.Clone(at)
	for _, p := range path {
		switch p := p.(type) {
		case float64:
			out = append(out, segment{index: int(p)})
		case string:
			if sel == nil {
				return out
			}
			i := slices.IndexFunc(sel.Fields, func(f *plan.SelectionField) bool { return f.Key == p })
			if i < 0 || sel.Fields[i].Client == "" {
				return out
			}
			out = append(out, segment{key: sel.Fields[i].Client})
			sel = sel.Fields[i].Child
		default:
			return out
		}
	}
	return out
}

// eachPlace finds the places in the response of an entry's records; of one representation, or of all when
// rep is -1. Paths are made only now: an answer without errors never needs them.
func (r *run) eachPlace(e *plan.Entry, ce *called, rep int, visit func(path []segment, record uint32)) {
	if e.Variable == "" && len(e.Paths) == 0 {
		visit(nil, r.root)
		return
	}
	wanted := map[uint32]bool{}
	for _, t := range ce.targets {
		if rep < 0 || int(t.rep) == rep {
			wanted[t.record] = true
		}
	}
	visited := 0
	var walk func(v value, p plan.Path, path []segment)
	walk = func(v value, p plan.Path, path []segment) {
		switch {
		case visited >= maxErrors:
		case v.kind == list:
			for i := range v.b {
				walk(r.arena.values[v.a+i], p, append(slices.Clip(path), segment{index: int(i)}))
			}
		case v.kind == object && len(p) > 0:
			walk(r.arena.slot(v.a, p[0].Slot), p[1:], append(slices.Clip(path), segment{key: p[0].Field}))
		case v.kind == object && wanted[v.a]:
			visited++
			visit(path, v.a)
		}
	}
	for _, p := range e.Paths {
		walk(value{kind: object, a: r.root}, p, nil)
	}
}

// asked says whether the client selected, under v printed as o, what an error is about. A subgraph that cannot tell the
// types of its objects apart is asked for fields of more objects than the client selects them for.
func (r *run) asked(v value, o *plan.Object, path []segment) bool {
	for _, s := range path {
		switch {
		case s.key == "" && v.kind == list && s.index >= 0 && uint32(s.index) < v.b:
			v = r.arena.values[v.a+uint32(s.index)]
		case s.key != "" && v.kind == object && o != nil:
			variant := variantOf(o, r.arena.typeID(v.a))
			if variant == nil {
				return true
			}
			i := slices.IndexFunc(variant.Fields, func(f *plan.OutputField) bool { return f.Name == s.key && r.wants(f.Cond) })
			if i < 0 {
				return false
			}
			if variant.Fields[i].Denied {
				return true
			}
			v, o = r.arena.slot(v.a, variant.Fields[i].Slot), variant.Fields[i].Child
		default:
			return true
		}
	}
	return true
}
