package oracle

import (
	"errors"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// One answers an operation, validated against the API schema, from all of the data.
func (d *Data) One(doc *ast.QueryDocument, name string, vars map[string]any) Answer {
	op := doc.Operations.ForName(name)
	x := &executor{schema: d.sg.API(), vars: vars, named: func(o *Object) string { return o.Type }}
	x.resolve = func(n node, _ *ast.Definition, f *ast.Field, args map[string]any) (any, error) {
		return d.oneField(n.object, d.sg.Type(n.object.Type).Field(f.Name), args)
	}
	root := d.sg.Root(op.Operation)
	return x.run(op, d.sg.API().Types[root.Name], node{object: d.objects[root.Name][0]})
}

// oneField fills in the defaults of all arguments, those included that the API hides.
func (d *Data) oneField(o *Object, f *federation.Field, args map[string]any) (any, error) {
	for _, a := range f.Def.Arguments {
		if _, given := args[a.Name]; !given && a.DefaultValue != nil {
			args[a.Name], _ = a.DefaultValue.Value(nil)
		}
	}
	for _, j := range f.In {
		if j != nil && len(j.Requires) > 0 && j.LocalFor(nil) {
			return computed(f, d.gather(o, j.Requires)), nil
		}
	}
	return asNodes(d.value(o, f, args), nil)
}

// asNodes wraps the objects of a value.
func asNodes(v any, state any) (any, error) {
	switch v := v.(type) {
	case Fail:
		return nil, errors.New(v.Message)
	case *Object:
		return node{v, state}, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			n, err := asNodes(v[i], state)
			if err != nil {
				return nil, err
			}
			out[i] = n
		}
		return out, nil
	}
	return v, nil
}
