package router_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"bourse/router"
	"bourse/router/execute"
	"bourse/router/internal/await"
	"bourse/router/serve"
)

type markedKey struct{}

// diary keeps what hooks were told, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(parts ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, strings.Join(parts, " "))
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// hooksInto are hooks that write into a diary; each says what the request's hook has put into the context.
func hooksInto(d *diary) router.Hooks {
	mark := func(ctx context.Context) string { s, _ := ctx.Value(markedKey{}).(string); return s }
	return router.Hooks{
		Request: func(ctx context.Context, r *http.Request) (context.Context, *serve.Refusal) {
			d.note("request", r.Method)
			if r.Header.Get("X-Refuse") != "" {
				return nil, serve.Refuse(http.StatusTeapot, "NO_COFFEE", "not here")
			}
			return context.WithValue(ctx, markedKey{}, "marked"), nil
		},
		Operation: func(ctx context.Context, op *router.OperationInfo) *serve.Refusal {
			d.note("operation", string(op.Kind), op.Name, mark(ctx))
			if op.Name == "Forbidden" {
				return serve.Refuse(http.StatusForbidden, "FORBIDDEN_BY_HOOK", "not this one")
			}
			return nil
		},
		SubgraphRequest: func(ctx context.Context, req *execute.Request) error {
			d.note("to", req.Subgraph, mark(ctx))
			req.Header.Set("X-Hooked", "yes")
			if req.Subgraph == "stats" && req.Header.Get("X-No-Stats") != "" {
				return errors.New("stats may not be asked")
			}
			return nil
		},
		SubgraphResponse: func(ctx context.Context, req *execute.Request, resp *execute.Response, err error) {
			how := "answered"
			if err != nil || resp == nil {
				how = "failed"
			}
			d.note("from", req.Subgraph, how, mark(ctx))
		},
		Subscription: func(ctx context.Context, e router.SubscriptionEvent) {
			if e.Phase == router.SubscriptionStarted {
				d.note("started", e.Operation, e.Subgraph, mark(ctx))
				return
			}
			how := "well"
			if e.Told != nil {
				how = e.Told.Error()
			}
			d.note("ended", e.Operation, how, mark(ctx))
		},
	}
}

func TestHooksTakePartInARequest(t *testing.T) {
	var d diary
	h := open(t, router.Options{Hooks: hooksInto(&d), ForwardHeaders: []string{"X-No-Stats"}})
	_, got := h.post(t, query(`query Both { markets { symbol volume } }`))
	same(t, got, `{"data":{"markets":[{"symbol":"BTC","volume":3},{"symbol":"ETH","volume":3}]}}`)
	want := []string{
		"request POST", "operation query Both marked", "to market marked", "from market answered marked", "to stats marked", "from stats answered marked",
	}
	if lines := d.read(); !slices.Equal(lines, want) {
		t.Errorf("the hooks heard\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for _, header := range append(h.markets.headers, h.stats.headers...) {
		if got := header.Get("X-Hooked"); got != "yes" {
			t.Errorf("a subgraph saw X-Hooked %q", got)
		}
	}

	_, got = h.post(t, query(`{ markets { symbol volume } }`), "X-No-Stats", "1")
	if !strings.Contains(got, `"volume":null`) || strings.Contains(got, "may not be asked") {
		t.Errorf("a fetch that the hook refuses is answered %s", got)
	}
	if lines := d.read(); lines[len(lines)-1] != "from stats failed marked" {
		t.Errorf("the last line is %q", lines[len(lines)-1])
	}
}

func TestHooksRefuse(t *testing.T) {
	var d diary
	h := open(t, router.Options{Hooks: hooksInto(&d)})
	status, got := h.post(t, query(`{ markets { symbol } }`), "X-Refuse", "1")
	if status != http.StatusTeapot || !strings.Contains(got, "NO_COFFEE") {
		t.Errorf("status %d, %s", status, got)
	}
	status, got = h.post(t, query(`query Forbidden { markets { symbol } }`))
	if status != http.StatusForbidden || !strings.Contains(got, "FORBIDDEN_BY_HOOK") {
		t.Errorf("status %d, %s", status, got)
	}
	if slices.ContainsFunc(d.read(), func(line string) bool { return strings.HasPrefix(line, "to ") }) {
		t.Error("a subgraph was asked all the same")
	}
}

func TestHooksHearOfSubscriptions(t *testing.T) {
	var d diary
	h := open(t, router.Options{Hooks: hooksInto(&d)})
	lines := h.subscribeSSE(t, t.Context())
	h.markets.events <- "BTC"
	await.One(t, lines)
	close(h.markets.events)
	for range lines { // to the end
	}
	h.closeRouter(t)
	var heard []string
	for _, line := range d.read() {
		if strings.HasPrefix(line, "started") || strings.HasPrefix(line, "ended") || strings.HasPrefix(line, "to market marked") {
			heard = append(heard, line)
		}
	}
	if want := []string{"started W market marked", "to market marked", "ended W well marked"}; !slices.Equal(heard, want) {
		t.Errorf("the hooks heard %q, want %q", heard, want)
	}
}

func TestHooksHearWhyASubscriptionEnded(t *testing.T) {
	var d diary
	h := open(t, router.Options{Hooks: hooksInto(&d)})
	lines := h.subscribeSSE(t, t.Context())
	h.markets.events <- "drop"
	for range lines {
	}
	h.closeRouter(t)
	if heard := d.read(); !slices.Contains(heard, "ended W the subscription was broken off marked") {
		t.Errorf("the hooks heard %q", heard)
	}
}

// What a program's hook has against a request is told to clients in the words of the hook, or as nothing but a failure of the subgraph.
func TestAHookSaysWhatClientsAreTold(t *testing.T) {
	var answer error
	h := open(t, router.Options{Hooks: router.Hooks{SubgraphRequest: func(context.Context, *execute.Request) error { return answer }}})
	for _, c := range []struct {
		answer              error
		query, subscription string
	}{
		{
			&execute.FetchError{Code: "TENANT_REQUIRED", What: "wants a tenant", Err: errors.New("secret")},
			`"message":"Subgraph 'market' wants a tenant.","path":["markets"],"extensions":{"code":"TENANT_REQUIRED"`,
			`"message":"Subgraph 'market' wants a tenant.","extensions":{"code":"TENANT_REQUIRED"`,
		},
		{
			errors.New("secret"),
			`"message":"Subgraph 'market' could not be reached.","path":["markets"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR"`,
			`"message":"Subgraph 'market' did not take the subscription.","extensions":{"code":"SUBREQUEST_HTTP_ERROR"`,
		},
	} {
		answer = c.answer
		if _, got := h.post(t, query(`{ markets { symbol } }`)); !strings.Contains(got, c.query) || strings.Contains(got, "secret") {
			t.Errorf("a query got %s", got)
		}
		if _, got := h.post(t, query(`subscription { trades(symbol: "BTC") { __typename } }`), "Accept", "text/event-stream"); !strings.Contains(got, c.subscription) || strings.Contains(got, "secret") {
			t.Errorf("a subscription got %s", got)
		}
	}
}
