package router_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"bourse/router"
	"bourse/router/fetch"
	"bourse/router/traffic"
)

// held is a handler that lets nobody through before it is opened.
type held struct {
	http.Handler
	gate  chan struct{}
	calls atomic.Int64
}

func (h *held) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.calls.Add(1)
	<-h.gate
	h.Handler.ServeHTTP(w, r)
}

func TestEqualQueriesAreExecutedOnce(t *testing.T) {
	for name, o := range map[string]traffic.Options{"operations": {ShareOperations: true}, "fetches": {ShareFetches: true}} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { executedOnce(t, o) }) })
	}
}

func executedOnce(t *testing.T, o traffic.Options) {
	markets, stats := newSubgraphs()
	m := &held{Handler: markets, gate: make(chan struct{})}
	r, err := router.New(composed(t, "http://market.invalid", "http://stats.invalid"), router.Options{
		Fetcher: fetch.NewLocal(map[string]http.Handler{"market": m, "stats": stats}), ForwardHeaders: []string{"Authorization"}, Traffic: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
	var wg sync.WaitGroup
	ask := func(body, authorization string) {
		wg.Go(func() {
			req := httptest.NewRequestWithContext(t.Context(), "POST", "/graphql", strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", authorization)
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			if got := w.Body.String(); !strings.Contains(got, `"volume":3`) && !strings.Contains(got, `"name":"Gold"`) || strings.Contains(got, "errors") {
				t.Errorf("%s got %s", body, got)
			}
		})
	}
	const q = `query Q($s: ID!) { market(symbol: $s) { name volume } }`
	for range 20 {
		ask(query(q, `{"s":"BTC"}`), "a")
		ask(query(q, `{"s":"BTC"}`), "b")
		ask(query(q, `{"s":"ETH"}`), "a")
	}
	for range 3 {
		ask(query(`mutation { rename(symbol: "BTC", name: "Gold") { name } }`), "a")
	}
	synctest.Wait()
	if n := m.calls.Load(); n != 6 {
		t.Errorf("%d calls for three different queries of 20 each and three mutations", n)
	}
	close(m.gate)
	wg.Wait()
}
