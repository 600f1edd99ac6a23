package config_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bourse/router/config"
	"bourse/router/headers"
)

func TestHeaderRulesAreRead(t *testing.T) {
	c, err := config.Read("router.yaml", []byte(`
headers:
  forward: [Accept-Language]
  all:
    - { action: propagate, matching: "x-.*" }
    - { action: insert, name: X-User, claim: sub, default: guest }
  each:
    billing:
      - { action: remove, name: X-Debug }
  response:
    - { name: X-Version, merge: append, subgraphs: [billing] }
  claims: { enabled: true, secret: "${SECRET}", life: 30s, claims: [tenant.id] }
`), environment(map[string]string{"SECRET": sharedSecret}))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	h := b.Options.Headers
	if len(b.Options.ForwardHeaders) != 1 || len(h.All) != 2 || h.All[1].Claim != "sub" || h.Subgraphs["billing"][0].Action != headers.Remove ||
		h.Response[0].Merge != headers.Append || b.Options.ClaimsSigner == nil || len(b.Admin) != 0 {
		t.Errorf("options are %+v", h)
	}
	for text, want := range map[string]string{
		`headers: { all: [{ name: X }] }`:                                               "action",
		`headers: { all: [{ action: propagate, name: Host }] }`:                         "Host",
		`headers: { all: [{ action: insert, name: X }] }`:                               "value or a claim",
		`headers: { response: [{ merge: last }] }`:                                      "name or a pattern",
		`headers: { claims: { enabled: true } }`:                                        "private key",
		`headers: { claims: { enabled: true, secret: hunter2 } }`:                       "32 bytes",
		`headers: { claims: { enabled: true, key_file: missing.pem } }`:                 "key_file",
		`headers: { claims: { enabled: true, secret: "${SECRET}", algorithm: ES256 } }`: "ES256",
	} {
		c, err := config.Read("router.yaml", []byte(text), environment(map[string]string{"SECRET": sharedSecret}))
		if err == nil {
			_, err = c.Build(slog.New(slog.DiscardHandler))
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), sharedSecret) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestThePublicKeyIsOnTheAdminListener(t *testing.T) {
	dir := t.TempDir()
	// RFC 8037, appendix A.1, as PKCS #8.
	const key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n"
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "router.yaml")
	if err := os.WriteFile(file, []byte("headers: { claims: { enabled: true, key_file: key.pem, key_id: k } }"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.Admin["GET /claims/jwks.json"] == nil || !strings.Contains(string(b.Options.ClaimsSigner.KeySet()), `"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`) {
		t.Errorf("the key set is %s", b.Options.ClaimsSigner.KeySet())
	}
}
