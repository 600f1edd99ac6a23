package router_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"bourse/router"
	"bourse/router/cost"
	"bourse/router/identity"
	"bourse/router/limits"
	"bourse/router/persisted"
	"bourse/router/rate"
	"bourse/router/serve"
	"bourse/router/telemetry"
)

// ask sends one request and returns the code of the refusal, empty for an answer, and the headers.
func (h *house) ask(t *testing.T, method, body string, header ...string) (code string, answer *http.Response, text string) {
	t.Helper()
	at := h.url
	if method == http.MethodGet {
		at, body = h.url+"?"+body, ""
	}
	accept := []string{"Content-Type", "application/json", "Accept", "application/graphql-response+json"}
	answer, text = roundTrip(t, method, at, body, append(accept, header...)...)
	return codeIn(t, text), answer, text
}

func codeIn(t *testing.T, text string) string {
	t.Helper()
	var got struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("not JSON: %s", text)
	}
	if len(got.Errors) == 0 {
		return ""
	}
	return got.Errors[0].Extensions.Code
}

func TestBudgetsByRole(t *testing.T) {
	h := open(t, router.Options{
		Admit: inRole, Explain: &router.Explain{Roles: []string{"admin"}},
		Budget: &router.Budget{Max: 15, Roles: map[string]int{"partner": 30, "trial": 5, "exact": 20, "admin": 0}, Model: cost.Options{ListSize: 10}},
	})
	for _, c := range []struct{ operation, role, code string }{
		{`{ markets { name } }`, "", ""},
		{`{ markets { name } a: markets { name } }`, "", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } }`, "partner", ""},
		{`{ markets { name } }`, "trial", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } b: markets { name } c: markets { name } }`, "partner", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } b: markets { name } c: markets { name } }`, "admin", ""},
		{`{ markets { name } a: markets { name } }`, "exact", ""},
		{`{ markets { name } a: markets { name } busiest { name } }`, "exact", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } }`, "partner,trial", ""},
		{`{ markets { name } a: markets { name } }`, "trial,stranger,partner", ""},
		{`{ markets { name } }`, "stranger,trial", "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{ markets { name } a: markets { name } b: markets { name } c: markets { name } }`, "trial,admin,partner", ""},
		{`mutation { rename(symbol: "BTC", name: "B") { name } }`, "", ""},
		{`mutation { rename(symbol: "BTC", name: "B") { name } }`, "trial", "COST_ESTIMATED_TOO_EXPENSIVE"},
	} {
		for range 2 { // cold and known
			if code, _, text := h.ask(t, "POST", query(c.operation), "Role", c.role); code != c.code {
				t.Errorf("%s as %q: %s", c.operation, c.role, text)
			}
		}
	}
	_, res, text := h.ask(t, "POST", query(`{ markets { name } a: markets { name } }`))
	if res.StatusCode != 400 || !strings.Contains(text, `"cost":20`) || !strings.Contains(text, `"max":15`) {
		t.Errorf("%d %s", res.StatusCode, text)
	}
	if _, _, text = h.ask(t, "POST", query(`{ busiest { name } }`), "Role", "admin", "Bourse-Explain", "cost"); !strings.Contains(text, `"extensions":{"cost":{"estimated":1}}`) {
		t.Errorf("whoever may is told the cost: %s", text)
	}
}

func TestABudgetMayOnlyWarn(t *testing.T) {
	h := open(t, router.Options{Budget: &router.Budget{Max: 1, Warn: true}})
	if code, _, text := h.ask(t, "POST", query(`{ markets { name } }`)); code != "" {
		t.Error(text)
	}
}

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

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestAutomaticPersistedQueries(t *testing.T) {
	h := open(t, router.Options{Documents: persisted.New(persisted.Options{Cache: persisted.NewAutomatic(persisted.AutomaticOptions{})})})
	const text = `{ busiest { name } }`
	extension := fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":"%s"}}`, hashOf(text))
	alone := url.Values{"extensions": {extension}}.Encode()
	code, res, body := h.ask(t, "GET", alone)
	if code != "PERSISTED_QUERY_NOT_FOUND" || !strings.Contains(body, `"PersistedQueryNotFound"`) || res.StatusCode != 400 {
		t.Errorf("the first: %d %s", res.StatusCode, body)
	}
	if _, res, _ := h.ask(t, "GET", alone, "Accept", "application/json"); res.StatusCode != 200 {
		t.Errorf("for clients of application/json: %d", res.StatusCode)
	}
	if code, _, body := h.ask(t, "POST", fmt.Sprintf(`{"query":"{ nonsense }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"%s"}}}`, hashOf("{ nonsense }"))); code != "GRAPHQL_VALIDATION_FAILED" {
		t.Error(body)
	}
	if code, _, body := h.ask(t, "POST", fmt.Sprintf(`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"%s"}}}`, hashOf("{ nonsense }"))); code != "PERSISTED_QUERY_NOT_FOUND" {
		t.Errorf("what is no operation was kept: %s", body)
	}
	if code, _, body := h.ask(t, "POST", fmt.Sprintf(`{"query":%q,"extensions":%s}`, text, extension)); code != "" {
		t.Error(body)
	}
	if _, _, body := h.ask(t, "GET", alone); !strings.Contains(body, `"name":"of ETH"`) {
		t.Errorf("GET with the hash alone: %s", body)
	}
	if _, _, body := h.ask(t, "POST", fmt.Sprintf(`{"extensions":%s}`, extension)); !strings.Contains(body, `"name":"of ETH"`) {
		t.Errorf("POST with the hash alone: %s", body)
	}
	if code, _, body := h.ask(t, "POST", fmt.Sprintf(`{"query":"{ markets { name } }","extensions":%s}`, extension)); code != "PERSISTED_QUERY_HASH_MISMATCH" {
		t.Error(body)
	}
}

func TestTrustedDocuments(t *testing.T) {
	manifest, err := persisted.ReadManifest([]byte(`{"busiest": "query Busiest { busiest { name } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, router.Options{Documents: persisted.New(persisted.Options{Manifest: manifest, Mode: persisted.Enforce})})
	for _, body := range []string{`{"documentId":"busiest"}`, `{"id":"busiest"}`, `{"query":"query Busiest { busiest { name } }"}`, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"busiest"}}}`} {
		if code, _, text := h.ask(t, "POST", body); code != "" {
			t.Errorf("%s: %s", body, text)
		}
	}
	if code, _, text := h.ask(t, "GET", "documentId=busiest"); code != "" {
		t.Error(text)
	}
	for body, want := range map[string]string{
		`{"query":"{ busiest { name } }"}`:                        "QUERY_NOT_IN_SAFELIST",
		`{"documentId":"other"}`:                                  "PERSISTED_QUERY_NOT_IN_LIST",
		`{"documentId":"busiest","query":"{ markets { name } }"}`: "CANNOT_SEND_PQ_ID_AND_BODY",
		`{"documentId":7}`:                                        "BAD_REQUEST",
		`{}`:                                                      "BAD_REQUEST",
	} {
		if code, _, text := h.ask(t, "POST", body); code != want {
			t.Errorf("%s: %s, want %s", body, text, want)
		}
	}
	conn := h.socket(t, `{}`)
	send(t, conn, `{"id":"1","type":"subscribe","payload":{"query":"{ busiest { name } }"}}`)
	if got := receive(t, conn); !strings.Contains(got, "QUERY_NOT_IN_SAFELIST") {
		t.Errorf("on a WebSocket: %s", got)
	}
}

func TestLimitsSayWhatTheyAre(t *testing.T) {
	h := open(t, router.Options{Limits: limits.Limits{Depth: 3, ListItems: 3, InputDepth: 3}})
	for body, want := range map[string]string{
		query(`query($s: ID!) { market(symbol: $s) { name } }`, `{"s":["a","b","c","d"]}`): `"actual":4,"code":"OPERATION_LIMIT_EXCEEDED","limit":"list_items","max":3`,
		query(`query($s: ID!) { market(symbol: $s) { name } }`, `{"s":[[[["a"]]]]}`):       `"actual":5,"code":"OPERATION_LIMIT_EXCEEDED","limit":"input_depth","max":3`,
		query(`{ market(symbol: ["a","b","c","d"]) { name } }`):                            `"actual":4,"code":"OPERATION_LIMIT_EXCEEDED","limit":"list_items","max":3`,
		query(`{ markets { a { b { c } } } }`):                                             `"actual":4,"code":"OPERATION_LIMIT_EXCEEDED","limit":"depth","max":3`,
	} {
		if code, _, text := h.ask(t, "POST", body); code != "OPERATION_LIMIT_EXCEEDED" || !strings.Contains(text, want) {
			t.Errorf("%s: %s", body, text)
		}
	}
}

// inRole believes the header Role, which may name several.
func inRole(_ context.Context, _ *http.Request, h http.Header) (*identity.Identity, *serve.Refusal) {
	if role := h.Get("Role"); role != "" {
		return &identity.Identity{Subject: role, Roles: strings.Split(role, ",")}, nil
	}
	return nil, nil
}

func TestWhoMayIntrospect(t *testing.T) {
	h := open(t, router.Options{Admit: inRole, IntrospectionRoles: []string{"admin"}})
	for range 2 { // cold and known
		for _, c := range []struct{ role, operation, code, message string }{
			{"admin", `{ __schema { queryType { name } } }`, "", ""},
			{"", `{ __schema { queryType { name } } }`, "GRAPHQL_VALIDATION_FAILED", "introspection is not allowed"},
			{"member", `query($n: String = "Market") { ...F } fragment F on Query { __type(name: $n) { name } }`, "GRAPHQL_VALIDATION_FAILED", "introspection is not allowed"},
			{"member", `{ busiest { __typename } }`, "", ""},
			{"admin", `{ markets { nam } }`, "GRAPHQL_VALIDATION_FAILED", "Did you mean"},
		} {
			code, _, text := h.ask(t, "POST", query(c.operation), "Role", c.role)
			if code != c.code || !strings.Contains(text, c.message) {
				t.Errorf("%s as %q: %s", c.operation, c.role, text)
			}
		}
		if _, _, text := h.ask(t, "POST", query(`{ markets { nam } }`), "Role", "member"); strings.Contains(text, "Did you mean") {
			t.Errorf("a suggestion tells a name: %s", text)
		}
	}
}

func TestIntrospectionThatGoesRound(t *testing.T) {
	h := open(t, router.Options{Introspection: true})
	round := func(n int) string {
		return "{ __schema { types { " + strings.Repeat("fields { type { ", n) + "name" + strings.Repeat(" } }", n) + " } } }"
	}
	for n, want := range map[int]string{2: "", 3: "GRAPHQL_VALIDATION_FAILED"} {
		if code, _, text := h.ask(t, "POST", query(round(n))); code != want {
			t.Errorf("%d lists deep: %s", n, text)
		}
	}
	inFragments := `{ __schema { types { ...A } } } fragment A on __Type { fields { type { ...B } } } fragment B on __Type { fields { type { possibleTypes { interfaces { name } } } } }`
	if code, _, text := h.ask(t, "POST", query(inFragments)); code != "GRAPHQL_VALIDATION_FAILED" {
		t.Errorf("in fragments: %s", text)
	}
}

// What only warns is counted each time, and hooks are told; the log has a text's own faults once.
func TestWhatOnlyWarnsIsCounted(t *testing.T) {
	told, _ := telling(t, telemetry.Options{Metrics: &telemetry.Metrics{}})
	var seen []string
	var log bytes.Buffer // requests come one after another
	h := open(t, router.Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Telemetry: told, Limits: limits.Limits{Warn: true, Aliases: 1, ListItems: 1}, Budget: &router.Budget{Max: 1, Warn: true},
		Hooks: router.Hooks{Operation: func(_ context.Context, op *router.OperationInfo) *serve.Refusal {
			for _, e := range op.Exceeded {
				seen = append(seen, fmt.Sprintf("%s %d>%d", e.Limit, e.Actual, e.Max))
			}
			return nil
		}},
	})
	for i := range 3 {
		variables := "{}"
		if i == 2 {
			variables = `{"more":[1,2]}`
		}
		if code, _, text := h.ask(t, "POST", query(`query Twice { a: markets { name } b: markets { name } }`, variables)); code != "" {
			t.Fatalf("%s: %s", code, text)
		}
	}
	if want := "aliases 2>1,cost 20>1,aliases 2>1,cost 20>1,aliases 2>1,list_items 2>1,cost 20>1"; strings.Join(seen, ",") != want {
		t.Errorf("hooks saw %s, want %s", strings.Join(seen, ","), want)
	}
	got := scrape(t, told)
	for _, want := range []string{
		`limit_warnings_total{limit="aliases"} 3`, `limit_warnings_total{limit="cost"} 3`, `limit_warnings_total{limit="list_items"} 1`,
		`operation_cost_bucket{operation="Twice",le="10"} 0`, `operation_cost_bucket{operation="Twice",le="30"} 3`, `operation_cost_sum{operation="Twice"} 60`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s in\n%s", want, got)
		}
	}
	if n := strings.Count(log.String(), "limit=aliases"); n != 1 {
		t.Errorf("the log tells %d times of one text: %s", n, log.String())
	}
}
