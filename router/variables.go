package router

import (
	"encoding/json"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// checkScalars refuses variables whose JSON is of another kind than their type takes
// (GraphQL, "Input Coercion" of the built-in scalars). It stands before gqlparser's own
// coercion, which cannot tell a number from text, because both are kept as text.
// Everything else (null, lists, unknown fields) is left to it.
func checkScalars(schema *ast.Schema, defs ast.VariableDefinitionList, variables map[string]any) error {
	for _, d := range defs {
		value, given := variables[d.Variable]
		if !given {
			continue
		}
		c := scalarCheck{schema: schema, path: ast.Path{ast.PathName("variable"), ast.PathName(d.Variable)}}
		if err := c.check(d.Type, value); err != nil {
			return err
		}
	}
	return nil
}

type scalarCheck struct {
	schema *ast.Schema
	path   ast.Path
}

// check returns nil itself, never a nil *gqlerror.Error, so that callers may compare.
func (c *scalarCheck) check(t *ast.Type, value any) error {
	if value == nil {
		return nil
	}
	if t.Elem != nil {
		list, isList := value.([]any)
		if !isList {
			return c.check(t.Elem, value) // one item stands for a list of it
		}
		for i, item := range list {
			if err := c.within(ast.PathIndex(i), t.Elem, item); err != nil {
				return err
			}
		}
		return nil
	}
	def := c.schema.Types[t.NamedType]
	if def == nil {
		return nil
	}
	if def.Kind == ast.InputObject {
		return c.checkFields(def, value)
	}
	if takes(def, value) {
		return nil
	}
	if text, isText := value.(string); isText && def.Kind == ast.Enum {
		return gqlerror.ErrorPathf(c.path, "%s is not a valid %s", text, t.NamedType)
	}
	return gqlerror.ErrorPathf(c.path, "%s cannot be %s", t.NamedType, jsonKind(value))
}

func (c *scalarCheck) checkFields(def *ast.Definition, value any) error {
	fields, _ := value.(map[string]any)
	for _, f := range def.Fields {
		if err := c.within(ast.PathName(f.Name), f.Type, fields[f.Name]); err != nil {
			return err
		}
	}
	return nil
}

func (c *scalarCheck) within(step ast.PathElement, t *ast.Type, value any) error {
	c.path = append(c.path, step)
	if err := c.check(t, value); err != nil {
		return err
	}
	c.path = c.path[:len(c.path)-1]
	return nil
}

// takes reports whether a leaf type takes this kind of JSON. Custom scalars take any; the
// subgraph that owns one judges it.
func takes(def *ast.Definition, value any) bool {
	if def.Kind == ast.Enum {
		text, isText := value.(string)
		return isText && def.EnumValues.ForName(text) != nil // gqlparser would take it in any case of letters
	}
	switch def.Name {
	case "String":
		_, isText := value.(string)
		return isText
	case "Boolean":
		_, isBool := value.(bool)
		return isBool
	case "Int":
		n, isNumber := value.(json.Number)
		_, err := strconv.ParseInt(n.String(), 10, 32)
		return isNumber && err == nil
	case "Float":
		_, isNumber := value.(json.Number)
		return isNumber
	case "ID":
		if n, isNumber := value.(json.Number); isNumber {
			_, err := strconv.ParseInt(n.String(), 10, 64)
			return err == nil
		}
		_, isText := value.(string)
		return isText
	}
	return true
}

func jsonKind(value any) string {
	switch v := value.(type) {
	case string:
		return "text"
	case bool:
		return "a boolean"
	case json.Number:
		return "the number " + v.String()
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
