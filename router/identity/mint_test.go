package identity

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is the time of the tests.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// mint is an issuer at the test's end: a private key, and the algorithm it signs with.
type mint struct {
	algorithm string
	id        string
	private   any
}

// The keys of the tests; making RSA keys takes a while.
var (
	secret  = []byte("a secret of sixty-four bytes, which is what HS512 needs at least")
	rsaKey  = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	rsaKey2 = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	edKey   = sync.OnceValue(func() ed25519.PrivateKey { _, k, err := ed25519.GenerateKey(rand.Reader); return must(k, err) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func mints() []mint {
	var all []mint
	for _, a := range Algorithms {
		all = append(all, mintFor(a))
	}
	return all
}

func mintFor(algorithm string) mint {
	m := mint{algorithm: algorithm, id: "key-" + algorithm}
	switch {
	case strings.HasPrefix(algorithm, "HS"):
		m.private = secret
	case algorithm == "EdDSA":
		m.private = edKey()
	case algorithm == "ES256":
		m.private = p256()
	case algorithm == "ES384":
		m.private = p384()
	case algorithm == "ES512":
		m.private = p521()
	default:
		m.private = rsaKey()
	}
	return m
}

// claims of an ordinary token, with changes; nil takes one away.
func claims(changes ...jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": "https://issuer.test", "sub": "alice", "aud": "graph", "scope": "read write",
		"roles": []any{"trader"}, "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for _, change := range changes {
		maps.Copy(c, change)
	}
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (m mint) token(c jwt.MapClaims, header ...map[string]any) string {
	t := jwt.NewWithClaims(jwt.GetSigningMethod(m.algorithm), c)
	if m.id != "" {
		t.Header["kid"] = m.id
	}
	for _, h := range header {
		maps.Copy(t.Header, h)
	}
	return must(t.SignedString(m.private))
}

func (m mint) public() any {
	if s, ok := m.private.(crypto.Signer); ok {
		return s.Public()
	}
	return m.private
}

func (m mint) key() Key { return Key{id: m.id, material: m.public()} }

// jwk is the key as a member of a key set.
func (m mint) jwk() map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	k := map[string]any{"kid": m.id, "alg": m.algorithm, "use": "sig"}
	switch public := m.public().(type) {
	case []byte:
		k["kty"], k["k"] = "oct", b64(public)
	case *rsa.PublicKey:
		k["kty"], k["n"], k["e"] = "RSA", b64(public.N.Bytes()), b64(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point := must(public.Bytes())
		half := len(point) / 2
		k["kty"], k["crv"], k["x"], k["y"] = "EC", public.Curve.Params().Name, b64(point[1:half+1]), b64(point[half+1:])
	case ed25519.PublicKey:
		k["kty"], k["crv"], k["x"] = "OKP", "Ed25519", b64(public)
	}
	return k
}

func jwksOf(mints ...mint) []byte {
	keys := []any{}
	for _, m := range mints {
		keys = append(keys, m.jwk())
	}
	return must(json.Marshal(map[string]any{"keys": keys}))
}

func pemOf(public any) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(public))})
}

// verifier of one issuer, whose clock stands at now.
func verifier(t testing.TB, issuers ...Issuer) *Verifier {
	t.Helper()
	v, err := NewVerifier(Options{Issuers: issuers, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// reason is why a token is refused; empty: it is not.
func reason(t testing.TB, v *Verifier, token string) Reason {
	t.Helper()
	who, err := v.Verify(context.Background(), token)
	if err == nil {
		if who == nil {
			t.Fatal("neither an identity nor an error")
		}
		return ""
	}
	var refused *RefusedError
	if !errors.As(err, &refused) || who != nil {
		t.Fatalf("%v with %v", err, who)
	}
	if len(token) > 10 && strings.Contains(err.Error(), token[len(token)-10:]) {
		t.Errorf("the error has the token in it: %v", err)
	}
	return refused.Reason
}

func expectReason(t *testing.T, v *Verifier, what, token string, want Reason) {
	t.Helper()
	for range 2 { // the second time from memory
		if got := reason(t, v, token); got != want {
			t.Errorf("%s: %q, expected %q", what, got, want)
		}
	}
}
