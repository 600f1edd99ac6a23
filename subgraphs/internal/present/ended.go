package present

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Endings lets a subscription end with a reason. gqlgen knows only a closed channel; over SSE that
// looks like an orderly end, and a subscriber that missed something would never learn it. With this
// extension in place, a resolver calls End before it closes its channel, and one last message
// carries the error.
type Endings struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
	graphql.ResponseInterceptor
} = Endings{}

type ending struct {
	mu  sync.Mutex
	err error
}

type endingKey struct{}

// End says why the subscription of this context ends. It does nothing outside of one; the first
// reason counts.
func End(ctx context.Context, err error) {
	e, ok := ctx.Value(endingKey{}).(*ending)
	if !ok || err == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
	}
}

// ExtensionName names the extension to gqlgen.
func (Endings) ExtensionName() string { return "Endings" }

// Validate accepts every schema.
func (Endings) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptOperation gives each subscription a place for its reason.
func (Endings) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
		ctx = context.WithValue(ctx, endingKey{}, &ending{})
	}
	return next(ctx)
}

// InterceptResponse sends the reason once the stream has ended.
func (Endings) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response != nil {
		return response
	}
	e, ok := ctx.Value(endingKey{}).(*ending)
	if !ok {
		return nil
	}
	e.mu.Lock()
	err := e.err
	e.err = nil
	e.mu.Unlock()
	if err == nil || ctx.Err() != nil {
		return nil
	}
	graphql.AddError(ctx, err)
	return &graphql.Response{Errors: graphql.GetErrors(ctx)}
}
