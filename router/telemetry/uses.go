package telemetry

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// uses says which elements of a schema were asked for, by coordinate, and by how many requests. What variables sent is not known here.
type uses struct {
	Fields      map[string]int64 `json:"fields"`      // Type.field
	Arguments   map[string]int64 `json:"arguments"`   // Type.field(argument:)
	InputFields map[string]int64 `json:"inputFields"` // Input.field, where it stands in a text
	EnumValues  map[string]int64 `json:"enumValues"`  // Enum.VALUE, likewise
}

func newUses() uses {
	return uses{map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}}
}

// add counts n requests of an operation.
func (u *uses) add(schema *ast.Schema, signature string, n int64) {
	if schema == nil {
		return
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: signature})
	if err != nil || len(doc.Operations) == 0 {
		return
	}
	op := doc.Operations[0]
	root := map[ast.Operation]*ast.Definition{ast.Query: schema.Query, ast.Mutation: schema.Mutation, ast.Subscription: schema.Subscription}[op.Operation]
	w := &walk{schema: schema, doc: doc, one: newUses(), fragments: map[string]bool{}}
	w.selections(op.SelectionSet, root)
	for _, v := range op.VariableDefinitions {
		if v.DefaultValue != nil {
			w.value(v.DefaultValue, v.Type)
		}
	}
	// An operation that asks for a field twice is one request for it.
	for _, pair := range [...]struct{ all, one map[string]int64 }{
		{u.Fields, w.one.Fields}, {u.Arguments, w.one.Arguments}, {u.InputFields, w.one.InputFields}, {u.EnumValues, w.one.EnumValues},
	} {
		for coordinate := range pair.one {
			pair.all[coordinate] += n
		}
	}
}

// walk goes through one operation with the types of a schema that may have moved on: what is not in it is left out.
type walk struct {
	schema    *ast.Schema
	doc       *ast.QueryDocument
	one       uses
	fragments map[string]bool
}

func (w *walk) selections(set ast.SelectionSet, on *ast.Definition) {
	if on == nil {
		return
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			w.field(sel, on)
		case *ast.InlineFragment:
			w.selections(sel.SelectionSet, w.condition(sel.TypeCondition, on))
		case *ast.FragmentSpread:
			if def := w.doc.Fragments.ForName(sel.Name); def != nil && !w.fragments[sel.Name] {
				w.fragments[sel.Name] = true
				w.selections(def.SelectionSet, w.schema.Types[def.TypeCondition])
			}
		}
	}
}

func (w *walk) condition(name string, on *ast.Definition) *ast.Definition {
	if name == "" {
		return on
	}
	return w.schema.Types[name]
}

func (w *walk) field(f *ast.Field, on *ast.Definition) {
	def := on.Fields.ForName(f.Name)
	if def == nil {
		return // __typename, or no longer there
	}
	coordinate := on.Name + "." + f.Name
	w.one.Fields[coordinate] = 1
	for _, a := range f.Arguments {
		if d := def.Arguments.ForName(a.Name); d != nil {
			w.one.Arguments[coordinate+"("+a.Name+":)"] = 1
			w.value(a.Value, d.Type)
		}
	}
	w.selections(f.SelectionSet, w.schema.Types[def.Type.Name()])
}

func (w *walk) value(v *ast.Value, t *ast.Type) {
	def := w.schema.Types[t.Name()]
	if def == nil {
		return
	}
	switch v.Kind {
	case ast.EnumValue:
		if def.EnumValues.ForName(v.Raw) != nil {
			w.one.EnumValues[def.Name+"."+v.Raw] = 1
		}
	case ast.ListValue:
		for _, c := range v.Children {
			w.value(c.Value, t)
		}
	case ast.ObjectValue:
		for _, c := range v.Children {
			if f := def.Fields.ForName(c.Name); f != nil && def.Kind == ast.InputObject {
				w.one.InputFields[def.Name+"."+c.Name] = 1
				w.value(c.Value, f.Type)
			}
		}
	}
}
