package plan

import "github.com/vektah/gqlparser/v2/ast"

// introspects says whether a field asks for the schema. Wherever the root of queries stands, it has such fields, and no subgraph
// is asked for them.
func introspects(f *ast.Field) bool { return f.Name == "__schema" || f.Name == "__type" }

// introspection is a merged field that asks for the schema, with all that one part of the answer selects under it.
func introspection(c *collected, in *part) *ast.Field {
	field := *c.field
	field.SelectionSet = nil
	for _, sub := range c.subs {
		if sub.part == in {
			field.SelectionSet = append(field.SelectionSet, &ast.InlineFragment{Directives: sub.on.directives(), SelectionSet: sub.set})
		}
	}
	return &field
}

// directives say in GraphQL when a clause holds.
func (c clause) directives() ast.DirectiveList {
	var ds ast.DirectiveList
	for _, l := range c {
		name := "skip"
		if l.Want {
			name = "include"
		}
		ds = append(ds, &ast.Directive{Name: name, Arguments: ast.ArgumentList{
			{Name: "if", Value: &ast.Value{Kind: ast.Variable, Raw: l.Variable}},
		}})
	}
	return ds
}
