package draw

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"bourse/router/internal/oracle"
)

// Graph is a random set of subgraphs.
type Graph struct {
	Sources  []oracle.Source
	Features []string // what is in it, for coverage
	Labels   []string // of its @overrides
}

// Subgraphs draws a set of subgraphs from a seed.
//
// First comes a domain: entities with keys and homes, types that subgraphs share, interfaces, unions. Its types are spread over the
// subgraphs; then directives that need two sides (@requires, @provides, @override, …) are laid over what stands. Most of what
// comes out composes; what does not is for the caller to count.
func Subgraphs(seed uint64) Graph {
	d := &drawer{chance: rand.New(rand.NewPCG(seed, 1)), features: map[string]bool{}, banned: map[string]bool{}}
	d.subgraphs()
	d.entities()
	d.interfaceObject()
	d.interfaces()
	d.unions()
	d.props()
	d.relations()
	d.roots()
	d.shared()
	d.mutations()
	d.overrides()
	d.requirements()
	d.contexts()
	d.provisions()
	d.hidden()
	d.subscriptions()
	return d.graph()
}

// drawer is a graph in the making.
type drawer struct {
	chance   *rand.Rand
	features map[string]bool
	subs     []*sub
	all      []*entity
	faces    []*abstract
	banned   map[string]bool // subgraph and type that must not meet: next to an interface object
	labels   []string
	count    int
	plain    bool    // field sets take no arguments: those of @provides
	added    []added // external copies of fields, to be taken back when nothing comes of them
}

type added struct {
	to   *definition
	name string
}

// takeBack undoes what was declared external since a moment.
func (d *drawer) takeBack(since int) {
	for _, a := range d.added[since:] {
		a.to.fields = slices.DeleteFunc(a.to.fields, func(f *line) bool { return f.name == a.name })
	}
	d.added = d.added[:since]
}

// entity is a type with keys in several subgraphs.
type entity struct {
	name  string
	homes []*sub
	keys  []keyShape
	props []*prop
}

// keyShape is a key and the fields that it is made of.
type keyShape struct {
	text   string
	fields []line
	needs  []string // types
}

// prop is a field of an entity that some of its homes answer.
type prop struct {
	line
	owners  []*sub
	fixed   bool // part of an interface
	chained bool // has requirements of its own
	taken   bool // by an @override
	spread  bool // answered in stubs as well: the first field of an interface
}

func (d *drawer) graph() Graph {
	g := Graph{Labels: d.labels}
	for _, s := range d.subs {
		g.Sources = append(g.Sources, oracle.Source{Name: s.name, SDL: s.sdl()})
	}
	for f := range d.features {
		g.Features = append(g.Features, f)
	}
	slices.Sort(g.Features)
	return g
}

func (d *drawer) one(n int) bool { return d.chance.IntN(n) == 0 }

func pick[T any](d *drawer, of []T) T { return of[d.chance.IntN(len(of))] }

func (d *drawer) note(feature string) { d.features[feature] = true }

func (d *drawer) name(stem string) string {
	d.count++
	return fmt.Sprintf("%s%d", stem, d.count)
}

func (d *drawer) subgraphs() {
	names := []string{"ada", "bob", "cyd", "dan", "eve", "fay"}
	d.chance.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:2+d.chance.IntN(5)] {
		s := &sub{name: name, style: d.style(), types: map[string]*definition{}}
		s.define("type", "Query")
		d.subs = append(d.subs, s)
	}
}

// entities draws the entities, their homes and the keys that they have there.
func (d *drawer) entities() {
	words := []string{"User", "Product", "Order", "Store", "Part"}
	for _, name := range words[:2+d.chance.IntN(4)] {
		e := &entity{name: name}
		for _, i := range d.chance.Perm(len(d.subs))[:min(len(d.subs), 2+d.chance.IntN(3))] {
			e.homes = append(e.homes, d.subs[i])
		}
		d.all = append(d.all, e)
	}
	for _, e := range d.all {
		e.keys = append(e.keys, keyShape{text: "id", fields: []line{{name: "id", typ: "ID!"}}})
		if d.one(2) {
			e.keys = append(e.keys, d.keyShape(e))
		}
		chain := e != d.all[0] && len(e.keys) > 1 && len(e.homes) > 2 && d.one(2)
		for i, s := range e.homes {
			def := s.define("type", e.name)
			d.extension(e, s, def, i)
			mine := e.keys[:1]
			switch {
			case chain && i == 1:
				mine = e.keys
				d.note("key chain")
			case chain && i > 1 && d.one(2), chain && i == 2:
				mine = e.keys[1:]
			case len(e.keys) > 1 && !chain && d.one(2):
				mine = e.keys
				d.note("several keys")
			}
			for n, k := range mine {
				d.giveKey(s, def, k, n == 0 || chain)
			}
		}
	}
}

// extension makes homes other than the first extend the type, which is what federation 1 asked for.
func (d *drawer) extension(e *entity, s *sub, def *definition, home int) {
	if home == 0 || !s.fed1 && !d.one(6) {
		return
	}
	def.extends = pick(d, []string{"extend", "@extends"})
	d.note("extension")
}

// keyShape draws a key beside id.
func (d *drawer) keyShape(e *entity) keyShape {
	switch kind := d.chance.IntN(5); {
	case kind == 0:
		d.note("composite key")
		return keyShape{text: "code region", fields: []line{{name: "code", typ: "String!"}, {name: "region", typ: "Int!"}}}
	case kind == 1:
		d.note("nested key")
		return keyShape{text: "ref { a b }", fields: []line{{name: "ref", typ: e.name + "Ref!"}}, needs: []string{e.name + "Ref"}}
	case kind == 2 && e != d.all[0]:
		d.note("key by an entity")
		other := d.all[0]
		return keyShape{text: "sku owner { id }", fields: []line{{name: "sku", typ: "String!"}, {name: "owner", typ: other.name + "!"}}, needs: []string{other.name}}
	case kind == 3 && e != d.all[0]:
		d.note("list key")
		other := d.all[0]
		return keyShape{text: "bag { id }", fields: []line{{name: "bag", typ: "[" + other.name + "!]!"}}, needs: []string{other.name}}
	}
	return keyShape{text: "upc", fields: []line{{name: "upc", typ: "String"}}}
}

func (d *drawer) giveKey(s *sub, def *definition, k keyShape, must bool) {
	mark := fmt.Sprintf("@key(fields: %q)", k.text)
	if !must && !s.fed1 && d.one(4) {
		mark = fmt.Sprintf("@key(fields: %q, resolvable: false)", k.text)
		d.note("key that does not resolve")
	}
	def.mark(mark)
	for _, f := range k.fields {
		f := def.add(f)
		if def.extends != "" && (s.fed1 || d.one(2)) {
			f.mark("@external")
			d.note("external key of an extension")
		}
	}
	for _, n := range k.needs {
		d.ensure(s, n)
	}
}

// ensure makes a type known in a subgraph; false when it must not be.
func (d *drawer) ensure(s *sub, name string) bool {
	name = strings.Trim(name, "[]!")
	if d.banned[s.name+"."+name] {
		return false
	}
	if s.types[name] != nil {
		return true
	}
	if e := d.entity(name); e != nil {
		d.stub(s, e)
		return true
	}
	switch name {
	case "Size":
		def := s.define("type", name)
		def.mark("@shareable")
		def.add(line{name: "height", typ: "Int!"})
		def.add(line{name: "depth", args: "(in: Unit = CM)", typ: "Int"})
		def.add(line{name: "unit", typ: "Unit"})
		def.add(line{name: "inner", typ: "Size"})
		d.ensure(s, "Unit")
	case "Unit":
		s.define("enum", name).items = []string{"CM", "IN", "FT"}
	case "Status":
		items := []string{"NEW", "OLD"}
		for _, v := range []string{"RARE", "LOST", "SOLD"} {
			if d.one(2) {
				items = append(items, v)
				d.note("enum with other values elsewhere")
			}
		}
		s.define("enum", name).items = items
	case "Filter":
		def := s.define("input", name)
		def.add(line{name: "text", typ: "String"})
		def.add(line{name: "max", typ: "Int! = 7"})
		def.add(line{name: "units", typ: "[Unit!]"})
		def.add(line{name: "not", typ: "Filter"})
		if d.one(3) {
			def.add(line{name: d.name("only"), typ: "Boolean"})
			d.note("input field of some subgraphs only")
		}
		d.ensure(s, "Unit")
	case "JSON":
		s.define("scalar", name)
	default:
		if e := d.entity(strings.TrimSuffix(name, "Ref")); e != nil && strings.HasSuffix(name, "Ref") {
			def := s.define("type", name)
			def.mark("@shareable")
			def.add(line{name: "a", typ: "String!"})
			def.add(line{name: "b", typ: "Int"})
			return true
		}
		return slices.Contains([]string{"String", "Int", "ID", "Boolean", "Float", "Query"}, name)
	}
	return true
}

func (d *drawer) entity(name string) *entity {
	for _, e := range d.all {
		if e.name == name {
			return e
		}
	}
	return nil
}

// stub declares an entity in a subgraph that has nothing of it but a key.
func (d *drawer) stub(s *sub, e *entity) {
	def := s.define("type", e.name)
	k := e.keys[0]
	if s.fed1 {
		def.extends = "extend"
		def.mark(fmt.Sprintf("@key(fields: %q)", k.text))
	} else {
		def.mark(fmt.Sprintf("@key(fields: %q, resolvable: false)", k.text))
		d.note("stub of an entity")
	}
	for _, f := range k.fields {
		f := def.add(f)
		if s.fed1 {
			f.mark("@external")
		}
	}
}
