package serve

import (
	"context"
	"errors"
	"net/http"

	"bourse/router/identity"
)

// errExpired ends the context of a stream when the proof of whom it is for does.
var errExpired = errors.New("the identity has expired")

// whileValid is ctx for as long as an identity may be used.
func whileValid(ctx context.Context, who *identity.Identity) (context.Context, context.CancelFunc) {
	if who == nil || who.Expires.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, who.Expires, errExpired)
}

// hasExpired says whether a context of whileValid ended for its identity.
func hasExpired(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errExpired) }

// expired is what a client is told whose stream ends with its token, as it would be told of a new request.
func expired() *Refusal {
	refusal := Refuse(http.StatusUnauthorized, CodeUnauthenticated, identity.TokenExpired.Error())
	refusal.Errors[0].Extensions["reason"] = string(identity.TokenExpired)
	return refusal
}
