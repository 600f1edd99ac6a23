package router_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bourse/router"
	"bourse/router/fetch"
	"bourse/router/identity"
	"bourse/router/serve"
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
	select {
	case <-h.gate:
	case <-r.Context().Done():
	}
	h.Handler.ServeHTTP(w, r)
}

func TestEqualQueriesAreExecutedOnce(t *testing.T) {
	// What tells clients apart: a header that subgraphs see, or whom an operator's hook takes them for.
	byHeader := router.Options{ForwardHeaders: []string{"Authorization"}}
	byIdentity := router.Options{Admit: func(_ context.Context, _ *http.Request, h http.Header) (*identity.Identity, *serve.Refusal) {
		return &identity.Identity{Subject: h.Get("Authorization")}, nil
	}}
	for by, o := range map[string]router.Options{"header": byHeader, "identity": byIdentity} {
		for name, sharing := range map[string]traffic.Options{"operations": {ShareOperations: true}, "fetches": {ShareFetches: true}} {
			o.Traffic = sharing
			t.Run(name+" by "+by, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { executedOnce(t, o) }) })
		}
	}
}

func executedOnce(t *testing.T, o router.Options) {
	markets, stats := newSubgraphs()
	m := &held{Handler: markets, gate: make(chan struct{})}
	o.Fetcher = fetch.NewLocal(map[string]http.Handler{"market": m, "stats": stats})
	r, err := router.New(composed(t, "http://market.invalid", "http://stats.invalid"), o)
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

// Who has no more time is told so, shared or not; who came later and has time left gets the answer.
func TestTimeIsThatOfWhoeverWaitsLongest(t *testing.T) {
	for name, o := range map[string]traffic.Options{"operations": {ShareOperations: true}, "fetches": {ShareFetches: true}, "both": {ShareOperations: true, ShareFetches: true}, "nothing": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				markets, stats := newSubgraphs()
				m := &held{Handler: markets, gate: make(chan struct{})}
				var states []traffic.State
				o.Rules.Breaker = traffic.BreakerOptions{FailureRatio: 1, MinRequests: 1}
				o.OnState = func(_ string, _, to traffic.State) { states = append(states, to) }
				r, err := router.New(composed(t, "http://market.invalid", "http://stats.invalid"), router.Options{
					Fetcher: fetch.NewLocal(map[string]http.Handler{"market": m, "stats": stats}), Traffic: o, RequestTimeout: 10 * time.Second,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
				const q = `{"query":"{ market(symbol: \"BTC\") { name } }"}`
				answers := make(chan string, 3)
				go func() { answers <- ask(r, q).Body.String() }()
				time.Sleep(6 * time.Second)
				go func() { answers <- ask(r, q).Body.String() }()
				time.Sleep(6 * time.Second) // the first has no more time
				shared := o.ShareOperations || o.ShareFetches
				if n := m.calls.Load(); shared != (n == 1) {
					t.Errorf("%d calls", n)
				}
				if shared {
					m.gate <- struct{}{}
					for range 2 { // the first waits with whoever came after it
						if got := <-answers; !strings.Contains(got, `"name":"Bitcoin"`) {
							t.Errorf("got %s", got)
						}
					}
				} else {
					for range 2 {
						if got := <-answers; !strings.Contains(got, "did not answer in time") {
							t.Errorf("got %s", got)
						}
					}
				}
				if len(states) > 0 && shared {
					t.Errorf("the breaker went to %v", states)
				}
				states = nil
				if !shared {
					return
				}
				if got := ask(r, q).Body.String(); !strings.Contains(got, "did not answer in time") || len(states) != 1 {
					t.Errorf("nobody had time: got %s, and the breaker went to %v", got, states)
				}
			})
		})
	}
}
