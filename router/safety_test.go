package router_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/identity"
	"bourse/router/limits"
	"bourse/router/persisted"
	"bourse/router/serve"
	"bourse/router/telemetry"
	"bourse/router/traffic"
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
		`operation_cost_bucket{figure="estimated",operation="Twice",le="10"} 0`, `operation_cost_bucket{figure="estimated",operation="Twice",le="30"} 3`,
		`operation_cost_sum{figure="estimated",operation="Twice"} 60`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s in\n%s", want, got)
		}
	}
	if n := strings.Count(log.String(), "limit=aliases"); n != 1 {
		t.Errorf("the log tells %d times of one text: %s", n, log.String())
	}
}

// With actual costs, answers are counted beside the estimate, for whoever may see it, for metrics and for the access log.
func TestActualCostsAreTold(t *testing.T) {
	var lines bytes.Buffer // requests come one after another
	told, _ := telling(t, telemetry.Options{
		Metrics: &telemetry.Metrics{}, Access: &telemetry.AccessLog{Logger: slog.New(slog.NewTextHandler(&lines, nil)), Fields: []string{"cost", "cost_actual"}},
	})
	h := open(t, router.Options{
		Admit: inRole, Telemetry: told, Explain: &router.Explain{Roles: []string{"admin"}}, Budget: &router.Budget{Warn: true, Actual: true},
		Traffic: traffic.Options{ShareOperations: true},
	})
	if _, _, text := h.ask(t, "POST", query(`query All { markets { name } }`), "Role", "admin", "Bourse-Explain", "cost"); !strings.Contains(text, `"cost":{"estimated":10,"actual":2}`) {
		t.Errorf("whoever may is told %s", text)
	}
	if _, _, text := h.ask(t, "POST", query(`query One { market(symbol: "BTC") { name } }`)); strings.Contains(text, "extensions") {
		t.Error(text)
	}
	got := scrape(t, told)
	for _, want := range []string{
		`operation_cost_sum{figure="actual",operation="All"} 2`, `operation_cost_sum{figure="estimated",operation="All"} 10`, `operation_cost_sum{figure="actual",operation="One"} 1`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s in\n%s", want, got)
		}
	}
	if log := lines.String(); !strings.Contains(log, "cost=10 cost_actual=2") || !strings.Contains(log, "cost=1 cost_actual=1") {
		t.Errorf("the access log has %s", log)
	}
}
