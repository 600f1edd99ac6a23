package present

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"bourse/engine"
	"bourse/engine/fault"
)

// Errors returns the presenter of a subgraph.
func Errors(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		shown := locate(ctx, err)
		if refusal := refusalIn(err); refusal != nil {
			if code, ok := codes[refusal.Code]; ok {
				if refusal.Code == fault.Unavailable {
					// What stands behind it is the operator's concern; the caller only waits.
					log.Log(ctx, level(ctx, err, slog.LevelWarn), "operation refused for now",
						"operation", operationName(ctx), "path", shown.Path.String(), "error", err)
				}
				shown.Message = refusal.Message
				shown.Extensions = extensions(code, refusal.Details)
				return shown
			}
		}
		if refusedByTransport(err) {
			return shown
		}
		log.Log(ctx, level(ctx, err, slog.LevelError), "operation failed",
			"operation", operationName(ctx), "path", shown.Path.String(), "error", err)
		shown.Message = "something went wrong on our side"
		shown.Extensions = extensions(Internal, nil)
		return shown
	}
}

// level is how loud an error is logged: softly where the caller has gone, since nobody reads the answer
// and nothing is wrong.
func level(ctx context.Context, err error, otherwise slog.Level) slog.Level {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, ctx.Err())) {
		return slog.LevelDebug
	}
	return otherwise
}

// Panics returns the recover function of a subgraph: it logs the panic with its stack, and the
// presenter hides it as it hides every unknown error.
func Panics(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, value any) error {
		log.ErrorContext(ctx, "resolver panicked",
			"operation", operationName(ctx), "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
		return fmt.Errorf("panic: %v", value)
	}
}

// refusalIn finds what the caller may be told within err; nil where that is nothing. The ends of a
// watch are refusals too, though the exchange has no code for them.
func refusalIn(err error) *fault.Error {
	var refusal *fault.Error
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.Is(err, engine.ErrLagged):
		return fault.New(lagged, "you read too slowly and missed something; subscribe again")
	case errors.Is(err, engine.ErrClosing):
		return fault.New(fault.Unavailable, "the exchange is closing; subscribe again in a moment")
	}
	return nil
}

// locate returns a fresh error with the path and the place in the operation that err knows.
func locate(ctx context.Context, err error) *gqlerror.Error {
	shown := &gqlerror.Error{Err: err, Message: err.Error(), Path: graphql.GetPath(ctx)}
	var known *gqlerror.Error
	if errors.As(err, &known) {
		shown.Message = known.Message
		shown.Locations = known.Locations
		shown.Extensions = known.Extensions
		if known.Path != nil {
			shown.Path = known.Path
		}
	}
	return shown
}

// refusedByTransport reports whether gqlgen itself refused the operation: it does not parse, does
// not fit the schema, is too complex. Those errors carry a code and show nothing of the inside.
func refusedByTransport(err error) bool {
	var known *gqlerror.Error
	if !errors.As(err, &known) {
		return false
	}
	code, ok := known.Extensions["code"].(string)
	return ok && code != ""
}

func extensions(code string, details map[string]string) map[string]any {
	ext := map[string]any{"code": code}
	if len(details) > 0 {
		ext["details"] = details
	}
	return ext
}

func operationName(ctx context.Context) string {
	if !graphql.HasOperationContext(ctx) {
		return ""
	}
	return graphql.GetOperationContext(ctx).OperationName
}
