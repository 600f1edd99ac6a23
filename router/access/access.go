package access

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// Rights are what is known of a request. The zero value has none.
type Rights struct {
	Authenticated bool
	Scopes        []string
	Policies      map[string]bool // that hold for it
}

// Rules are what a supergraph asks of requests. They are immutable.
type Rules struct {
	sg    *federation.Supergraph
	needs []*federation.Access       // different ones, in the order of the schema
	of    map[coordinate]requirement // of fields that need anything
}

// coordinate is a field of an object or interface type.
type coordinate struct{ typ, field string }

// requirement is what must hold, as indexes into Rules.needs, sorted.
type requirement []int

// New reads the rules of a supergraph; nil when everything is open to all.
func New(sg *federation.Supergraph) *Rules {
	b := builder{Rules: &Rules{sg: sg, of: map[coordinate]requirement{}}, index: map[string]int{}, under: map[*federation.Field]bool{}, known: map[*federation.Field]requirement{}}
	for _, def := range sg.Definitions() {
		b.number(sg.Type(def.Name).Access)
		for _, f := range sg.Type(def.Name).Fields {
			b.number(f.Access)
		}
	}
	if len(b.needs) == 0 {
		return nil
	}
	for _, def := range sg.Definitions() {
		for _, f := range sg.Type(def.Name).Fields {
			if r := b.field(f); len(r) > 0 {
				b.of[coordinate{def.Name, f.Name}] = r
			}
		}
	}
	return b.Rules
}

// Touched finds what a validated operation needs rights for, whatever the types of its objects turn out to be. It is nil for operations that
// are open to all, and may be of an operation that needs less.
func (r *Rules) Touched(doc *ast.QueryDocument, operationName string) Touched {
	op := doc.Operations.ForName(operationName)
	if r == nil || op == nil {
		return nil
	}
	w := walker{rules: r, found: map[int]bool{}, seen: map[*ast.FragmentDefinition]bool{}}
	w.selections(op.SelectionSet)
	return slices.Sorted(maps.Keys(w.found))
}

// Touched are indexes into Rules.needs.
type Touched []int

type walker struct {
	rules *Rules
	found map[int]bool
	seen  map[*ast.FragmentDefinition]bool
}

func (w *walker) selections(set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			w.field(sel)
			w.selections(sel.SelectionSet)
		case *ast.InlineFragment:
			w.selections(sel.SelectionSet)
		case *ast.FragmentSpread:
			if !w.seen[sel.Definition] {
				w.seen[sel.Definition] = true
				w.selections(sel.Definition.SelectionSet)
			}
		}
	}
}

func (w *walker) field(f *ast.Field) {
	if f.ObjectDefinition == nil {
		return
	}
	on := w.rules.sg.Type(f.ObjectDefinition.Name)
	if on == nil {
		return // below introspection
	}
	w.add(on.Name, f.Name)
	for _, t := range on.Possible {
		w.add(t.Name, f.Name)
	}
}

func (w *walker) add(typ, field string) {
	for _, i := range w.rules.of[coordinate{typ, field}] {
		w.found[i] = true
	}
}

// Policies lists the policies on which anything touched depends.
func (r *Rules) Policies(touched Touched) []string {
	found := map[string]bool{}
	for _, i := range touched {
		for _, set := range r.needs[i].Policies {
			for _, p := range set {
				found[p] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Decide judges the rights of a request by what its operation touches.
func (r *Rules) Decide(touched Touched, rights Rights) *Ruling {
	g := &Ruling{rules: r, granted: make([]bool, len(r.needs))}
	key := make([]byte, (len(touched)+7)/8)
	for bit, i := range touched {
		if g.granted[i] = grants(rights, r.needs[i]); g.granted[i] {
			key[bit/8] |= 1 << (bit % 8)
		}
	}
	g.Key = hex.EncodeToString(key)
	return g
}

func grants(rights Rights, need *federation.Access) bool {
	return (rights.Authenticated || !need.Authenticated) &&
		(need.Scopes == nil || holdsOne(need.Scopes, func(s string) bool { return slices.Contains(rights.Scopes, s) })) &&
		(need.Policies == nil || holdsOne(need.Policies, func(p string) bool { return rights.Policies[p] }))
}

// holdsOne says whether all of one of the sets hold.
func holdsOne(sets [][]string, holds func(string) bool) bool {
	return slices.ContainsFunc(sets, func(set []string) bool {
		return !slices.ContainsFunc(set, func(s string) bool { return !holds(s) })
	})
}

// Ruling is what one request may see in one operation. It is immutable.
type Ruling struct {
	// Key is the same for requests that may see the same in the same operation. It says nothing of who they are.
	Key string

	rules   *Rules
	granted []bool // by index into Rules.needs; what the operation does not touch is not granted
}

// Denies says whether a field of an object or interface type is denied.
func (g *Ruling) Denies(typ, field string) bool {
	return slices.ContainsFunc(g.rules.of[coordinate{typ, field}], func(i int) bool { return !g.granted[i] })
}

// builder finds what fields need.
type builder struct {
	*Rules
	index map[string]int
	under map[*federation.Field]bool        // being looked at: requirements may go round
	known map[*federation.Field]requirement // done
}

// number gives each different need its index.
func (b *builder) number(a *federation.Access) (index int, any bool) {
	if a == nil {
		return 0, false
	}
	key := fmt.Sprintf("%v %q %v %q %v", a.Authenticated, a.Scopes, a.Scopes == nil, a.Policies, a.Policies == nil)
	i, ok := b.index[key]
	if !ok {
		i = len(b.needs)
		b.index[key] = i
		b.needs = append(b.needs, a)
	}
	return i, true
}

func (b *builder) field(f *federation.Field) requirement {
	if r, ok := b.known[f]; ok {
		return r
	}
	if b.under[f] {
		return nil
	}
	b.under[f] = true
	defer delete(b.under, f)
	found := map[int]bool{}
	for _, a := range []*federation.Access{f.Access, f.Parent.Access, b.sg.Type(f.Def.Type.Name()).Access} {
		if i, ok := b.number(a); ok {
			found[i] = true
		}
	}
	for _, j := range f.In {
		if j == nil || !j.Local {
			continue
		}
		b.set(j.Requires, f.Parent, found)
		for _, c := range j.Contexts {
			for _, def := range b.sg.Definitions() {
				if t := b.sg.Type(def.Name); slices.Contains(t.Contexts, c.Context) {
					b.set(c.Selection, t, found)
				}
			}
		}
	}
	r := requirement(slices.Sorted(maps.Keys(found)))
	if len(b.under) == 1 {
		b.known[f] = r // inside a circle an answer may lack what is still being looked at
	}
	return r
}

// set adds what the fields of a field set need, for all types that their objects may have.
func (b *builder) set(set ast.SelectionSet, on *federation.Type, found map[int]bool) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			f := on.Field(sel.Name)
			if f == nil {
				continue
			}
			b.add(f, found)
			for _, t := range on.Possible {
				if own := t.Field(sel.Name); own != nil && own != f {
					b.add(own, found)
				}
			}
			b.set(sel.SelectionSet, b.sg.Type(f.Def.Type.Name()), found)
		case *ast.InlineFragment:
			inner := on
			if t := b.sg.Type(sel.TypeCondition); t != nil {
				inner = t
			}
			b.set(sel.SelectionSet, inner, found)
		}
	}
}

func (b *builder) add(f *federation.Field, found map[int]bool) {
	for _, i := range b.field(f) {
		found[i] = true
	}
}
