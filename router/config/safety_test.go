package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"bourse/router"
	"bourse/router/config"
	"bourse/router/persisted"
	"bourse/router/rate"
)

func build(t *testing.T, dir, text string) router.Options {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "router.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.ReadFile(filepath.Join(dir, "router.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Build(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b.Options
}

func TestSafetyByConfiguration(t *testing.T) {
	dir, server := t.TempDir(), miniredis.RunT(t)
	if err := os.WriteFile(filepath.Join(dir, "documents.json"), []byte(`{"a": "{ a }"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o := build(t, dir, `
redis: { url: "redis://`+server.Addr()+`/0", timeout: 10s }
limits: { mode: warn, depth: 7, list_items: 9, body: 2MiB }
cost: { mode: enforce, max: 50, roles: { admin: 0 }, mutation: 0 }
documents: { mode: enforce, manifests: [documents.json] }
rate:
  rules: [{ name: one, by: [address], limit: 1, per: 1h, kinds: [query] }]
introspection: { enabled: false, roles: [admin] }
errors: { all: { mask: true, no_extensions: true }, each: { b: { codes: [TOLD] } } }
cors: { origins: ["https://a.example.com"], patterns: ['https://pr-\d+\.example\.com'], max_age: 1h }
`)
	if o.Limits.Depth != 7 || o.Limits.ListItems != 9 || o.Limits.BodyBytes != 2<<20 || !o.Limits.Warn || o.Limits.Aliases != 100 {
		t.Errorf("limits: %+v", o.Limits)
	}
	if o.Budget == nil || o.Budget.Max != 50 || o.Budget.Warn || o.Budget.Model.Mutation != -1 {
		t.Errorf("budget: %+v", o.Budget)
	}
	if found, refused := o.Documents.Find(t.Context(), persisted.Request{ID: "a"}); refused != nil || found.Text != "{ a }" {
		t.Errorf("a trusted document: %v", refused)
	}
	if _, refused := o.Documents.Find(t.Context(), persisted.Request{Text: "{ b }"}); refused == nil || refused.Code != persisted.CodeNotTrusted {
		t.Errorf("another: %v", refused)
	}
	for i, want := range []string{"", "one"} {
		if d := o.Rate.Take(t.Context(), &rate.Request{Kind: "query"}, rate.Whole); d.Rule != want || d.Failed {
			t.Errorf("request %d: %+v", i, d)
		}
	}
	if len(server.Keys()) != 1 {
		t.Errorf("Redis has %q", server.Keys())
	}
	if o.Introspection || len(o.IntrospectionRoles) != 1 {
		t.Error("introspection")
	}
	if !o.Errors.Mask || o.Errors.Extensions == nil || len(o.Errors.Extensions) != 0 || o.ErrorsOf["b"].Mask || o.ErrorsOf["b"].Extensions != nil {
		t.Errorf("errors: %+v %+v", o.Errors, o.ErrorsOf)
	}
	if o.CORS.MaxAge != time.Hour || len(o.CORS.Patterns) != 1 || len(o.AllowedOrigins) != 1 || len(o.CORS.Preflight) != 3 {
		t.Errorf("cors: %+v", o.CORS)
	}
}

func TestWithoutAWordNothingIsComputed(t *testing.T) {
	o := build(t, t.TempDir(), "")
	if o.Budget != nil || o.Rate != nil || o.Documents == nil || !o.Introspection || o.Errors.Mask || o.Errors.Extensions != nil {
		t.Errorf("%+v", o)
	}
	if o := build(t, t.TempDir(), "documents: { automatic: { enabled: false } }"); o.Documents != nil {
		t.Error("documents are looked for where there can be none")
	}
}

func TestFaultsOfSafety(t *testing.T) {
	for text, want := range map[string]string{
		"redis: { url: 'redis://user:hunter2@ho st' }":                "a URL is",
		"cache: { redis: { url: 'redis://:hunter2@[x' } }":            "a URL is",
		"documents: { mode: enforce }":                                "trusted documents",
		"cors: { patterns: ['('] }":                                   "no regular expression",
		"cors: { csrf_headers: [] }":                                  "at least one",
		"rate: { rules: [{ limit: 1 }] }":                             "name",
		"rate: { rules: [{ name: a, limit: 1, kinds: [question] }] }": "query",
		"limits: { mode: off }":                                       "enforce",
		"limits: { depth: 0 }":                                        "at least 1",
		"cost: { max: -1 }":                                           "at least 0",
		"rate: { rules: [{ name: a, limit: 1, by: [moon] }] }":        "moon",
	} {
		name := filepath.Join(t.TempDir(), "router.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.ReadFile(name); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
