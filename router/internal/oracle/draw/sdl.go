package draw

import (
	"slices"
	"strings"
)

// sub is a subgraph in the making.
type sub struct {
	name  string
	fed1  bool // written without a link to federation 2
	types map[string]*definition
	order []string
}

// definition is one type of a subgraph.
type definition struct {
	kind, name string
	extends    string // "", "extend" or "@extends"
	marks      []string
	implements []string
	fields     []*line
	items      []string // members of a union, values of an enum
}

// line is a field.
type line struct {
	name, args, typ string
	marks           []string
}

func (s *sub) define(kind, name string) *definition {
	d := &definition{kind: kind, name: name}
	s.types[name] = d
	s.order = append(s.order, name)
	return d
}

func (d *definition) field(name string) *line {
	for _, f := range d.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

func (d *definition) add(f line) *line {
	if have := d.field(f.name); have != nil {
		return have
	}
	f.marks = slices.Clone(f.marks)
	d.fields = append(d.fields, &f)
	return &f
}

func (d *definition) mark(text string) {
	if !slices.Contains(d.marks, text) {
		d.marks = append(d.marks, text)
	}
}

func (f *line) mark(text string) {
	if !slices.Contains(f.marks, text) {
		f.marks = append(f.marks, text)
	}
}

func (f *line) external() bool { return slices.Contains(f.marks, "@external") }

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@external", "@requires", "@provides",
  "@override", "@extends", "@shareable", "@interfaceObject", "@inaccessible", "@tag"])
`

// sdl writes the subgraph down.
func (s *sub) sdl() string {
	var b strings.Builder
	if !s.fed1 {
		b.WriteString(link)
	}
	for _, name := range s.order {
		s.types[name].write(&b, s.fed1)
	}
	return b.String()
}

func (d *definition) write(b *strings.Builder, fed1 bool) {
	if (d.kind == "type" || d.kind == "interface" || d.kind == "input") && len(d.fields) == 0 {
		return
	}
	if d.extends == "extend" {
		b.WriteString("extend ")
	}
	b.WriteString(d.kind + " " + d.name)
	if len(d.implements) > 0 {
		b.WriteString(" implements " + strings.Join(d.implements, " & "))
	}
	if d.extends == "@extends" {
		b.WriteString(" @extends")
	}
	writeMarks(b, d.marks, fed1)
	switch d.kind {
	case "union":
		b.WriteString(" = " + strings.Join(d.items, " | "))
	case "enum":
		b.WriteString(" { " + strings.Join(d.items, " ") + " }")
	case "scalar":
	default:
		b.WriteString(" {\n")
		for _, f := range d.fields {
			b.WriteString("  " + f.name + f.args + ": " + f.typ)
			writeMarks(b, f.marks, fed1)
			b.WriteString("\n")
		}
		b.WriteString("}")
	}
	b.WriteString("\n")
}

// writeMarks leaves out what federation 1 did not have: there everything may be shared.
func writeMarks(b *strings.Builder, marks []string, fed1 bool) {
	for _, m := range marks {
		if !fed1 || m != "@shareable" {
			b.WriteString(" " + m)
		}
	}
}
