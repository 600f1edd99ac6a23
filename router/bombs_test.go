package router

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"bourse/router/serve"
)

// bomb is a request that costs its sender little and is meant to cost us much. All but one are larger than anything a client of good
// will sends, and have to be refused for the little that it takes to find out.
type bomb struct {
	name   string
	body   string
	status int    // for a client of application/graphql-response+json
	code   string // of the refusal
	bytes  int    // that refusing it may allocate
}

func request(query string, variables any) string {
	text, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		panic(err)
	}
	return string(text)
}

const (
	limitExceeded = serve.CodeLimitExceeded
	small         = 1 << 20
	large         = 12 << 20 // of what stands in a whole body of 1 MiB
)

func bombs() []bomb {
	nested := func(open, end string, n int) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	fragments := func(n int, spreads string) string {
		var b strings.Builder
		b.WriteString("{ ...F0 }")
		for i := range n {
			fmt.Fprintf(&b, " fragment F%d on Query { "+spreads+" }", i, i+1, i+1)
		}
		fmt.Fprintf(&b, " fragment F%d on Query { users { name } }", n)
		return b.String()
	}
	aliases := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%d: users { id } ", i)
		}
		return "{ " + b.String() + "}"
	}
	deepJSON := func(n int) json.RawMessage { return json.RawMessage(`{"v":` + nested("[", "]", n) + `}`) }
	wide := json.RawMessage(`{"v":[` + strings.Repeat("0,", 300_000) + `0]}`)
	return []bomb{
		{"deep query", request("{ users "+nested("{ reviews ", "}", 2_000)+" }", nil), 400, limitExceeded, small * 4},
		{"alias bomb", request(aliases(1_500), nil), 400, limitExceeded, small * 4},
		{"alias bomb of many tokens", request(aliases(50_000), nil), 400, limitExceeded, large},
		{"fragment bomb", request(fragments(90, "...F%d ...F%d"), nil), 400, limitExceeded, small},
		{"fragment bomb with fields", request(fragments(90, "users { name } ...F%d ...F%d"), nil), 400, limitExceeded, small},
		{"fragments in fragments", request("{ users { "+strings.Repeat("... { ", 900)+strings.Repeat("name ", 90)+strings.Repeat("} ", 900)+"} }", nil), 400, limitExceeded, small},
		{"chain of fragments", request(fragments(1_000, "...F%[2]d"), nil), 400, limitExceeded, small * 4},
		{"fragments in a circle", request("{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }", nil), 400, codeValidationFailed, small},
		{"equal fields", request("{ users { "+strings.Repeat("name ", 4_500)+"} }", nil), 400, limitExceeded, small * 4},
		{"directive overload", request("{ users { name "+strings.Repeat("@skip(if: false) ", 1_000)+"} }", nil), 400, limitExceeded, small * 4},
		{"wide list in a literal", request("{ search(filter: {max: ["+strings.Repeat("1 ", 9_000)+"]}) { __typename } }", nil), 400, limitExceeded, small * 4},
		{"deep list in a literal", request("{ search(filter: {max: "+nested("[", "]", 4_000)+"}) { __typename } }", nil), 400, limitExceeded, small * 4},
		{"operations", request(strings.Repeat("query Q { users { id } } ", 1_000), nil), 400, limitExceeded, small * 4},
		{"wide variable", request("query($v: Filter) { search(filter: $v) { __typename } }", wide), 400, limitExceeded, large * 4},
		{"deep variable", request("query($v: Filter) { search(filter: $v) { __typename } }", deepJSON(9_000)), 400, limitExceeded, large},
		{"variable beyond all depth", request("query { users { id } }", nil)[:len(`{"query":"query { users { id } }",`)] + `"variables":` + nested("[", "]", 200_000) + `}`, 400, serve.CodeBadRequest, large},
		{"introspection that goes round", request("{ __schema { types { "+nested("fields { type { ", "} }", 6)[:6*len("fields { type { ")]+"name"+strings.Repeat("} }", 6)+" } } }", nil), 400, codeValidationFailed, small},
		{"body of 10 MB", request("{ users { id } } #"+strings.Repeat("x", 10<<20), nil), 413, serve.CodeBadRequest, small * 4},
		{"batch bomb", "[" + strings.TrimSuffix(strings.Repeat(request("{ users { id } }", nil)+",", 10_000), ",") + "]", 400, "", large},
	}
}

// bombed is a server over a graph whose subgraphs hear of nothing: whatever reaches them fails the test.
func bombed(tb testing.TB) http.Handler {
	g := gatewayOf(load(tb, shops[0]), handlers{})
	return serve.New(serve.Options{Gateway: g, MaxBodyBytes: g.limits.BodyBytes, MaxBatch: 10})
}

func throw(h http.Handler, b *bomb) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/graphql", strings.NewReader(b.body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Each bomb is refused with a code, again and again, and what it allocates is bounded: memory is the measure of work that no
// neighbour on the machine can disturb.
func TestBombsAreDefused(t *testing.T) {
	for _, b := range bombs() {
		t.Run(b.name, func(t *testing.T) {
			h := bombed(t)
			var least uint64 = 1 << 62
			for range 3 { // the first fills pools; the garbage of others may stand in any
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				w := throw(h, &b)
				runtime.ReadMemStats(&after)
				least = min(least, after.TotalAlloc-before.TotalAlloc)
				var got struct {
					Errors []struct{ Extensions struct{ Code string } }
				}
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Errors) == 0 || len(got.Errors) > 20 || w.Code != b.status {
					t.Fatalf("%d %.300s", w.Code, w.Body)
				}
				if code := got.Errors[0].Extensions.Code; code == "" || b.code != "" && code != b.code {
					t.Fatalf("%.300s, want %s", w.Body, b.code)
				}
				if w.Body.Len() > 16<<10 {
					t.Errorf("an answer of %d bytes", w.Body.Len())
				}
			}
			if least > uint64(b.bytes) {
				t.Errorf("refusing %d bytes allocated %d, which may be %d", len(b.body), least, b.bytes)
			}
		})
	}
}

// Refused bombs leave nothing behind in the caches.
func TestBombsAreForgotten(t *testing.T) {
	g := gatewayOf(load(t, shops[0]), handlers{})
	h := serve.New(serve.Options{Gateway: g, MaxBodyBytes: g.limits.BodyBytes})
	for _, b := range bombs() {
		throw(h, &b)
	}
	if n := g.ready.shapes.kept.Len(); n > 2 {
		t.Errorf("%d operations were kept", n)
	}
}

// BenchmarkBombs says what refusing each bomb costs; docs of the figures are in BENCHMARKS.md.
func BenchmarkBombs(b *testing.B) {
	all := bombs()
	slices.SortStableFunc(all, func(x, y bomb) int { return strings.Compare(x.name, y.name) })
	for _, one := range all {
		b.Run(strings.ReplaceAll(one.name, " ", "-"), func(b *testing.B) {
			h := bombed(b)
			b.ReportAllocs()
			for b.Loop() {
				throw(h, &one)
			}
			b.ReportMetric(float64(len(one.body)), "sent-bytes")
		})
	}
}
