package config_test

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"testing"

	"bourse/router/config"
	"bourse/router/persisted"
	"bourse/router/rate"
)

// buildAfter builds a configuration, after another when there is one.
func buildAfter(t *testing.T, text string, before *config.Built) *config.Built {
	t.Helper()
	c, err := config.Read("router.yaml", []byte(text), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	build := c.Build
	if before != nil {
		build = func(logger *slog.Logger) (*config.Built, error) { return c.BuildAfter(before, logger) }
	}
	b, err := build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What counts and remembers goes on over a reload that leaves its section alone, also once what came before is closed, and begins anew where its
// section has changed, and in another router.
func TestWhatCountsAndRemembersOutlivesAReloadThatLeavesItAlone(t *testing.T) {
	const text = "{ me }"
	sum := sha256.Sum256([]byte(text))
	hash := `{"version":1,"sha256Hash":"` + hex.EncodeToString(sum[:]) + `"}`
	for _, one := range []struct {
		what, section, changed string
		same                   func(before, after *config.Built) bool
	}{
		{"accounts of rate limits", "rate: { rules: [{ name: few, limit: 1, per: 1h }] }", "rate: { rules: [{ name: few, limit: 1, per: 2h }] }", func(before, after *config.Built) bool {
			before.Options.Rate.Take(t.Context(), &rate.Request{}, rate.Whole)
			d := after.Options.Rate.Take(t.Context(), &rate.Request{}, rate.Whole)
			return d.Refused()
		}},
		{"cached entities", "cache: { enabled: true }", "cache: { enabled: true, memory: 1MiB }", func(before, after *config.Built) bool {
			return before.Options.Cache.Store == after.Options.Cache.Store
		}},
		{"automatic persisted queries", "documents: { automatic: { entries: 7 } }", "documents: { automatic: { entries: 8 } }", func(before, after *config.Built) bool {
			found, refused := before.Options.Documents.Find(t.Context(), persisted.Request{Text: text, Extension: []byte(hash)})
			if refused != nil {
				t.Fatal(refused)
			}
			before.Options.Documents.Keep(t.Context(), found)
			_, refused = after.Options.Documents.Find(t.Context(), persisted.Request{Extension: []byte(hash)})
			return refused == nil
		}},
		{
			"key sets and verified tokens", "identity: { issuers: [{ algorithms: [HS256], secret: '" + sharedSecret + "' }] }", "identity: { issuers: [{ algorithms: [HS256], secret: 'x" + sharedSecret + "' }] }",
			func(before, after *config.Built) bool {
				return before.Options.Tokens.Verifier == after.Options.Tokens.Verifier
			},
		},
	} {
		first := buildAfter(t, one.section, nil)
		second := buildAfter(t, one.section+"\nplans: { cache: 7 }", first)
		if !one.same(first, second) {
			t.Errorf("%s begin anew with a reload that leaves them alone", one.what)
		}
		first.Close()
		third := buildAfter(t, one.section, second)
		if !one.same(second, third) {
			t.Errorf("%s begin anew with the second reload", one.what)
		}
		changed, elsewhere := buildAfter(t, one.changed, third), buildAfter(t, one.section, nil)
		if one.same(third, changed) {
			t.Errorf("%s go on although their section has changed", one.what)
		}
		if one.same(third, elsewhere) {
			t.Errorf("%s are those of another router", one.what)
		}
		for _, b := range []*config.Built{second, third, changed, elsewhere} {
			b.Close()
		}
	}
}
