package lift

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Operation is one operation of a document, read apart from its literals.
type Operation struct {
	// Text is the canonical form. It tells equal literals from different ones, because fields merge by it.
	Text string
	// Literals are the values, by the names of their variables in Text.
	Literals map[string]any
	// Whole says that Text shows all that validation looks at, but for the values in Literals, and those are values of their
	// types: if one whole operation of that Text is valid, all are.
	Whole bool

	schema     *ast.Schema
	definition *ast.OperationDefinition
	fragments  []*ast.FragmentDefinition // that the operation uses, in the order of their first use
	lifted     []*ast.VariableDefinition
	places     []place
}

// place is where a literal stands and the variable that may stand there instead.
type place struct {
	value    **ast.Value
	variable *ast.VariableDefinition
}

// Read looks at an operation of doc and changes nothing. The document need not be valid.
func Read(schema *ast.Schema, doc *ast.QueryDocument, definition *ast.OperationDefinition) *Operation {
	r := reader{
		o:    &Operation{Whole: true, schema: schema, definition: definition, Literals: map[string]any{}},
		doc:  doc,
		used: map[string]bool{}, classes: map[string]int{}, names: map[name]*ast.VariableDefinition{},
		prefix: freePrefix(definition.VariableDefinitions),
	}
	r.operation()
	o := r.o
	if len(doc.Operations) != 1 || len(doc.Fragments) != len(o.fragments) {
		o.Whole = false // validation looks at what is not used as well
	}
	return o
}

// freePrefix begins no name of a client's variable.
func freePrefix(defs ast.VariableDefinitionList) string {
	prefix := "lit"
	for slices.ContainsFunc(defs, func(d *ast.VariableDefinition) bool { return strings.HasPrefix(d.Variable, prefix) }) {
		prefix += "_"
	}
	return prefix
}

// Apply makes the document that Text stands for: variables instead of the literals, and nothing that the operation does not use.
// doc must be the validated document that was read. It returns the operation in it.
func (o *Operation) Apply(doc *ast.QueryDocument) *ast.OperationDefinition {
	for _, p := range o.places {
		literal := *p.value
		*p.value = &ast.Value{
			Kind: ast.Variable, Raw: p.variable.Variable, Position: literal.Position,
			Definition: literal.Definition, ExpectedType: literal.ExpectedType, VariableDefinition: p.variable,
		}
	}
	o.definition.VariableDefinitions = append(slices.Clip(o.definition.VariableDefinitions), o.lifted...)
	doc.Operations = ast.OperationList{o.definition}
	doc.Fragments = o.fragments
	return o.definition
}

// reader walks an operation and prints it.
type reader struct {
	o       *Operation
	doc     *ast.QueryDocument
	b       strings.Builder
	used    map[string]bool // fragments
	prefix  string
	classes map[string]int // literals by what they are, whatever their type
	names   map[name]*ast.VariableDefinition
}

// name tells lifted variables apart: the same literal may stand for values of several types.
type name struct {
	class int
	typ   string
}

func (r *reader) operation() {
	op := r.o.definition
	r.selections(op.SelectionSet, r.root(op.Operation))
	for i := 0; i < len(r.o.fragments); i++ { // grows while fragments use fragments
		f := r.o.fragments[i]
		r.b.WriteString("fragment " + f.Name + " on " + f.TypeCondition)
		r.directives(f.Directives)
		r.selections(f.SelectionSet, r.o.schema.Types[f.TypeCondition])
	}
	body := r.b.String()
	r.b.Reset()
	r.b.WriteString(string(op.Operation) + " " + op.Name)
	r.variables(op.VariableDefinitions)
	r.directives(op.Directives)
	r.b.WriteString(body)
	r.o.Text = r.b.String()
}

func (r *reader) root(op ast.Operation) *ast.Definition {
	switch op {
	case ast.Mutation:
		return r.o.schema.Mutation
	case ast.Subscription:
		return r.o.schema.Subscription
	default:
		return r.o.schema.Query
	}
}

func (r *reader) variables(client ast.VariableDefinitionList) {
	defs := slices.Concat(client, r.o.lifted)
	if len(defs) == 0 {
		return
	}
	slices.SortStableFunc(defs, func(a, b *ast.VariableDefinition) int { return strings.Compare(a.Variable, b.Variable) })
	r.b.WriteByte('(')
	for _, d := range defs {
		r.b.WriteString("$" + d.Variable + ":" + d.Type.String())
		if d.DefaultValue != nil {
			r.b.WriteString("=" + d.DefaultValue.String())
		}
		r.directives(d.Directives)
		r.b.WriteByte(' ')
	}
	r.b.WriteByte(')')
}

func (r *reader) directives(ds ast.DirectiveList) {
	for _, d := range ds {
		r.b.WriteString("@" + d.Name)
		for _, a := range d.Arguments {
			r.b.WriteString("(" + a.Name + ":" + a.Value.String() + ")")
		}
		r.b.WriteByte(' ')
	}
}

// selections prints a selection set on a type; parent is nil where it is not known or its literals must stay.
func (r *reader) selections(set ast.SelectionSet, parent *ast.Definition) {
	r.b.WriteByte('{')
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			r.field(sel, parent)
		case *ast.InlineFragment:
			on := parent
			r.b.WriteString("...")
			if sel.TypeCondition != "" {
				on = r.o.schema.Types[sel.TypeCondition]
				r.b.WriteString("on " + sel.TypeCondition)
			}
			r.directives(sel.Directives)
			r.selections(sel.SelectionSet, on)
		case *ast.FragmentSpread:
			r.b.WriteString("..." + sel.Name)
			r.directives(sel.Directives)
			r.b.WriteByte(' ')
			r.use(sel.Name)
		}
	}
	r.b.WriteByte('}')
}

func (r *reader) use(fragment string) {
	if r.used[fragment] {
		return
	}
	r.used[fragment] = true
	if f := r.doc.Fragments.ForName(fragment); f != nil {
		r.o.fragments = append(r.o.fragments, f)
	}
}

func (r *reader) field(f *ast.Field, parent *ast.Definition) {
	if f.Alias != f.Name {
		r.b.WriteString(f.Alias + ":")
	}
	r.b.WriteString(f.Name)
	var def *ast.FieldDefinition
	var child *ast.Definition
	if parent != nil && !strings.HasPrefix(f.Name, "__") && !strings.HasPrefix(parent.Name, "__") {
		if def = parent.Fields.ForName(f.Name); def != nil {
			child = r.o.schema.Types[def.Type.Name()]
		}
	}
	if len(f.Arguments) > 0 {
		r.b.WriteByte('(')
		for _, a := range f.Arguments {
			r.b.WriteString(a.Name + ":")
			var typ *ast.Type
			if def != nil {
				if arg := def.Arguments.ForName(a.Name); arg != nil {
					typ = arg.Type
				}
			}
			r.value(&a.Value, typ)
			r.b.WriteByte(' ')
		}
		r.b.WriteByte(')')
	}
	r.directives(f.Directives)
	if len(f.SelectionSet) > 0 {
		r.selections(f.SelectionSet, child)
	} else {
		r.b.WriteByte(' ')
	}
}

// value prints a value where typ is expected: a variable in place of a literal. Of a value with variables inside, the
// literals beside them are lifted.
func (r *reader) value(v **ast.Value, typ *ast.Type) {
	literal := *v
	switch {
	case literal.Kind == ast.Variable:
		r.b.WriteString(literal.String())
		return
	case typ == nil:
	case !hasVariable(literal):
		if text, ok := appendJSON(nil, r.o.schema, typ, literal); ok {
			r.lift(v, typ, json.RawMessage(text))
			return
		}
	case literal.Kind == ast.ListValue && typ.Elem != nil:
		r.b.WriteByte('[')
		for _, item := range literal.Children {
			r.value(&item.Value, typ.Elem)
			r.b.WriteByte(' ')
		}
		r.b.WriteByte(']')
		return
	case literal.Kind == ast.ObjectValue && typ.Elem == nil:
		r.object(literal, r.o.schema.Types[typ.NamedType])
		return
	}
	r.o.Whole = false
	r.b.WriteString(literal.String())
}

func (r *reader) object(literal *ast.Value, def *ast.Definition) {
	r.b.WriteByte('{')
	for _, c := range literal.Children {
		r.b.WriteString(c.Name + ":")
		var typ *ast.Type
		if def != nil && def.Kind == ast.InputObject && def.Directives.ForName("oneOf") == nil {
			if f := def.Fields.ForName(c.Name); f != nil {
				typ = f.Type
			}
		}
		r.value(&c.Value, typ)
		r.b.WriteByte(' ')
	}
	r.b.WriteByte('}')
}

func (r *reader) lift(v **ast.Value, typ *ast.Type, text json.RawMessage) {
	key := identity(*v)
	class, known := r.classes[key]
	if !known {
		class = len(r.classes)
		r.classes[key] = class
	}
	n := name{class, typ.String()}
	def := r.names[n]
	if def == nil {
		variable := r.prefix + strconv.Itoa(class)
		if _, taken := r.o.Literals[variable]; taken {
			variable += "of" + strconv.Itoa(len(r.o.lifted))
		}
		def = &ast.VariableDefinition{
			Variable: variable, Type: typ, Definition: r.o.schema.Types[typ.Name()], Used: true, Position: (*v).Position,
		}
		r.names[n] = def
		r.o.lifted = append(r.o.lifted, def)
		r.o.Literals[variable] = text
	}
	r.o.places = append(r.o.places, place{v, def})
	r.b.WriteString("$" + def.Variable)
}
