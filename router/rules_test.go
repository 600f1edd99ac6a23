package router

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestTypenameBesideFieldsOfOtherObjects: __typename is a String!, wherever in the operation it stands.
func TestTypenameBesideFieldsOfOtherObjects(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { pet: Pet }
		union Pet = Cat | Dog
		type Cat { mate: Pet }
		type Dog { id: ID! name: String! nick: String mate: Pet }`})
	for _, c := range []struct{ query, conflict string }{
		{query: `{ pet { ... on Cat { x: __typename } ... on Dog { x: name } } }`},
		{query: `{ pet { ...Dog ...Cat } } fragment Cat on Cat { x: __typename } fragment Dog on Dog { x: name }`},
		{query: `{ pet { ... on Cat { mate { x: __typename } } ... on Dog { mate { ... on Dog { x: name } } } } }`},
		{query: `{ pet { ... on Cat { x: __typename } ... on Dog { x: nick } } }`, conflict: `"String!" and "String"`},
		{query: `{ pet { ... on Cat { x: __typename } ... on Dog { x: id } } }`, conflict: `"String!" and "ID!"`},
		{query: `{ pet { ...Dog ...Cat } } fragment Cat on Cat { x: __typename } fragment Dog on Dog { x: nick }`, conflict: `"String" and "String!"`},
		{query: `{ pet { ... on Dog { x: nick } ... on Cat { ...F } } } fragment F on Cat { ...G } fragment G on Cat { x: __typename }`, conflict: `"String" and "String!"`},
	} {
		_, errs := gqlparser.LoadQueryWithRules(schema, c.query, validationRules())
		if c.conflict == "" && len(errs) > 0 || c.conflict != "" && !strings.Contains(errs.Error(), c.conflict) {
			t.Errorf("%s\n got %v\nwant %q", c.query, errs, c.conflict)
		}
	}
}
