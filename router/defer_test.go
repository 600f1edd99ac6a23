package router_test

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/fetch"
	"bourse/router/headers"
	"bourse/router/internal/await"
)

const takesParts = "multipart/mixed;deferSpec=20220824,application/json"

// parts posts a request as Apollo Client does and hands over each part as it comes.
func (h *house) parts(t *testing.T, ctx context.Context, body string) (next func() string, leave func()) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", h.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", takesParts)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	media, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || media != "multipart/mixed" || params["deferspec"] != "20220824" {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("got %s: %s", res.Header.Get("Content-Type"), text)
	}
	r := multipart.NewReader(res.Body, params["boundary"])
	return func() string {
		p, err := r.NextPart()
		if err != nil {
			return err.Error()
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}, func() { _ = res.Body.Close() }
}

func TestDeferredPartsComeWhenTheyAreReady(t *testing.T) {
	for _, c := range []struct {
		name, query, variables string
		want                   []string
	}{
		{
			"over a hop", `{ market(symbol: "BTC") { name ... @defer(label: "slow") { volume } } }`, "null",
			[]string{`{"data":{"market":{"name":"Bitcoin"}},"hasNext":true}`, `{"incremental":[{"data":{"volume":3},"path":["market"],"label":"slow"}],"hasNext":false}`},
		},
		{
			"by a variable", `query ($now: Boolean!) { market(symbol: "BTC") { name ...V @defer(if: $now) } } fragment V on Market { headline }`, `{"now":true}`,
			[]string{`{"data":{"market":{"name":"Bitcoin"}},"hasNext":true}`, `{"incremental":[{"data":{"headline":"BITCOIN"},"path":["market"]}],"hasNext":false}`},
		},
		{
			"one for each object", `{ markets { symbol ... @defer { volume } } }`, "null",
			[]string{`{"data":{"markets":[{"symbol":"BTC"},{"symbol":"ETH"}]},"hasNext":true}`, `{"incremental":[{"data":{"volume":3},"path":["markets",0]},{"data":{"volume":3},"path":["markets",1]}],"hasNext":false}`},
		},
		{
			"at the root", `{ __typename ... @defer { busiest { volume } } }`, "null",
			[]string{`{"data":{"__typename":"Query"},"hasNext":true}`, `{"incremental":[{"data":{"busiest":{"volume":7}},"path":[]}],"hasNext":false}`},
		},
		{
			"under a mutation", `mutation { rename(symbol: "BTC", name: "Gold") { name ... @defer { volume } } }`, "null",
			[]string{`{"data":{"rename":{"name":"Gold"}},"hasNext":true}`, `{"incremental":[{"data":{"volume":3},"path":["rename"]}],"hasNext":false}`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, router.Options{})
			next, _ := h.parts(t, t.Context(), query(c.query, c.variables))
			for _, want := range c.want {
				same(t, next(), want)
			}
			if end := next(); end != io.EOF.Error() {
				t.Errorf("more came: %s", end)
			}
		})
	}
}

func TestWhoeverTakesNoPartsGetsTheWhole(t *testing.T) {
	h := open(t, router.Options{})
	const op = `query ($d: Boolean!) { market(symbol: "BTC") { name ... @defer(if: $d) { volume } } }`
	want := `{"data":{"market":{"name":"Bitcoin","volume":3}}}`
	for _, accept := range []string{"", "application/json", "*/*"} {
		header := []string{"Accept", accept}
		if accept == "" {
			header = nil
		}
		_, got := h.post(t, query(op, `{"d":true}`), header...)
		same(t, got, want)
	}
	_, got := h.post(t, query(op, `{"d":false}`), "Accept", takesParts) // nothing is deferred
	same(t, got, want)
	next, _ := h.parts(t, t.Context(), query(op, `{"d":true}`)) // and plans are not mixed up
	same(t, next(), `{"data":{"market":{"name":"Bitcoin"}},"hasNext":true}`)
	// Of a market that is not there nothing can be deferred.
	h.markets.query["market"] = nil
	_, got = h.post(t, query(op, `{"d":true}`), "Accept", takesParts)
	same(t, got, `{"data":{"market":null}}`)
}

// TestDeferredFailure keeps the primary answer; the part is null where its fields may not be.
func TestDeferredFailure(t *testing.T) {
	h := open(t, router.Options{})
	h.stats.entity = func(object) object { return nil }
	next, _ := h.parts(t, t.Context(), query(`{ a: markets { name ... @defer(label: "d") { h: headline } ... @defer(label: "e") { volume } } }`))
	same(t, next(), `{"data":{"a":[{"name":"Bitcoin"},{"name":"Ether"}]},"hasNext":true}`)
	got := map[string]string{}
	for range 2 {
		var m struct {
			Incremental []struct {
				Label  string
				Data   json.RawMessage
				Path   json.RawMessage
				Errors json.RawMessage
			}
		}
		text := next()
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			break // both came in one message
		}
		for _, i := range m.Incremental {
			got[i.Label+string(i.Path)] = string(i.Data) + string(i.Errors)
		}
	}
	const at = `[{"message":"Cannot return null for non-nullable field Market.headline.","path":["a",`
	for key, want := range map[string]string{
		`d["a",0]`: `null` + at + `0,"h"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]`,
		`d["a",1]`: `null` + at + `1,"h"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]`,
		`e["a",0]`: `{"volume":null}`, `e["a",1]`: `{"volume":null}`,
	} {
		if got[key] != want {
			t.Errorf("%s: got %s, want %s", key, got[key], want)
		}
	}
}

func TestLeavingEndsDeferredFetches(t *testing.T) {
	for _, transport := range []string{"multipart", "websocket"} {
		t.Run(transport, func(t *testing.T) {
			h := open(t, router.Options{})
			asked := make(chan struct{})
			release := make(chan struct{})
			h.stats.entity = func(object) object { close(asked); <-release; return nil }
			defer close(release)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			const op = `{ market(symbol: "BTC") { name ... @defer { volume } } }`
			if transport == "multipart" {
				next, leave := h.parts(t, ctx, query(op))
				same(t, next(), `{"data":{"market":{"name":"Bitcoin"}},"hasNext":true}`)
				await.One(t, asked)
				leave()
				cancel()
				return // the house does not close before everything has ended
			}
			c := h.socket(t, "null")
			send(t, c, `{"id":"1","type":"subscribe","payload":`+query(op)+`}`)
			same(t, receive(t, c), `{"id":"1","type":"next","payload":{"data":{"market":{"name":"Bitcoin"}},"hasNext":true}}`)
			await.One(t, asked)
			send(t, c, `{"id":"1","type":"complete"}`)
		})
	}
}

func TestDeferWhereItIsNotAllowed(t *testing.T) {
	h := open(t, router.Options{})
	for _, c := range []struct{ query, want string }{
		{`mutation { ... @defer { rename(symbol: "A", name: "B") { name } } }`, `Defer directive cannot be used on root mutation type "Mutation". 1:17`},
		{`mutation { ...F } fragment F on Mutation { ... on Mutation @defer(label: "x") { rename(symbol: "A", name: "B") { name } } }`, `Defer directive cannot be used on root mutation type "Mutation". 1:61`},
		{`subscription { trades(symbol: "A") { market { name ... @defer { volume } } } }`, "Defer directive not supported on subscription operations. Disable `@defer` by setting the `if` argument to `false`. 1:57"},
		{`{ markets { ... @defer(label: "a") { name } ... @defer(label: "a") { volume } } }`, `Value for argument "@defer(label:)" must be unique across all Defer/Stream directive usages. 1:50`},
		{`query ($l: String) { markets { ... @defer(label: $l) { name } } }`, `Argument "@defer(label:)" must be a static string. 1:37`},
		{`{ markets @defer { name } }`, `Directive "@defer" may not be used on FIELD. 1:12`},
		{`{ markets { ... @defer(if: null) { name } } }`, `Expected value of type "Boolean!", found null. 1:28`},
		{`{ markets { ... @defer(label: "a") { name } ...F } market(symbol: "A") { ...F } } fragment F on Market { ... @defer(label: "b") { volume } }`, ``},
		{`mutation { ... @defer(if: false) { rename(symbol: "A", name: "B") { name } } }`, ``},
		{`{ markets { ... @defer(label: null) { name } ... @defer { volume } ... @defer { symbol } } }`, ``},
	} {
		_, got := h.post(t, query(c.query))
		var a struct {
			Errors []struct {
				Message    string
				Locations  []struct{ Line, Column int }
				Extensions struct{ Code string }
			}
		}
		if err := json.Unmarshal([]byte(got), &a); err != nil {
			t.Fatal(err)
		}
		said := ""
		if len(a.Errors) > 0 && len(a.Errors[0].Locations) > 0 {
			l := a.Errors[0].Locations[0]
			said = a.Errors[0].Message + " " + jsonOf(l.Line) + ":" + jsonOf(l.Column)
			if a.Errors[0].Extensions.Code != "GRAPHQL_VALIDATION_FAILED" {
				t.Errorf("%s: code %s", c.query, a.Errors[0].Extensions.Code)
			}
		}
		if said != c.want || (c.want == "") != (len(a.Errors) == 0) {
			t.Errorf("%s\ngot  %s\nwant %s", c.query, got, c.want)
		}
	}
}

func jsonOf(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// An answer in parts has in its head what subgraphs said up to the primary part.
func TestTheHeadOfAnAnswerInPartsHasSubgraphsHeaders(t *testing.T) {
	read := make(chan struct{}) // the head of the first answer
	said := func(name string, h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if name == "stats" {
				<-read // else what belongs to a deferred part may come in time for the head
			}
			w.Header().Set("X-From", name)
			w.Header().Set("X-"+name, "yes")
			h.ServeHTTP(w, r)
		})
	}
	markets, stats := newSubgraphs()
	r, err := router.New(composed(t, "http://market.invalid", "http://stats.invalid"), router.Options{
		Fetcher: fetch.NewLocal(map[string]http.Handler{"market": said("market", markets), "stats": said("stats", stats)}),
		Headers: headers.Rules{Response: []headers.ResponseRule{{Matching: "x-.*"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
	server := httptest.NewServer(r)
	defer server.Close()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL, strings.NewReader(query(`{ markets { symbol ... @defer { volume } } }`)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "multipart/mixed")
	res, err := server.Client().Do(req)
	close(read)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it is read to its end
	text, err := io.ReadAll(res.Body)
	if h := res.Header; h.Get("X-From") != "market" || h.Get("X-Market") != "yes" || h.Get("X-Stats") != "" || !strings.Contains(string(text), `"incremental"`) {
		t.Errorf("the head is %v of %s, %v", h, text, err)
	}
	w := ask(r, query(`{ markets { symbol volume } }`))
	if h := w.Header(); h.Get("X-From") != "market" || h.Get("X-Stats") != "yes" {
		t.Errorf("the head of a whole answer is %v", h)
	}
}
