package oracle

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"
)

// Operation is a random operation and the values of its variables.
type Operation struct {
	Text string
	Vars map[string]any
}

// RandomOperation draws an operation with aliases, fragments, variables and conditions. It is valid but for rare
// clashes, which the caller's validation finds.
func RandomOperation(t *rapid.T, api *ast.Schema, op ast.Operation) Operation {
	return (&generator{t: t, api: api, vars: map[string]any{}}).operation(op)
}

// RandomDeferred draws an operation with deferred fragments.
func RandomDeferred(t *rapid.T, api *ast.Schema, op ast.Operation) Operation {
	return (&generator{t: t, api: api, vars: map[string]any{}, defers: true, root: op == ast.Mutation}).operation(op)
}

func (g *generator) operation(op ast.Operation) Operation {
	t, api := g.t, g.api
	root := api.Query
	if op == ast.Mutation {
		root = api.Mutation
	}
	body := g.selection(root, rapid.IntRange(1, 5).Draw(t, "depth"))
	var b strings.Builder
	b.WriteString(string(op) + " Random")
	if len(g.defs) > 0 {
		b.WriteString("(" + strings.Join(g.defs, ", ") + ")")
	}
	b.WriteString(" " + body)
	for _, f := range g.fragments {
		b.WriteString("\n" + f)
	}
	return Operation{b.String(), g.vars}
}

type generator struct {
	t         *rapid.T
	api       *ast.Schema
	vars      map[string]any
	defs      []string
	fragments []string
	aliases   int
	size      int
	defers    bool // @defer may stand on fragments
	labels    int
	root      bool // at the root of a mutation, where it may not
}

// maxSize bounds the selections of one operation.
const maxSize = 60

func (g *generator) chance(n int, label string) bool {
	return rapid.IntRange(0, n-1).Draw(g.t, label) == 0
}

func (g *generator) selection(typ *ast.Definition, depth int) string {
	var b strings.Builder
	b.WriteString("{")
	if g.size >= maxSize {
		return "{ __typename }"
	}
	n := rapid.IntRange(1, 4).Draw(g.t, "selections")
	written := map[string]bool{}
	wrote := false
	for range n {
		if s := g.one(typ, depth, written); s != "" {
			b.WriteString(" " + s)
			wrote = true
		}
	}
	if !wrote {
		b.WriteString(" __typename")
	}
	return b.String() + " }"
}

func (g *generator) one(typ *ast.Definition, depth int, written map[string]bool) string {
	g.size++
	if g.chance(5, "fragment") {
		return g.fragment(typ, depth)
	}
	if g.chance(8, "typename") {
		return g.alias(written, "__typename") + g.condition()
	}
	var fields []*ast.FieldDefinition
	for _, f := range typ.Fields {
		leaf := g.api.Types[f.Type.Name()].IsLeafType()
		if !strings.HasPrefix(f.Name, "__") && (leaf || depth > 0) {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		if depth > 0 && typ.IsAbstractType() {
			return g.fragment(typ, depth)
		}
		return ""
	}
	f := fields[rapid.IntRange(0, len(fields)-1).Draw(g.t, "field")]
	s := g.alias(written, f.Name) + g.arguments(f) + g.condition()
	if child := g.api.Types[f.Type.Name()]; child.IsCompositeType() {
		root := g.root
		g.root = false
		s += " " + g.selection(child, depth-1)
		g.root = root
	}
	return s
}

// alias gives a field a response key: its name once, else one that no other field has.
func (g *generator) alias(written map[string]bool, name string) string {
	if !written[name] && !g.chance(4, "alias") {
		written[name] = true
		return name
	}
	g.aliases++
	return fmt.Sprintf("a%d: %s", g.aliases, name)
}

func (g *generator) fragment(typ *ast.Definition, depth int) string {
	conditions := []string{typ.Name}
	for _, p := range g.api.PossibleTypes[typ.Name] {
		conditions = append(conditions, p.Name)
	}
	for _, i := range g.api.Implements[typ.Name] {
		conditions = append(conditions, i.Name)
	}
	on := conditions[rapid.IntRange(0, len(conditions)-1).Draw(g.t, "condition")]
	deferral := g.deferral()
	body := g.selection(g.api.Types[on], depth)
	if g.chance(3, "named") {
		name := fmt.Sprintf("F%d", len(g.fragments))
		g.fragments = append(g.fragments, "fragment "+name+" on "+on+" "+body)
		return "..." + name + g.condition() + deferral
	}
	return "... on " + on + g.condition() + deferral + " " + body
}

func (g *generator) deferral() string {
	if !g.defers || g.root || g.chance(3, "now") {
		return ""
	}
	g.labels++
	switch rapid.IntRange(0, 7).Draw(g.t, "defer") {
	case 0:
		return fmt.Sprintf(" @defer(label: \"d%d\", if: false)", g.labels)
	case 1:
		return fmt.Sprintf(" @defer(if: $%s, label: \"d%d\")", g.boolean(), g.labels)
	case 2:
		return " @defer"
	}
	return fmt.Sprintf(" @defer(label: \"d%d\")", g.labels)
}

func (g *generator) condition() string {
	if !g.chance(8, "conditional") {
		return ""
	}
	directive := []string{"@skip", "@include"}[rapid.IntRange(0, 1).Draw(g.t, "directive")]
	if g.chance(4, "literal") {
		return fmt.Sprintf(" %s(if: %v)", directive, rapid.Bool().Draw(g.t, "if"))
	}
	return " " + directive + "(if: $" + g.boolean() + ")"
}

// boolean is one of three variables.
func (g *generator) boolean() string {
	name := fmt.Sprintf("c%d", rapid.IntRange(0, 2).Draw(g.t, "which"))
	if _, ok := g.vars[name]; !ok {
		g.vars[name] = rapid.Bool().Draw(g.t, "value")
		g.defs = append(g.defs, "$"+name+": Boolean!")
	}
	return name
}

func (g *generator) arguments(f *ast.FieldDefinition) string {
	var args []string
	for _, a := range f.Arguments {
		required := a.Type.NonNull && a.DefaultValue == nil
		if !required && g.chance(2, "omit") {
			continue
		}
		value := g.value(a.Type)
		if value == "" {
			continue
		}
		if g.chance(2, "variable") {
			name := fmt.Sprintf("v%d", len(g.defs))
			g.defs = append(g.defs, "$"+name+": "+a.Type.String())
			g.vars[name] = g.variable(a.Type)
			value = "$" + name
		}
		args = append(args, a.Name+": "+value)
	}
	if len(args) == 0 {
		return ""
	}
	return "(" + strings.Join(args, ", ") + ")"
}

// value is a literal of an input type; empty for types that the generator does not know.
func (g *generator) value(t *ast.Type) string {
	if t.Elem != nil {
		return "[" + g.value(t.Elem) + "]"
	}
	n := rapid.IntRange(0, 9).Draw(g.t, "argument")
	switch def := g.api.Types[t.NamedType]; {
	case def.Kind == ast.Enum:
		return def.EnumValues[n%len(def.EnumValues)].Name
	case t.NamedType == "Int":
		return fmt.Sprint(n)
	case t.NamedType == "String", t.NamedType == "ID":
		return fmt.Sprintf("\"x\\\"%d\"", n)
	case t.NamedType == "Boolean":
		return fmt.Sprint(n%2 == 0)
	case def.Kind == ast.InputObject:
		var parts []string
		for _, f := range def.Fields {
			if f.Type.NonNull || n%2 == 0 {
				parts = append(parts, f.Name+": "+g.value(f.Type))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return ""
}

func (g *generator) variable(t *ast.Type) any {
	if t.Elem != nil {
		return []any{g.variable(t.Elem)}
	}
	n := rapid.IntRange(0, 9).Draw(g.t, "argument")
	switch def := g.api.Types[t.NamedType]; {
	case def.Kind == ast.Enum:
		return def.EnumValues[n%len(def.EnumValues)].Name
	case t.NamedType == "Int":
		return n
	case t.NamedType == "Boolean":
		return n%2 == 0
	case def.Kind == ast.InputObject:
		out := map[string]any{}
		for _, f := range def.Fields {
			if f.Type.NonNull || n%2 == 0 {
				out[f.Name] = g.variable(f.Type)
			}
		}
		return out
	}
	return fmt.Sprintf("y\"%d", n)
}
