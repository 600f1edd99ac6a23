package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// selection is what one fetch asks of the objects at one site.
type selection struct {
	graph    federation.GraphID
	site     *site
	types    []*federation.Type
	fields   []*selField
	aliases  map[string]*selField
	bySlot   map[*slot][]*selField // of many fields
	typename bool
	stub     bool // the subgraph has the interface as an object type: its __typename says nothing
	entry    *entry
}

// selField is one field of a selection, for some of its types.
type selField struct {
	slot  *slot
	alias string
	shape string // of the value in the subgraph: fields of different shape need different aliases
	types []*federation.Type
	cond  cond
	child *selection
}

func newSelection(e *entry, st *site, types []*federation.Type) *selection {
	return &selection{graph: e.graph, site: st, types: types, entry: e, aliases: map[string]*selField{}}
}

// manyFields is from how many fields on an index pays.
const manyFields = 16

// of are the fields of a selection that may be of a slot.
func (s *selection) of(sl *slot) []*selField {
	if len(s.fields) < manyFields {
		return s.fields
	}
	if s.bySlot == nil {
		s.bySlot = map[*slot][]*selField{}
		for _, f := range s.fields {
			s.bySlot[f.slot] = append(s.bySlot[f.slot], f)
		}
	}
	return s.bySlot[sl]
}

// field is how objects of type t get the slot from this selection; nil when they do not.
func (s *selection) field(sl *slot, t *federation.Type) *selField {
	for _, f := range s.of(sl) {
		if f.slot == sl && slices.Contains(f.types, t) {
			return f
		}
	}
	return nil
}

// add asks for a slot of objects of type t, under a condition.
// Types for which @provides makes different things available below are kept apart.
func (s *selection) add(sl *slot, t *federation.Type, c cond, shape string, provided []ast.SelectionSet) *selField {
	for _, set := range provided {
		shape += fmt.Sprintf(" %p", set)
	}
	var f *selField
	known := s.of(sl)
	if i := slices.IndexFunc(known, func(f *selField) bool { return f.slot == sl && f.shape == shape }); i >= 0 {
		f = known[i]
	} else {
		f = &selField{slot: sl, alias: s.alias(sl), shape: shape}
		s.fields = append(s.fields, f)
		if s.bySlot != nil {
			s.bySlot[sl] = append(s.bySlot[sl], f)
		}
		s.aliases[f.alias] = f
	}
	if !slices.Contains(f.types, t) {
		f.types = append(f.types, t)
	}
	f.cond = f.cond.union(c)
	return f
}

// shape is the type of a leaf in a subgraph, or the nullability and lists of a composite field there.
func (b *builder) shape(j *federation.FieldJoin, leaf bool) string {
	if shape, known := b.shapes[j]; known {
		return shape
	}
	shape := j.Type.String()
	if !leaf {
		shape = strings.Map(func(r rune) rune {
			if strings.ContainsRune("[]!", r) {
				return r
			}
			return -1
		}, shape)
	}
	b.shapes[j] = shape
	return shape
}

// alias is the slot's response key in this selection: the client's where it is free. Two slots never
// share one, so that answers of different shape need no telling apart. __typename is never free: the planner asks for it itself.
func (s *selection) alias(sl *slot) string {
	name := sl.respKey
	if name == "" {
		name = sl.name
	}
	alias := name
	for i := 1; s.aliases[alias] != nil || alias == "__typename"; i++ {
		alias = name + "__" + strconv.Itoa(i)
	}
	return alias
}

// entry is a selection at the top of a fetch: the root, or entities at a site.
type entry struct {
	graph    federation.GraphID
	site     *site
	part     *part
	stage    int
	epoch    int
	sel      *selection
	reps     []*rep // nil for the root
	contexts []*contextVar
	deps     []*entry // entries that must be done before
	// of is the interface whose objects the entry tells apart; nil for other entries.
	of   *federation.Type
	cond cond // with of: when the objects are wanted
}

// rep is the representation of one concrete type.
type rep struct {
	typ    *federation.Type
	fields []*repField
	from   []*arrival
}

type repField struct {
	name     string
	slot     *slot
	key      bool
	child    []*repField
	types    []*federation.Type
	abstract bool
}

func (e *entry) rep(t *federation.Type) *rep {
	for _, r := range e.reps {
		if r.typ == t {
			return r
		}
	}
	return nil
}

func (e *entry) dependOn(d *entry) {
	if d != e && !slices.Contains(e.deps, d) {
		e.deps = append(e.deps, d)
	}
}

// mergeRep merges the fields of a representation. It reports false when a name would stand for two
// different values: the same field with other arguments.
func mergeRep(have, more []*repField) ([]*repField, bool) {
	out := slices.Clone(have)
	for _, m := range more {
		i := slices.IndexFunc(out, func(f *repField) bool { return f.name == m.name })
		if i < 0 {
			out = append(out, m)
			continue
		}
		if out[i].slot != m.slot {
			return nil, false
		}
		merged := *out[i]
		child, ok := mergeRep(merged.child, m.child)
		if !ok {
			return nil, false
		}
		merged.child = child
		merged.key = merged.key || m.key
		if merged.types != nil && m.types != nil {
			merged.types = unionTypes(merged.types, m.types)
		} else {
			merged.types = nil
		}
		out[i] = &merged
	}
	return out, true
}

// source is a selection through which fields can be had for objects of an arrival.
type source struct {
	sel      *selection
	types    []*federation.Type // nil: all types of the arrival
	provided []ast.SelectionSet // what @provides makes available here
}

func (s *source) covers(t *federation.Type) bool {
	if s.types != nil {
		return slices.Contains(s.types, t)
	}
	return slices.Contains(s.sel.types, t)
}

func (s *source) stage() int { return s.sel.entry.stage }

// arrival is a way in which objects get to a site: through one selection at first, then through the hops
// made from there.
type arrival struct {
	site    *site
	types   []*federation.Type
	sources []*source
	parent  *arrival
	owners  []*federation.Type // parent types whose slot leads here
	filled  *part              // the last part whose fields were obtained
	// stub is the interface that the objects arrive as when a subgraph does not know their types; named
	// is the source that told them.
	stub  *federation.Type
	named *source
}

// providedFor is the part of @provides that stands under a field for type t.
func providedFor(sg *federation.Supergraph, sets []ast.SelectionSet, t *federation.Type, name string) (under []ast.SelectionSet, ok bool) {
	for _, set := range sets {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if sel.Name == name {
					ok = true
					if len(sel.SelectionSet) > 0 {
						under = append(under, sel.SelectionSet)
					}
				}
			case *ast.InlineFragment:
				c := t
				if sel.TypeCondition != "" {
					c = sg.Type(sel.TypeCondition)
				}
				if c != nil && isPossible(c, t) {
					more, found := providedFor(sg, []ast.SelectionSet{sel.SelectionSet}, t, name)
					under, ok = append(under, more...), ok || found
				}
			}
		}
	}
	return under, ok
}

// resolves says whether the field can be had of the source right away.
func (b *builder) resolves(s *source, f *federation.Field) bool {
	j := f.In[s.sel.graph]
	if j == nil {
		return false
	}
	if j.LocalFor(b.given.Labels) && !needs(j) {
		return true
	}
	_, ok := providedFor(b.sg, s.provided, f.Parent, f.Name)
	return ok
}
