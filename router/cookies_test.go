package router_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"bourse/router"
	"bourse/router/identity"
)

// Browsers send cookies with a WebSocket whatever page opens it. Those of pages that may not send any by HTTP prove nothing.
func TestCookiesOfWebSocketsCountWhereTheirPagesMaySendThem(t *testing.T) {
	secret := []byte("a secret of the issuer, 32 bytes or more")
	key, err := identity.Secret("", secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := identity.NewVerifier(identity.Options{Issuers: []identity.Issuer{{Algorithms: []string{"HS256"}, Keys: []identity.Key{key}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(verifier.Close)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "ada", "roles": "admin", "exp": time.Now().Add(time.Hour).Unix()}).SignedString(secret)
	if err != nil {
		t.Fatal(err)
	}
	const app, evil, own = "https://app.example.com", "https://evil.example", ""
	for _, c := range []struct {
		allowed     string
		credentials bool
		origin      string
		known       bool
	}{
		{app, true, app, true},
		{app, false, app, false},
		{"*", true, evil, false},
		{"*", false, evil, false},
		{"*", true, "null", false},
		{app, false, own, true},
	} {
		h := open(t, router.Options{
			Tokens: router.Tokens{Verifier: verifier, Sources: []identity.Source{{Cookie: "session"}}}, IntrospectionRoles: []string{"admin"},
			AllowedOrigins: []string{c.allowed}, AllowCredentials: c.credentials,
		})
		if c.origin == own {
			c.origin = h.url
		}
		conn, _, err := websocket.Dial(t.Context(), h.url, &websocket.DialOptions{
			Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Origin": {c.origin}, "Cookie": {"session=" + token}},
		})
		if err != nil {
			t.Fatal(err)
		}
		send(t, conn, `{"type":"connection_init"}`)
		if got := receive(t, conn); got != `{"type":"connection_ack"}` {
			t.Fatal(got)
		}
		send(t, conn, `{"id":"1","type":"subscribe","payload":{"query":"{ __schema { queryType { name } } }"}}`)
		if got := receive(t, conn); strings.Contains(got, `"name":"Query"`) != c.known || strings.Contains(got, "introspection is not allowed") == c.known {
			t.Errorf("%+v: %s", c, got)
		}
		_ = conn.CloseNow()
	}
}
