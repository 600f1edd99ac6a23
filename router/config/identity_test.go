package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bourse/router/config"
)

const sharedSecret = "a secret that is only for the tests of this file"

func TestTokensOfConfiguredIssuersAreTaken(t *testing.T) {
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	write("secret", []byte(sharedSecret+"\n"))
	write("set.json", []byte(`{"keys":[{"kty":"oct","kid":"k","k":"`+base64.RawURLEncoding.EncodeToString([]byte(sharedSecret))+`"}]}`))
	write("router.yaml", []byte(`
identity:
  issuers:
    - { name: pem, algorithms: [ES256], pem_file: key.pem, skew: 1m }
    - { name: text, algorithms: [HS256], secret_file: secret }
    - { name: coded, algorithms: [HS256], secret: "`+base64.StdEncoding.EncodeToString([]byte(sharedSecret))+`", secret_encoding: base64 }
    - { name: set, algorithms: [HS256], jwks_file: set.json }
  sources:
    - { header: X-Token }
  claims: { roles: [groups] }
  policies: [{ name: audit, claim: groups, values: [a] }]
  reject_denied: true
`))
	c, err := config.ReadFile(filepath.Join(dir, "router.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if o := b.Options; !o.RejectDenied || len(o.Policies) != 1 || o.Tokens.Required || o.Tokens.Lenient || len(o.Tokens.Sources) != 1 || o.Tokens.Sources[0].Header != "X-Token" {
		t.Errorf("options are %+v", o.Tokens)
	}
	for _, name := range []string{"pem", "text", "coded", "set"} {
		claims := jwt.MapClaims{"iss": name, "sub": "alice", "exp": time.Now().Add(time.Minute).Unix(), "groups": []string{"a", "b"}}
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
		text, err := token.SignedString([]byte(sharedSecret))
		if name == "pem" {
			text, err = jwt.NewWithClaims(jwt.SigningMethodES256, claims).SignedString(key)
		}
		if err != nil {
			t.Fatal(err)
		}
		who, err := b.Options.Tokens.Verifier.Verify(t.Context(), text)
		if err != nil || who.Subject != "alice" || len(who.Roles) != 2 {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
}

func TestWhatCannotVerifyIsToldWithoutSecrets(t *testing.T) {
	for text, want := range map[string]string{
		`identity: { required: true }`:                                                                    "no issuer",
		`identity: { issuers: [{ name: a }] }`:                                                            "algorithms",
		`identity: { issuers: [{ algorithms: [none], secret: "${SECRET}" }] }`:                            `"none"`,
		`identity: { issuers: [{ algorithms: [RS256], secret: "${SECRET}" }] }`:                           "no key for RS256",
		`identity: { issuers: [{ algorithms: [HS256], secret: "${SHORT}" }] }`:                            "at least 32 bytes",
		`identity: { issuers: [{ algorithms: [HS256], secret: hunter2, secret_encoding: b64 }] }`:         "base64",
		`identity: { issuers: [{ algorithms: [HS256], secret: "!${SECRET}", secret_encoding: base64 }] }`: "not base64",
		`identity: { issuers: [{ algorithms: [RS256], jwks_url: "http://login.example.com" }] }`:          "https",
		`identity: { issuers: [{ algorithms: [RS256], pem_file: missing.pem }] }`:                         "pem_file",
		`identity: { sources: [{ header: a, cookie: b }] }`:                                               "either a header or a cookie",
		`identity: { max_token: 1MiB }`:                                                                   "at most",
		`addresses: { allow: [10.0.0.1/8] }`:                                                              "10.0.0.0/8",
		`addresses: { trusted_proxies: [proxy] }`:                                                         "trusted_proxies",
		`addresses: { admin: { deny: [x] } }`:                                                             "admin.deny",
	} {
		c, err := config.Read("router.yaml", []byte(text), environment(map[string]string{"SECRET": sharedSecret, "SHORT": "hunter2"}))
		if err == nil {
			var b *config.Built
			if b, err = c.Build(slog.New(slog.DiscardHandler)); err == nil {
				b.Close()
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil && (strings.Contains(err.Error(), sharedSecret) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: the error has the secret: %v", text, err)
		}
	}
}

func TestAddressRulesByListener(t *testing.T) {
	c, err := config.Read("router.yaml", []byte(`
addresses:
  trusted_proxies: [10.0.0.0/8, "::1"]
  header: forwarded
  deny: [203.0.113.0/24]
  admin: { allow: [127.0.0.1] }
`), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	clients, admin := b.Options.Addresses, b.AdminAddresses
	r := &http.Request{RemoteAddr: "10.1.1.1:1", Header: http.Header{"Forwarded": {"for=203.0.113.5"}}}
	if at := clients.Client(r); clients.Allows(at) || admin.Allows(at) || at != netip.MustParseAddr("203.0.113.5") {
		t.Errorf("the client is %s", at)
	}
	if at := netip.MustParseAddr("198.51.100.1"); !clients.Allows(at) || admin.Allows(at) {
		t.Error("the rules are not by listener")
	}
}
