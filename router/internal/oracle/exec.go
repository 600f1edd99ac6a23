package oracle

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Error is an error in an answer.
type Error struct {
	Message string `json:"message"`
	Path    []any  `json:"path,omitempty"`
	// Hidden is set where a value is not shown because its type or its enum value is not of the schema. Whether a client is told of that is
	// not settled: it sees null.
	Hidden bool `json:"hidden,omitempty"`
}

// Answer is a GraphQL response.
type Answer struct {
	Data   any     `json:"data"`
	Errors []Error `json:"errors,omitempty"`
	// Mutations are the mutations that ran, in order, each with its arguments.
	Mutations []string `json:"-"`
}

// node is an object being answered: data, or what a resolver made up, with what its resolver needs to know.
type node struct {
	object *Object
	state  any
}

// resolveFunc answers one field: nil, a leaf, a node, a list of these, or an error.
type resolveFunc func(n node, typ *ast.Definition, f *ast.Field, args map[string]any) (any, error)

// executor is GraphQL execution by the letter (section 6), written for clarity and sharing nothing with the
// router.
type executor struct {
	schema  *ast.Schema
	vars    map[string]any
	resolve resolveFunc
	named   func(o *Object) string // what the schema calls the type of an object
	errors  []Error
	useful  bool // something was asked for that is worth a call
}

// ordered is an object with its keys in order.
type ordered struct {
	keys   []string
	values map[string]any
}

// MarshalJSON writes the keys in order.
func (o *ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, k := range o.keys {
		if i > 0 {
			b = append(b, ',')
		}
		v, err := json.Marshal(o.values[k])
		if err != nil {
			return nil, err
		}
		b = append(b, fmt.Sprintf("%q:", k)...)
		b = append(b, v...)
	}
	return append(b, '}'), nil
}

func (x *executor) run(op *ast.OperationDefinition, root *ast.Definition, n node) Answer {
	var a Answer
	if v, ok := x.object(n, root, []ast.SelectionSet{op.SelectionSet}, nil); ok {
		a.Data = v
	}
	a.Errors = x.errors
	return a
}

func (x *executor) object(n node, typ *ast.Definition, sets []ast.SelectionSet, path []any) (any, bool) {
	out := &ordered{values: map[string]any{}}
	fields := map[string][]*ast.Field{}
	for _, set := range sets {
		x.collect(typ, set, fields, &out.keys)
	}
	for _, k := range out.keys {
		f := fields[k][0]
		if f.Name == "__typename" {
			out.values[k] = typ.Name
			continue
		}
		v, ok := x.field(n, typ, fields[k], append(slices.Clip(path), k))
		if !ok {
			return nil, false
		}
		out.values[k] = v
	}
	return out, true
}

func (x *executor) collect(typ *ast.Definition, set ast.SelectionSet, fields map[string][]*ast.Field, order *[]string) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if !x.included(sel.Directives) {
				continue
			}
			if len(fields[sel.Alias]) == 0 {
				*order = append(*order, sel.Alias)
			}
			fields[sel.Alias] = append(fields[sel.Alias], sel)
		case *ast.InlineFragment:
			if x.included(sel.Directives) && x.applies(sel.TypeCondition, typ) {
				x.collect(typ, sel.SelectionSet, fields, order)
			}
		case *ast.FragmentSpread:
			if x.included(sel.Directives) && x.applies(sel.Definition.TypeCondition, typ) {
				x.collect(typ, sel.Definition.SelectionSet, fields, order)
			}
		}
	}
}

func (x *executor) included(ds ast.DirectiveList) bool {
	for _, d := range ds {
		on, _ := d.ArgumentMap(x.vars)["if"].(bool)
		if d.Name == "skip" && on || d.Name == "include" && !on {
			return false
		}
	}
	return true
}

func (x *executor) applies(condition string, typ *ast.Definition) bool {
	if condition == "" || condition == typ.Name {
		return true
	}
	return slices.ContainsFunc(x.schema.PossibleTypes[condition], func(d *ast.Definition) bool { return d.Name == typ.Name })
}

func (x *executor) field(n node, typ *ast.Definition, fields []*ast.Field, path []any) (any, bool) {
	def := typ.Fields.ForName(fields[0].Name)
	x.useful = x.useful || fields[0].Name != "_entities"
	v, err := x.resolve(n, typ, fields[0], x.arguments(def, fields[0]))
	if err != nil {
		x.fail(err.Error(), path)
		return nil, !def.Type.NonNull
	}
	var sets []ast.SelectionSet
	for _, f := range fields {
		sets = append(sets, f.SelectionSet)
	}
	return x.complete(v, def.Type, sets, path)
}

func (x *executor) fail(message string, path []any) {
	x.errors = append(x.errors, Error{Message: message, Path: path})
}

func (x *executor) hide(message string, path []any) {
	x.errors = append(x.errors, Error{Message: message, Path: path, Hidden: true})
}

// complete returns the value, or nil and whether nil may stand here.
func (x *executor) complete(v any, t *ast.Type, sets []ast.SelectionSet, path []any) (any, bool) {
	if t.NonNull {
		bare := *t
		bare.NonNull = false
		errs := len(x.errors)
		out, ok := x.complete(v, &bare, sets, path)
		if !ok || out == nil {
			if len(x.errors) == errs {
				x.fail("null for a non-null type", path)
			}
			return nil, false
		}
		return out, true
	}
	if leaf := x.schema.Types[t.NamedType]; v == nil || t.Elem == nil && leaf.IsLeafType() {
		if name, ok := v.(string); ok && leaf.Kind == ast.Enum && leaf.EnumValues.ForName(name) == nil {
			x.hide(name+" is not a value of "+leaf.Name, path)
			return nil, true
		}
		return v, true
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			item := v[i]
			if f, ok := item.(Fail); ok {
				x.fail(f.Message, append(slices.Clip(path), i))
				item = nil
			}
			var ok bool
			if out[i], ok = x.complete(item, t.Elem, sets, append(slices.Clip(path), i)); !ok {
				return nil, true
			}
		}
		return out, true
	case node:
		typ := x.schema.Types[x.named(v.object)]
		if t.Elem != nil {
			x.fail("an object where a list belongs", path)
			return nil, true
		}
		if typ == nil || !x.applies(t.NamedType, typ) {
			x.hide("a type that does not belong here: "+v.object.Type, path)
			return nil, true
		}
		out, _ := x.object(v, typ, sets, path)
		return out, true
	default:
		return v, true
	}
}
