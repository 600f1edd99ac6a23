package draw

import (
	"fmt"
	"slices"
)

// abstract is an interface or a union.
type abstract struct {
	kind, name string
	members    []string
	lines      []line // fields that all implementers have somewhere
	object     *sub   // where it is an interface object
}

// interfaces draws interfaces over entities and value types, with hosts that know some of the implementers each.
func (d *drawer) interfaces() {
	for n := range d.chance.IntN(3) {
		face := &abstract{kind: "interface", name: []string{"Node", "Named", "Thing"}[n]}
		common := line{name: d.name("tag"), typ: "String"}
		face.lines = []line{common, {name: d.name("rank"), typ: pick(d, []string{"Int", "Size", "String"})}}
		for _, i := range d.chance.Perm(len(d.all))[:1+d.chance.IntN(2)] {
			face.members = append(face.members, d.all[i].name)
		}
		if d.one(2) {
			face.members = append(face.members, d.name("Plain"))
			d.note("value type behind an interface")
		}
		var hosts []*sub
		for _, i := range d.chance.Perm(len(d.subs))[:1+d.chance.IntN(min(3, len(d.subs)))] {
			hosts = append(hosts, d.subs[i])
		}
		for _, s := range hosts {
			d.host(face, s)
		}
		for _, m := range face.members {
			d.complete(face, m)
		}
		for _, s := range hosts {
			d.declare(face, s)
		}
		if len(hosts) > 1 {
			d.note("interface in several subgraphs")
		}
		d.faces = append(d.faces, face)
	}
}

// host makes some of the implementers known in a subgraph, with the first of the interface's fields.
func (d *drawer) host(face *abstract, s *sub) {
	some := false
	for i, m := range face.members {
		if i > 0 && some && d.one(4) {
			d.note("interface with fewer implementers")
			continue
		}
		if d.banned[s.name+"."+m] {
			continue
		}
		if e := d.entity(m); e != nil {
			d.ensure(s, m)
			f := s.types[m].add(face.lines[0])
			f.mark("@shareable")
			if slices.Contains(e.homes, s) {
				p := d.propOf(e, face.lines[0])
				p.owners = append(p.owners, s)
			}
			d.propOf(e, face.lines[0]).spread = true
		} else if s.types[m] == nil {
			def := s.define("type", m)
			def.mark("@shareable")
			for _, f := range face.lines {
				d.ensure(s, f.typ)
				def.add(f)
			}
			def.add(line{name: "only" + m, typ: "Int"})
		}
		some = true
		s.types[m].implements = append(s.types[m].implements, face.name)
	}
}

// propOf is the prop of an entity for a field of an interface.
func (d *drawer) propOf(e *entity, f line) *prop {
	for _, p := range e.props {
		if p.name == f.name {
			return p
		}
	}
	p := &prop{line: f, fixed: true}
	e.props = append(e.props, p)
	return p
}

// complete gives an entity the rest of the interface's fields, each in a home of its own.
func (d *drawer) complete(face *abstract, member string) {
	e := d.entity(member)
	if e == nil {
		return
	}
	if p := d.propOf(e, face.lines[0]); len(p.owners) == 0 {
		s := e.homes[0]
		s.types[e.name].add(p.line).mark("@shareable")
		p.owners = append(p.owners, s)
	}
	for _, f := range face.lines[1:] {
		p := d.propOf(e, f)
		if s := pick(d, e.homes); len(p.owners) == 0 {
			if d.one(4) {
				p.typ += "!"
				d.note("covariant field")
			}
			d.own(e, p, s)
			p.typ = s.types[e.name].field(p.name).typ
		}
	}
}

// declare writes the interface down in a host, with those fields that all of its implementers have there.
func (d *drawer) declare(face *abstract, s *sub) {
	def := s.define("interface", face.name)
	for _, f := range append([]line{{name: "id", typ: "ID!"}}, face.lines...) {
		everywhere := true
		for _, m := range face.members {
			t := s.types[m]
			if t == nil || !slices.Contains(t.implements, face.name) {
				continue
			}
			if have := t.field(f.name); have == nil {
				everywhere = false
			}
		}
		if f.name == "id" { // all implementers need it anywhere
			for _, m := range face.members {
				everywhere = everywhere && d.entity(m) != nil
			}
		}
		if everywhere && d.ensure(s, f.typ) {
			def.add(f)
		}
	}
	for _, m := range face.members { // who implements nothing known here implements nothing
		if t := s.types[m]; t != nil && len(def.fields) == 0 {
			t.implements = slices.DeleteFunc(t.implements, func(i string) bool { return i == face.name })
		}
	}
	if len(def.fields) == 0 {
		delete(s.types, face.name)
		s.order = slices.DeleteFunc(s.order, func(n string) bool { return n == face.name })
	}
}

// interfaceObject draws an interface that one subgraph resolves by key and another has as an object.
func (d *drawer) interfaceObject() {
	if len(d.subs) < 2 || !d.one(3) {
		return
	}
	order := d.chance.Perm(len(d.subs))
	owner, stub := d.subs[order[0]], d.subs[order[1]]
	if owner.fed1 || stub.fed1 {
		return
	}
	d.note("interface object")
	face := &abstract{kind: "interface", name: "Media", object: stub}
	face.lines = []line{{name: "title", typ: "String"}}
	def := owner.define("interface", face.name)
	def.mark(`@key(fields: "id")`)
	def.add(line{name: "id", typ: "ID!"})
	def.add(face.lines[0])
	for _, name := range []string{"Book", "Film"} {
		face.members = append(face.members, name)
		d.banned[stub.name+"."+name] = true
		e := &entity{name: name, homes: []*sub{owner}, keys: []keyShape{{text: "id", fields: []line{{name: "id", typ: "ID!"}}}}}
		t := owner.define("type", name)
		t.implements = []string{face.name}
		d.giveKey(owner, t, e.keys[0], true)
		p := &prop{line: face.lines[0], fixed: true, owners: []*sub{owner}}
		t.add(p.line)
		e.props = append(e.props, p)
		if len(d.subs) > 2 && d.one(2) { // one more home, which may or may not know the interface
			s := d.subs[order[2]]
			e.homes = append(e.homes, s)
			other := s.define("type", name)
			d.extension(e, s, other, 1)
			d.giveKey(s, other, e.keys[0], true)
		}
		d.all = append(d.all, e)
	}
	object := stub.define("type", face.name)
	object.mark(`@key(fields: "id")`)
	object.mark("@interfaceObject")
	object.add(line{name: "id", typ: "ID!"})
	for range 1 + d.chance.IntN(3) {
		if f := d.leaf(); d.ensureAll(stub, f) {
			object.add(f)
		}
	}
	if d.one(2) {
		object.add(line{name: d.name("kin"), typ: d.wrap(face.name)})
	}
	if d.one(2) {
		object.add(line{name: "title", typ: "String", marks: []string{"@external"}})
		object.add(line{name: d.name("made"), typ: "String", marks: []string{`@requires(fields: "title")`}})
		d.note("interface object with @requires")
	}
	d.faces = append(d.faces, face)
}

// unions draws unions with other members in each subgraph.
func (d *drawer) unions() {
	for n := range d.chance.IntN(3) {
		face := &abstract{kind: "union", name: []string{"Found", "Either"}[n]}
		for _, i := range d.chance.Perm(len(d.all))[:2] {
			face.members = append(face.members, d.all[i].name)
		}
		if d.one(2) {
			face.members = append(face.members, d.name("Lone"))
		}
		hidden := d.one(4)
		hosts := 0
		for _, i := range d.chance.Perm(len(d.subs))[:1+d.chance.IntN(min(3, len(d.subs)))] {
			s := d.subs[i]
			var members []string
			for i, m := range face.members {
				switch {
				case d.banned[s.name+"."+m], i == 1 && d.one(3):
					d.note("union with fewer members")
					continue
				case d.entity(m) != nil:
					d.ensure(s, m)
				case s.types[m] == nil:
					def := s.define("type", m)
					def.mark("@shareable")
					def.add(line{name: "alone", typ: "Int"})
					def.add(line{name: "size", typ: "Size!"})
					d.ensure(s, "Size")
					if hidden && !s.fed1 {
						def.mark("@inaccessible")
						d.note("inaccessible type")
					}
				}
				members = append(members, m)
			}
			if len(members) > 0 {
				s.define("union", face.name).items = members
				hosts++
			}
		}
		if hosts > 0 {
			d.note(fmt.Sprintf("union in %s", map[bool]string{true: "several subgraphs", false: "one subgraph"}[hosts > 1]))
			d.faces = append(d.faces, face)
		}
	}
}
