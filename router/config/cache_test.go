package config_test

import (
	"crypto/tls"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bourse/router/config"
	"bourse/router/entitycache"
	"bourse/router/fetch"
)

func built(t *testing.T, text string) (*config.Built, error) {
	t.Helper()
	c, err := config.Read("router.yaml", []byte(text), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Build(slog.New(slog.DiscardHandler))
	if err == nil {
		t.Cleanup(b.Close)
	}
	return b, err
}

func TestACacheIsThereWhenItIsEnabled(t *testing.T) {
	b, err := built(t, `cache: { enabled: false, ttl: 1m, invalidation: { secret: a-secret-of-some-length } }`)
	if err != nil || b.Options.Cache != nil || b.Options.CacheControl || len(b.Admin) != 0 {
		t.Errorf("off: %+v, %v", b.Options.Cache, err)
	}
	b, err = built(t, `
cache:
  enabled: true
  ttl: 1m
  private: true
  cache_control: true
  stale_while_revalidate: 10s
  stale_if_error: 1h
  each: { a: { enabled: false }, b: { ttl: 5s, stale_if_error: 2h }, c: { ttl: 0s, stale_while_revalidate: 0s } }
  invalidation: { secret: a-secret-of-some-length }
`)
	if err != nil {
		t.Fatal(err)
	}
	o := b.Options.Cache
	if o == nil || o.TTL != time.Minute || !o.Private || !b.Options.CacheControl || !o.Subgraphs["a"].Off || *o.Subgraphs["b"].TTL != 5*time.Second || o.Subgraphs["b"].Off || *o.Subgraphs["c"].TTL != 0 {
		t.Fatalf("options are %+v", o)
	}
	if o.Stale != (entitycache.Stale{WhileRevalidate: 10 * time.Second, IfError: time.Hour}) || *o.Subgraphs["c"].WhileRevalidate != 0 || o.Subgraphs["b"].WhileRevalidate != nil || o.Longest() != 2*time.Hour {
		t.Errorf("stale answers: %+v %+v", o.Stale, o.Subgraphs)
	}
	r := httptest.NewRequest("POST", "/cache/invalidate", strings.NewReader(`[{"kind":"subgraph","subgraph":"a"}]`))
	r.Header.Set("Authorization", "Bearer a-secret-of-some-length")
	w := httptest.NewRecorder()
	if b.Admin["/cache/invalidate"].ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("an invalidation got %d %s", w.Code, w.Body)
	}
}

func TestConnectionsOfSubgraphsAreOfTheirOwnWhereTheFileSaysSo(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler()) // for a certificate
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := built(t, `
subgraphs:
  each:
    usual: { url: "http://a", max_response: 2MiB }
    fast: { connection: { protocol: h2c, max_connections: 3 } }
    strict: { connection: { tls: { ca_file: "`+file+`", server_name: x.test } } }
`)
	if err != nil {
		t.Fatal(err)
	}
	c := b.Options.Subgraphs.HTTP.Connections
	if _, special := c["usual"]; special || len(c) != 2 || c["fast"].Protocol != fetch.H2C || c["fast"].MaxConnections != 3 || c["fast"].TLS != nil {
		t.Errorf("connections are %+v", c)
	}
	if got := b.Options.Subgraphs.HTTP.MaxResponseOf; len(got) != 1 || got["usual"] != 2<<20 {
		t.Errorf("bounds of answers are %v", got)
	}
	if s := c["strict"].TLS; s == nil || s.RootCAs == nil || s.ServerName != "x.test" || s.MinVersion != tls.VersionTLS12 {
		t.Errorf("TLS is %+v", s)
	}
	for _, bad := range []string{`ca_file: /nowhere`, `ca_file: "` + os.Args[0] + `"`, `key_file: k.pem`, `{certificate_file: "` + file + `", key_file: "` + file + `"}`} {
		if !strings.HasPrefix(bad, "{") {
			bad = "{" + bad + "}"
		}
		if _, err := built(t, `subgraphs: { each: { a: { connection: { tls: `+bad+` } } } }`); err == nil || !strings.Contains(err.Error(), "each.a.connection.tls") {
			t.Errorf("%s gave %v", bad, err)
		}
	}
}
