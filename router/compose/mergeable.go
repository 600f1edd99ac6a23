package compose

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// placed is a field of a field set with the type on which it stands.
type placed struct {
	on    *ast.Definition
	field *ast.Field
}

// together lists the fields of a set and of its fragments.
func (s *subgraph) together(on *ast.Definition, set ast.SelectionSet) []placed {
	var all []placed
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			all = append(all, placed{on, sel})
		case *ast.InlineFragment:
			t := on
			if sel.TypeCondition != "" {
				t = s.schema.Types[sel.TypeCondition]
			}
			all = append(all, s.together(t, sel.SelectionSet)...)
		}
	}
	return all
}

// conflict finds a field that a set asks of one object twice with different arguments (GraphQL specification, section 5.3.2); nil when
// there is none. An object shown to a subgraph has each of its fields once.
func (s *subgraph) conflict(fields []placed) *placed {
	for i, p := range fields {
		var under []placed
		for j, q := range fields {
			if p.field.Name != q.field.Name || p.on != q.on && p.on.Kind == ast.Object && q.on.Kind == ast.Object {
				continue
			}
			if j < i && p.on == q.on {
				under = nil // looked at with the first field on the type
				break
			}
			if !sameArguments(p.field, q.field) {
				return &p
			}
			if def := q.on.Fields.ForName(q.field.Name); def != nil {
				under = append(under, s.together(s.schema.Types[def.Type.Name()], q.field.SelectionSet)...)
			}
		}
		if c := s.conflict(under); c != nil {
			return c
		}
	}
	return nil
}

func sameArguments(f, g *ast.Field) bool {
	byName := func(args ast.ArgumentList) ast.ArgumentList {
		return slices.SortedFunc(slices.Values(args), func(a, b *ast.Argument) int { return strings.Compare(a.Name, b.Name) })
	}
	return argumentsText(byName(f.Arguments)) == argumentsText(byName(g.Arguments))
}
