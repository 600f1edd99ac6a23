package viewer_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/subgraphs/internal/viewer"
)

const secret = "the router's secret"

// tokens knows two texts; the exchange itself verifies tokens in the tests of the subgraphs.
type tokens struct{ asked int }

func (a *tokens) Authenticate(_ context.Context, token string) (account.Actor, error) {
	a.asked++
	switch token {
	case "good":
		return account.Actor{ID: 7, Role: account.RoleMember}, nil
	case "old":
		return account.Actor{}, fault.New(fault.TokenExpired, "expired")
	}
	return account.Actor{}, fault.New(fault.Unauthenticated, "no")
}

func TestOnlyTheRouterPasses(t *testing.T) {
	reached := false
	handler := viewer.Middleware(secret, &tokens{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	for _, shown := range []string{"", "x", secret[:len(secret)-1], secret + " ", "Bearer " + secret} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set(viewer.SecretHeader, shown)
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || reached {
			t.Errorf("%q: status %d, reached %t", shown, w.Code, reached)
		}
	}
}

func TestAnEmptySecretIsNoSecret(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an empty secret lets everyone in")
		}
	}()
	viewer.Middleware("", &tokens{}, http.NotFoundHandler())
}

func TestWhoIsAsking(t *testing.T) {
	for _, c := range []struct {
		name          string
		authorization string
		actor         account.ID
		code, refusal fault.Code
	}{
		{"visitor", "", 0, fault.Unauthenticated, ""},
		{"member", "Bearer good", 7, "", ""},
		{"lower case", "bearer good", 7, "", ""},
		{"expired", "Bearer old", 0, fault.TokenExpired, fault.TokenExpired},
		{"forged", "Bearer bad", 0, fault.Unauthenticated, fault.Unauthenticated},
		{"another scheme", "Basic good", 0, fault.Unauthenticated, fault.Unauthenticated},
		{"no scheme", "good", 0, fault.Unauthenticated, fault.Unauthenticated},
	} {
		t.Run(c.name, func(t *testing.T) {
			serve(t, c.authorization, func(ctx context.Context) {
				actor, err := viewer.Actor(ctx)
				if actor.ID != c.actor || fault.CodeOf(err) != c.code {
					t.Errorf("actor %v, %v", actor, err)
				}
				if code := fault.CodeOf(viewer.Refusal(ctx)); code != c.refusal {
					t.Errorf("refusal %q, want %q", code, c.refusal)
				}
				if viewer.Is(ctx, account.RoleMember) != (c.actor != 0) || viewer.Is(ctx, account.RoleAdmin) {
					t.Error("role mistaken")
				}
				if viewer.Address(ctx) != "192.0.2.1" {
					t.Errorf("address %q", viewer.Address(ctx))
				}
			})
		})
	}
}

func TestOutsideOfARequestNobodyIsSignedIn(t *testing.T) {
	if _, err := viewer.Actor(context.Background()); fault.CodeOf(err) != fault.Unauthenticated {
		t.Error(err)
	}
}

func TestMiddlewareTwiceAsksOnce(t *testing.T) {
	auth := &tokens{}
	reached := 0
	inner := viewer.Middleware(secret, auth, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set(viewer.SecretHeader, secret)
	r.Header.Set("Authorization", "Bearer good")
	viewer.Middleware(secret, auth, inner).ServeHTTP(httptest.NewRecorder(), r)
	if reached != 1 || auth.asked != 1 {
		t.Errorf("reached %d, asked %d", reached, auth.asked)
	}
}

func serve(t *testing.T, authorization string, check func(context.Context)) {
	t.Helper()
	reached := false
	handler := viewer.Middleware(secret, &tokens{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached = true
		check(r.Context())
	}))
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set(viewer.SecretHeader, secret)
	r.Header.Set(viewer.AddressHeader, "192.0.2.1")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if !reached || w.Code != http.StatusOK {
		t.Fatalf("not let through: %d", w.Code)
	}
}
