package execute

import (
	"bytes"
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
)

// unusedScalars are the built-in scalars that nothing in a schema refers to: they are not part of it (GraphQL, section 3.5).
func unusedScalars(schema *ast.Schema) map[string]bool {
	unused := map[string]bool{"Int": true, "Float": true, "ID": true} // introspection itself refers to the others
	arguments := func(args ast.ArgumentDefinitionList) {
		for _, a := range args {
			delete(unused, a.Type.Name())
		}
	}
	for _, d := range schema.Types {
		for _, f := range d.Fields {
			delete(unused, f.Type.Name())
			arguments(f.Arguments)
		}
	}
	for _, d := range schema.Directives {
		arguments(d.Arguments)
	}
	return unused
}

// appendLiteral writes a value as the reference implementation does.
func appendLiteral(b []byte, v *ast.Value) []byte {
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		_ = e.Encode(v.Raw) // a string never fails
		return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
	case ast.ListValue, ast.ObjectValue:
		open, end := byte('['), byte(']')
		if v.Kind == ast.ObjectValue {
			open, end = '{', '}'
		}
		b = append(b, open)
		for i, c := range v.Children {
			if i > 0 {
				b = append(b, ", "...)
			}
			if v.Kind == ast.ObjectValue {
				b = append(append(b, c.Name...), ": "...)
			}
			b = appendLiteral(b, c.Value)
		}
		return append(b, end)
	}
	return append(b, v.Raw...)
}
