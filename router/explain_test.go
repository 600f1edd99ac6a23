package router_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"bourse/router"
	"bourse/router/identity"
	"bourse/router/serve"
	"bourse/router/traffic"
)

// explanations of an answer.
type explanations struct {
	Data       json.RawMessage
	Errors     []struct{ Extensions struct{ Code string } }
	Extensions struct {
		QueryPlan *struct {
			Text   string
			Stages [][]struct {
				ID       *int
				Subgraph string
			}
		}
		Timings *struct {
			Parse, Validate, Plan, Total int64
			PlanCached                   bool
			Fetches                      []struct {
				Fetch, Status, Received, Entities int
				Start, Duration                   int64
				Subgraph                          string
			}
		}
	}
}

func explainedAnswer(t *testing.T, text string) explanations {
	t.Helper()
	var e explanations
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return e
}

// admin has the role and an admin's claim.
func byRole(_ context.Context, _ *http.Request, h http.Header) (*identity.Identity, *serve.Refusal) {
	switch h.Get("Authorization") {
	case "admin":
		return &identity.Identity{Subject: "a", Roles: []string{"admin"}}, nil
	case "claims":
		return &identity.Identity{Subject: "c", Claims: map[string]any{"debug": true}}, nil
	case "text":
		return &identity.Identity{Subject: "c", Claims: map[string]any{"debug": "plans"}}, nil
	case "member":
		return &identity.Identity{Subject: "m", Roles: []string{"member"}, Claims: map[string]any{"debug": "no"}}, nil
	}
	return nil, nil
}

func TestWhoMaySeeThePlan(t *testing.T) {
	explain := &router.Explain{Roles: []string{"admin"}, Claim: "debug", ClaimValues: []string{"plans"}, Secret: "open sesame"}
	h := open(t, router.Options{Admit: byRole, Explain: explain})
	off := open(t, router.Options{Admit: byRole})
	empty := open(t, router.Options{Admit: byRole, Explain: &router.Explain{}})
	for _, c := range []struct {
		name   string
		h      *house
		header []string
		sees   bool
	}{
		{"an admin", h, []string{"Authorization", "admin"}, true},
		{"a claim", h, []string{"Authorization", "claims"}, true},
		{"a value of a claim", h, []string{"Authorization", "text"}, true},
		{"the secret", h, []string{"Bourse-Explain-Secret", "open sesame"}, true},
		{"a member", h, []string{"Authorization", "member"}, false},
		{"nobody", h, nil, false},
		{"a wrong secret", h, []string{"Bourse-Explain-Secret", "open"}, false},
		{"an admin where it is off", off, []string{"Authorization", "admin"}, false},
		{"no secret where there is none", empty, []string{"Bourse-Explain-Secret", ""}, false},
	} {
		for _, ask := range []string{"plan", "plan-only", "timings"} {
			calls := len(c.h.markets.headers)
			_, text := c.h.post(t, query(acrossBoth), append(c.header, "Bourse-Explain", ask)...)
			got := explainedAnswer(t, text)
			sees := got.Extensions.QueryPlan != nil || got.Extensions.Timings != nil
			if sees != c.sees || !c.sees && (len(got.Errors) != 1 || got.Errors[0].Extensions.Code != "EXPLAIN_FORBIDDEN") {
				t.Errorf("%s asks for %s: %s", c.name, ask, text)
			}
			if executed := len(c.h.markets.headers) > calls; executed != (c.sees && ask != "plan-only") {
				t.Errorf("%s asks for %s: executed %v", c.name, ask, executed)
			}
		}
	}
	_, text := h.post(t, query(acrossBoth), "Authorization", "admin")
	if strings.Contains(text, "extensions") {
		t.Errorf("an admin who does not ask is told %s", text)
	}
}

func TestPlanAndTimingsStandInTheExtensions(t *testing.T) {
	h := open(t, router.Options{Explain: &router.Explain{Secret: "s"}})
	ask := []string{"Bourse-Explain", "plan, timings", "Bourse-Explain-Secret", "s"}
	_, plain := h.post(t, query(acrossBoth))
	_, text := h.post(t, query(acrossBoth), ask...)
	got := explainedAnswer(t, text)
	same(t, `{"data":`+string(got.Data)+`}`, plain)
	p, times := got.Extensions.QueryPlan, got.Extensions.Timings
	if p == nil || !strings.HasPrefix(p.Text, "QueryPlan {") || len(p.Stages) != 2 || p.Stages[1][0].Subgraph != "stats" || p.Stages[1][0].ID == nil {
		t.Fatalf("the plan is %s", text)
	}
	if times == nil || !times.PlanCached || times.Total <= 0 || len(times.Fetches) != 2 {
		t.Fatalf("the timings are %s", text)
	}
	last := times.Fetches[1]
	if last.Fetch != *p.Stages[1][0].ID || last.Subgraph != "stats" || last.Status != 200 || last.Entities != 2 || last.Received == 0 || last.Duration <= 0 ||
		last.Start < times.Fetches[0].Start+times.Fetches[0].Duration || last.Start+last.Duration > times.Total {
		t.Errorf("the timings are %s", text)
	}
	// A mutation and a subscription are explained without being executed, deferred parts with their last message.
	ask[1] = "plan-only"
	if _, text = h.post(t, query(`subscription { trades(symbol: "BTC") { market { volume } } }`), ask...); !strings.Contains(text, "Primary: {") {
		t.Errorf("the subscription is explained as %s", text)
	}
	ask[1] = "plan"
	_, text = h.post(t, query(`{ markets { symbol ... @defer { volume } } }`), append(ask, "Accept", "multipart/mixed")...)
	if n := strings.Count(text, `"queryPlan"`); n != 1 || strings.Index(text, `"queryPlan"`) < strings.Index(text, `"incremental"`) {
		t.Errorf("an answer in parts is explained as %s", text)
	}
}

// Those who ask for explanations get their own answers and nobody else's; those who do not, none.
func TestExplanationsAreNotShared(t *testing.T) {
	h := open(t, router.Options{Explain: &router.Explain{Secret: "s"}, Traffic: traffic.Options{ShareOperations: true, ShareFetches: true}})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			var header []string
			if i%2 == 0 {
				header = []string{"Bourse-Explain", "timings", "Bourse-Explain-Secret", "s"}
			}
			_, text := h.post(t, query(acrossBoth), header...)
			got := explainedAnswer(t, text)
			if explained := got.Extensions.Timings != nil; explained != (i%2 == 0) {
				t.Errorf("request %d got %s", i, text)
			} else if explained && len(got.Extensions.Timings.Fetches) != 2 {
				t.Errorf("request %d was told of %d fetches", i, len(got.Extensions.Timings.Fetches))
			}
		})
	}
	wg.Wait()
}
