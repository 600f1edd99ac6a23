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
	if !r.object(v, o) {
		r.out = append(r.out[:start], "null"...)
		r.pending = r.pending[:waiting]
	}
}

// segment is one step of a response path: a response key, or a list index when key is empty.
type segment struct {
	key   string
	index int
}

// object prints a record; false when a null in it makes the whole null.
func (r *run) object(v value, o *plan.Object) bool {
	id := r.arena.typeID(v.a)
	variant := variantOf(o, id)
	if variant == nil {
		return false // a type that the API does not have
	}
	r.out = append(r.out, '{')
	first := true
	for _, f := range variant.Fields {
		if !r.wants(f.Cond) || f.Unless != plan.Always && r.wants(f.Unless) {
			continue
		}
		if !first {
			r.out = append(r.out, ',')
		}
		first = false
		r.out = append(r.out, f.Key...)
		if f.TypeName {
			r.out = append(r.out, '"')
			r.out = append(r.out, r.e.sg.Objects()[id].Name...)
			r.out = append(r.out, '"')
			continue
		}
		if f.Introspection != nil {
			r.introspect(f.Introspection)
			continue
		}
		r.path = append(r.path, segment{key: f.Name})
		if f.Denied {
			r.addError(DeniedMessage, r.path, CodeDenied, "", nil)
			r.out = append(r.out, "null"...)
			if r.path = r.path[:len(r.path)-1]; f.Type.NonNull {
				return false
			}
			continue
		}
		ok := r.complete(r.arena.slot(v.a, f.Slot), f.Type, f)
		r.path = r.path[:len(r.path)-1]
		if !ok && f.Type.NonNull {
			return false
		}
	}
	r.out = append(r.out, '}')
	for _, d := range variant.Deferred {
		if r.wants(d.Cond) {
			r.pending = append(r.pending, pending{part: d.Part, record: v.a, path: slices.Clone(r.path)})
		}
	}
	return true
}

// variantOf is how objects of a type are printed; nil when they are not for the client.
func variantOf(o *plan.Object, typeID int) *plan.Variant {
	if o.Only == nil || typeID < 0 && !o.Untyped {
		return o.ByType[typeID]
	}
	return o.Only
}

// complete prints one value, or null and false. The caller knows what a null means to it.
func (r *run) complete(v value, t *ast.Type, f *plan.OutputField) bool {
	start, waiting := len(r.out), len(r.pending)
	if r.nonNull(v, t, f) {
		return true
	}
	r.out = append(r.out[:start], "null"...)
	r.pending = r.pending[:waiting] // nothing is delivered to objects that are not there
	return false
}

func (r *run) nonNull(v value, t *ast.Type, f *plan.OutputField) bool {
	switch v.kind {
	case list:
		if t.Elem == nil {
			return r.misfit(f)
		}
		return r.list(v, t, f)
	case object:
		if t.Elem != nil || f.Child == nil || r.arena.misnamed(v.a) && r.arena.typeID(v.a) < 0 {
			return r.misfit(f)
		}
		return r.object(v, f.Child) || r.missing(t, f)
	case leaf:
		if f.Child != nil {
			return r.misfit(f)
		}
		return r.leaf(r.arena.text(v), t, f)
	default:
		return r.missing(t, f)
	}
}

func (r *run) list(v value, t *ast.Type, f *plan.OutputField) bool {
	r.out = append(r.out, '[')
	for i := range v.b {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		r.path = append(r.path, segment{index: int(i)})
		ok := r.complete(r.arena.values[v.a+i], t.Elem, f)
		r.path = r.path[:len(r.path)-1]
		if !ok && t.Elem.NonNull {
			return false
		}
	}
	r.out = append(r.out, ']')
	return true
}

// leaf prints a leaf or a list of them. Values that an enum does not show are null.
func (r *run) leaf(text []byte, t *ast.Type, f *plan.OutputField) bool {
	switch {
	case t.Elem != nil && text[0] != 'n':
		return r.leafList(text, t, f)
	case text[0] == 'n', f.Enum != nil && text[0] == '"' && !f.Enum[string(text)]:
		return r.missing(t, f)
	case f.Enum != nil && text[0] != '"', !f.Leaf.Allows(text):
		return r.misfit(f)
	}
	r.out = append(r.out, text...)
	return true
}

func (r *run) leafList(text []byte, t *ast.Type, f *plan.OutputField) bool {
	if text[0] != '[' {
		return r.misfit(f)
	}
	s := scanner{b: text}
	r.out = append(r.out, '[')
	more, _ := s.open(']') // the text was validated when it was read
	for i := 0; more; i++ {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		s.space()
		at, start := s.i, len(r.out)
		_ = s.skip()
		r.path = append(r.path, segment{index: i})
		ok := r.leaf(text[at:s.i], t.Elem, f)
		r.path = r.path[:len(r.path)-1]
		if !ok {
			if t.Elem.NonNull {
				return false
			}
			r.out = append(r.out[:start], "null"...)
		}
		more, _ = s.next(']')
	}
	r.out = append(r.out, ']')
	return true
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
