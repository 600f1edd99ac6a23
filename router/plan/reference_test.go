package plan

import (
	"math/bits"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// The reference planner knows nothing of how the planner works. It asks of a schedule, which subgraph is called at which
// stage, whether calls that take all that they can get would answer the operation, and tries schedules from the cheapest
// on. It is for small operations on few subgraphs, without conditions and interface objects.

// refPlace is a place in the response, with what must be known of the objects there.
type refPlace struct {
	types    []*federation.Type
	children map[string]*refPlace
	wants    map[*federation.Type][]*ast.Field // the client's
	deep     int                               // how many more levels of field sets are unfolded
	fields   map[*federation.Type][]*refField
}

// refField is one field of one type that the client, a key or a requirement may ask for.
type refField struct {
	f     *federation.Field
	child *refPlace
	fact  int
}

type reference struct {
	sg     *federation.Supergraph
	places []*refPlace
	root   *refPlace
	facts  int
}

func newReference(sg *federation.Supergraph, op *ast.OperationDefinition) *reference {
	r := &reference{sg: sg}
	r.root = r.place(sg.Root(op.Operation).Possible, 2)
	r.client(r.root, op.SelectionSet)
	for i := 0; i < len(r.places); i++ {
		r.unfold(r.places[i])
	}
	return r
}

func (r *reference) place(types []*federation.Type, deep int) *refPlace {
	p := &refPlace{
		types: types, children: map[string]*refPlace{}, deep: deep,
		wants: map[*federation.Type][]*ast.Field{}, fields: map[*federation.Type][]*refField{},
	}
	r.places = append(r.places, p)
	return p
}

// client notes what the client selects.
func (r *reference) client(p *refPlace, set ast.SelectionSet) {
	for _, t := range p.types {
		r.clientOf(p, t, set)
	}
}

func (r *reference) clientOf(p *refPlace, t *federation.Type, set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Name == "__typename" {
				continue
			}
			p.wants[t] = append(p.wants[t], sel)
			if f := r.field(p, t, sel, 2); f.child != nil {
				r.client(f.child, sel.SelectionSet)
			}
		case *ast.InlineFragment:
			if on := r.sg.Type(sel.TypeCondition); on == nil || isPossible(on, t) {
				r.clientOf(p, t, sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			if isPossible(r.sg.Type(sel.Definition.TypeCondition), t) {
				r.clientOf(p, t, sel.Definition.SelectionSet)
			}
		}
	}
}

func (r *reference) field(p *refPlace, t *federation.Type, sel *ast.Field, deep int) *refField {
	key := fieldKey(sel.Name, sel.Arguments)
	f := t.Field(sel.Name)
	child := p.children[key]
	if named := r.sg.Type(f.Def.Type.Name()); named.IsComposite() && child == nil {
		child = r.place(named.Possible, deep)
		p.children[key] = child
	}
	for _, have := range p.fields[t] {
		if have.f == f && have.child == child {
			return have
		}
	}
	rf := &refField{f: f, child: child, fact: r.facts}
	r.facts++
	p.fields[t] = append(p.fields[t], rf)
	return rf
}

// unfold adds what keys and requirements of the types at a place may need.
func (r *reference) unfold(p *refPlace) {
	if p.deep == 0 {
		return
	}
	for _, t := range p.types {
		for _, j := range t.In {
			if j != nil {
				for _, k := range j.Keys {
					r.set(p, t, k.Fields)
				}
			}
		}
		for i := 0; i < len(p.fields[t]); i++ {
			for _, j := range p.fields[t][i].f.In {
				if j != nil {
					r.set(p, t, j.Requires)
				}
			}
		}
	}
}

func (r *reference) set(p *refPlace, t *federation.Type, set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if f := r.field(p, t, sel, p.deep-1); f.child != nil {
				for _, ct := range f.child.types {
					r.set(f.child, ct, sel.SelectionSet)
				}
			}
		case *ast.InlineFragment:
			if on := r.sg.Type(sel.TypeCondition); on == nil || isPossible(on, t) {
				r.set(p, t, sel.SelectionSet)
			}
		}
	}
}

// known is the set of facts: fields whose values are there.
type known []bool

// has says whether a field set is known of objects of type t.
func (r *reference) has(k known, p *refPlace, t *federation.Type, set ast.SelectionSet) bool {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			if on := r.sg.Type(sel.TypeCondition); (on == nil || isPossible(on, t)) && !r.has(k, p, t, sel.SelectionSet) {
				return false
			}
		case *ast.Field:
			i := slices.IndexFunc(p.fields[t], func(f *refField) bool {
				return f.f.Name == sel.Name && f.child == p.children[fieldKey(sel.Name, sel.Arguments)]
			})
			if i < 0 || !k[p.fields[t][i].fact] {
				return false
			}
			if child := p.fields[t][i].child; child != nil {
				for _, ct := range child.types {
					if !r.has(k, child, ct, sel.SelectionSet) {
						return false
					}
				}
			}
		}
	}
	return true
}

// call adds to next all that subgraph g can tell, given what is known before.
func (r *reference) call(before, next known, g federation.GraphID, first bool) {
	if first && r.root.types[0].In[g] != nil {
		r.take(before, next, g, r.root, r.root.types[0], nil, false)
	}
	for _, p := range r.places[1:] {
		for _, t := range p.types {
			if j := t.In[g]; j != nil && slices.ContainsFunc(j.Keys, func(k *federation.Key) bool {
				return k.Resolvable && r.has(before, p, t, k.Fields)
			}) {
				r.take(before, next, g, p, t, nil, true)
			}
		}
	}
}

// take learns what g answers of objects of type t at a place, once there.
func (r *reference) take(before, next known, g federation.GraphID, p *refPlace, t *federation.Type, provided []ast.SelectionSet, entered bool) {
	for _, f := range p.fields[t] {
		j := f.f.In[g]
		if j == nil {
			continue
		}
		under, ok := providedFor(r.sg, provided, t, f.f.Name)
		switch {
		case ok:
		case !j.Local:
			continue
		case len(j.Requires) > 0 && (!entered || !r.has(before, p, t, j.Requires)):
			continue
		}
		next[f.fact] = true
		if f.child == nil {
			continue
		}
		if len(j.Provides) > 0 {
			under = append(under, j.Provides)
		}
		for _, ct := range possibleIn(r.sg.Type(j.Type.Name()), g) {
			r.take(before, next, g, f.child, ct, under, false)
		}
	}
}

// answered says whether all is known that the client wants.
func (r *reference) answered(k known) bool {
	for _, p := range r.places {
		for t, wants := range p.wants {
			for _, w := range wants {
				if !r.has(k, p, t, ast.SelectionSet{&ast.Field{Name: w.Name, Arguments: w.Arguments}}) {
					return false
				}
			}
		}
	}
	return true
}

// run says whether a schedule answers the operation: for each stage the set of subgraphs that are called.
func (r *reference) run(schedule []uint) bool {
	k := make(known, r.facts)
	for stage, graphs := range schedule {
		next := slices.Clone(k)
		for ; graphs != 0; graphs &= graphs - 1 {
			r.call(k, next, federation.GraphID(bits.TrailingZeros(graphs)), stage == 0)
		}
		k = next
	}
	return r.answered(k)
}

// best finds the least number of stages, and the least number of calls in so many stages; ok is false when maxStages do
// not suffice.
func (r *reference) best(maxStages int) (stages, calls int, ok bool) {
	graphs := len(r.sg.Subgraphs())
	for stages = 0; stages <= maxStages; stages++ {
		all := make([]uint, stages)
		for i := range all {
			all[i] = 1<<graphs - 1
		}
		if r.run(all) {
			break
		}
	}
	if stages > maxStages {
		return 0, 0, false
	}
	for calls = stages; ; calls++ {
		if r.try(make([]uint, stages), 0, calls, graphs) {
			return stages, calls, true
		}
	}
}

// try fills the cells of a schedule from one on with so many calls.
func (r *reference) try(schedule []uint, from, calls, graphs int) bool {
	if calls == 0 {
		return r.run(schedule)
	}
	for cell := from; cell <= len(schedule)*graphs-calls; cell++ {
		schedule[cell/graphs] |= 1 << (cell % graphs)
		if r.try(schedule, cell+1, calls-1, graphs) {
			return true
		}
		schedule[cell/graphs] &^= 1 << (cell % graphs)
	}
	return false
}
