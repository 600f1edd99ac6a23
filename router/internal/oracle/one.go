package oracle

import (
	"errors"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// ancestry is an object and those that the answer came through to it, for contexts.
type ancestry struct {
	object *Object
	up     *ancestry
}

// One answers an operation, validated against the schema that clients see, from all of the data.
func (d *Data) One(api *ast.Schema, doc *ast.QueryDocument, name string, vars map[string]any) Answer {
	op := doc.Operations.ForName(name)
	x := &executor{schema: api, vars: plain(vars), named: func(o *Object) string { return o.Type }}
	root := map[ast.Operation]string{ast.Query: "Query", ast.Mutation: "Mutation", ast.Subscription: "Subscription"}[op.Operation]
	var mutations []string
	x.resolve = func(n node, _ *ast.Definition, f *ast.Field, args map[string]any) (any, error) {
		if v, ok := introspect(api, n, f, args); ok {
			return v, nil
		}
		if n.object.Type == "Mutation" {
			mutations = append(mutations, mutation(f.Name, args))
		}
		up, _ := n.state.(*ancestry)
		return d.oneField(n.object, d.g.types[n.object.Type].byName[f.Name], args, up)
	}
	def := map[ast.Operation]*ast.Definition{ast.Query: api.Query, ast.Mutation: api.Mutation, ast.Subscription: api.Subscription}[op.Operation]
	a := x.run(op, def, node{object: d.objects[root][0]})
	a.Mutations = mutations
	return a
}

// introspect answers the little of introspection that random operations ask beside fields.
func introspect(api *ast.Schema, n node, f *ast.Field, args map[string]any) (any, bool) {
	described := func(def *ast.Definition) any {
		if def == nil {
			return nil
		}
		return node{object: &Object{"__Type", map[string]any{"name": def.Name, "kind": string(def.Kind)}}}
	}
	switch {
	case f.Name == "__schema":
		return node{object: &Object{"__Schema", nil}}, true
	case f.Name == "__type":
		name, _ := args["name"].(string)
		if def := api.Types[name]; def == nil || def.Kind == ast.Scalar && def.BuiltIn && !referred(api, name) {
			return nil, true
		}
		return described(api.Types[name]), true
	case n.object.Type == "__Schema":
		return described(api.Query), true
	case n.object.Type == "__Type":
		return n.object.Fields[f.Name], true
	}
	return nil, false
}

// referred says whether a built-in scalar belongs to a schema: something is of its type (GraphQL, section 3.5).
func referred(api *ast.Schema, name string) bool {
	takes := func(a *ast.ArgumentDefinition) bool { return a.Type.Name() == name }
	for _, def := range api.Types {
		for _, f := range def.Fields {
			if f.Type.Name() == name || slices.ContainsFunc(f.Arguments, takes) {
				return true
			}
		}
	}
	for _, d := range api.Directives {
		if slices.ContainsFunc(d.Arguments, takes) {
			return true
		}
	}
	return false
}

// mutation is how the call of a mutation is written down.
func mutation(name string, args map[string]any) string { return name + string(mustJSON(args)) }

func (d *Data) oneField(o *Object, f *field, args map[string]any, up *ancestry) (any, error) {
	args = f.withHidden(args)
	for i, l := range f.in {
		if l == nil {
			continue
		}
		for _, c := range l.contextual {
			args[c.name] = d.fromContext(i, c, &ancestry{o, up})
		}
		if len(l.requires) > 0 && !l.external {
			return asNodes(d.vary(d.computed(f, d.gather(i, o, l.requires)), f, args), &ancestry{o, up})
		}
	}
	return asNodes(d.value(o, f, args), &ancestry{o, up})
}

// withHidden adds the defaults of arguments that clients cannot give.
func (f *field) withHidden(args map[string]any) map[string]any {
	if args == nil {
		args = map[string]any{}
	}
	for _, a := range f.hidden {
		if a.DefaultValue != nil && args[a.Name] == nil {
			args[a.Name], _ = a.DefaultValue.Value(nil)
		}
	}
	return args
}

// fromContext is what the nearest ancestor that sets the context has for an argument.
func (d *Data) fromContext(i int, c contextual, from *ancestry) any {
	for at := from.up; at != nil; at = at.up {
		if !slices.ContainsFunc(d.g.contextTypes(c.context), func(t *typ) bool { return slices.Contains(t.possible, d.g.types[at.object.Type]) }) {
			continue
		}
		var v any
		v = d.gather(i, at.object, c.selection)
		for m, ok := v.(map[string]any); ok; m, ok = v.(map[string]any) { // the one leaf that is selected
			v = nil
			for _, only := range m {
				v = only
			}
		}
		return v
	}
	return nil
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
			if f, ok := v[i].(Fail); ok {
				out[i] = f // the list stands; the executor lets the item fail
				continue
			}
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

// again gives the nodes of a value another state.
func again(v any, state any) any {
	switch v := v.(type) {
	case node:
		return node{v.object, state}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = again(v[i], state)
		}
		return out
	}
	return v
}
