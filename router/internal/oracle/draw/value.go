package draw

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// arguments draws the arguments of a field, with literals, variables, and variables inside of literals.
func (w *writer) arguments(f *ast.FieldDefinition) string {
	var args []string
	for _, a := range f.Arguments {
		required := a.Type.NonNull && a.DefaultValue == nil
		if !required && w.one(2) {
			continue
		}
		args = append(args, a.Name+": "+w.argument(a.Type, a.DefaultValue != nil))
	}
	if len(args) == 0 {
		return ""
	}
	return "(" + strings.Join(args, ", ") + ")"
}

// argument is a literal or a variable where a value of the type stands; withDefault says that there it has a default.
func (w *writer) argument(t *ast.Type, withDefault bool) string {
	if w.one(2) {
		return w.literal(t)
	}
	name := fmt.Sprintf("v%d", len(w.defs))
	typ := *t
	def := "$" + name + ": "
	switch {
	case t.NonNull && w.one(3): // a nullable variable with a default may stand where null may not
		typ.NonNull = false
		w.defs = append(w.defs, def+typ.String()+" = "+w.constant(t))
		if w.one(2) {
			w.vars[name] = w.value(t)
		}
	case t.NonNull && withDefault && w.one(3): // so may any where the place has a default
		typ.NonNull = false
		w.defs = append(w.defs, def+typ.String())
		if w.one(2) {
			w.vars[name] = w.value(t)
		}
	case !t.NonNull && w.one(4): // left out or null
		w.defs = append(w.defs, def+typ.String())
		if w.one(2) {
			w.vars[name] = nil
		}
	case !t.NonNull && w.one(4):
		w.defs = append(w.defs, def+typ.String()+" = "+w.constant(t))
		if w.one(2) {
			w.vars[name] = w.value(t)
		}
	case !t.NonNull && w.one(4): // stricter than need be
		typ.NonNull = true
		fallthrough
	default:
		w.defs = append(w.defs, def+typ.String())
		w.vars[name] = w.value(t)
	}
	return "$" + name
}

// constant is a literal without variables.
func (w *writer) constant(t *ast.Type) string {
	saved := *w
	w.defs = nil
	defer func() { w.defs = saved.defs }()
	for {
		text := w.literal(t)
		if len(w.defs) == 0 {
			return text
		}
		for _, d := range w.defs {
			name, _, _ := strings.Cut(strings.TrimPrefix(d, "$"), ":")
			delete(w.vars, name)
		}
		w.defs = nil
	}
}

// literal is a value in the operation's text.
func (w *writer) literal(t *ast.Type) string {
	if !t.NonNull && w.one(10) {
		return "null"
	}
	if t.Elem != nil {
		if w.one(6) { // one value stands for a list of it
			return w.literal(nonNull(t.Elem))
		}
		var items []string
		for range w.chance.IntN(3) {
			items = append(items, w.inner(t.Elem))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	n := w.chance.IntN(10)
	def := w.api.Types[t.NamedType]
	switch def.Kind {
	case ast.Enum:
		return def.EnumValues[n%len(def.EnumValues)].Name
	case ast.InputObject:
		var parts []string
		for _, f := range def.Fields {
			required := f.Type.NonNull && f.DefaultValue == nil
			if required || w.one(3) && f.Type.NamedType != def.Name || w.one(9) {
				parts = append(parts, f.Name+": "+w.inner(f.Type))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	switch t.NamedType {
	case "Int":
		return fmt.Sprint(n)
	case "Float":
		return fmt.Sprintf("%d.25", n)
	case "Boolean":
		return fmt.Sprint(n%2 == 0)
	case "String", "ID":
		return fmt.Sprintf("\"x\\\"%d\"", n)
	}
	return []string{fmt.Sprint(n), `"j"`, `[1, ["x"]]`, `{a: {b: [true]}}`}[n%4]
}

// inner is a value inside of a list or an input object; it may be a variable too.
func (w *writer) inner(t *ast.Type) string {
	if w.one(6) {
		name := fmt.Sprintf("v%d", len(w.defs))
		w.defs = append(w.defs, "$"+name+": "+t.String())
		w.vars[name] = w.value(t)
		return "$" + name
	}
	return w.literal(t)
}

func nonNull(t *ast.Type) *ast.Type {
	c := *t
	c.NonNull = true
	return &c
}

// value is the value of a variable, as JSON has it.
func (w *writer) value(t *ast.Type) any {
	if !t.NonNull && w.one(10) {
		return nil
	}
	if t.Elem != nil {
		items := []any{}
		for range w.chance.IntN(3) {
			items = append(items, w.value(t.Elem))
		}
		return items
	}
	n := w.chance.IntN(10)
	def := w.api.Types[t.NamedType]
	switch def.Kind {
	case ast.Enum:
		return def.EnumValues[n%len(def.EnumValues)].Name
	case ast.InputObject:
		out := map[string]any{}
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil || w.one(3) && f.Type.NamedType != def.Name || w.one(9) {
				out[f.Name] = w.value(f.Type)
			}
		}
		return out
	}
	switch t.NamedType {
	case "Int":
		return json.Number(fmt.Sprint(n))
	case "Float":
		return json.Number(fmt.Sprintf("%d.25", n))
	case "Boolean":
		return n%2 == 0
	case "String", "ID":
		return fmt.Sprintf("y\"%d", n)
	}
	return []any{fmt.Sprint("j", n), json.Number("5"), map[string]any{"a": []any{true}}}[n%3]
}
