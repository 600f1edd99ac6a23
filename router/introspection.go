package router

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/identity"
	"bourse/router/serve"
)

// mayIntrospect says whether a client may ask for the schema, and so may be told of names that it nearly hit.
func (g *gateway) mayIntrospect(who *identity.Identity) bool {
	return g.introspection || slices.ContainsFunc(g.introspectors, who.HasRole)
}

// secluded refuses an operation that asks for the schema, where its client may not.
func (g *gateway) secluded(req *serve.Request, k *known) *serve.Refusal {
	if k.introspects == nil || g.mayIntrospect(req.Identity) {
		return nil
	}
	refusal := serve.Refuse(0, codeValidationFailed, "introspection is not allowed: the operation asks for "+k.introspects.Name)
	refusal.Errors[0].Locations = []serve.Location{{Line: k.introspects.Position.Line, Column: k.introspects.Position.Column}}
	return refusal
}

// introspects finds a field that asks for the schema: the root of queries may stand deep in an answer. A fragment is looked at once. The
// document need not be validated.
func introspects(doc *ast.QueryDocument, set ast.SelectionSet, seen map[string]bool) *ast.Field {
	for _, sel := range set {
		var under ast.SelectionSet
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Name == "__schema" || sel.Name == "__type" {
				return sel
			}
			under = sel.SelectionSet
		case *ast.InlineFragment:
			under = sel.SelectionSet
		case *ast.FragmentSpread:
			f := doc.Fragments.ForName(sel.Name)
			if seen[sel.Name] || f == nil {
				continue
			}
			seen[sel.Name] = true
			under = f.SelectionSet
		}
		if found := introspects(doc, under, seen); found != nil {
			return found
		}
	}
	return nil
}
