package draw

import (
	"slices"
	"strings"
)

// sub is a subgraph in the making.
type sub struct {
	name string
	style
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

// has says whether there is something in a type.
func (s *sub) has(name string) bool { return s.types[name] != nil && len(s.types[name].fields) > 0 }

// sdl writes the subgraph down.
func (s *sub) sdl() string {
	var b strings.Builder
	b.WriteString(s.header(s.has("Mutation"), s.has("Subscription")))
	for _, name := range s.order {
		s.types[name].write(&b, s.style)
	}
	return b.String()
}

func (d *definition) write(b *strings.Builder, s style) {
	if (d.kind == "type" || d.kind == "interface" || d.kind == "input") && len(d.fields) == 0 {
		return
	}
	if d.extends == "extend" {
		b.WriteString("extend ")
	}
	b.WriteString(d.kind + " " + s.typ(d.name))
	if len(d.implements) > 0 {
		b.WriteString(" implements " + strings.Join(d.implements, " & "))
	}
	if d.extends == "@extends" {
		b.WriteString(" " + s.mark("@extends"))
	}
	writeMarks(b, d.marks, s)
	switch d.kind {
	case "union":
		b.WriteString(" = " + strings.Join(d.items, " | "))
	case "enum":
		b.WriteString(" { " + s.inside(strings.Join(d.items, " ")) + " }")
	case "scalar":
	default:
		b.WriteString(" {\n")
		for _, f := range d.fields {
			b.WriteString("  " + f.name + s.inside(f.args) + ": " + s.typ(f.typ))
			writeMarks(b, f.marks, s)
			b.WriteString("\n")
		}
		b.WriteString("}")
	}
	b.WriteString("\n")
}

// writeMarks leaves out what federation 1 did not have: there everything may be shared.
func writeMarks(b *strings.Builder, marks []string, s style) {
	for _, m := range marks {
		if !s.fed1 || m != "@shareable" {
			b.WriteString(" " + s.mark(m))
		}
	}
}

// inside is text with directives that stand in the middle of it.
func (s style) inside(text string) string {
	for _, name := range []string{"@inaccessible", "@fromContext"} {
		text = strings.ReplaceAll(text, name, s.mark(name))
	}
	return text
}
