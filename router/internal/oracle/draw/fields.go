package draw

import (
	"fmt"
	"slices"
)

// props draws the plain fields of the entities and who answers them.
func (d *drawer) props() {
	for _, e := range d.all {
		for range 2 + d.chance.IntN(4) {
			p := &prop{line: d.leaf()}
			d.settle(e, p, pick(d, e.homes))
		}
	}
}

// settle gives a prop to a home of its entity, and perhaps to a second one as well.
func (d *drawer) settle(e *entity, p *prop, s *sub) bool {
	if !d.own(e, p, s) {
		return false
	}
	e.props = append(e.props, p)
	if d.one(4) && len(e.homes) > 1 {
		if other := pick(d, e.homes); other != s && d.own(e, p, other) {
			d.note("shareable field")
			for _, o := range p.owners {
				o.types[e.name].field(p.name).mark("@shareable")
			}
			if f := other.types[e.name].field(p.name); p.typ[len(p.typ)-1] != '!' && d.one(3) {
				f.typ += "!"
				d.note("nullability that differs")
				p.fixed = true
			}
		}
	}
	return true
}

// own makes a subgraph answer a prop.
func (d *drawer) own(e *entity, p *prop, s *sub) bool {
	if !d.ensureAll(s, p.line) {
		return false
	}
	s.types[e.name].add(p.line)
	p.owners = append(p.owners, s)
	return true
}

// ensureAll makes the types of a field known, those of its arguments too.
func (d *drawer) ensureAll(s *sub, f line) bool {
	if !d.ensure(s, f.typ) {
		return false
	}
	for _, a := range arguments {
		if f.args != "" && a.args == f.args {
			for _, n := range a.needs {
				d.ensure(s, n)
			}
		}
	}
	return true
}

// arguments that fields may have, and how a field set calls the field.
var arguments = []struct {
	args, literal string
	needs         []string
}{
	{"(n: Int = 2)", "(n: 3)", nil},
	{"(n: Int!)", "(n: 1)", nil},
	{"(in: Unit = CM, round: Int)", "(in: FT)", []string{"Unit"}},
	{"(by: Filter)", `(by: {text: "q", units: [CM]})`, []string{"Filter"}},
	{"(by: Filter = {max: 3})", "", []string{"Filter"}},
	{"(tags: [String!] = [\"t\"], grid: [[Int]])", `(grid: [[1, 2], []])`, nil},
	{"(flag: Boolean! = true, id: ID)", "(flag: false)", nil},
	{"(ratio: Float = 1.5, any: JSON)", "(ratio: 2)", []string{"JSON"}},
}

// leaf draws a field with a leaf or a value type.
func (d *drawer) leaf() line {
	typ := pick(d, []string{
		"String", "String!", "Int", "Int!", "Boolean", "Float", "ID", "[String!]", "[[Int!]]!", "[[String]]", "Status", "[Status!]", "Unit", "JSON", "Size", "Size!", "[Size!]",
	})
	f := line{name: d.name("f"), typ: typ}
	if d.one(4) {
		f.args = pick(d, arguments).args
		d.note("arguments")
	}
	d.noteType(typ)
	return f
}

func (d *drawer) noteType(typ string) {
	switch typ {
	case "[[Int!]]!", "[[String]]":
		d.note("list of lists")
	case "Status", "[Status!]", "Unit":
		d.note("enum")
	case "JSON":
		d.note("custom scalar")
	case "Size", "Size!", "[Size!]":
		d.note("value type")
	}
}

// wrap makes a field type of a named type.
func (d *drawer) wrap(name string) string {
	return pick(d, []string{name, name, name + "!", "[" + name + "!]!", "[" + name + "]", "[" + name + "!]", "[[" + name + "!]]"})
}

// relations draws fields from entities to entities, interfaces and unions.
func (d *drawer) relations() {
	for _, e := range d.all {
		for range 1 + d.chance.IntN(3) {
			s := pick(d, e.homes)
			target := pick(d, d.all).name
			if face := d.faceIn(s); face != nil && d.one(3) {
				target = face.name
				d.note(face.kind + " field")
			}
			f := line{name: d.name("r"), typ: d.wrap(target)}
			if d.one(4) {
				f.args = pick(d, arguments).args
			}
			d.settle(e, &prop{line: f}, s)
		}
	}
}

// faceIn is an interface or union that the subgraph has; nil when there is none.
func (d *drawer) faceIn(s *sub) *abstract {
	var here []*abstract
	for _, f := range d.faces {
		if s.types[f.name] != nil {
			here = append(here, f)
		}
	}
	if len(here) == 0 {
		return nil
	}
	return pick(d, here)
}

// roots draws fields of Query.
func (d *drawer) roots() {
	for _, s := range d.subs {
		q := s.types["Query"]
		if d.one(5) {
			q.extends = "extend"
		}
		for range 1 + d.chance.IntN(3) {
			target := pick(d, d.all).name
			if face := d.faceIn(s); face != nil && d.one(2) {
				target = face.name
				d.note(face.kind + " field")
			}
			f := line{name: d.name("q"), typ: d.wrap(target)}
			if d.one(3) {
				f.args = pick(d, arguments).args
			}
			if d.ensureAll(s, f) {
				q.add(f)
			}
		}
		if d.one(4) {
			f := d.leaf()
			if d.ensureAll(s, f) {
				q.add(f)
			}
		}
	}
}

// shared draws shareable roots, and value types of which each subgraph has other fields.
func (d *drawer) shared() {
	if len(d.subs) > 1 && d.one(2) {
		name, typ := d.name("shared"), d.name("Panel")
		typ = d.partial(typ, "Query", name, d.subs)
		if typ != "" {
			d.note("shareable root")
		}
	}
	for _, e := range d.all {
		if d.one(4) && d.partial(d.name("Box"), e.name, d.name("box"), e.homes) != "" {
			d.note("value type by its parent")
		}
	}
	for _, face := range d.faces { // a root that several subgraphs with the interface or union share
		var hosts []*sub
		for _, s := range d.subs {
			if def := s.types[face.name]; def != nil && (def.kind == "interface" || def.kind == "union") {
				hosts = append(hosts, s)
			}
		}
		if len(hosts) > 1 && d.one(3) {
			f := line{name: d.name("any"), typ: pick(d, []string{face.name, "[" + face.name + "]"}), marks: []string{"@shareable"}}
			for _, s := range hosts {
				s.types["Query"].add(f)
			}
			d.note("shareable root of a " + face.kind)
		}
	}
}

// partial gives two subgraphs the same field of a type of which each has other fields.
func (d *drawer) partial(typ, parent, field string, among []*sub) string {
	if len(among) < 2 {
		return ""
	}
	order := d.chance.Perm(len(among))
	wrapped, down := d.wrap(typ), d.one(2)
	for n, i := range order[:2] {
		s := among[i]
		def := s.define("type", typ)
		def.mark("@shareable")
		def.add(line{name: "both", typ: "Int"})
		f := d.leaf()
		f.name = fmt.Sprintf("side%d", n)
		if d.ensureAll(s, f) {
			def.add(f)
		}
		if down {
			def.add(line{name: "down", typ: typ})
		}
		s.types[parent].add(line{name: field, typ: wrapped, marks: []string{"@shareable"}})
	}
	return typ
}

// mutations draws mutations, and payloads from which Query can be asked on.
func (d *drawer) mutations() {
	if !d.one(2) {
		return
	}
	d.note("mutation")
	d.fieldsOf("Mutation", "do", func(s *sub) string {
		if target := pick(d, d.all).name; !d.one(3) {
			return target
		}
		return d.payload(s)
	})
}

// fieldsOf draws the fields of a root in a subgraph or two. target says what a field of a subgraph brings.
func (d *drawer) fieldsOf(root, prefix string, target func(*sub) string) {
	for _, i := range d.chance.Perm(len(d.subs))[:1+d.chance.IntN(2)] {
		s := d.subs[i]
		m := s.define("type", root)
		for range 1 + d.chance.IntN(3) {
			brings := target(s)
			f := line{name: d.name(prefix), typ: pick(d, []string{brings, brings + "!", "[" + brings + "!]", "Int"}), args: pick(d, arguments).args}
			if d.ensureAll(s, f) || s.types[brings] != nil {
				d.ensureAll(s, line{typ: "Int", args: f.args})
				m.add(f)
			}
		}
	}
}

func (d *drawer) payload(s *sub) string {
	name := d.name("Payload")
	def := s.define("type", name)
	def.add(line{name: "ok", typ: "Boolean!"})
	if len(s.types["Query"].fields) > 0 {
		def.add(line{name: "query", typ: pick(d, []string{"Query", "Query!"})})
		d.note("nested Query")
	}
	if e := pick(d, d.all); d.ensure(s, e.name) {
		def.add(line{name: "item", typ: e.name})
	}
	return name
}

// subscriptions draws streams of what entities there are.
func (d *drawer) subscriptions() {
	if !d.one(2) {
		return
	}
	d.note("subscription")
	d.fieldsOf("Subscription", "on", func(*sub) string { return pick(d, d.all).name })
}

// hidden marks things @inaccessible.
func (d *drawer) hidden() {
	for _, e := range d.all {
		for _, p := range e.props {
			if !p.fixed && d.one(15) {
				if s := p.owners[0]; !s.fed1 {
					s.types[e.name].field(p.name).mark("@inaccessible")
					d.note("inaccessible field")
				}
			}
		}
	}
	for _, s := range d.subs {
		if status := s.types["Status"]; status != nil && !s.fed1 && d.one(4) {
			status.items[len(status.items)-1] += " @inaccessible"
			d.note("inaccessible enum value")
		}
		for _, f := range s.types["Query"].fields {
			if f.args == "(n: Int = 2)" && !s.fed1 && d.one(2) && !slices.Contains(f.marks, "@shareable") {
				f.args = "(n: Int = 2 @inaccessible)"
				d.note("inaccessible argument")
			}
		}
	}
}
