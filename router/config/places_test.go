package config_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/config"
)

// What only building finds has its place too.
func TestFaultsOfBuildingHaveTheirPlaces(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"identity:\n  issuers:\n    - name: a\n      algorithms: [HS256]\n      secret: short", "r.yaml:5:15: identity.issuers[0].secret: a shared secret needs"},
		{"identity:\n  issuers:\n    - {name: a, algorithms: [RS256], jwks_file: nowhere}", "r.yaml:3:49: identity.issuers[0].jwks_file: open"},
		{"identity:\n  issuers:\n    - {name: a, algorithms: [RS256], jwks_url: a/keys}", "r.yaml:3:7: identity.issuers[0]: the URL of a key set must be"},
		{"identity:\n  required: true", "r.yaml:2:13: identity.required: tokens are required"},
		{"addresses:\n  allow: [300.1.1.1]", "r.yaml:2:10: addresses.allow: "},
		{"addresses:\n  admin:\n    deny: [10.0.0.0/99]", "r.yaml:3:11: addresses.admin.deny: "},
		{"subgraphs:\n  each:\n    a: {connection: {tls: {ca_file: nowhere}}}", "r.yaml:3:37: subgraphs.each.a.connection.tls.ca_file: open"},
	} {
		cfg, err := config.Read("r.yaml", []byte(c.text), environment(nil))
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		b, err := cfg.Build(slog.New(slog.DiscardHandler))
		if err == nil {
			b.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestNamesOfSubgraphsAreFoundInTheFile(t *testing.T) {
	c, err := config.Read("r.yaml", []byte("traffic:\n  each:\n    product: {}\nerrors: {each: {product: {}}}\nheaders: {response: [{name: X, subgraphs: [product]}]}"), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	unknown := fmt.Errorf("wrapped: %w", &router.UnknownSubgraphError{Name: "product", Has: []string{"products", "reviews"}})
	want := `r.yaml:3:14: traffic.each: the supergraph has no subgraph "product": did you mean "products"? allowed: products, reviews
r.yaml:4:26: errors.each: the supergraph has no subgraph "product": did you mean "products"? allowed: products, reviews
r.yaml:5:44: headers.response[0].subgraphs[0]: the supergraph has no subgraph "product": did you mean "products"? allowed: products, reviews`
	if got := c.OfSupergraph(unknown).Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c.Supergraph.File = "s.graphql"
	if got := c.OfSupergraph(fmt.Errorf("no enum")).Error(); got != "s.graphql: no enum" {
		t.Error(got)
	}
}
