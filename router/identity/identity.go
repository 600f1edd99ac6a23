package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"
)

// Identity is whom a request speaks for, as far as it was proven. It is immutable and may be shared by requests.
// A nil *Identity is nobody: an anonymous request.
type Identity struct {
	Subject, Issuer string
	Scopes, Roles   []string
	Claims          map[string]any // numbers are json.Number; not modified
	Expires         time.Time      // from when on it must not be used; zero: never
	Digest          [32]byte       // equal only for equal identities
}

// Authenticated says whether anything was proven.
func (i *Identity) Authenticated() bool { return i != nil }

// HasScope says whether the identity was granted a scope.
func (i *Identity) HasScope(scope string) bool { return i != nil && slices.Contains(i.Scopes, scope) }

// HasRole says whether the identity has a role.
func (i *Identity) HasRole(role string) bool { return i != nil && slices.Contains(i.Roles, role) }

// ExpiredAt says whether the identity must no longer be used.
func (i *Identity) ExpiredAt(now time.Time) bool {
	return i != nil && !i.Expires.IsZero() && !now.Before(i.Expires)
}

// Digested is the identity with a Digest, made of all that it says where it has none.
func (i *Identity) Digested() *Identity {
	if i == nil || i.Digest != [sha256.Size]byte{} {
		return i
	}
	own := *i
	text, err := json.Marshal(own)
	if err != nil {
		_, _ = rand.Read(own.Digest[:]) // claims that are no JSON: equal to nobody
		return &own
	}
	own.Digest = sha256.Sum256(text)
	return &own
}

type contextKey struct{}

// With puts an identity into a context; nobody leaves it as it is.
func With(ctx context.Context, i *Identity) context.Context {
	if i == nil {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, i)
}

// From is the identity in a context; nil is nobody.
func From(ctx context.Context) *Identity {
	i, _ := ctx.Value(contextKey{}).(*Identity)
	return i
}
