package cost_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"
)

// calculator is the second opinion: it reads the directives out of the text of the supergraph by itself, knows all variables from the
// start, and adds every item of every list up one by one.
type calculator struct {
	types     map[string]*ast.Definition
	doc       *ast.QueryDocument
	variables map[string]any
	steps     int
	err       error
}

func naive(t failing, sdl string, doc *ast.QueryDocument, variables map[string]any) (int, error) {
	t.Helper()
	schema, err := parser.ParseSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	c := &calculator{types: map[string]*ast.Definition{}, doc: doc, variables: variables}
	for _, d := range schema.Definitions {
		c.types[d.Name] = d
	}
	op := doc.Operations[0]
	total, root := 0, "Query"
	if op.Operation == ast.Mutation {
		total, root = 10, "Mutation"
	}
	total += c.selections(root, op.SelectionSet, nil)
	return total, c.err
}

const enough = 2_000_000

func (c *calculator) selections(on string, set ast.SelectionSet, sized map[string]int) int {
	total := 0
	for _, sel := range set {
		if c.steps++; c.steps > enough {
			return total
		}
		switch sel := sel.(type) {
		case *ast.Field:
			if c.included(sel.Directives) && !strings.HasPrefix(sel.Name, "__") {
				total += c.field(on, sel, sized)
			}
		case *ast.InlineFragment:
			if c.included(sel.Directives) {
				total += c.selections(or(sel.TypeCondition, on), sel.SelectionSet, sized)
			}
		case *ast.FragmentSpread:
			if c.included(sel.Directives) {
				f := c.doc.Fragments.ForName(sel.Name)
				total += c.selections(f.TypeCondition, f.SelectionSet, sized)
			}
		}
	}
	return total
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func (c *calculator) included(ds ast.DirectiveList) bool {
	for _, d := range ds {
		if d.Name == "skip" && c.value(d.Arguments[0].Value) == true || d.Name == "include" && c.value(d.Arguments[0].Value) != true {
			return false
		}
	}
	return true
}

type absent struct{}

func (c *calculator) value(v *ast.Value) any {
	switch v.Kind {
	case ast.Variable:
		if value, ok := c.variables[v.Raw]; ok {
			return value
		}
		return absent{}
	case ast.ListValue:
		list := []any{}
		for _, item := range v.Children {
			list = append(list, c.value(item.Value))
		}
		return list
	case ast.ObjectValue:
		object := map[string]any{}
		for _, f := range v.Children {
			if value := c.value(f.Value); value != (absent{}) {
				object[f.Name] = value
			}
		}
		return object
	case ast.IntValue:
		return json.Number(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.NullValue:
		return nil
	}
	return v.Raw
}

func (c *calculator) field(on string, f *ast.Field, sized map[string]int) int {
	def := c.types[on].Fields.ForName(f.Name)
	total := 0
	for _, a := range f.Arguments {
		arg := def.Arguments.ForName(a.Name)
		if v := c.value(a.Value); v != (absent{}) {
			total += c.input(arg.Type, arg.Directives, v)
		}
	}
	n, below, own := 1, map[string]int{}, def.Directives.ForName("listSize")
	size := -1
	if own != nil {
		size = c.size(on, f, def, own)
		for _, name := range names(own, "sizedFields") {
			below[name] = size
		}
	}
	if def.Type.Elem != nil {
		n = 10
		if len(below) == 0 && size >= 0 {
			n = size
		}
		if given, ok := sized[f.Name]; ok {
			n = given
		}
	}
	if n == 0 {
		_ = c.selections(def.Type.Name(), f.SelectionSet, below) // what costs nothing keeps the rules all the same
	}
	for range n {
		if c.steps > enough {
			break
		}
		total += c.weight(on, f.Name) + c.selections(def.Type.Name(), f.SelectionSet, below)
	}
	return max(0, total)
}

func (c *calculator) size(on string, f *ast.Field, def *ast.FieldDefinition, d *ast.Directive) int {
	var given, standard []int
	for _, name := range names(d, "slicingArguments") {
		path := strings.Split(name, ".")
		var value any = absent{}
		if a := f.Arguments.ForName(path[0]); a != nil {
			value = c.value(a.Value)
		}
		for _, step := range path[1:] {
			object, _ := value.(map[string]any)
			value = absent{}
			if v, ok := object[step]; ok {
				value = v
			}
		}
		switch value := value.(type) {
		case json.Number:
			n, _ := strconv.Atoi(value.String())
			given = append(given, max(0, n))
		case absent:
			if v := def.Arguments.ForName(path[0]).DefaultValue; v != nil {
				n, _ := strconv.Atoi(v.Raw)
				standard = append(standard, n)
			}
		}
	}
	one := d.Arguments.ForName("requireOneSlicingArgument")
	slicing := len(names(d, "slicingArguments")) > 0
	if slicing && (one == nil || one.Value.Raw == "true") && (len(given) > 1 || len(given)+len(standard) == 0) {
		c.err = fmt.Errorf("%s.%s needs one slicing argument", on, f.Name)
	}
	if all := append(given, standard...); len(all) > 0 {
		return slices.Max(all)
	}
	if a := d.Arguments.ForName("assumedSize"); a != nil {
		n, _ := strconv.Atoi(a.Value.Raw)
		return n
	}
	return 10
}

func names(d *ast.Directive, argument string) []string {
	var out []string
	if a := d.Arguments.ForName(argument); a != nil {
		for _, item := range a.Value.Children {
			out = append(out, item.Value.Raw)
		}
	}
	return out
}

func (c *calculator) weight(on, field string) int {
	def := c.types[on].Fields.ForName(field)
	if w, ok := weighed(def.Directives); ok {
		return w
	}
	w := c.typeWeight(def.Type.Name())
	if c.types[on].Kind == ast.Interface {
		var all []int
		for _, d := range c.types {
			if slices.Contains(d.Interfaces, on) && d.Kind == ast.Object {
				all = append(all, c.weight(d.Name, field))
			}
		}
		return slices.Max(all)
	}
	return w
}

func (c *calculator) typeWeight(name string) int {
	d := c.types[name]
	if d == nil {
		return 0 // a built-in scalar
	}
	if w, ok := weighed(d.Directives); ok {
		return w
	}
	var possible []int
	for _, t := range c.types {
		if t.Kind == ast.Object && (slices.Contains(t.Interfaces, name) || slices.Contains(d.Types, t.Name)) {
			possible = append(possible, c.typeWeight(t.Name))
		}
	}
	switch {
	case len(possible) > 0:
		return slices.Max(possible)
	case d.Kind == ast.Object:
		return 1
	}
	return 0
}

func weighed(ds ast.DirectiveList) (int, bool) {
	d := ds.ForName("cost")
	if d == nil {
		return 0, false
	}
	n, err := strconv.Atoi(d.Arguments[0].Value.Raw)
	return n, err == nil
}

func (c *calculator) input(typ *ast.Type, ds ast.DirectiveList, value any) int {
	def := c.types[typ.Name()]
	w, given := weighed(ds)
	if value == nil {
		return 0
	}
	if def == nil || def.Kind != ast.InputObject {
		if !given && def != nil {
			w, _ = weighed(def.Directives)
		}
		return w
	}
	if !given {
		w = 1
	}
	switch value := value.(type) {
	case []any:
		total := 0
		for _, item := range value {
			total += c.input(typ, ds, item)
		}
		return total
	case map[string]any:
		for name, v := range value {
			f := def.Fields.ForName(name)
			w += c.input(f.Type, f.Directives, v)
		}
	}
	return w
}

// Whatever the weights and sizes, whatever is asked and with which variables, bound at once or in two steps, the formula says what the
// naive calculator says.
func TestFormulaAgreesWithTheNaiveCalculator(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawing{T: t}
		sdl := supergraph(d.schema())
		operation := d.operation()
		variables, err := json.Marshal(d.variables())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s\n%s\n%s", sdl, operation, variables)
		formula, doc, vars := formulaOf(t, sdl, operation, string(variables))
		want, wantErr := naive(t, sdl, doc, vars)
		got, err := formula.Cost(vars)
		if (err != nil) != (wantErr != nil) || err == nil && got != want {
			t.Fatalf("the formula says %d (%v), the naive calculator %d (%v)", got, err, want, wantErr)
		}
		some := maps.Clone(vars)
		maps.DeleteFunc(some, func(string, any) bool { return d.chance() })
		if bound, err := formula.Bind(some).Cost(vars); (err != nil) != (wantErr != nil) || err == nil && bound != want {
			t.Fatalf("bound to %v it says %d (%v), not %d", some, bound, err, want)
		}
	})
}

// drawing makes up weights, list sizes and operations over a schema with every kind of type.
type drawing struct {
	*rapid.T
	depth   int
	aliases int // given so far: no two fields merge
}

func (d *drawing) chance() bool { return rapid.Bool().Draw(d.T, "chance") }

func (d *drawing) cost() string {
	if d.chance() {
		return ""
	}
	return fmt.Sprintf(" @cost(weight: %d)", rapid.IntRange(-4, 9).Draw(d.T, "weight"))
}

func (d *drawing) sizes(sized ...string) string {
	if d.chance() {
		return ""
	}
	var args []string
	if d.chance() {
		args = append(args, fmt.Sprintf("assumedSize: %d", rapid.IntRange(0, 4).Draw(d.T, "assumed")))
	}
	if d.chance() {
		args = append(args, rapid.SampledFrom([]string{`slicingArguments: ["a"]`, `slicingArguments: ["a", "b"]`, `slicingArguments: ["in.n"]`}).Draw(d.T, "slicing"))
	}
	if len(sized) > 0 && d.chance() {
		args = append(args, fmt.Sprintf("sizedFields: [%q]", sized[0]))
	}
	if d.chance() {
		args = append(args, "requireOneSlicingArgument: false")
	}
	if len(args) == 0 {
		return ""
	}
	return " @listSize(" + strings.Join(args, ", ") + ")"
}

// fields are the same for all composite types but for their costs; implementers have no @listSize of their own where the interface could.
func (d *drawing) fields(cost func() string) string {
	standard := ""
	if d.chance() {
		standard = " = 3"
	}
	args := fmt.Sprintf("(a: Int%s b: Int%s in: In%s e: [E]%s)", standard, cost(), cost(), cost())
	return fmt.Sprintf(`one%s: T%s%s many%s: [T]%s%s items%s: [I!]!%s%s things: [U]%s leaf: S%s enum: E%s number: Int%s`,
		args, cost(), d.sizes("many", "leaf"), args, cost(), d.sizes(), args, cost(), d.sizes("many"), cost(), cost(), cost(), cost())
}

func (d *drawing) schema() string {
	no := func() string { return "" }
	t := d.fields(d.cost)
	return fmt.Sprintf(`
type Query { %s }
type Mutation { %s }
interface I { many(a: Int b: Int in: In e: [E]): [T] leaf: S number: Int }
type T implements I%s { %s }
type O implements I%s { many(a: Int b: Int in: In e: [E]): [T]%s leaf: S%s number: Int%s }
union U = T | O
input In { n: Int%s more: [In!]%s e: E%s }
scalar S%s
enum E%s { X Y }
`, d.fields(d.cost), d.fields(no), d.cost(), t, d.cost(), d.cost(), d.cost(), d.cost(), d.cost(), d.cost(), d.cost(), d.cost(), d.cost())
}

func (d *drawing) operation() string {
	root := rapid.SampledFrom([]string{"query", "mutation"}).Draw(d.T, "kind")
	text := root + " Q($i: Int $j: Int $in: In $ins: [In!] $w: Boolean! $e: [E]) { "
	// Every variable is used, so that the operation is valid.
	text += "u: one(a: $i b: $j in: {more: $ins} e: $e) @skip(if: true) { ... @include(if: $w) { number } } v: one(in: $in) @skip(if: true) { number } "
	text += d.selections("Query") + "} fragment F on T { number ...G } fragment G on T { many(a: 2) { leaf } }"
	if !strings.Contains(text, "...F") {
		text = strings.Replace(text, "{ u:", "{ f: one @skip(if: true) { ...F } u:", 1)
	}
	return text
}

func (d *drawing) arguments() string {
	var args []string
	for _, a := range []struct{ name, from string }{
		{"a", "$i 0 1 3 null -2"},
		{"b", "$j $i 2 null"},
		{"e", "$e [X,Y] X null"},
		{"in", "$in {n:2} {n:$i,e:X} {more:[{n:1},{more:$ins}]} {more:{n:$j}} null"},
	} {
		if d.chance() {
			args = append(args, a.name+": "+rapid.SampledFrom(strings.Fields(a.from)).Draw(d.T, a.name))
		}
	}
	if len(args) == 0 {
		return ""
	}
	return "(" + strings.Join(args, " ") + ")"
}

func (d *drawing) condition() string {
	return rapid.SampledFrom([]string{"", "", "", " @include(if: $w)", " @skip(if: $w)", " @skip(if: true)"}).Draw(d.T, "condition")
}

func (d *drawing) selections(on string) string {
	d.depth++
	defer func() { d.depth-- }()
	leaves := map[string][]string{"Query": {"leaf", "enum", "number"}, "T": {"leaf", "enum", "number"}, "I": {"leaf", "number"}, "U": {"__typename"}}[on]
	var b strings.Builder
	for range rapid.IntRange(1, 3).Draw(d.T, "selections") {
		kind := rapid.IntRange(0, 6).Draw(d.T, "what")
		if d.depth > 3 {
			kind = 0
		}
		field, below := "", ""
		switch {
		case kind <= 1:
			d.aliases++
			fmt.Fprintf(&b, "k%d: %s%s ", d.aliases, rapid.SampledFrom(leaves).Draw(d.T, "leaf"), d.condition())
			continue
		case on == "T" && kind == 2:
			b.WriteString("...F" + d.condition() + " ")
			continue
		case on == "U" || on == "I" && kind <= 4:
			fmt.Fprintf(&b, "... on T%s { %s} ", d.condition(), d.selections("T"))
			continue
		case on == "I":
			field, below = "many", "T"
		default:
			pair := rapid.SampledFrom([][2]string{{"one", "T"}, {"many", "T"}, {"items", "I"}, {"things", "U"}}).Draw(d.T, "field")
			field, below = pair[0], pair[1]
		}
		args := ""
		if field != "things" {
			args = d.arguments()
		}
		d.aliases++
		fmt.Fprintf(&b, "f%d: %s%s%s { %s} ", d.aliases, field, args, d.condition(), d.selections(below))
	}
	return b.String()
}

func (d *drawing) variables() map[string]any {
	all := map[string]any{"w": d.chance()}
	for name, values := range map[string][]any{
		"i": {0, 2, 5, nil, -1}, "j": {1, nil}, "e": {nil, []any{"X"}, []any{"X", "Y"}},
		"in":  {nil, map[string]any{"n": 3}, map[string]any{"n": nil, "more": []any{map[string]any{"e": "X"}}}},
		"ins": {nil, []any{}, []any{map[string]any{"n": 1}, map[string]any{"n": 2, "e": "Y"}}},
	} {
		if d.chance() {
			all[name] = rapid.SampledFrom(values).Draw(d.T, name)
		}
	}
	return all
}
