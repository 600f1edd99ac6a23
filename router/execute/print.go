package execute

import (
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/plan"
)

// print writes the response in one pass. A null where the schema allows none takes back what was written of the
// object or list around it (GraphQL specification, section 6.4.4).
func (r *run) print() {
	root := value{kind: object, a: r.root}
	r.errs = slices.DeleteFunc(r.errs, func(e responseError) bool { return !r.asked(root, r.in.Plan.Output, e.path) })
	r.out = append(r.out[:0], `{"data":`...)
	r.data(root, r.in.Plan.Output)
	if len(r.errs) > 0 {
		r.out = append(r.out, `,"errors":[`...)
		for i := range r.errs {
			if i > 0 {
				r.out = append(r.out, ',')
			}
			r.out = append(r.out, r.errs[i].text...)
		}
		r.out = append(r.out, ']')
	}
	r.out = append(r.out, '}')
}

// data prints the top of an answer or of a deferred part of it.
func (r *run) data(v value, o *plan.Object) {
	start, waiting := len(r.out), len(r.pending)
	out, ok := r.object(r.out, v, o)
	if !ok {
		out = append(out[:start], "null"...)
		r.pending = r.pending[:waiting]
	}
	r.out = out
}

// segment is one step of a response path: a response key, or a list index when key is empty.
type segment struct {
	key   string
	index int
}

// object appends a record; false when a null in it makes the whole null. Like all that print below it, it takes and returns what is printed
// so far, and knows where it is by r.path: there, plain leaves are only when something is wrong with them.
func (r *run) object(out []byte, v value, o *plan.Object) ([]byte, bool) {
	variant := variantOf(o, r.arena.typeID(v.a))
	if variant == nil {
		return out, false // a type that the API does not have
	}
	start := len(out)
	for _, f := range variant.Fields {
		if f.Plain {
			if have := r.arena.slot(v.a, f.Slot); have.kind == leaf {
				if text := r.arena.text(have); f.Leaf.Allows(text) {
					out = append(append(out, f.Key...), text...)
					continue
				}
			}
		}
		if !r.wants(f.Cond) || f.Unless != plan.Always && r.wants(f.Unless) {
			continue
		}
		var ok bool
		if out, ok = r.field(append(out, f.Key...), v.a, f); !ok && f.Type.NonNull {
			return out, false
		}
	}
	if len(out) == start {
		out = append(out, '{')
	} else {
		out[start] = '{' // in place of the first field's comma
	}
	for _, d := range variant.Deferred {
		if r.wants(d.Cond) {
			r.pending = append(r.pending, pending{part: d.Part, record: v.a, path: slices.Clone(r.path)})
		}
	}
	return append(out, '}'), true
}

// field appends the value of a record's field; false when it is null.
func (r *run) field(out []byte, record uint32, f *plan.OutputField) ([]byte, bool) {
	switch {
	case f.TypeName:
		out = append(append(out, '"'), r.e.sg.Objects()[r.arena.typeID(record)].Name...)
		return append(out, '"'), true
	case f.Introspection != nil:
		return r.introspect(out, f.Introspection), true
	}
	r.path = append(r.path, segment{key: f.Name})
	ok := false
	if f.Denied {
		r.addError(DeniedMessage, r.path, CodeDenied, "", nil)
		out = append(out, "null"...)
	} else {
		out, ok = r.complete(out, r.arena.slot(record, f.Slot), f.Type, f)
	}
	r.path = r.path[:len(r.path)-1]
	return out, ok
}

// variantOf is how objects of a type are printed; nil when they are not for the client.
func variantOf(o *plan.Object, typeID int) *plan.Variant {
	if o.Only == nil || typeID < 0 && !o.Untyped {
		return o.ByType[typeID]
	}
	return o.Only
}

// complete appends one value, or null and false. The caller knows what a null means to it.
func (r *run) complete(out []byte, v value, t *ast.Type, f *plan.OutputField) ([]byte, bool) {
	start, waiting := len(out), len(r.pending)
	out, ok := r.nonNull(out, v, t, f)
	if !ok {
		out = append(out[:start], "null"...)
		r.pending = r.pending[:waiting] // nothing is delivered to objects that are not there
	}
	return out, ok
}

func (r *run) nonNull(out []byte, v value, t *ast.Type, f *plan.OutputField) ([]byte, bool) {
	switch v.kind {
	case list:
		if t.Elem == nil {
			return out, r.misfit(f)
		}
		return r.list(out, v, t.Elem, f)
	case object:
		if t.Elem != nil || f.Child == nil || r.arena.misnamed(v.a) && r.arena.typeID(v.a) < 0 {
			return out, r.misfit(f)
		}
		out, ok := r.object(out, v, f.Child)
		return out, ok || r.missing(t, f)
	case leaf:
		if f.Child != nil {
			return out, r.misfit(f)
		}
		return r.leaf(out, r.arena.text(v), t, f)
	default:
		return out, r.missing(t, f)
	}
}

func (r *run) list(out []byte, v value, elem *ast.Type, f *plan.OutputField) ([]byte, bool) {
	out = append(out, '[')
	at := len(r.path)
	r.path = append(r.path, segment{})
	for i, item := range r.arena.values[v.a : v.a+v.b] {
		if i > 0 {
			out = append(out, ',')
		}
		r.path[at].index = i
		var ok bool
		if out, ok = r.complete(out, item, elem, f); !ok && elem.NonNull {
			r.path = r.path[:at]
			return out, false
		}
	}
	r.path = r.path[:at]
	return append(out, ']'), true
}

// leaf appends a leaf or a list of them. Values that an enum does not show are null.
func (r *run) leaf(out, text []byte, t *ast.Type, f *plan.OutputField) ([]byte, bool) {
	switch {
	case t.Elem != nil && text[0] != 'n':
		return r.leafList(out, text, t, f)
	case text[0] == 'n', f.Enum != nil && text[0] == '"' && !f.Enum[string(text)]:
		return out, r.missing(t, f)
	case f.Enum != nil && text[0] != '"', !f.Leaf.Allows(text):
		return out, r.misfit(f)
	}
	return append(out, text...), true
}

func (r *run) leafList(out, text []byte, t *ast.Type, f *plan.OutputField) ([]byte, bool) {
	if text[0] != '[' {
		return out, r.misfit(f)
	}
	s := scanner{b: text}
	out = append(out, '[')
	more, _ := s.open(']') // the text was validated when it was read
	for i := 0; more; i++ {
		if i > 0 {
			out = append(out, ',')
		}
		s.space()
		at, start := s.i, len(out)
		_ = s.skip()
		r.path = append(r.path, segment{index: i})
		var ok bool
		out, ok = r.leaf(out, text[at:s.i], t.Elem, f)
		r.path = r.path[:len(r.path)-1]
		if !ok {
			if t.Elem.NonNull {
				return out, false
			}
			out = append(out[:start], "null"...)
		}
		more, _ = s.next(']')
	}
	return append(out, ']'), true
}

// missing is a null. Where the schema allows none and nobody said why, that is an error of its own.
func (r *run) missing(t *ast.Type, f *plan.OutputField) bool {
	if t.NonNull && !r.explained() {
		r.addError("Cannot return null for non-nullable field "+f.Parent+"."+f.Field+".", r.path, codeNull, "", nil)
	}
	return false
}

// misfit is a value that no type of the field allows, a null for the client.
func (r *run) misfit(f *plan.OutputField) bool {
	if !r.explained() {
		r.addError("The subgraph's value for "+f.Parent+"."+f.Field+" does not fit its type "+f.Type.String()+".", r.path, codeMalformed, "", nil)
	}
	return false
}

// explained says whether an error stands at the place being printed, above it or below it.
func (r *run) explained() bool {
	for i := range r.errs {
		if !r.concerns(r.errs[i].part) {
			continue
		}
		p := r.errs[i].path
		n := min(len(p), len(r.path))
		same := true
		for j := 0; j < n && same; j++ {
			same = p[j] == r.path[j]
		}
		if same {
			return true
		}
	}
	return false
}

func appendPath(b []byte, path []segment) []byte {
	b = append(b, '[')
	for i, s := range path {
		if i > 0 {
			b = append(b, ',')
		}
		if s.key == "" {
			b = strconv.AppendInt(b, int64(s.index), 10)
			continue
		}
		b = append(b, '"')
		b = append(b, s.key...)
		b = append(b, '"')
	}
	return append(b, ']')
}
