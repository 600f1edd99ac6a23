package draw

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Operation is a random operation and the values of its variables.
type Operation struct {
	Text string
	Vars map[string]any
}

// Choice is what kind of operation to draw.
type Choice struct {
	Kind  ast.Operation
	Defer bool // fragments may be deferred
}

// RandomOperation draws an operation against the schema that clients see: aliases, fragments by name and in place, on abstract types
// and on concrete ones, variables, conditions, introspection. Nearly all are valid; for the rest there is the caller's validation.
func RandomOperation(seed uint64, api *ast.Schema, choice Choice) Operation {
	w := &writer{
		chance: rand.New(rand.NewPCG(seed, 2)), api: api, choice: choice, vars: map[string]any{},
		taken: map[string][]taken{}, size: 8 + int(seed%40),
	}
	var body string
	switch depth := 1 + w.chance.IntN(5); choice.Kind {
	case ast.Mutation:
		body = w.selection(api.Mutation, depth, "")
	case ast.Subscription: // has one root field, always
		body = "{ " + w.field(api.Subscription, choose(w, api.Subscription.Fields), always, depth, "") + " }"
	default:
		body = w.selection(api.Query, depth, "")
	}
	var b strings.Builder
	b.WriteString(string(choice.Kind) + " Random")
	if len(w.defs) > 0 {
		b.WriteString("(" + strings.Join(w.defs, ", ") + ")")
	}
	b.WriteString(" " + body)
	for _, f := range w.fragments {
		b.WriteString("\nfragment " + f.name + " on " + f.on + " " + f.body)
	}
	return Operation{b.String(), w.vars}
}

// writer is an operation in the making.
type writer struct {
	chance    *rand.Rand
	api       *ast.Schema
	choice    Choice
	vars      map[string]any
	defs      []string
	fragments []fragment
	taken     map[string][]taken // by the path of response keys
	aliases   int
	labels    int
	size      int // selections that may still come
}

type fragment struct{ name, on, body string }

// taken is a response key at a path: what stands there, on which type.
type taken struct{ on, text, typ string }

func (w *writer) one(n int) bool { return w.chance.IntN(n) == 0 }

func choose[T any](w *writer, of []T) T { return of[w.chance.IntN(len(of))] }

// selection draws what stands in braces. path is that of the response keys up to here.
func (w *writer) selection(typ *ast.Definition, depth int, path string) string {
	var parts []string
	for range 1 + w.chance.IntN(4) {
		if w.size--; w.size < 0 {
			break
		}
		if s := w.selected(typ, depth, path); s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return "{ __typename }"
	}
	return "{ " + strings.Join(parts, " ") + " }"
}

func (w *writer) selected(typ *ast.Definition, depth int, path string) string {
	switch {
	case w.one(4), typ.Kind == ast.Union && !w.one(4):
		return w.fragment(typ, depth, path)
	case w.one(8), typ.Kind == ast.Union:
		return w.key(typ, "__typename", "", "String!", path) + w.condition()
	case typ == w.api.Query && w.one(12):
		return w.introspection(typ, path)
	}
	var fields []*ast.FieldDefinition
	for _, f := range typ.Fields {
		if !strings.HasPrefix(f.Name, "__") && (depth > 0 || w.api.Types[f.Type.Name()].IsLeafType()) {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return ""
	}
	f := choose(w, fields)
	return w.field(typ, f, w.condition, depth, path)
}

// field draws a field with what is under it.
func (w *writer) field(typ *ast.Definition, f *ast.FieldDefinition, condition func() string, depth int, path string) string {
	s := w.key(typ, f.Name, w.arguments(f), f.Type.String(), path)
	if child := w.api.Types[f.Type.Name()]; child.IsCompositeType() {
		key, _, _ := strings.Cut(s, "(")
		key, _, _ = strings.Cut(key, ":")
		return s + condition() + " " + w.selection(child, depth-1, path+"."+key)
	}
	return s + condition()
}

// always is no condition.
func always() string { return "" }

// key gives a field a response key that nothing else has at the path, unless the two may share it: the field's name, an alias of its
// own, or one that fields of several types are to meet under.
func (w *writer) key(on *ast.Definition, name, args, typ, path string) string {
	text := name + args
	free := func(key string) bool {
		for _, t := range w.taken[path+"."+key] {
			apart := t.on != on.Name && on.Kind == ast.Object && w.api.Types[t.on].Kind == ast.Object
			if t.typ != typ || t.text != text && (!apart || !w.api.Types[strings.Trim(typ, "[]!")].IsLeafType()) {
				return false
			}
		}
		return true
	}
	key := name
	switch {
	case w.one(8):
		key = fmt.Sprintf("k%d", w.chance.IntN(3))
	case w.one(4):
		key = ""
	}
	if key == "" || !free(key) {
		w.aliases++
		key = fmt.Sprintf("a%d", w.aliases)
	}
	w.taken[path+"."+key] = append(w.taken[path+"."+key], taken{on.Name, text, typ})
	if key == name {
		return text
	}
	return key + ": " + text
}

// fragment draws a fragment on the type, one of its members or one of its interfaces.
func (w *writer) fragment(typ *ast.Definition, depth int, path string) string {
	on := []*ast.Definition{typ}
	for _, p := range w.api.PossibleTypes[typ.Name] {
		on = append(on, p, p)
		on = append(on, w.api.Implements[p.Name]...) // interfaces inside unions and other interfaces
	}
	on = append(on, w.api.Implements[typ.Name]...)
	target := choose(w, on)
	if w.one(12) { // one that stands elsewhere already
		for _, f := range w.fragments {
			if f.on == target.Name && !strings.Contains(f.body, "@defer") {
				return "..." + f.name + w.condition()
			}
		}
	}
	conditions := w.condition() + w.deferral(path)
	body := w.selection(target, depth, path)
	switch {
	case w.one(3):
		name := fmt.Sprintf("F%d", len(w.fragments))
		w.fragments = append(w.fragments, fragment{name, target.Name, body})
		return "..." + name + conditions
	case target == typ && w.one(2):
		return "..." + conditions + " " + body
	}
	return "... on " + target.Name + conditions + " " + body
}

func (w *writer) introspection(on *ast.Definition, path string) string {
	if w.one(2) {
		return w.key(on, "__schema", "", "__Schema!", path+"#") + " { queryType { name } }"
	}
	names := []string{"Query", "String", "Nobody"}
	for name := range w.api.Types {
		names = append(names, name)
	}
	slices.Sort(names)
	w.aliases++
	return fmt.Sprintf("a%d: __type(name: %q) { name kind }", w.aliases, choose(w, names))
}

func (w *writer) deferral(path string) string {
	if !w.choice.Defer || path == "" && w.choice.Kind == ast.Mutation || w.one(3) {
		return ""
	}
	w.labels++
	switch w.chance.IntN(8) {
	case 0:
		return fmt.Sprintf(" @defer(label: \"d%d\", if: false)", w.labels)
	case 1:
		return fmt.Sprintf(" @defer(if: $%s, label: \"d%d\")", w.boolean(), w.labels)
	case 2:
		return " @defer"
	}
	return fmt.Sprintf(" @defer(label: \"d%d\")", w.labels)
}

// condition draws @skip and @include, both at times.
func (w *writer) condition() string {
	if !w.one(8) {
		return ""
	}
	directives := []string{"@skip"}
	switch w.chance.IntN(5) {
	case 0, 1:
		directives = []string{"@include"}
	case 2:
		directives = []string{"@skip", "@include"}
	}
	var b strings.Builder
	for _, d := range directives {
		if w.one(4) {
			fmt.Fprintf(&b, " %s(if: %v)", d, w.one(2))
		} else {
			fmt.Fprintf(&b, " %s(if: $%s)", d, w.boolean())
		}
	}
	return b.String()
}

// boolean is one of three variables for conditions, each with a value or a default or both.
func (w *writer) boolean() string {
	n := w.chance.IntN(3)
	name := fmt.Sprintf("c%d", n)
	if slices.ContainsFunc(w.defs, func(d string) bool { return strings.HasPrefix(d, "$"+name+":") }) {
		return name
	}
	if w.one(4) {
		w.defs = append(w.defs, fmt.Sprintf("$%s: Boolean = %v", name, w.one(2))) // nullable where null may not stand
		if w.one(2) {
			return name
		}
	} else {
		w.defs = append(w.defs, "$"+name+": Boolean!")
	}
	w.vars[name] = w.one(2)
	return name
}
