package router_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/compose"
	"bourse/router/fetch"
)

// answering is a subgraph that gives the same answer to everything.
func answering(answer string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	})
}

// TestProgressiveOverride sends each request to the owner that its labels say, whatever was cached before.
func TestProgressiveOverride(t *testing.T) {
	const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@override", "@shareable"])
`
	res, err := compose.Compose([]compose.Subgraph{
		{Name: "old", URL: "http://old", SDL: link + `type Query { share: String, flag: String }`},
		{Name: "new", URL: "http://new", SDL: link + `type Query { share: String @override(from: "old", label: "percent(12.5)") flag: String @override(from: "old", label: "beta") }`},
	}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	type betaKey struct{}
	var drawn uint64
	local := fetch.NewLocal(map[string]http.Handler{
		"old": answering(`{"data":{"share":"old","flag":"old"}}`), "new": answering(`{"data":{"share":"new","flag":"new"}}`),
	})
	r, err := router.New(res.SupergraphSDL, router.Options{
		Fetcher: local,
		Chance: func(n uint64) uint64 {
			if n != 100_0000_0000 {
				t.Errorf("drawn below %d", n)
			}
			return drawn
		},
		Label: func(ctx context.Context, label string) bool { return label == "beta" && ctx.Value(betaKey{}) != nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background()) //nolint:errcheck // test
	for range 2 {                       // the second round finds every plan in the cache
		for _, c := range []struct {
			drawn       uint64
			beta        bool
			share, flag string
		}{
			{12_5000_0000 - 1, false, "new", "old"},
			{12_5000_0000, false, "old", "old"},
			{99_0000_0000, true, "old", "new"},
			{0, true, "new", "new"},
		} {
			drawn = c.drawn
			ctx := context.Background()
			if c.beta {
				ctx = context.WithValue(ctx, betaKey{}, true)
			}
			got := serveOnce(ctx, t, r, `{ share flag }`)
			if want := fmt.Sprintf(`{"data":{"share":%q,"flag":%q}}`, c.share, c.flag); got != want {
				t.Errorf("drawn %d, beta %v: got %s, want %s", c.drawn, c.beta, got, want)
			}
		}
	}
}

func serveOnce(ctx context.Context, t *testing.T, h http.Handler, operation string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": operation})
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(ctx, "POST", "/graphql", strings.NewReader(string(body)))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return strings.TrimSpace(w.Body.String())
}
