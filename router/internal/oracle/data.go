package oracle

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Object is one object of the data. Fields hold nil, a leaf, Fail, *Object or []any of these.
type Object struct {
	Type   string
	Fields map[string]any
}

// Fail is a field whose resolver fails.
type Fail struct{ Message string }

// Data is a world: the objects of each type, and the roots. It is safe for concurrent reading.
type Data struct {
	g       *Graph
	objects map[string][]*Object
	index   entityIndex
}

// perType is how many objects of each type a random world has.
const perType = 3

// RandomData makes a world out of a seed; with failures some resolvers fail.
//
// It promises what federation relies on. Keys tell objects apart and are never null. A value is one that every subgraph with
// the field could answer: not null where any of them says so, of a concrete type and an enum value that all of them know. What
// keys and field sets name does not fail, because the router cannot help asking for it where one schema need not; nor
// does a field that some subgraph has stricter than the supergraph, because there more would become null; nor, where field
// sets name objects, does one that may not be null: it would take such an object with it.
func (g *Graph) RandomData(seed uint64, failures bool) *Data {
	d := &Data{g: g, objects: map[string][]*Object{}}
	for _, t := range g.objects {
		n := perType
		if t.root {
			n = 1
		}
		for range n {
			d.objects[t.name] = append(d.objects[t.name], &Object{Type: t.name, Fields: map[string]any{}})
		}
	}
	needed, keys := g.needed()
	calm := false
	for f := range needed {
		calm = calm || g.types[f.typ.Name()] != nil && len(g.types[f.typ.Name()].possible) > 0
	}
	for _, t := range g.objects {
		for i, o := range d.objects[t.name] {
			for _, f := range t.fields {
				// Each value has a chance of its own, so that a graph can shrink and keep its data.
				chance := rand.New(rand.NewPCG(seed, uint64(hash([]byte(fmt.Sprint(t.name, ".", f.name, i))))))
				p := painter{d: d, chance: chance, field: f, index: i, key: keys[f]}
				p.failures = failures && !needed[f] && f.typ.String() == f.strict.String() && (!f.strict.NonNull || !calm)
				o.Fields[f.name] = p.draw(f.strict)
			}
		}
	}
	return d
}

// painter draws the value of one field of one object.
type painter struct {
	d        *Data
	chance   *rand.Rand
	field    *field
	index    int // of the object among those of its type
	key      bool
	failures bool
}

func (p painter) draw(t *ast.Type) any {
	if p.failures && p.chance.IntN(15) == 0 {
		return Fail{"no " + p.field.name}
	}
	if !t.NonNull && !p.key && p.chance.IntN(7) == 0 {
		return nil
	}
	if t.Elem != nil {
		n := p.chance.IntN(4)
		if p.key {
			n = 1
		}
		out := make([]any, 0, n)
		for range n {
			q := p
			q.failures = false
			item := q.draw(t.Elem)
			if item == nil && t.Elem.NonNull {
				break // no type or enum value that all subgraphs know: there is nothing to list
			}
			out = append(out, item)
		}
		return out
	}
	if p.d.g.composite(t.NamedType) {
		possible := p.d.g.resolvable(p.field)
		if len(possible) == 0 {
			return nil
		}
		if p.key { // objects of a composite key tell their owners apart
			return p.d.objects[possible[0].name][p.index]
		}
		all := p.d.objects[possible[p.chance.IntN(len(possible))].name]
		return all[p.chance.IntN(len(all))]
	}
	return p.leaf(t.NamedType)
}

// composite says whether the values of a type are objects.
func (g *Graph) composite(name string) bool {
	t := g.types[name]
	return t != nil && slices.Contains([]ast.DefinitionKind{ast.Object, ast.Interface, ast.Union}, t.kind)
}

// resolvable are the concrete types that every subgraph with the field can answer with.
func (g *Graph) resolvable(f *field) []*typ {
	possible := slices.Clone(g.types[f.typ.Name()].possible)
	for i, l := range f.in { // external copies too: they may be provided
		if l == nil {
			continue
		}
		here := g.possibleIn(i, f.in[i].def.Type.Name())
		possible = slices.DeleteFunc(possible, func(t *typ) bool { return !slices.Contains(here, t) })
	}
	return possible
}

// Lacks says whether keys or field sets name a field that may not be null, for which the subgraphs that have it know no value in
// common. No world keeps the promise then that what they name does not fail.
func (g *Graph) Lacks() bool {
	needed, _ := g.needed()
	for _, t := range g.objects {
		for _, f := range t.fields {
			if !needed[f] || !f.strict.NonNull || f.strict.Elem != nil {
				continue
			}
			values, isEnum := g.enumValues(f)
			if isEnum && len(values) == 0 || g.composite(f.strict.NamedType) && len(g.resolvable(f)) == 0 {
				return true
			}
		}
	}
	return false
}

func (p painter) leaf(name string) any {
	n := p.index
	if !p.key {
		n = p.chance.IntN(10)
	}
	if values, ok := p.d.g.enumValues(p.field); ok {
		if len(values) == 0 {
			return nil
		}
		return values[n%len(values)]
	}
	switch {
	case name == "Int":
		return 100 + n
	case name == "Float":
		return json.Number(fmt.Sprintf("%d.5", n))
	case name == "Boolean":
		return n%2 == 0
	case name == "ID", p.key:
		return fmt.Sprintf("%s-%d", p.field.parent.name, n)
	case name != "String": // a custom scalar may be any JSON
		return []any{map[string]any{"n": n}, []any{n, nil}, fmt.Sprint(n), n}[n%4]
	}
	return fmt.Sprintf("%s \"%d\" é", p.field.name, n)
}

// enumValues are the values that every subgraph with the field knows.
func (g *Graph) enumValues(f *field) (values []string, ok bool) {
	for i, l := range f.in {
		if l == nil {
			continue
		}
		def := g.services[i].schema.Types[l.def.Type.Name()]
		if def == nil || def.Kind != ast.Enum {
			return nil, false
		}
		var here []string
		for _, v := range def.EnumValues {
			if !ok || slices.Contains(values, v.Name) {
				here = append(here, v.Name)
			}
		}
		values, ok = here, true
	}
	return values, ok
}

// value is what a field of an object is for arguments. Arguments change the answer, so that a lost one shows.
func (d *Data) value(o *Object, f *field, args map[string]any) any {
	return d.vary(o.Fields[f.name], f, args)
}

func (d *Data) vary(v any, f *field, args map[string]any) any {
	if len(args) == 0 {
		return v
	}
	text := mustJSON(args)
	n := hash(text)
	switch v := v.(type) {
	case string:
		if t := f.typ.Name(); t != "String" && t != "ID" {
			return v
		}
		return v + string(text)
	case int:
		if f.typ.Name() != "Int" {
			return v
		}
		return v + int(n%97)
	case *Object:
		all := d.objects[v.Type]
		return all[int(n%97)%len(all)]
	case []any:
		if f.typ.Elem == nil {
			return v
		}
		return v[:min(len(v), int(n%97)%4)]
	}
	return v
}

// computed is a @requires field: made of what it requires alone, so that a wrong input shows.
func (d *Data) computed(f *field, inputs map[string]any) any {
	text := mustJSON(inputs)
	switch f.typ.NamedType {
	case "Int":
		return int(hash(text) % 100_000)
	case "String":
		return "from " + string(text)
	}
	p := painter{d: d, chance: rand.New(rand.NewPCG(uint64(hash(text)), 1)), field: f}
	return p.draw(f.strict)
}

func hash(text []byte) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(text) // never fails
	return h.Sum32()
}

func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("oracle: a value that is not JSON: " + err.Error())
	}
	return text
}
