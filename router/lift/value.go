package lift

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

func hasVariable(v *ast.Value) bool {
	return v.Kind == ast.Variable || slices.ContainsFunc(v.Children, func(c *ast.ChildValue) bool { return hasVariable(c.Value) })
}

// identity is equal for literals that validation takes for the same when fields merge: kind and text, the fields of input objects
// in any order.
func identity(v *ast.Value) string {
	if len(v.Children) == 0 {
		return strconv.Itoa(int(v.Kind)) + strconv.Quote(v.Raw)
	}
	parts := make([]string, len(v.Children))
	for i, c := range v.Children {
		parts[i] = c.Name + ":" + identity(c.Value)
	}
	if v.Kind == ast.ObjectValue {
		slices.Sort(parts)
	}
	return strconv.Itoa(int(v.Kind)) + "(" + strings.Join(parts, " ") + ")"
}

// appendJSON writes a literal without variables as a value of typ for a request's variables (GraphQL, section 3.5 to 3.12, "Input
// Coercion"). It is strict: ok is false for whatever is not surely a value of the type, or would not be the same value as JSON.
func appendJSON(b []byte, schema *ast.Schema, typ *ast.Type, v *ast.Value) (out []byte, ok bool) {
	if v.Kind == ast.NullValue {
		return append(b, "null"...), !typ.NonNull
	}
	if typ.Elem != nil {
		if v.Kind != ast.ListValue { // one item stands for a list of it
			b, ok = appendJSON(append(b, '['), schema, typ.Elem, v)
			return append(b, ']'), ok
		}
		b = append(b, '[')
		for i, item := range v.Children {
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = appendJSON(b, schema, typ.Elem, item.Value); !ok {
				return b, false
			}
		}
		return append(b, ']'), true
	}
	def := schema.Types[typ.NamedType]
	switch {
	case def == nil:
		return b, false
	case def.Kind == ast.Enum:
		return appendString(b, v.Raw), v.Kind == ast.EnumValue && def.EnumValues.ForName(v.Raw) != nil
	case def.Kind == ast.InputObject:
		return appendObject(b, schema, def, v)
	case def.Kind == ast.Scalar && isBuiltIn(def.Name):
		return appendBuiltIn(b, def.Name, v)
	case def.Kind == ast.Scalar:
		return appendAny(b, v)
	}
	return b, false
}

func isBuiltIn(scalar string) bool {
	return slices.Contains([]string{"Int", "Float", "String", "Boolean", "ID"}, scalar)
}

func appendBuiltIn(b []byte, scalar string, v *ast.Value) ([]byte, bool) {
	isText := v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	switch scalar {
	case "Int":
		_, err := strconv.ParseInt(v.Raw, 10, 32)
		return append(b, v.Raw...), v.Kind == ast.IntValue && err == nil
	case "Float":
		_, err := strconv.ParseFloat(v.Raw, 64)
		if v.Kind == ast.IntValue {
			_, err = strconv.ParseInt(v.Raw, 10, 64)
		}
		return append(b, v.Raw...), (v.Kind == ast.IntValue || v.Kind == ast.FloatValue) && err == nil
	case "String":
		return appendString(b, v.Raw), isText
	case "Boolean":
		return append(b, v.Raw...), v.Kind == ast.BooleanValue
	default: // ID: a number is its text, whatever its size
		_, err := strconv.ParseInt(v.Raw, 10, 64)
		return appendString(b, v.Raw), isText || v.Kind == ast.IntValue && err == nil
	}
}

// exact are the whole numbers that every reader of JSON keeps.
const exact = 1<<53 - 1

// appendAny writes a literal of a custom scalar, about which only its owner knows. A number stays a literal where a reader of JSON
// might round it or drop its zeros, and so does an enum value, for which JSON has no word.
func appendAny(b []byte, v *ast.Value) (out []byte, ok bool) {
	switch v.Kind {
	case ast.NullValue:
		return append(b, "null"...), true
	case ast.BooleanValue:
		return append(b, v.Raw...), true
	case ast.StringValue, ast.BlockValue:
		return appendString(b, v.Raw), true
	case ast.IntValue:
		n, err := strconv.ParseInt(v.Raw, 10, 64)
		return append(b, v.Raw...), err == nil && -exact <= n && n <= exact && v.Raw != "-0"
	case ast.FloatValue:
		f, err := strconv.ParseFloat(v.Raw, 64)
		return append(b, v.Raw...), err == nil && !math.IsInf(f, 0) && strconv.FormatFloat(f, 'f', -1, 64) == v.Raw
	case ast.ListValue:
		b = append(b, '[')
		for i, item := range v.Children {
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = appendAny(b, item.Value); !ok {
				return b, false
			}
		}
		return append(b, ']'), true
	case ast.ObjectValue:
		b = append(b, '{')
		for i, c := range v.Children {
			if repeats(v.Children, i) {
				return b, false
			}
			if i > 0 {
				b = append(b, ',')
			}
			if b, ok = appendAny(append(appendString(b, c.Name), ':'), c.Value); !ok {
				return b, false
			}
		}
		return append(b, '}'), true
	}
	return b, false
}

func appendObject(b []byte, schema *ast.Schema, def *ast.Definition, v *ast.Value) (out []byte, ok bool) {
	if v.Kind != ast.ObjectValue || def.Directives.ForName("oneOf") != nil {
		return b, false
	}
	for _, f := range def.Fields {
		if f.Type.NonNull && f.DefaultValue == nil && v.Children.ForName(f.Name) == nil {
			return b, false
		}
	}
	b = append(b, '{')
	for i, c := range v.Children {
		f := def.Fields.ForName(c.Name)
		if f == nil || repeats(v.Children, i) {
			return b, false
		}
		if i > 0 {
			b = append(b, ',')
		}
		if b, ok = appendJSON(append(appendString(b, c.Name), ':'), schema, f.Type, c.Value); !ok {
			return b, false
		}
	}
	return append(b, '}'), true
}

// repeats says whether the name of a child stands before it already.
func repeats(children ast.ChildValueList, at int) bool {
	return slices.ContainsFunc(children[:at], func(c *ast.ChildValue) bool { return c.Name == children[at].Name })
}

func appendString(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // strings marshal
		panic("lift: a string does not marshal: " + err.Error())
	}
	return append(b, text...)
}
