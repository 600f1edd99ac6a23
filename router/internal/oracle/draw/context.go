package draw

import (
	"fmt"
	"slices"
	"strings"
)

// contexts lets a type below an entity take an argument from it, by a field that the entity's subgraph has or must have brought.
func (d *drawer) contexts() {
	for _, e := range d.all {
		s := pick(d, e.homes)
		if s.fed1 || !d.one(5) {
			continue
		}
		set, typ := "", ""
		for _, i := range d.chance.Perm(len(e.props)) {
			p := e.props[i]
			typ = strings.Trim(p.typ, "!")
			if typ != "String" && typ != "Int" && typ != "Unit" || p.args != "" {
				continue
			}
			if set = d.need(s, e, p, 1); set == "" && slices.Contains(p.owners, s) && !p.taken && !p.chained {
				set = p.name
			}
			if set != "" {
				break
			}
		}
		if set == "" {
			continue
		}
		name, target := d.name("context"), d.name("Told")
		s.types[e.name].mark(fmt.Sprintf("@context(name: %q)", name))
		s.types[e.name].add(line{name: d.name("told"), typ: d.wrap(target)})
		t := s.define("type", target)
		t.mark(`@key(fields: "id")`)
		t.add(line{name: "id", typ: "ID!"})
		t.add(line{name: d.name("by"), args: fmt.Sprintf("(n: Int, from: %s @fromContext(field: \"$%s { %s }\"))", typ, name, set), typ: pick(d, []string{"String", "Int"})})
		if d.one(2) {
			t.add(line{name: d.name("down"), typ: target})
		}
		d.note("argument from a context")
		if other := pick(d, d.subs); other != s { // a part of it that is a hop away
			t := other.define("type", target)
			t.mark(`@key(fields: "id")`)
			t.add(line{name: "id", typ: "ID!"})
			t.add(line{name: d.name("f"), typ: "Int"})
		}
	}
}
