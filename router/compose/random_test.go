package compose

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// randomSubgraphs makes a set of subgraphs out of a seed: entities with several keys, value types, an interface, a union, fields shared,
// external, required, provided and overridden. About half of the sets compose; most of the others are near misses.
func randomSubgraphs(seed uint64) []Subgraph {
	w := &world{r: rand.New(rand.NewPCG(seed, 0))}
	w.invent()
	for i := range 2 + w.r.IntN(3) {
		w.names = append(w.names, string(rune('a'+i)))
	}
	w.settle()
	var out []Subgraph
	for i, name := range w.names {
		out = append(out, Subgraph{Name: name, URL: "http://" + name, SDL: w.subgraph(i)})
	}
	return out
}

// world is what all subgraphs of a set speak of.
type world struct {
	r       *rand.Rand
	names   []string
	types   []*randomType
	iface   bool
	union   bool
	nested  bool // a field of type Query below the root
	objects bool // one subgraph knows the interface as an interface object
}

type randomType struct {
	name    string
	entity  bool
	member  bool // of the interface and the union
	keys    []string
	fields  []*randomField
	knownBy []bool // by subgraph
}

type randomField struct {
	name, typ string
	owners    []int
	requires  string // in the first owner
	provides  string
	label     bool
	override  int // the subgraph that the first owner takes it from, or -1
}

func (w *world) chance(percent int) bool { return w.r.IntN(100) < percent }

func (w *world) pick(from []string) string { return from[w.r.IntN(len(from))] }

func (w *world) invent() {
	w.iface, w.union, w.nested, w.objects = w.chance(50), w.chance(40), w.chance(15), w.chance(30)
	for i := range 2 + w.r.IntN(3) {
		t := &randomType{name: fmt.Sprintf("E%d", i), entity: true, member: w.chance(60)}
		t.keys = append(t.keys, "id")
		if w.chance(50) {
			t.keys = append(t.keys, w.pick([]string{"upc", "id upc", "in { id }"}))
		}
		w.types = append(w.types, t)
	}
	for i := range 1 + w.r.IntN(2) {
		w.types = append(w.types, &randomType{name: fmt.Sprintf("V%d", i), member: w.chance(30)})
	}
	var names []string
	for _, t := range w.types {
		names = append(names, t.name)
	}
	if w.iface {
		names = append(names, "I")
	}
	if w.union {
		names = append(names, "U")
	}
	if w.nested {
		names = append(names, "Query")
	}
	for _, t := range w.types {
		for i := range 2 + w.r.IntN(3) {
			f := &randomField{name: fmt.Sprintf("f%d", i), typ: "Int", override: -1}
			if w.chance(45) {
				f.typ = w.pick(names)
				f.name = "r" + f.name
			}
			if w.chance(20) {
				f.typ = "[" + f.typ + "]"
			}
			t.fields = append(t.fields, f)
		}
	}
}

// settle decides who knows which type and who owns which field.
func (w *world) settle() {
	for _, t := range w.types {
		t.knownBy = make([]bool, len(w.names))
		var known []int
		for i := range w.names {
			if w.chance(65) {
				t.knownBy[i] = true
				known = append(known, i)
			}
		}
		if len(known) == 0 {
			t.knownBy[0] = true
			known = []int{0}
		}
		for _, f := range t.fields {
			f.owners = []int{known[w.r.IntN(len(known))]}
			if !t.entity || w.chance(25) {
				for _, i := range known {
					if i != f.owners[0] && w.chance(70) {
						f.owners = append(f.owners, i)
					}
				}
			}
			if t.entity && len(known) > 1 && len(f.owners) == 1 && w.chance(12) {
				if from := known[w.r.IntN(len(known))]; from != f.owners[0] {
					f.override, f.label = from, w.chance(30)
				}
			}
			if t.entity && w.chance(25) {
				other := t.fields[w.r.IntN(len(t.fields))]
				if other != f && other.requires == "" && !slices.Contains(other.owners, f.owners[0]) {
					f.requires = w.selection(other.name, other.typ)
				}
			}
			if target := w.named(f.typ); target != nil && w.chance(25) {
				other := target.fields[w.r.IntN(len(target.fields))]
				if !slices.Contains(other.owners, f.owners[0]) {
					f.provides = w.selection(other.name, other.typ)
				}
			}
		}
	}
}

func (w *world) named(typ string) *randomType {
	typ = strings.Trim(typ, "[]!")
	if i := slices.IndexFunc(w.types, func(t *randomType) bool { return t.name == typ }); i >= 0 {
		return w.types[i]
	}
	return nil
}

// selection writes a field as a field set, with one field below it where it needs one.
func (w *world) selection(name, typ string) string {
	switch t := w.named(typ); {
	case t != nil && t.entity:
		return name + " { id }"
	case t != nil && strings.Trim(t.fields[0].typ, "[]!") == "Int":
		return name + " { " + t.fields[0].name + " }"
	case strings.Trim(typ, "[]!") == "Int":
		return name
	default:
		return name + " { __typename }"
	}
}

// draft is one subgraph being written: lines of each type, and the types that must exist because something refers to them.
type draft struct {
	w     *world
	at    int
	types map[string][]string // fields by type
	seen  map[string]bool     // Type.field
	order []string
}

func (w *world) subgraph(at int) string {
	d := &draft{w: w, at: at, types: map[string][]string{}, seen: map[string]bool{}}
	for _, t := range w.types {
		if t.knownBy[at] {
			d.typed(t)
		}
	}
	for n, t := range w.types {
		if t.knownBy[at] && (w.chance(60) || n == 0 && at == 0) {
			d.field("Query", fmt.Sprintf("q%s%s", w.names[at], t.name), t.name, "")
			if w.chance(15) {
				d.field("Mutation", fmt.Sprintf("m%s%s", w.names[at], t.name), t.name, "")
			}
			if w.chance(20) {
				d.field("Query", "q"+t.name, t.name, " @shareable")
			}
		}
	}
	if w.iface && w.chance(40) {
		d.field("Query", "qI"+w.names[at], "I", "")
	}
	if w.union && w.chance(40) {
		d.field("Query", "qU"+w.names[at], "[U]", "")
	}
	return d.text()
}

// field adds a field and whatever its type needs.
func (d *draft) field(typ, name, of, marks string) {
	if d.seen[typ+"."+name] {
		return
	}
	d.seen[typ+"."+name] = true
	if d.types[typ] == nil {
		d.order = append(d.order, typ)
	}
	d.types[typ] = append(d.types[typ], name+": "+of+marks)
	d.need(strings.Trim(of, "[]!"))
}

func (d *draft) need(name string) {
	switch t := d.w.named(name); {
	case name == "Query" && d.types["Query"] == nil:
		d.field("Query", "q"+d.w.names[d.at], "Int", "")
	case t != nil && d.types[name] == nil:
		d.typed(t)
	case name == "U" && d.types["U"] == nil:
		d.order = append(d.order, "U")
		d.types["U"] = []string{}
		for _, t := range d.w.types {
			if t.member && t.knownBy[d.at] {
				d.types["U"] = append(d.types["U"], t.name)
			}
		}
		if len(d.types["U"]) == 0 {
			d.types["U"] = []string{d.w.types[0].name}
			d.need(d.w.types[0].name)
		}
	case name == "I" && d.types["I"] == nil:
		d.order = append(d.order, "I")
		d.types["I"] = []string{"id: ID!"}
		for _, t := range d.w.types {
			if t.member && t.knownBy[d.at] {
				d.need(t.name)
			}
		}
	}
}

// typed writes what this subgraph has of a type: its keys, the fields that it owns, and those that it only speaks of.
func (d *draft) typed(t *randomType) {
	w := d.w
	if d.types[t.name] == nil {
		d.order = append(d.order, t.name)
		d.types[t.name] = []string{}
	}
	if t.entity {
		d.field(t.name, "id", "ID!", "")
		for _, k := range t.keys {
			if strings.Contains(k, "upc") {
				d.field(t.name, "upc", "ID!", " @shareable")
			}
			if strings.Contains(k, "in {") {
				d.field("In", "id", "ID!", " @shareable")
				d.field(t.name, "in", "In!", " @shareable")
			}
		}
	} else if t.member && w.iface {
		d.field(t.name, "id", "ID!", " @shareable")
	}
	for _, f := range t.fields {
		d.owned(t, f)
	}
	if len(d.types[t.name]) == 0 {
		d.field(t.name, "id", "ID!", " @shareable")
	}
}

func (d *draft) owned(t *randomType, f *randomField) {
	w := d.w
	if f.override == d.at {
		d.field(t.name, f.name, f.typ, "")
		return
	}
	if !slices.Contains(f.owners, d.at) {
		return
	}
	marks := ""
	if len(f.owners) > 1 || !t.entity {
		if !w.chance(3) {
			marks += " @shareable"
		}
	}
	if f.override >= 0 {
		if f.label {
			marks += fmt.Sprintf(" @override(from: %q, label: \"percent(20)\")", w.names[f.override])
		} else {
			marks += fmt.Sprintf(" @override(from: %q)", w.names[f.override])
		}
	}
	if f.requires != "" && f.owners[0] == d.at {
		marks += fmt.Sprintf(" @requires(fields: %q)", f.requires)
		name, _, _ := strings.Cut(f.requires, " ")
		d.external(t, name)
	}
	if f.provides != "" && f.owners[0] == d.at {
		marks += fmt.Sprintf(" @provides(fields: %q)", f.provides)
		name, _, _ := strings.Cut(f.provides, " ")
		d.field(t.name, f.name, f.typ, marks)
		d.external(w.named(f.typ), name)
		return
	}
	d.field(t.name, f.name, f.typ, marks)
}

// external declares a field that another subgraph owns.
func (d *draft) external(t *randomType, name string) {
	i := slices.IndexFunc(t.fields, func(f *randomField) bool { return f.name == name })
	d.field(t.name, name, t.fields[i].typ, " @external")
	if below := d.w.named(t.fields[i].typ); below != nil && !below.entity {
		first := below.fields[0]
		if !d.seen[below.name+"."+first.name] {
			d.field(below.name, first.name, first.typ, " @external")
		}
	}
}

const linkRandom = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@provides", "@external", ` +
	`"@shareable", "@override", "@interfaceObject"])
`

func (d *draft) text() string {
	w := d.w
	var b strings.Builder
	b.WriteString(linkRandom)
	// A stub of the interface: the subgraph must not know the implementers.
	stub := w.iface && w.objects && d.at == len(w.names)-1 && !slices.ContainsFunc(w.types, func(t *randomType) bool { return t.member && d.types[t.name] != nil })
	if stub {
		b.WriteString("type I @interfaceObject @key(fields: \"id\") { id: ID! extra: Int }\n")
	}
	if w.iface && d.types["I"] == nil && !stub && slices.ContainsFunc(w.types, func(t *randomType) bool { return t.member && d.types[t.name] != nil }) {
		d.order = append(d.order, "I")
		d.types["I"] = []string{"id: ID!"}
	}
	for _, name := range d.order {
		switch t := w.named(name); {
		case name == "U":
			b.WriteString("union U = " + strings.Join(d.types[name], " | ") + "\n")
		case name == "I" && stub:
		case name == "I":
			key := ""
			if w.objects {
				key = ` @key(fields: "id")`
			}
			b.WriteString("interface I" + key + " { " + strings.Join(d.types[name], " ") + " }\n")
		case t == nil:
			b.WriteString("type " + name + " { " + strings.Join(d.types[name], " ") + " }\n")
		default:
			b.WriteString(w.header(t) + " { " + strings.Join(d.types[name], " ") + " }\n")
		}
	}
	return b.String()
}

func (w *world) header(t *randomType) string {
	word := "type "
	if t.entity && w.chance(10) {
		word = "extend type "
	}
	head := word + t.name
	if t.member && w.iface {
		head += " implements I"
	}
	if !t.entity {
		return head
	}
	for i, k := range t.keys {
		if i > 0 && w.chance(30) || i == 0 && len(t.keys) > 1 && (!t.member || !w.objects) && w.chance(30) {
			continue
		}
		if w.chance(8) {
			head += fmt.Sprintf(" @key(fields: %q, resolvable: false)", k)
		} else {
			head += fmt.Sprintf(" @key(fields: %q)", k)
		}
	}
	return head
}
