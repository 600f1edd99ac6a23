package cost

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// slice is a @listSize with the slicing arguments of one field.
type slice struct {
	rule      *federation.ListSizes
	field     string
	position  *ast.Position
	fallback  int // when no slicing argument says anything; below 0: the default size
	arguments []slicing
}

// slicing is one slicing argument.
type slicing struct {
	value    *ast.Value // nil: not given
	within   []string   // where in the value the number stands
	standard int        // the argument's default; below 0: none
}

func newSlice(rule *federation.ListSizes, on string, f *ast.Field) *slice {
	s := &slice{rule: rule, field: on + "." + f.Name, position: f.Position, fallback: rule.Assumed}
	for _, name := range rule.Slicing {
		path := strings.Split(name, ".")
		a := slicing{within: path[1:], standard: -1}
		if given := f.Arguments.ForName(path[0]); given != nil {
			a.value = given.Value
		}
		if def := f.Definition.Arguments.ForName(path[0]); def != nil && def.DefaultValue != nil {
			if v, ok := within(literal(def.DefaultValue), a.within); ok {
				a.standard = whole(v)
			}
		}
		s.arguments = append(s.arguments, a)
	}
	return s
}

// evaluation looks at a formula with variables. Where it is open, variables that it does not have are unknown; otherwise absent.
type evaluation struct {
	m         *Model
	variables map[string]any
	open      bool
	err       error // the first
}

// slice is the size that a @listSize stands for. With an error it is what the rest of its arguments say.
func (e *evaluation) slice(s *slice) (n int, unknown bool, err error) {
	n = -1
	given, defaults := 0, 0
	for _, a := range s.arguments {
		value, ok, open := e.resolve(a.value)
		if open {
			return 0, true, nil
		}
		if ok {
			value, ok = within(value, a.within)
		}
		switch {
		case ok && value != nil:
			given++
			n = max(n, whole(value))
		case !ok && a.standard >= 0:
			defaults++
			n = max(n, a.standard)
		}
	}
	// What a schema fills in by itself is not the client's fault.
	if s.rule.RequireOne && len(s.arguments) > 0 && (given > 1 || given == 0 && defaults == 0) {
		err = &SlicingError{s.field, s.rule.Slicing, given, s.position}
	}
	if n < 0 {
		n = s.fallback
	}
	if n < 0 {
		n = e.m.o.ListSize
	}
	return n, false, err
}

func (e *evaluation) holds(c condition) (holds, unknown bool) {
	value, _, open := e.resolve(c.value)
	is, _ := value.(bool)
	return is == c.holds, open
}

// argument is what an argument costs.
func (e *evaluation) argument(a argument) (cost int, unknown bool) {
	value, given, open := e.resolve(a.value)
	if open || !given {
		return 0, open
	}
	return e.m.input(a.typ, a.own, a.given, value), false
}

// input is what a value of an input type costs.
func (m *Model) input(typ *ast.Type, own int, given bool, value any) int {
	if value == nil {
		return 0
	}
	t := m.sg.Type(typ.Name())
	if t == nil || t.Kind != ast.InputObject {
		return m.ofInput(own, given, typ.Name())
	}
	total := 0
	switch value := value.(type) {
	case map[string]any:
		total = m.ofInput(own, given, t.Name)
		for name, v := range value {
			if f := t.Def.Fields.ForName(name); f != nil {
				weight, weighs := m.costs.Fields[federation.FieldName{Type: t.Name, Field: name}]
				total = plus(total, m.input(f.Type, weight, weighs, v))
			}
		}
	default:
		for _, item := range each(value) {
			total = plus(total, m.input(typ, own, given, item))
		}
	}
	return total
}

func (m *Model) ofArgument(typ, field, name string) (weight int, given bool) {
	weight, given = m.costs.Arguments[federation.ArgumentName{Type: typ, Field: field, Argument: name}]
	return weight, given
}

// resolve is the value that stands in an operation. given is false where a variable is absent.
func (e *evaluation) resolve(v *ast.Value) (value any, given, unknown bool) {
	switch {
	case v == nil:
		return nil, false, false
	case v.Kind == ast.Variable:
		value, given = e.variables[v.Raw]
		return value, given, !given && e.open
	case v.Kind == ast.ListValue:
		list := make([]any, 0, len(v.Children))
		for _, c := range v.Children {
			item, _, open := e.resolve(c.Value)
			unknown = unknown || open
			list = append(list, item)
		}
		return list, true, unknown
	case v.Kind == ast.ObjectValue:
		object := make(map[string]any, len(v.Children))
		for _, c := range v.Children {
			field, ok, open := e.resolve(c.Value)
			unknown = unknown || open
			if ok {
				object[c.Name] = field
			}
		}
		return object, true, unknown
	}
	return literal(v), true, false
}

// literal is the value of a literal without variables.
func literal(v *ast.Value) any {
	value, err := v.Value(nil)
	if err != nil { // a number out of range, which validation has refused or its scalar's owner may take
		return json.Number(v.Raw)
	}
	return value
}

// within follows a path into a value.
func within(value any, path []string) (any, bool) {
	for _, name := range path {
		object, _ := value.(map[string]any)
		var ok bool
		if value, ok = object[name]; !ok {
			return nil, false
		}
	}
	return value, true
}

// whole is a number as a size; what is none, or below 0, is 0.
func whole(value any) int {
	n := 0
	switch value := value.(type) {
	case json.Number:
		var err error
		if n, err = strconv.Atoi(value.String()); errors.Is(err, strconv.ErrSyntax) {
			f, _ := value.Float64() // a scalar of the graph's own may take 1e3
			return whole(f)
		}
	case int64:
		n = int(value)
	case int:
		n = value
	case float64:
		n = int(max(0, min(value, Most)))
	}
	return max(0, min(n, Most))
}

// each lists the items of a list, of whatever kind coercion made it.
func each(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return nil
	}
	list := make([]any, v.Len())
	for i := range list {
		list[i] = v.Index(i).Interface()
	}
	return list
}

// decoded reads the values that are still JSON text.
func decoded(variables map[string]any) map[string]any {
	out := make(map[string]any, len(variables))
	for name, value := range variables {
		if text, ok := value.(json.RawMessage); ok {
			d := json.NewDecoder(bytes.NewReader(text))
			d.UseNumber()
			value = nil
			_ = d.Decode(&value) // it was written by us
		}
		out[name] = value
	}
	return out
}
