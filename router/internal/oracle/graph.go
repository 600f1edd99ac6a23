package oracle

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Graph is what subgraphs say together, read from their own SDL: neither package compose nor package federation has a hand in it.
type Graph struct {
	services []*service
	types    map[string]*typ
	names    []string // of types, sorted
	objects  []*typ   // sorted by name
}

// typ is a type as all subgraphs together know it.
type typ struct {
	name         string
	kind         ast.DefinitionKind
	root         bool
	inaccessible bool
	interfaces   []string
	possible     []*typ // concrete types, sorted by name; an object is its own
	fields       []*field
	byName       map[string]*field
}

// field is a field as all subgraphs together know it.
type field struct {
	parent *typ
	name   string
	in     []*localField // by service; nil where it does not have the field
	typ    *ast.Type     // nullable where any subgraph says so
	strict *ast.Type     // nullable only where all subgraphs say so
	hidden []*ast.ArgumentDefinition
}

// Read joins subgraphs. It does not compose them: what does not fit together shows later.
func Read(sources ...Source) (*Graph, error) {
	g := &Graph{types: map[string]*typ{}}
	for _, src := range sources {
		s, err := readService(src)
		if err != nil {
			return nil, err
		}
		g.services = append(g.services, s)
	}
	g.joinTypes()
	g.joinFields()
	for _, name := range g.names {
		for _, f := range g.types[name].fields {
			if err := g.settle(f); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

// global is the name that the supergraph has for a type of a subgraph; roots may be called otherwise there.
func (s *service) global(name string) string {
	for op, def := range map[string]*ast.Definition{"Query": s.schema.Query, "Mutation": s.schema.Mutation, "Subscription": s.schema.Subscription} {
		if def != nil && def.Name == name {
			return op
		}
	}
	return name
}

// globalType is a type of a subgraph under its global name.
func (s *service) globalType(t *ast.Type) *ast.Type {
	c := *t
	if c.Elem != nil {
		c.Elem = s.globalType(c.Elem)
	} else {
		c.NamedType = s.global(c.NamedType)
	}
	return &c
}

func (g *Graph) joinTypes() {
	for _, s := range g.services {
		for _, local := range s.order {
			lt, name := s.types[local], s.global(local)
			t := g.types[name]
			if t == nil {
				t = &typ{name: name, kind: lt.def.Kind, byName: map[string]*field{}}
				t.root = name == "Query" || name == "Mutation" || name == "Subscription"
				g.types[name] = t
				g.names = append(g.names, name)
			}
			t.inaccessible = t.inaccessible || lt.def.Directives.ForName("@inaccessible") != nil
			if lt.interfaceObject {
				t.kind = ast.Interface
			}
			if lt.def.Kind == ast.Interface {
				t.kind = ast.Interface
			}
			for _, i := range lt.def.Interfaces {
				if !slices.Contains(t.interfaces, i) {
					t.interfaces = append(t.interfaces, i)
				}
			}
		}
	}
	sort.Strings(g.names)
	for _, name := range g.names {
		if t := g.types[name]; t.kind == ast.Object {
			g.objects = append(g.objects, t)
			t.possible = []*typ{t}
			for _, i := range t.interfaces {
				if it := g.types[i]; it != nil {
					it.possible = append(it.possible, t)
				}
			}
		}
	}
	for _, s := range g.services {
		for _, name := range s.order {
			for _, m := range s.types[name].def.Types {
				u := g.types[name]
				if !slices.Contains(u.possible, g.types[m]) {
					u.possible = append(u.possible, g.types[m])
				}
			}
		}
	}
	for _, t := range g.types {
		slices.SortFunc(t.possible, func(a, b *typ) int { return compareNames(a.name, b.name) })
	}
}

func compareNames(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (g *Graph) joinFields() {
	join := func(t *typ, i int, f *localField) {
		if machinery(f.def.Type.Name()) {
			return
		}
		joined := t.byName[f.def.Name]
		if joined == nil {
			joined = &field{parent: t, name: f.def.Name, in: make([]*localField, len(g.services))}
			t.byName[joined.name] = joined
			t.fields = append(t.fields, joined)
		}
		if joined.in[i] == nil {
			joined.in[i] = f
		}
	}
	for i, s := range g.services {
		for _, name := range s.order {
			lt := s.types[name]
			for _, def := range lt.def.Fields {
				if f := lt.fields[def.Name]; f != nil {
					join(g.types[s.global(name)], i, f)
				}
			}
		}
	}
	for i, s := range g.services { // the fields of interface objects are fields of all implementers
		for _, name := range s.order {
			if lt := s.types[name]; lt.interfaceObject {
				for _, t := range g.types[name].possible {
					for _, def := range lt.def.Fields {
						join(t, i, lt.fields[def.Name])
					}
				}
			}
		}
	}
}

// settle finds what the subgraphs' definitions of the field come to.
func (g *Graph) settle(f *field) error {
	for i, l := range f.in {
		if l == nil {
			continue
		}
		t := g.services[i].globalType(l.def.Type)
		if f.typ == nil {
			f.typ, f.strict = t, t
		} else {
			var ok bool
			if f.typ, f.strict, ok = mergeTypes(f.typ, f.strict, t); !ok {
				return fmt.Errorf("field %s.%s is %s and %s", f.parent.name, f.name, f.typ, l.def.Type)
			}
		}
		for _, a := range l.def.Arguments {
			if a.Directives.ForName("@inaccessible") != nil {
				f.hidden = append(f.hidden, a)
			}
		}
	}
	return nil
}

// mergeTypes takes the most lenient and the strictest nullability at each depth of a type.
func mergeTypes(lenient, strict, t *ast.Type) (*ast.Type, *ast.Type, bool) {
	l, s := *lenient, *strict
	l.NonNull = l.NonNull && t.NonNull
	s.NonNull = s.NonNull || t.NonNull
	if (l.Elem == nil) != (t.Elem == nil) {
		return lenient, strict, false
	}
	if l.Elem != nil {
		var ok bool
		l.Elem, s.Elem, ok = mergeTypes(lenient.Elem, strict.Elem, t.Elem)
		return &l, &s, ok
	}
	return &l, &s, true
}

// knows is a concrete type as a subgraph has it: by itself or through an interface object.
func (g *Graph) knows(i int, t *typ) *localType {
	s := g.services[i]
	if t.root {
		switch {
		case t.name == "Query":
			return s.types[s.schema.Query.Name]
		case t.name == "Mutation" && s.schema.Mutation != nil:
			return s.types[s.schema.Mutation.Name]
		case t.name == "Subscription" && s.schema.Subscription != nil:
			return s.types[s.schema.Subscription.Name]
		}
		return nil
	}
	if lt := s.types[t.name]; lt != nil {
		return lt
	}
	for _, name := range t.interfaces {
		if lt := s.types[name]; lt != nil && lt.interfaceObject {
			return lt
		}
	}
	return nil
}

// possibleIn are the concrete types that a subgraph can answer with where it declares a type.
func (g *Graph) possibleIn(i int, name string) []*typ {
	s := g.services[i]
	if lt := s.types[name]; lt != nil && lt.interfaceObject {
		return g.types[name].possible
	}
	if def := s.schema.Types[name]; def != nil && def.Kind == ast.Object {
		return []*typ{g.types[s.global(name)]}
	}
	var out []*typ
	for _, d := range s.schema.PossibleTypes[name] {
		out = append(out, g.types[d.Name])
	}
	slices.SortFunc(out, func(a, b *typ) int { return compareNames(a.name, b.name) })
	return out
}

// Labels say which labelled overrides are on; a label that is not in it is off, but for percent(100).
type Labels map[string]bool

func (l Labels) on(label string) bool { return label == "" || label == "percent(100)" || l[label] }

// owns says whether a subgraph is to be asked for a field wherever it has the type.
func (g *Graph) owns(i int, f *field, labels Labels) bool {
	l := f.in[i]
	if l == nil || l.external && !g.knows(i, f.parent).keyed(f.name) {
		return false
	}
	for j, o := range f.in {
		if o == nil || o.from == "" {
			continue
		}
		if o.from == g.services[i].name && labels.on(o.label) {
			return false // taken over
		}
		if j == i && !labels.on(o.label) && slices.ContainsFunc(g.services, func(s *service) bool {
			return s.name == o.from && f.in[slices.Index(g.services, s)] != nil
		}) {
			return false // not yet taken over
		}
	}
	return true
}

// resolvers are the subgraphs that answer a field under some labels.
func (g *Graph) resolvers(f *field) []int {
	var out []int
	for i, l := range f.in {
		if l != nil && (!l.external || g.knows(i, f.parent).keyed(f.name)) {
			out = append(out, i)
		}
	}
	return out
}

// needed are the fields that keys (as keys) and field sets name, at any depth.
func (g *Graph) needed() (any, keys map[*field]bool) {
	any, keys = map[*field]bool{}, map[*field]bool{}
	var walk func(into map[*field]bool, set ast.SelectionSet, t *typ)
	walk = func(into map[*field]bool, set ast.SelectionSet, t *typ) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				for _, p := range append(slices.Clip(t.possible), t) {
					if f := p.byName[sel.Name]; f != nil {
						any[f], into[f] = true, true
						if child := g.types[f.typ.Name()]; child != nil {
							walk(into, sel.SelectionSet, child)
						}
					}
				}
			case *ast.InlineFragment:
				on := t
				if sel.TypeCondition != "" {
					on = g.types[sel.TypeCondition]
				}
				walk(into, sel.SelectionSet, on)
			}
		}
	}
	for _, s := range g.services {
		for _, name := range s.order {
			lt, t := s.types[name], g.types[s.global(name)]
			for _, k := range lt.keys {
				walk(keys, k.fields, t)
			}
			for _, f := range lt.fields {
				walk(any, f.requires, t)
				for _, c := range f.contextual {
					for _, at := range g.contextTypes(c.context) {
						walk(any, c.selection, at)
					}
				}
			}
		}
	}
	return any, keys
}

// contextTypes are the types that set a context.
func (g *Graph) contextTypes(context string) []*typ {
	var out []*typ
	for _, s := range g.services {
		for _, name := range s.order {
			if slices.Contains(s.types[name].contexts, context) {
				out = append(out, g.types[name])
			}
		}
	}
	return out
}

// Differs compares the schema that clients see with what the subgraphs come to; empty when all is there that should be, and nothing that
// should not. It looks at types, their fields and the nullability of these.
func (g *Graph) Differs(api *ast.Schema) string {
	for _, name := range g.names {
		t := g.types[name]
		def := api.Types[name]
		if t.kind == ast.Scalar || t.inaccessible || len(t.fields) == 0 {
			if t.inaccessible && def != nil {
				return name + " is shown"
			}
			continue
		}
		if def == nil {
			return name + " is not shown"
		}
		for _, f := range t.fields {
			shown := def.Fields.ForName(f.name)
			hidden := f.inaccessible()
			switch {
			case hidden && shown != nil:
				return name + "." + f.name + " is shown"
			case !hidden && shown == nil:
				return name + "." + f.name + " is not shown"
			case shown != nil && t.kind == ast.Object && nullability(shown.Type) != nullability(f.typ):
				return name + "." + f.name + " is shown as " + shown.Type.String() + " instead of " + f.typ.String()
			}
		}
	}
	return ""
}

func (f *field) inaccessible() bool {
	return slices.ContainsFunc(f.in, func(l *localField) bool { return l != nil && l.def.Directives.ForName("@inaccessible") != nil })
}

// nullability is a type without its name.
func nullability(t *ast.Type) string {
	return strings.ReplaceAll(t.String(), t.Name(), "")
}
