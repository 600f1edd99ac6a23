package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/config"
)

// What a router has recorded tells a schema check whom a change breaks.
func TestARoutersRecordOfUseIsWhatChecksRead(t *testing.T) {
	products := answering(t, `{"data":{"product":{"__typename":"Product","id":"1","name":"chair"}}}`, nil, nil)
	reviews := answering(t, `{"data":{"_entities":[{"stars":5}]}}`, nil, nil)
	file := supergraphFile(t, products, reviews)
	sdl, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(filepath.Dir(file), "usage")
	c, err := config.Read("router.yaml", []byte("telemetry: { usage: { file: "+filepath.Join(dir, "current.jsonl")+" } }"), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	built, err := c.Build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r, err := router.New(string(sdl), built.Options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	for range 3 {
		ask(t, server.URL, `query Stars { product { stars } }`)
	}
	ask(t, server.URL, `query Name { product { name } }`)
	server.Close()
	if err := r.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	built.Close()

	folder := filepath.Dir(file)
	for name, text := range map[string]string{
		"products.graphql": productsSDL,
		"reviews.graphql":  strings.Replace(reviewsSDL, "stars: Int", "rating: Int", 1),
		"supergraph.yaml": "federation_version: =2.9.0\nsubgraphs:\n  products: { routing_url: http://a, schema: { file: products.graphql } }\n" +
			"  reviews: { routing_url: http://b, schema: { file: reviews.graphql } }\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	cmd := newRoot()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs([]string{"compose", "--config", filepath.Join(folder, "supergraph.yaml"), "--check", file, "--operations", dir, "--fail-on", "used"})
	if got := exitCode(cmd.ExecuteContext(t.Context())); got != 1 {
		t.Errorf("exit code %d", got)
	}
	if got := out.String(); !strings.Contains(got, "breaks 1 operation: Stars (") || !strings.Contains(got, "×3") || !strings.Contains(got, "1 of 2 recorded operations") {
		t.Errorf("the check says\n%s", got)
	}
}
