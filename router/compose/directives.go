package compose

import (
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Canonical names of federation's directives after reading. The slash cannot occur in a GraphQL name, so they never meet a
// directive that a subgraph defines for itself.
const (
	dirKey             = "federation/key"
	dirRequires        = "federation/requires"
	dirProvides        = "federation/provides"
	dirExternal        = "federation/external"
	dirExtends         = "federation/extends"
	dirShareable       = "federation/shareable"
	dirOverride        = "federation/override"
	dirInaccessible    = "federation/inaccessible"
	dirTag             = "federation/tag"
	dirInterfaceObject = "federation/interfaceObject"
	dirCompose         = "federation/composeDirective"
	dirAuthenticated   = "federation/authenticated"
	dirRequiresScopes  = "federation/requiresScopes"
	dirPolicy          = "federation/policy"
	dirContext         = "federation/context"
	dirFromContext     = "federation/fromContext"
	dirCost            = "federation/cost"
	dirListSize        = "federation/listSize"
)

// federationDefinitions declares the directives of federation 2.9 under their own names; the reader renames them to what a
// subgraph calls them. FieldSet arguments are declared without a type check, so that a wrong type gets federation's own code.
const federationDefinitions = `
directive @key(fields: FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @requires(fields: FieldSet!) on FIELD_DEFINITION
directive @provides(fields: FieldSet!) on FIELD_DEFINITION
directive @external(reason: String) on OBJECT | FIELD_DEFINITION
directive @extends on OBJECT | INTERFACE
directive @shareable repeatable on OBJECT | FIELD_DEFINITION
directive @override(from: String!, label: String) on FIELD_DEFINITION
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA
directive @interfaceObject on OBJECT
directive @composeDirective(name: String) repeatable on SCHEMA
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @policy(policies: [[Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION
directive @fromContext(field: ContextFieldValue) on ARGUMENT_DEFINITION
directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
scalar FieldSet
scalar Scope
scalar Policy
scalar ContextFieldValue
`

// since gives the minor version of federation 2 that brought a directive; those not named came with 2.0.
var since = map[string]int{
	"composeDirective": 1, "interfaceObject": 3, "authenticated": 5, "requiresScopes": 5, "policy": 6,
	"context": 8, "fromContext": 8, "cost": 9, "listSize": 9,
}

const latestMinor = 12

// federation1Directives are those that a schema without @link may use, under these names.
var federation1Directives = map[string]bool{"key": true, "requires": true, "provides": true, "external": true, "extends": true, "tag": true}

// ownSpecs are directives that also have a specification of their own, linkable without federation.
var ownSpecs = map[string][]string{
	"tag": {"tag"}, "inaccessible": {"inaccessible"}, "authenticated": {"authenticated"}, "requiresScopes": {"requiresScopes"},
	"policy": {"policy"}, "cost": {"cost", "listSize"},
}

func knownImport(name string) bool { return importable()[name] }

// importable are the names that federation's specification offers, directives with their @.
var importable = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	doc := federationDocument()
	for _, d := range doc.Directives {
		names["@"+d.Name] = true
	}
	for _, t := range doc.Definitions {
		names[t.Name] = true
	}
	return names
})

// federationDocument parses the definitions afresh: callers rename what they get.
func federationDocument() *ast.SchemaDocument {
	doc, err := parser.ParseSchema(&ast.Source{Name: "federation", Input: federationDefinitions, BuiltIn: true})
	if err != nil {
		panic("compose: federation's own definitions do not parse: " + err.Error())
	}
	return doc
}

// eachDirectives calls visit for every list of directives in the definition.
func eachDirectives(def *ast.Definition, visit func(ast.DirectiveList)) {
	visit(def.Directives)
	for _, f := range def.Fields {
		visit(f.Directives)
		for _, a := range f.Arguments {
			visit(a.Directives)
		}
	}
	for _, v := range def.EnumValues {
		visit(v.Directives)
	}
}

// spoken gives a directive the name that people know: key for federation/key.
func spoken(canonical string) string { return strings.TrimPrefix(canonical, "federation/") }
