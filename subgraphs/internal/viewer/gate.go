package viewer

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Gate refuses operations that came with a token that is no good, before anything runs: a client
// whose token expired learns it at once, whatever it asks for. The fields named here pass all the
// same, since they are how a client gets a good token; so do the fields about the schema.
type Gate struct {
	Open []string
	// Present is the presenter of the subgraph.
	Present graphql.ErrorPresenterFunc
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
} = Gate{}

// ExtensionName names the extension to gqlgen.
func (Gate) ExtensionName() string { return "ViewerGate" }

// Validate accepts every schema.
func (Gate) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptOperation answers with the refusal alone, or lets the operation run.
func (g Gate) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	refusal := Refusal(ctx)
	if refusal == nil {
		return next(ctx)
	}
	operation := graphql.GetOperationContext(ctx)
	if g.allOpen(operation.Operation.SelectionSet) {
		return next(ctx)
	}
	// With the field's path, a router can set the null and the error where the client asked.
	response := &graphql.Response{Data: []byte("null")}
	for _, field := range rootFields(operation.Operation.SelectionSet) {
		at := graphql.WithPathContext(ctx, graphql.NewPathWithField(field.Alias))
		response.Errors = append(response.Errors, g.Present(at, refusal))
	}
	return graphql.OneShot(response)
}

func (g Gate) allOpen(set ast.SelectionSet) bool {
	for _, field := range rootFields(set) {
		if !g.open(field.Name) {
			return false
		}
	}
	return true
}

func (g Gate) open(field string) bool {
	switch field {
	case "__typename", "__schema", "__type", "_service":
		return true
	}
	for _, name := range g.Open {
		if name == field {
			return true
		}
	}
	return false
}

// rootFields flattens the fragments of an operation. Validation has already bounded and resolved
// them.
func rootFields(set ast.SelectionSet) []*ast.Field {
	var fields []*ast.Field
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			fields = append(fields, s)
		case *ast.InlineFragment:
			fields = append(fields, rootFields(s.SelectionSet)...)
		case *ast.FragmentSpread:
			fields = append(fields, rootFields(s.Definition.SelectionSet)...)
		}
	}
	return fields
}
