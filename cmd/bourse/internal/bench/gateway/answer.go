package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// answer answers an operation out of the shop, as GraphQL has it but without types: who asks is trusted to ask for what is there.
func (s *shop) answer(query string, variables map[string]any) ([]byte, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		return nil, err
	}
	if len(doc.Operations) == 0 {
		return nil, fmt.Errorf("no operation in %q", query)
	}
	a := &answering{shop: s, doc: doc, variables: variables}
	a.out.WriteString(`{"data":`)
	a.object(doc.Operations[0].SelectionSet, s.root)
	a.out.WriteByte('}')
	return a.out.Bytes(), a.err
}

type answering struct {
	shop      *shop
	doc       *ast.QueryDocument
	variables map[string]any
	out       bytes.Buffer
	err       error
}

func (a *answering) object(set ast.SelectionSet, o object) {
	a.out.WriteByte('{')
	var fields []*ast.Field
	a.collect(&fields, set, o)
	for i, f := range fields {
		if i > 0 {
			a.out.WriteByte(',')
		}
		fmt.Fprintf(&a.out, "%q:", f.Alias)
		a.value(f, a.field(f, o))
	}
	a.out.WriteByte('}')
}

func (a *answering) collect(fields *[]*ast.Field, set ast.SelectionSet, o object) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			*fields = append(*fields, sel)
		case *ast.InlineFragment:
			if sel.TypeCondition == "" || sel.TypeCondition == o["__typename"] {
				a.collect(fields, sel.SelectionSet, o)
			}
		case *ast.FragmentSpread:
			if d := a.doc.Fragments.ForName(sel.Name); d != nil && d.TypeCondition == o["__typename"] {
				a.collect(fields, d.SelectionSet, o)
			}
		}
	}
}

func (a *answering) field(f *ast.Field, o object) any {
	arguments := map[string]any{}
	for _, argument := range f.Arguments {
		v, err := argument.Value.Value(a.variables)
		if err != nil {
			a.err = err
		}
		arguments[argument.Name] = v
	}
	if f.Name == "_entities" {
		var found []any
		representations, _ := arguments["representations"].([]any)
		for _, r := range representations {
			representation, _ := r.(map[string]any)
			found = append(found, a.shop.entity(representation))
		}
		return found
	}
	value, known := o[f.Name]
	if !known {
		a.err = fmt.Errorf("%v has no field %s", o["__typename"], f.Name)
	}
	if resolve, ok := value.(func(map[string]any) any); ok {
		return resolve(arguments)
	}
	return value
}

func (a *answering) value(f *ast.Field, value any) {
	switch value := value.(type) {
	case object:
		a.object(f.SelectionSet, value)
	case []object:
		list(a, f, value)
	case []any:
		list(a, f, value)
	default:
		text, err := json.Marshal(value)
		if err != nil {
			a.err = err
		}
		a.out.Write(text)
	}
}

func list[V any](a *answering, f *ast.Field, values []V) {
	a.out.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			a.out.WriteByte(',')
		}
		a.value(f, v)
	}
	a.out.WriteByte(']')
}
