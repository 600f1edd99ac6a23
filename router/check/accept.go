package check

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// refused says whether the newer schema refuses a value of the operation in a place of type t. What the fields of an input object take
// under the name that it was written for is left to the changes of those fields.
func (u *uses) refused(after *ast.Schema, v *ast.Value, t *ast.Type, hasDefault bool) verdict {
	if v.Kind == ast.Variable {
		return u.variableRefused(v.Raw, t, hasDefault)
	}
	if v.Kind == ast.NullValue {
		return certainly(t.NonNull)
	}
	if t.Elem != nil {
		if v.Kind != ast.ListValue {
			return u.refused(after, v, t.Elem, false)
		}
		worst := no
		for _, c := range v.Children {
			worst = max(worst, u.refused(after, c.Value, t.Elem, false))
		}
		return worst
	}
	def := after.Types[t.NamedType]
	if def == nil {
		return yes
	}
	switch def.Kind {
	case ast.Enum:
		return certainly(v.Kind != ast.EnumValue || def.EnumValues.ForName(v.Raw) == nil)
	case ast.InputObject:
		return u.objectRefused(after, v, def)
	case ast.Scalar:
		kinds, known := literals[def.Name]
		return certainly(known && !slices.Contains(kinds, v.Kind))
	}
	return yes
}

// literals are the kinds of values that GraphQL's own scalars are written with.
var literals = map[string][]ast.ValueKind{
	"Int": {ast.IntValue}, "Float": {ast.IntValue, ast.FloatValue}, "Boolean": {ast.BooleanValue},
	"String": {ast.StringValue, ast.BlockValue}, "ID": {ast.StringValue, ast.BlockValue, ast.IntValue},
}

func (u *uses) objectRefused(after *ast.Schema, v *ast.Value, def *ast.Definition) verdict {
	if v.Kind != ast.ObjectValue {
		return yes
	}
	if u.written[v] == def.Name {
		return no
	}
	worst := no
	for _, c := range v.Children {
		f := def.Fields.ForName(c.Name)
		if f == nil {
			return yes
		}
		worst = max(worst, u.refused(after, c.Value, f.Type, f.DefaultValue != nil))
	}
	for _, f := range def.Fields {
		if required(f.Type, f.DefaultValue) && v.Children.ForName(f.Name) == nil {
			return yes
		}
	}
	return worst
}

// variableRefused follows the specification's IsVariableUsageAllowed. A variable that may be null in a place that may not, and has a
// default, is valid and fails only when null is sent.
func (u *uses) variableRefused(name string, t *ast.Type, hasDefault bool) verdict {
	v := u.variables.ForName(name)
	if v == nil {
		return yes
	}
	if relaxes(v.Type, t) {
		return no
	}
	if !t.NonNull || v.Type.NonNull {
		return yes
	}
	nullable := *t
	nullable.NonNull = false
	if (hasDefault || v.DefaultValue != nil && v.DefaultValue.Kind != ast.NullValue) && relaxes(v.Type, &nullable) {
		return perhaps
	}
	return yes
}

// recordedRefused is refused for a value of a recorded variable.
func recordedRefused(after *ast.Schema, v any, t *ast.Type) verdict {
	if v == nil {
		return certainly(t.NonNull)
	}
	list, isList := v.([]any)
	if t.Elem != nil {
		if !isList {
			return recordedRefused(after, v, t.Elem)
		}
		worst := no
		for _, one := range list {
			worst = max(worst, recordedRefused(after, one, t.Elem))
		}
		return worst
	}
	def := after.Types[t.NamedType]
	if def == nil {
		return yes
	}
	text, isText := v.(string)
	switch def.Kind {
	case ast.Enum:
		return certainly(!isText || def.EnumValues.ForName(text) == nil)
	case ast.InputObject: // what is in it is judged where its own fields changed
		_, isObject := v.(map[string]any)
		return certainly(!isObject)
	}
	number, isNumber := v.(float64)
	_, isBool := v.(bool)
	switch def.Name {
	case "Int":
		return certainly(!isNumber || number != float64(int64(number)))
	case "Float":
		return certainly(!isNumber)
	case "String":
		return certainly(!isText)
	case "ID":
		return certainly(!isText && !isNumber)
	case "Boolean":
		return certainly(!isBool)
	}
	return no
}
