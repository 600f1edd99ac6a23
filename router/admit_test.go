package router

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bourse/router/fetch"
	"bourse/router/identity"
	"bourse/router/serve"
)

var tokenSecret = []byte("a secret that only the tests of the router know")

// tokenOf is a token of alice's with more claims.
func tokenOf(t testing.TB, changes jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": "issuer", "sub": "alice", "exp": time.Now().Add(time.Hour).Unix()}
	for name, v := range changes {
		claims[name] = v
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(tokenSecret)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func tokenVerifier(t testing.TB) *identity.Verifier {
	t.Helper()
	key, err := identity.Secret("", tokenSecret)
	if err != nil {
		t.Fatal(err)
	}
	v, err := identity.NewVerifier(identity.Options{Issuers: []identity.Issuer{{Name: "issuer", Algorithms: []string{"HS256"}, Keys: []identity.Key{key}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// protectedRouter serves testdata/protected.graphql whole, with a log of everything.
func protectedRouter(t testing.TB, o Options, around ...func(handlers) handlers) (*httptest.Server, *safeBuffer) {
	t.Helper()
	sdl := textOf(t, "testdata/protected.graphql")
	data, err := dataFor(t, sdl).ParseData([]byte(protectedData))
	if err != nil {
		t.Fatal(err)
	}
	log := &safeBuffer{}
	subgraphs := handlers(data.Serve(nil).Handlers())
	for _, wrap := range around {
		subgraphs = wrap(subgraphs)
	}
	o.Fetcher = fetch.NewLocal(subgraphs)
	o.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r, err := New(sdl, o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		server.Close()
		if err := r.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return server, log
}

// ask posts a query with a token and returns the status, headers and body.
func ask(t testing.TB, server *httptest.Server, authorization, query string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(`{"query":`+quoted(query)+`}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

func TestTokensOpenWhatTheGraphProtects(t *testing.T) {
	server, log := protectedRouter(t, Options{
		Tokens:   Tokens{Verifier: tokenVerifier(t)},
		Policies: identity.Policies{{Name: "boss", Claim: "rank", Values: []string{"7"}}},
	})
	const query = `{ me { id } users { email salary } }`
	secrets := []string{}
	for _, c := range []struct{ claims, want string }{
		{"", `{"me":{"id":"1"},"users":[{"email":null,"salary":null},{"email":null,"salary":null}]}`},
		{"scope", `{"me":{"id":"1"},"users":[{"email":"a@x","salary":null},{"email":"b@x","salary":null}]}`},
		{"rank", `{"me":{"id":"1"},"users":[{"email":null,"salary":100},{"email":null,"salary":50}]}`},
	} {
		token := tokenOf(t, map[string]jwt.MapClaims{"scope": {"scope": "user:read email:read"}, "rank": {"rank": 7}}[c.claims])
		secrets = append(secrets, token)
		status, _, body := ask(t, server, "Bearer "+token, query)
		if status != 200 || !strings.HasPrefix(body, `{"data":`+c.want) {
			t.Errorf("with %q: %d %s", c.claims, status, body)
		}
	}
	if _, _, body := ask(t, server, "", query); !strings.HasPrefix(body, `{"data":{"me":null,`) {
		t.Errorf("nobody got %s", body)
	}
	if !strings.Contains(log.String(), `"msg":"access denied"`) || !strings.Contains(log.String(), `users.email`) {
		t.Error("nothing was logged of what was denied")
	}
	for _, secret := range secrets {
		if strings.Contains(log.String(), secret) || strings.Contains(log.String(), secret[strings.LastIndexByte(secret, '.'):]) {
			t.Error("the log has a token")
		}
	}
}

func TestInvalidTokensAreRefused(t *testing.T) {
	expired := tokenOf(t, jwt.MapClaims{"exp": time.Now().Add(-time.Hour).Unix()})
	stranger := tokenOf(t, jwt.MapClaims{"iss": "another"})
	forged := tokenOf(t, nil) + "x"
	for name, tokens := range map[string]Tokens{"ordinary": {}, "required": {Required: true}, "lenient": {Lenient: true}} {
		tokens.Verifier = tokenVerifier(t)
		server, log := protectedRouter(t, Options{Tokens: tokens})
		for token, reason := range map[string]string{expired: "TOKEN_EXPIRED", stranger: "TOKEN_ISSUER_UNKNOWN", forged: "TOKEN_SIGNATURE_INVALID"} {
			status, header, body := ask(t, server, "Bearer "+token, `{ open }`)
			if tokens.Lenient {
				if status != 200 {
					t.Errorf("%s: %s: %d", name, reason, status)
				}
				continue
			}
			if status != 401 || !strings.Contains(body, `"UNAUTHENTICATED"`) || !strings.Contains(body, reason) ||
				!strings.HasPrefix(header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`) {
				t.Errorf("%s: %s: %d %v %s", name, reason, status, header, body)
			}
		}
		status, header, body := ask(t, server, "", `{ open }`)
		if tokens.Required && (status != 401 || header.Get("WWW-Authenticate") != "Bearer" || !strings.Contains(body, "TOKEN_MISSING")) {
			t.Errorf("%s: without a token: %d %s", name, status, body)
		}
		if !tokens.Required && status != 200 {
			t.Errorf("%s: without a token: %d %s", name, status, body)
		}
		for _, token := range []string{expired, stranger, forged} {
			if strings.Contains(log.String(), token) {
				t.Errorf("%s: the log has a token", name)
			}
		}
		if !strings.Contains(log.String(), "token refused") || !strings.Contains(log.String(), `iss \"another\"`) {
			t.Errorf("%s: the log does not say why", name)
		}
	}
}

func TestDeniedOperationsAreRefusedWhole(t *testing.T) {
	server, _ := protectedRouter(t, Options{Tokens: Tokens{Verifier: tokenVerifier(t)}, RejectDenied: true})
	status, header, body := ask(t, server, "", `{ open x: me { id } users { name tax } }`)
	if status != 401 || header.Get("WWW-Authenticate") == "" || strings.Contains(body, `"data"`) ||
		!strings.Contains(body, `"path":["x"]`) || !strings.Contains(body, `"path":["users","tax"]`) || !strings.Contains(body, "UNAUTHORIZED_FIELD_OR_TYPE") {
		t.Errorf("nobody: %d %s", status, body)
	}
	if status, _, body = ask(t, server, "", `{ open me @skip(if: true) { id } }`); status != 200 || body != `{"data":{"open":1}}` {
		t.Errorf("what is skipped: %d %s", status, body)
	}
	token := "Bearer " + tokenOf(t, nil)
	if status, _, body = ask(t, server, token, `{ open me { id } }`); status != 200 || strings.Contains(body, "errors") {
		t.Errorf("alice: %d %s", status, body)
	}
	if status, _, body = ask(t, server, token, `{ users { email } }`); status != 403 {
		t.Errorf("alice without scopes: %d %s", status, body)
	}
}

func TestTheOperatorsOwnRightsWin(t *testing.T) {
	server, _ := protectedRouter(t, Options{
		Admit: func(context.Context, *http.Request, http.Header) (*identity.Identity, *serve.Refusal) {
			return &identity.Identity{Subject: "by hook"}, nil
		},
		Tokens: Tokens{Verifier: tokenVerifier(t), Required: true},
	})
	if status, _, body := ask(t, server, "", `{ me { id } }`); status != 200 || body != `{"data":{"me":{"id":"1"}}}` {
		t.Errorf("%d %s", status, body)
	}
}

func TestAddressesAreRefusedBehindProxies(t *testing.T) {
	rules := &identity.Addresses{
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Deny: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
	}
	server, log := protectedRouter(t, Options{Addresses: rules})
	if status, _, body := ask(t, server, "", `{ open }`, "X-Forwarded-For", "198.51.100.1, 203.0.113.9"); status != 403 || !strings.Contains(body, codeAddressDenied) {
		t.Errorf("a denied address: %d %s", status, body)
	}
	if status, _, _ := ask(t, server, "", `{ open }`, "X-Forwarded-For", "203.0.113.9, 198.51.100.1"); status != 200 {
		t.Errorf("an address that only claims to come from there: %d", status)
	}
	server.Close() // which waits for what comes after the client has its answer
	for _, client := range []string{`"client":"198.51.100.1"`, `"client":"203.0.113.9"`} {
		if !strings.Contains(log.String(), client) {
			t.Errorf("the log does not have %s", client)
		}
	}
}

// safeBuffer is a log that many goroutines write.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// Behind a proxy that is trusted the log names the client whose token was refused, and not the proxy.
func TestTheLogNamesTheClientOfARefusedToken(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"trusted":   {Options{Addresses: &identity.Addresses{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}, "203.0.113.9"},
		"untrusted": {Options{Addresses: &identity.Addresses{}}, "127.0.0.1"},
		"unasked":   {Options{}, "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Tokens = Tokens{Verifier: tokenVerifier(t)}
			server, log := protectedRouter(t, c.o)
			if status, _, body := ask(t, server, "Bearer x.y.z", `{ me { id } }`, "X-Forwarded-For", "203.0.113.9"); status != 401 {
				t.Fatalf("%d %s", status, body)
			}
			if got := log.String(); !strings.Contains(got, `"msg":"token refused"`) || !strings.Contains(got, `"client":"`+c.want+`"`) || strings.Contains(got, `"peer"`) {
				t.Errorf("the log is %s", got)
			}
		})
	}
}
