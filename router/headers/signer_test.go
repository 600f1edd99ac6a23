package headers

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bourse/router/execute"
	"bourse/router/identity"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func privatePEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signer(t testing.TB, o SignerOptions) *Signer {
	t.Helper()
	s, err := NewSigner(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A subgraph in Go verifies what the router says with identity.Verifier alone: over a real connection, with the key set that the
// router serves, and nobody else's word.
func TestSubgraphsVerifyWhomARequestSpeaksFor(t *testing.T) {
	s := signer(t, SignerOptions{PrivatePEM: privatePEM(t, ecKey(t)), KeyID: "k1", Claims: []string{"tenant.id"}})
	keys := httptest.NewServer(s)
	defer keys.Close()
	v, err := identity.NewVerifier(identity.Options{Issuers: []identity.Issuer{{
		Name: "router", Algorithms: []string{"ES256"}, URL: keys.URL, Audiences: []string{"accounts"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	subgraph := httptest.NewServer(v.Handler(identity.Source{Header: "Router-Claims"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := identity.From(r.Context())
		tenant, _ := who.Claim("claims.tenant.id")
		text, _ := identity.Text(tenant)
		_, _ = io.WriteString(w, who.Subject+" "+strings.Join(who.Scopes, ",")+" "+strings.Join(who.Roles, ",")+" "+text)
	})))
	defer subgraph.Close()
	f := Before(posting{subgraph}, nil, s)
	who := &identity.Identity{
		Subject: "alice", Issuer: "https://login.test", Scopes: []string{"r", "w"}, Roles: []string{"admin"}, Claims: alice.Claims,
		Expires: time.Now().Add(time.Hour), Digest: [32]byte{1},
	}
	ask := func(subgraph string, who *identity.Identity, header map[string][]string) (int, string) {
		resp, err := f.Fetch(t.Context(), &execute.Request{Subgraph: subgraph, Body: []byte("{}"), Header: header, Identity: who})
		if err != nil {
			t.Fatal(err)
		}
		return resp.Status, string(resp.Body)
	}
	if status, body := ask("accounts", who, nil); status != 200 || body != "alice r,w admin 7" {
		t.Errorf("the subgraph answered %d %s", status, body)
	}
	if status, body := ask("others", who, nil); status != 401 {
		t.Errorf("claims for another subgraph were taken: %d %s", status, body)
	}
	if status, _ := ask("accounts", nil, nil); status != 401 {
		t.Errorf("nobody was let in: %d", status)
	}
	stolen, err := s.valueFor(who, "accounts")
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := ask("accounts", nil, map[string][]string{"Router-Claims": stolen}); status != 401 {
		t.Errorf("a header of the client's own was passed on: %d", status)
	}
}

func TestSignaturesAreMadeOnceForHalfTheirLife(t *testing.T) {
	clock := now
	s := signer(t, SignerOptions{Secret: []byte(strings.Repeat("s", 32)), Now: func() time.Time { return clock }})
	who := func(n byte, expires time.Time) *identity.Identity {
		return &identity.Identity{Subject: "u", Digest: [32]byte{n}, Expires: expires}
	}
	value := func(who *identity.Identity, subgraph string) string {
		v, err := s.valueFor(who, subgraph)
		if err != nil {
			t.Fatal(err)
		}
		return v[0]
	}
	first := value(who(1, time.Time{}), "a")
	clock = now.Add(29 * time.Second)
	if value(who(1, time.Time{}), "a") != first {
		t.Error("it was signed again within half its life")
	}
	if value(who(1, time.Time{}), "b") == first || value(who(2, time.Time{}), "a") == first {
		t.Error("another subgraph or identity has the same")
	}
	clock = now.Add(30 * time.Second)
	if value(who(1, time.Time{}), "a") == first {
		t.Error("it was used beyond half its life")
	}
	// Claims never outlive the client's token.
	end := clock.Add(5 * time.Second)
	var claims jwt.RegisteredClaims
	short := value(who(3, end), "a")
	if _, _, err := jwt.NewParser().ParseUnverified(short, &claims); err != nil || !claims.ExpiresAt.Equal(end) || claims.Audience[0] != "a" || claims.Subject != "u" {
		t.Errorf("%+v, %v", claims, err)
	}
}

func TestEveryKindOfKeySigns(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec := ecKey(t)
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, text := range map[string][]byte{
		"RS256": privatePEM(t, rsaKey), "PS512": privatePEM(t, rsaKey), "EdDSA": privatePEM(t, edKey),
		"ES256": pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}),
		"RS512": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}),
	} {
		s := signer(t, SignerOptions{PrivatePEM: text, Algorithm: algorithm, Now: func() time.Time { return now }})
		keys, err := identity.ReadJWKS(s.KeySet())
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		v, err := identity.NewVerifier(identity.Options{
			Issuers: []identity.Issuer{{Name: "router", Algorithms: []string{algorithm}, Keys: keys, Audiences: []string{"a"}}}, Now: func() time.Time { return now },
		})
		if err != nil {
			t.Fatal(err)
		}
		value, err := s.valueFor(&identity.Identity{Subject: "alice"}, "a")
		if err != nil {
			t.Fatal(err)
		}
		if who, err := v.Verify(context.Background(), value[0]); err != nil || who.Subject != "alice" {
			t.Errorf("%s: %+v, %v", algorithm, who, err)
		}
	}
	secretText := "hunter2hunter2hunter2hunter2hunter2"
	for _, o := range []SignerOptions{
		{},
		{Secret: []byte("short")},
		{Secret: []byte(secretText), PrivatePEM: privatePEM(t, ec)},
		{Secret: []byte(secretText), Algorithm: "ES256"},
		{Secret: []byte(secretText), Algorithm: "none"},
		{PrivatePEM: privatePEM(t, ec), Algorithm: "RS256"},
		{PrivatePEM: []byte(secretText)},
		{PrivatePEM: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(secretText)})},
		{Secret: []byte(secretText), Header: "Host"},
	} {
		if _, err := NewSigner(o); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
	if w := httptest.NewRecorder(); true {
		signer(t, SignerOptions{Secret: []byte(secretText)}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != 404 || strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("a secret's key set: %d %s", w.Code, w.Body)
		}
	}
}

func TestFailuresOfTheFetcherPass(t *testing.T) {
	broken := errors.New("broken")
	s := set(t, Rules{Response: []ResponseRule{{Name: "A"}}}, Sources{})
	f := Collecting(Before(failing{broken}, s, nil))
	ctx, c := s.Collect(t.Context())
	if _, err := f.Fetch(ctx, &execute.Request{}); !errors.Is(err, broken) || len(c.Header()) != 0 {
		t.Errorf("%v", err)
	}
	if _, err := f.Stream(ctx, &execute.Request{}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if Before(failing{broken}, nil, nil) != Fetcher(failing{broken}) {
		t.Error("what is off is there")
	}
}

type failing struct{ err error }

func (f failing) Fetch(context.Context, *execute.Request) (*execute.Response, error) {
	return nil, f.err
}

func (f failing) Stream(context.Context, *execute.Request) (io.ReadCloser, error) { return nil, f.err }

// posting is the least that carries requests to a server.
type posting struct{ to *httptest.Server }

func (p posting) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.to.URL, bytes.NewReader(req.Body))
	if err != nil {
		return nil, err
	}
	r.Header = req.Header
	resp, err := p.to.Client().Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(resp.Body)
	return &execute.Response{Status: resp.StatusCode, Header: resp.Header, Body: body}, err
}

func (p posting) Stream(context.Context, *execute.Request) (io.ReadCloser, error) {
	return nil, http.ErrNotSupported
}
