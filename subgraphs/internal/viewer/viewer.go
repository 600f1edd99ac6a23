// Package viewer says who is asking: it lets only the router through to a subgraph, verifies the
// bearer token that the router passes on, and keeps the outcome with the request.
//
//	no token        a visitor: what is open to all works, the rest is UNAUTHENTICATED
//	good token      an actor, whose role the exchange's views then check
//	refused token   every operation that wants more than to sign in is refused with the reason
//
// It deliberately does not know what an actor may do: the exchange decides that.
package viewer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/graph/scalar"
)

// Headers between the router and the subgraphs.
const (
	// SecretHeader proves that a request passed the router.
	SecretHeader = "Bourse-Router-Secret"
	// AddressHeader carries the address of the client that the router serves. The router sets it;
	// what a client claims there is overwritten before it gets here.
	AddressHeader = "Bourse-Client-Address"
	// MinSequenceHeader asks for answers that are at least as new as a sequence, written as the API
	// writes it: what the client was told before, it finds again.
	MinSequenceHeader = "Bourse-Min-Sequence"
)

// MaxBody bounds a request from the router, in bytes. Large ones carry long lists of entities.
const MaxBody = 8 << 20

// Authenticator turns an access token into the actor who holds it, or refuses with UNAUTHENTICATED
// or TOKEN_EXPIRED.
type Authenticator interface {
	Authenticate(ctx context.Context, accessToken string) (account.Actor, error)
}

type viewer struct {
	actor   account.Actor
	err     error // why there is no actor; nil for an actor
	refused bool  // whether err concerns every operation, not only those that want an actor
	address string
}

type contextKey struct{}

// Middleware lets requests with the router's secret through to next, with their viewer in the
// context. All others get 401 and nothing else. A request that already carries a viewer passes
// unchanged. It panics when the secret is empty: that would let everyone in.
func Middleware(secret string, auth Authenticator, next http.Handler) http.Handler {
	if secret == "" {
		panic("viewer: the router's secret is empty")
	}
	want := sha256.Sum256([]byte(secret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if _, ok := ctx.Value(contextKey{}).(*viewer); ok {
			next.ServeHTTP(w, r)
			return
		}
		// Hashing first makes the comparison take the same time for secrets of any length.
		got := sha256.Sum256([]byte(r.Header.Get(SecretHeader)))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			http.Error(w, "this endpoint answers the router only", http.StatusUnauthorized)
			return
		}
		v := identify(ctx, auth, r.Header.Get("Authorization"))
		v.address = r.Header.Get(AddressHeader)
		if text := r.Header.Get(MinSequenceHeader); text != "" {
			sequence, err := scalar.UnmarshalSequence(text)
			if err != nil {
				v = &viewer{err: fault.New(fault.InvalidArgument, "the header "+MinSequenceHeader+" is not a sequence"), refused: true}
			}
			ctx = engine.WithMinSequence(ctx, engine.Sequence(sequence))
		}
		r = r.WithContext(context.WithValue(ctx, contextKey{}, v))
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		next.ServeHTTP(w, r)
	})
}

func identify(ctx context.Context, auth Authenticator, authorization string) *viewer {
	if authorization == "" {
		return &viewer{err: fault.New(fault.Unauthenticated, "sign in first")}
	}
	scheme, token, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return &viewer{refused: true, err: fault.New(fault.Unauthenticated, "the Authorization header is not a bearer token")}
	}
	actor, err := auth.Authenticate(ctx, strings.TrimSpace(token))
	return &viewer{refused: err != nil, actor: actor, err: err}
}

// Actor returns who is signed in. The error is UNAUTHENTICATED or TOKEN_EXPIRED, or whatever kept
// the token from being checked.
func Actor(ctx context.Context) (account.Actor, error) {
	v := from(ctx)
	return v.actor, v.err
}

// Refusal returns why what came with the request is no good: its token as a rule. It is nil when all
// is good, and when there was no token.
func Refusal(ctx context.Context) error {
	if v := from(ctx); v.refused {
		return v.err
	}
	return nil
}

// Is reports whether someone of that role is signed in.
func Is(ctx context.Context, role account.Role) bool {
	v := from(ctx)
	return v.err == nil && v.actor.Role == role
}

// Address returns the address of the client as the router saw it; empty when it did not say.
func Address(ctx context.Context) string { return from(ctx).address }

var nobody = &viewer{err: fault.New(fault.Unauthenticated, "sign in first")}

func from(ctx context.Context) *viewer {
	if v, ok := ctx.Value(contextKey{}).(*viewer); ok {
		return v
	}
	return nobody
}
