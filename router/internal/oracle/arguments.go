package oracle

import (
	"reflect"

	"github.com/vektah/gqlparser/v2/ast"
)

// arguments are the arguments of a field as its resolver has them, with lists and defaults put in place (section 6.4.1 and input
// coercion in section 3).
func (x *executor) arguments(def *ast.FieldDefinition, f *ast.Field) map[string]any {
	out := f.ArgumentMap(x.vars)
	for _, a := range def.Arguments {
		if v, ok := out[a.Name]; ok {
			out[a.Name] = x.coerce(a.Type, v)
		}
	}
	return out
}

func (x *executor) coerce(t *ast.Type, v any) any {
	if v == nil {
		return nil
	}
	if t.Elem != nil {
		items, ok := v.([]any)
		if !ok {
			return []any{x.coerce(t.Elem, v)}
		}
		out := make([]any, len(items))
		for i := range items {
			out[i] = x.coerce(t.Elem, items[i])
		}
		return out
	}
	def := x.schema.Types[t.NamedType]
	fields, ok := v.(map[string]any)
	if !ok || def == nil || def.Kind != ast.InputObject {
		return v
	}
	out := map[string]any{}
	for _, f := range def.Fields {
		given, ok := fields[f.Name]
		if !ok && f.DefaultValue != nil {
			given, _ = f.DefaultValue.Value(nil)
			ok = true
		}
		if ok {
			out[f.Name] = x.coerce(f.Type, given)
		}
	}
	return out
}

// plain are variables as JSON brings them: coercion makes slices of other types out of single values, and nil ones of empty lists.
func plain(vars map[string]any) map[string]any {
	out := make(map[string]any, len(vars))
	for name, v := range vars {
		out[name] = plainValue(v)
	}
	return out
}

func plainValue(v any) any {
	if fields, ok := v.(map[string]any); ok {
		return plain(fields)
	}
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return v
	}
	out := make([]any, list.Len())
	for i := range out {
		out[i] = plainValue(list.Index(i).Interface())
	}
	return out
}
