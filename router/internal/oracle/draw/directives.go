package draw

import (
	"fmt"
	"slices"
	"strings"
)

// overrides lets homes take fields over from others.
func (d *drawer) overrides() {
	for _, e := range d.all {
		for _, p := range e.props {
			if len(p.owners) != 1 || p.chained || p.spread || !d.one(6) {
				continue
			}
			to, from := pick(d, e.homes), p.owners[0]
			if to == from || to.fed1 || to.types[e.name].field(p.name) != nil || !d.ensureAll(to, p.line) {
				continue
			}
			f := to.types[e.name].add(p.line)
			if d.one(2) {
				label := pick(d, []string{"first", "second", "percent(100)", "percent(0)"})
				f.mark(fmt.Sprintf("@override(from: %q, label: %q)", from.name, label))
				if !slices.Contains(d.labels, label) {
					d.labels = append(d.labels, label)
				}
				d.note("override with a label")
			} else {
				f.mark(fmt.Sprintf("@override(from: %q)", from.name))
				p.owners = []*sub{to}
				d.note("override")
			}
			if p.fixed {
				d.note("override of an interface's field")
			}
			p.taken = true
		}
	}
}

// requirements gives homes fields that are computed from fields of others.
func (d *drawer) requirements() {
	for range 2 {
		for _, e := range d.all {
			if !d.one(2) {
				continue
			}
			s := pick(d, e.homes)
			var sets []string
			for _, i := range d.chance.Perm(len(e.props)) {
				if set := d.need(s, e, e.props[i], 2); set != "" {
					sets = append(sets, set)
				}
				if len(sets) > 0 && (len(sets) == 3 || d.one(2)) {
					break
				}
			}
			if len(sets) == 0 {
				continue
			}
			f := line{name: d.name("c"), typ: pick(d, []string{"String", "Int", "String", "Size", "[Int]"})}
			if target := pick(d, d.all).name; d.one(5) && d.ensure(s, target) {
				f.typ = target
			}
			d.ensure(s, f.typ)
			f.marks = []string{fmt.Sprintf("@requires(fields: %q)", strings.Join(sets, " "))}
			s.types[e.name].add(f)
			e.props = append(e.props, &prop{line: line{name: f.name, typ: f.typ}, owners: []*sub{s}, chained: true})
			d.note("requires")
		}
	}
}

// need declares a prop that another home answers as external in a subgraph and says how a field set names it; empty where that does
// not go.
func (d *drawer) need(s *sub, e *entity, p *prop, depth int) string {
	def := s.types[e.name]
	if slices.Contains(p.owners, s) || len(p.owners) == 0 || depth == 0 {
		return ""
	}
	have := def.field(p.name)
	if have != nil && !have.external() || p.fixed && have == nil && p.typ != p.owners[0].types[e.name].field(p.name).typ || p.differs(e) {
		return ""
	}
	if !d.ensureAll(s, p.line) {
		return ""
	}
	under, since := "", len(d.added)
	if name := strings.Trim(p.typ, "[]!"); !isLeaf(name) {
		if under = d.under(s, name, depth); under == "" {
			d.takeBack(since)
			return ""
		}
	}
	text := p.name
	if p.args != "" {
		if d.plain {
			d.takeBack(since)
			return ""
		}
		literal := p.requiredLiteral(d)
		if literal != "" {
			d.note("requires with arguments")
		}
		text += literal
	}
	if under != "" {
		text += " { " + under + " }"
		d.note("requires below a field")
	}
	if p.chained {
		d.note("requires of what requires")
	}
	if d.plain { // who provides a field shares it
		for _, o := range d.subs {
			if t := o.types[e.name]; t != nil && t.field(p.name) != nil && !t.field(p.name).external() {
				t.field(p.name).mark("@shareable")
			}
		}
	}
	if have == nil {
		l := p.line
		l.marks = []string{"@external"}
		def.add(l)
		d.added = append(d.added, added{def, l.name})
	}
	return text
}

// differs says whether the owners disagree about the type, so that no external copy could be right.
func (p *prop) differs(e *entity) bool {
	for _, o := range p.owners {
		if f := o.types[e.name].field(p.name); f == nil || f.typ != p.typ || f.args != p.args {
			return true
		}
	}
	return false
}

func (p *prop) requiredLiteral(d *drawer) string {
	for _, a := range arguments {
		if a.args == p.args && (strings.Contains(a.args, "!)") || d.one(2)) {
			return a.literal
		}
	}
	return ""
}

func isLeaf(name string) bool {
	return slices.Contains([]string{"String", "Int", "ID", "Boolean", "Float", "Status", "Unit", "JSON"}, name)
}

// under is a selection for a field set below a field.
func (d *drawer) under(s *sub, name string, depth int) string {
	def := s.types[name]
	if name == "Size" {
		if d.plain {
			return pick(d, []string{"height", "unit", "height inner { unit }"})
		}
		return pick(d, []string{"height", "depth unit", "height inner { unit }", "depth(in: FT)"})
	}
	if def == nil {
		return ""
	}
	if e := d.entity(name); e != nil {
		var parts []string
		for _, i := range d.chance.Perm(len(e.props)) {
			p := e.props[i]
			if slices.Contains(p.owners, s) {
				if isLeaf(strings.Trim(p.typ, "[]!")) && p.args == "" && !p.chained {
					parts = append(parts, p.name)
				}
			} else if set := d.need(s, e, p, depth-1); set != "" {
				parts = append(parts, set)
				d.note("field set into another entity")
			}
			if len(parts) > 1 {
				break
			}
		}
		if len(parts) == 0 && def.field("id") != nil && !def.field("id").external() {
			parts = append(parts, "id")
		}
		return strings.Join(parts, " ")
	}
	switch def.kind {
	case "interface":
		var parts []string
		for _, f := range def.fields {
			if isLeaf(strings.Trim(f.typ, "[]!")) && f.args == "" {
				parts = append(parts, f.name)
				break
			}
		}
		for _, m := range s.order {
			if t := s.types[m]; slices.Contains(t.implements, name) && d.one(2) {
				if u := d.under(s, m, depth); u != "" && d.entity(m) != nil {
					parts = append(parts, "... on "+m+" { "+u+" }")
					break
				}
			}
		}
		if len(parts) == 0 {
			return ""
		}
		if len(parts) > 0 {
			d.note("field set through an interface")
		}
		return strings.Join(parts, " ")
	case "union":
		for _, m := range def.items {
			if e := d.entity(m); e != nil {
				if u := d.under(s, m, depth); u != "" {
					d.note("field set through a union")
					return "... on " + m + " { " + u + " }"
				}
			}
		}
	}
	return ""
}

// provisions lets fields that lead to an entity bring some of its fields along.
func (d *drawer) provisions() {
	d.plain = true
	for _, s := range d.subs {
		for _, name := range slices.Clone(s.order) {
			def := s.types[name]
			if def.kind != "type" || slices.Contains(def.marks, "@shareable") {
				continue
			}
			for _, f := range def.fields {
				target := strings.Trim(f.typ, "[]!")
				if f.external() || len(f.marks) > 0 || d.taken(name, f.name) || isLeaf(target) || !d.one(5) || s.types[target] == nil {
					continue
				}
				if set := d.provision(s, target); set != "" {
					f.mark(fmt.Sprintf("@provides(fields: %q)", set))
					d.note("provides")
				}
			}
		}
	}
}

// taken says whether an @override moves a field of an entity.
func (d *drawer) taken(typ, field string) bool {
	e := d.entity(typ)
	return e != nil && slices.ContainsFunc(e.props, func(p *prop) bool { return p.name == field && p.taken })
}

func (d *drawer) provision(s *sub, target string) string {
	if e := d.entity(target); e != nil {
		for _, i := range d.chance.Perm(len(e.props)) {
			p := e.props[i]
			if set := d.need(s, e, p, 1+d.chance.IntN(2)); set != "" {
				if strings.Contains(set, "{") {
					d.note("provides below a field")
				}
				return set
			}
		}
		return ""
	}
	def := s.types[target]
	if def.kind != "interface" && def.kind != "union" {
		return ""
	}
	for _, m := range s.order {
		if t := s.types[m]; (slices.Contains(t.implements, target) || slices.Contains(def.items, m)) && d.entity(m) != nil {
			if set := d.provision(s, m); set != "" {
				d.note("provides through an " + def.kind)
				return "... on " + m + " { " + set + " }"
			}
		}
	}
	return ""
}
