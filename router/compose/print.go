package compose

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// print writes the supergraph: the schema with its links, then directives and types, each sorted by name, each element as the
// subgraphs ordered it.
func (m *merger) print(executable []*ast.DirectiveDefinition) string {
	minor := m.joinMinor()
	used := m.usedCarried()
	doc := m.machinery(minor, used)
	doc.Directives = append(doc.Directives, executable...)
	for _, c := range m.composedDirectives() {
		doc.Directives = append(doc.Directives, c.def)
	}
	for _, name := range m.sortedNames() {
		doc.Definitions = append(doc.Definitions, m.types[name])
	}
	sort.SliceStable(doc.Directives, func(i, j int) bool { return lessName(doc.Directives[i].Name, doc.Directives[j].Name) })
	sort.SliceStable(doc.Definitions, func(i, j int) bool { return lessName(doc.Definitions[i].Name, doc.Definitions[j].Name) })

	p := &printer{}
	m.printSchema(p, minor, used)
	for _, d := range doc.Directives {
		p.directiveDefinition(d)
	}
	for _, d := range doc.Definitions {
		p.definition(d)
	}
	return p.b.String()
}

// machinery parses the definitions that the supergraph needs of its own.
func (m *merger) machinery(minor int, used []carriedSpec) *ast.SchemaDocument {
	text := joinDefinitions(minor)
	for _, c := range used {
		text += c.definition + "\n"
	}
	doc, err := parser.ParseSchema(&ast.Source{Name: "join", Input: text, BuiltIn: true})
	if err != nil {
		panic("compose: the join specification's definitions do not parse: " + err.Error())
	}
	graphs := &ast.Definition{Kind: ast.Enum, Name: "join__Graph"}
	for _, s := range m.subs {
		graphs.EnumValues = append(graphs.EnumValues, &ast.EnumValueDefinition{Name: s.graph, Directives: ast.DirectiveList{
			{Name: "join__graph", Arguments: ast.ArgumentList{stringArgument("name", s.name), stringArgument("url", s.url)}},
		}})
	}
	doc.Definitions = append(doc.Definitions, graphs)
	return doc
}

// usedCarried lists the carried specifications of which some subgraph uses a directive.
func (m *merger) usedCarried() []carriedSpec {
	applied := map[string]bool{}
	note := func(list ast.DirectiveList) {
		for _, d := range list {
			applied[d.Name] = true
		}
	}
	for _, s := range m.subs {
		s.types(func(def *ast.Definition) { eachDirectives(def, note) })
		for _, def := range s.schema.Directives {
			for _, a := range def.Arguments {
				note(a.Directives)
			}
		}
	}
	var out []carriedSpec
	for _, c := range carried {
		switch {
		case c.canonical == dirCost && applied[dirListSize]:
			out = append(out, sized)
		case applied[c.canonical]:
			out = append(out, c)
		}
	}
	return out
}

func (m *merger) printSchema(p *printer, minor int, used []carriedSpec) {
	p.line("schema")
	p.line(`  @link(url: "%slink/v1.0")`, specHost)
	p.line(`  @link(url: "%sjoin/v0.%d", for: EXECUTION)`, specHost, minor)
	for _, c := range used {
		purpose := ""
		if c.purpose != "" {
			purpose = ", for: " + c.purpose
		}
		p.line(`  @link(url: "%s%s"%s%s)`, specHost, c.spec, purpose, c.imports)
	}
	for _, l := range m.composedLinks() {
		p.line("  %s", l)
	}
	p.line("{")
	for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		if m.types[rootNames[op]] != nil {
			p.line("  %s: %s", op, rootNames[op])
		}
	}
	p.line("}")
}

// Print writes a schema in the layout of composed supergraphs: what defines the schema, then directives and types, in the order of the
// document. Extensions are left out.
func Print(doc *ast.SchemaDocument) string {
	p := &printer{}
	for _, s := range doc.Schema {
		p.description(s.Description, "")
		p.line("schema")
		for _, d := range s.Directives {
			p.line("  %s", directiveText(d))
		}
		p.line("{")
		for _, o := range s.OperationTypes {
			p.line("  %s: %s", o.Operation, o.Type)
		}
		p.line("}")
	}
	for _, d := range doc.Directives {
		p.directiveDefinition(d)
	}
	for _, d := range doc.Definitions {
		p.definition(d)
	}
	return p.b.String()
}

// printer writes definitions in the layout that GraphQL's tools have made usual.
type printer struct{ b strings.Builder }

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(&p.b, format, args...)
	p.b.WriteByte('\n')
}

func (p *printer) description(text, indent string) {
	if text == "" {
		return
	}
	p.b.WriteString(indent + `"""` + "\n")
	for _, l := range strings.Split(strings.ReplaceAll(text, `"""`, `\"""`), "\n") {
		if l == "" {
			p.b.WriteByte('\n')
			continue
		}
		p.b.WriteString(indent + l + "\n")
	}
	p.b.WriteString(indent + `"""` + "\n")
}

func (p *printer) directiveDefinition(d *ast.DirectiveDefinition) {
	p.b.WriteByte('\n')
	p.description(d.Description, "")
	repeatable := ""
	if d.IsRepeatable {
		repeatable = " repeatable"
	}
	places := make([]string, len(d.Locations))
	for i, l := range d.Locations {
		places[i] = string(l)
	}
	p.b.WriteString("directive @" + d.Name)
	p.arguments(d.Arguments, "")
	p.line("%s on %s", repeatable, strings.Join(places, " | "))
}

var keywords = map[ast.DefinitionKind]string{
	ast.Scalar: "scalar", ast.Object: "type", ast.Interface: "interface", ast.Union: "union", ast.Enum: "enum", ast.InputObject: "input",
}

func (p *printer) definition(d *ast.Definition) {
	p.b.WriteByte('\n')
	p.description(d.Description, "")
	p.b.WriteString(keywords[d.Kind] + " " + d.Name)
	if len(d.Interfaces) > 0 {
		p.b.WriteString(" implements " + strings.Join(d.Interfaces, " & "))
	}
	for _, dir := range d.Directives {
		p.b.WriteString("\n  " + directiveText(dir))
	}
	switch {
	case d.Kind == ast.Union:
		p.b.WriteString("\n  = " + strings.Join(d.Types, " | "))
	case len(d.Fields)+len(d.EnumValues) == 0:
	case len(d.Directives) > 0:
		p.b.WriteString("\n{\n")
	default:
		p.b.WriteString(" {\n")
	}
	described := func(first bool, text string) {
		if !first && text != "" {
			p.b.WriteByte('\n')
		}
		p.description(text, "  ")
	}
	for i, f := range d.Fields {
		described(i == 0, f.Description)
		p.b.WriteString("  " + f.Name)
		p.arguments(f.Arguments, "  ")
		p.b.WriteString(": " + f.Type.String())
		if f.DefaultValue != nil {
			p.b.WriteString(" = " + valueSDL(f.DefaultValue))
		}
		p.line("%s", inlineDirectives(f.Directives))
	}
	for i, v := range d.EnumValues {
		described(i == 0, v.Description)
		p.line("  %s%s", v.Name, inlineDirectives(v.Directives))
	}
	if len(d.Fields)+len(d.EnumValues) > 0 {
		p.b.WriteByte('}')
	}
	p.b.WriteByte('\n')
}

// arguments stay on one line unless one of them has a description.
func (p *printer) arguments(args ast.ArgumentDefinitionList, indent string) {
	if len(args) == 0 {
		return
	}
	text := func(a *ast.ArgumentDefinition) string {
		s := a.Name + ": " + a.Type.String()
		if a.DefaultValue != nil {
			s += " = " + valueSDL(a.DefaultValue)
		}
		return s + inlineDirectives(a.Directives)
	}
	if !slices.ContainsFunc(args, func(a *ast.ArgumentDefinition) bool { return a.Description != "" }) {
		all := make([]string, len(args))
		for i, a := range args {
			all[i] = text(a)
		}
		p.b.WriteString("(" + strings.Join(all, ", ") + ")")
		return
	}
	p.b.WriteString("(\n")
	for _, a := range args {
		p.description(a.Description, indent+"  ")
		p.line("%s  %s", indent, text(a))
	}
	p.b.WriteString(indent + ")")
}

func inlineDirectives(list ast.DirectiveList) string {
	var b strings.Builder
	for _, d := range list {
		b.WriteString(" " + directiveText(d))
	}
	return b.String()
}

func directiveText(d *ast.Directive) string {
	if len(d.Arguments) == 0 {
		return "@" + d.Name
	}
	args := make([]string, len(d.Arguments))
	for i, a := range d.Arguments {
		args[i] = a.Name + ": " + valueSDL(a.Value)
	}
	return "@" + d.Name + "(" + strings.Join(args, ", ") + ")"
}

// valueSDL writes a constant value; strings are escaped as GraphQL asks, which JSON's escapes satisfy.
func valueSDL(v *ast.Value) string {
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		return quote(v.Raw)
	case ast.ListValue:
		items := make([]string, len(v.Children))
		for i, c := range v.Children {
			items[i] = valueSDL(c.Value)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case ast.ObjectValue:
		items := make([]string, len(v.Children))
		for i, c := range v.Children {
			items[i] = c.Name + ": " + valueSDL(c.Value)
		}
		return "{" + strings.Join(items, ", ") + "}"
	default:
		return v.Raw
	}
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
