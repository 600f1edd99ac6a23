package router_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"bourse/router"
	"bourse/router/identity"
	"bourse/router/rate"
)

func TestRateLimits(t *testing.T) {
	l, err := rate.New(rate.Options{Store: rate.NewMemory(100, time.Now), Rules: []rate.Rule{
		{Name: "key", By: []string{"header:X-Api-Key"}, NotRoles: []string{"admin"}, Limit: 3, Per: time.Hour},
		{Name: "busiest", Operations: []string{"Busiest"}, By: []string{"header:X-Api-Key"}, Limit: 1, Per: time.Hour},
		{Name: "cost", By: []string{"header:X-Api-Key"}, Roles: []string{"trial"}, Cost: true, Limit: 15, Per: time.Hour},
	}})
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, router.Options{Rate: l, Admit: inRole})
	limited := func(body string, header ...string) (string, *http.Response, string) {
		t.Helper()
		return h.ask(t, "POST", body, header...)
	}
	for i := range 3 {
		if code, _, text := limited(query(fmt.Sprintf(`{ busiest { a%d: name } }`, i)), "X-Api-Key", "a"); code != "" {
			t.Fatal(text)
		}
	}
	code, res, text := limited(query(`{ busiest { name } }`), "X-Api-Key", "a")
	if code != "RATE_LIMITED" || res.StatusCode != 429 || res.Header.Get("Retry-After") != "1200" || res.Header.Get("Ratelimit-Remaining") != "0" ||
		!strings.Contains(text, `"limit":"key"`) {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, text)
	}
	if code, _, _ := limited(query(`{ nonsense `), "X-Api-Key", "a"); code != "RATE_LIMITED" {
		t.Errorf("what cannot be read is refused before anyone tries: %s", code)
	}
	if code, _, _ := limited(query(`{ busiest { name } }`), "X-Api-Key", "a", "Role", "admin"); code != "" {
		t.Errorf("admins have no limit: %s", code)
	}
	const busiest = `query Busiest { busiest { name } }`
	for i, want := range []string{"", "RATE_LIMITED", "RATE_LIMITED"} {
		if code, _, text := limited(query(busiest), "X-Api-Key", "b"); code != want {
			t.Errorf("Busiest, %d: %s", i, text)
		}
	}
	for i, want := range []string{"", "RATE_LIMITED"} { // 10 of 15 each
		if code, _, text := limited(query(`{ markets { name } }`), "X-Api-Key", "c", "Role", "trial"); code != want {
			t.Errorf("cost, %d: %s", i, text)
		}
	}
	// Operations on one WebSocket count as much as requests do. Its key came with connection_init's upgrade: none, which is one client.
	conn := h.socket(t, `{}`)
	for i := range 4 {
		send(t, conn, fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":"{ busiest { name } }"}}`, i))
		got := receive(t, conn)
		if refused := strings.Contains(got, "RATE_LIMITED"); refused != (i == 3) {
			t.Errorf("operation %d on a WebSocket: %s", i, got)
		}
		if i < 3 {
			receive(t, conn) // complete
		}
	}
}

// Clients are told apart by their address behind trusted proxies, whatever they claim themselves, and on a WebSocket by what connection_init says in
// place of a header.
func TestRateLimitsKnowTheirClients(t *testing.T) {
	l, err := rate.New(rate.Options{Store: rate.NewMemory(100, time.Now), Rules: []rate.Rule{{Name: "r", By: []string{"header:X-Api-Key", "address"}, Limit: 1, Per: time.Hour}}})
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, router.Options{
		Rate: l, ConnectionParams: []string{"X-Api-Key"},
		Addresses: &identity.Addresses{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	})
	for i, c := range []struct{ from, code string }{
		{"198.51.100.1", ""},
		{"198.51.100.1", "RATE_LIMITED"},
		{"203.0.113.7, 198.51.100.1", "RATE_LIMITED"},
		{"::ffff:198.51.100.1", "RATE_LIMITED"},
		{"198.51.100.2", ""},
		{"2001:db8::1", ""},
		{"2001:db8::2", "RATE_LIMITED"},
	} {
		if code, _, text := h.ask(t, "POST", query(`{ busiest { name } }`), "X-Forwarded-For", c.from); code != c.code {
			t.Errorf("request %d from %s: %s", i, c.from, text)
		}
	}
	for i, key := range []string{"a", "a", "b"} {
		conn := h.socket(t, `{"x-api-key":"`+key+`"}`)
		send(t, conn, `{"id":"1","type":"subscribe","payload":{"query":"{ busiest { name } }"}}`)
		if got := receive(t, conn); strings.Contains(got, "RATE_LIMITED") != (i == 1) {
			t.Errorf("WebSocket %d, of %s: %s", i, key, got)
		}
	}
}

// A request that is refused for what it says of a known operation costs its client as much as any: it was read.
func TestRefusedRequestsCount(t *testing.T) {
	for name, c := range map[string]struct{ body, code string }{
		"variables":     {query(`query($s: ID!) { market(symbol: $s) { name } }`, `{"s":{}}`), "BAD_USER_INPUT"},
		"introspection": {query(`{ __schema { queryType { name } } }`), "GRAPHQL_VALIDATION_FAILED"},
		"cost":          {query(`{ markets { name } }`), "COST_ESTIMATED_TOO_EXPENSIVE"},
		"nonsense":      {query(`{ nonsense }`), "GRAPHQL_VALIDATION_FAILED"},
	} {
		l, err := rate.New(rate.Options{Store: rate.NewMemory(100, time.Now), Rules: []rate.Rule{{Name: "r", Limit: 5, Per: time.Hour}}})
		if err != nil {
			t.Fatal(err)
		}
		h := open(t, router.Options{Rate: l, Budget: &router.Budget{Max: 5}})
		for i, want := range []string{c.code, c.code, c.code, c.code, c.code, "RATE_LIMITED", "RATE_LIMITED"} {
			if code, _, text := h.ask(t, "POST", c.body); code != want {
				t.Errorf("%s, request %d: %s", name, i, text)
			}
		}
	}
}

func TestWhatNoWaitingHelps(t *testing.T) {
	l, err := rate.New(rate.Options{Store: rate.NewMemory(100, time.Now), Rules: []rate.Rule{{Name: "cost", Cost: true, Limit: 9, Per: time.Second}}})
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, router.Options{Rate: l})
	code, res, text := h.ask(t, "POST", query(`{ markets { name } }`))
	if code != "RATE_LIMITED" || res.StatusCode != 429 || res.Header.Get("Retry-After") != "" || !strings.Contains(text, "ever lets through") || strings.Contains(text, "retryAfter") {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, text)
	}
}

func TestRateLimitsThatCannotBeAsked(t *testing.T) {
	for closed, want := range map[bool]string{true: "RATE_LIMITS_UNAVAILABLE", false: ""} {
		l, err := rate.New(rate.Options{Store: broken{}, FailClosed: closed, Rules: []rate.Rule{{Name: "r", Limit: 1, Per: time.Hour}}})
		if err != nil {
			t.Fatal(err)
		}
		h := open(t, router.Options{Rate: l})
		if code, res, text := h.ask(t, "POST", query(`{ busiest { name } }`)); code != want || closed && res.StatusCode != 503 {
			t.Errorf("fail closed %v: %s", closed, text)
		}
	}
}

type broken struct{}

func (broken) Take(context.Context, []rate.Ask) ([]rate.Verdict, error) {
	return nil, io.ErrUnexpectedEOF
}
