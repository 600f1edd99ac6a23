package router_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bourse/router"
	"bourse/router/execute"
	"bourse/router/fetch"
	"bourse/router/identity"
	"bourse/router/serve"
	"bourse/router/telemetry"
	"bourse/router/traffic"
)

// scrape is what Prometheus would see.
func scrape(t *testing.T, told *telemetry.Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	told.MetricsHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestMetricsOfRequests(t *testing.T) {
	told, _ := telling(t, telemetry.Options{Version: "7", Metrics: &telemetry.Metrics{OperationNames: 2}})
	h := open(t, router.Options{Telemetry: told})
	for _, name := range []string{"A", "B", "C", "D", "A"} {
		h.post(t, query(`query `+name+` { markets { symbol volume } }`))
	}
	h.post(t, query(`query MadeUp { nothing }`))
	h.post(t, query(`{ markets {`))
	h.closeRouter(t)
	got := scrape(t, told)
	for _, want := range []string{
		`bourse_router_requests_total{code="",kind="query",status="200",transport="http"} 5`,
		`bourse_router_requests_total{code="GRAPHQL_VALIDATION_FAILED",kind="unknown",status="200",transport="http"} 1`,
		`bourse_router_requests_total{code="GRAPHQL_PARSE_FAILED",kind="unknown",status="200",transport="http"} 1`,
		`bourse_router_operations_total{kind="query",operation="A",outcome="ok"} 2`,
		`bourse_router_operations_total{kind="query",operation="B",outcome="ok"} 1`,
		`bourse_router_operations_total{kind="query",operation="other",outcome="ok"} 2`,
		`bourse_router_request_duration_seconds_count{kind="query"} 5`,
		`bourse_router_requests_in_flight 0`,
		`bourse_router_plan_cache_requests_total{result="hit"} 1`,
		`bourse_router_plan_cache_requests_total{result="miss"} 4`,
		`bourse_router_plan_cache_entries 4`,
		`bourse_router_prepare_duration_seconds_count{phase="plan"} 4`,
		`bourse_router_subgraph_requests_total{status="200",subgraph="market"} 5`,
		`bourse_router_subgraph_requests_total{status="200",subgraph="stats"} 5`,
		`bourse_router_subgraph_entities_total{subgraph="stats"} 10`,
		`bourse_router_subgraph_request_duration_seconds_count{subgraph="stats"} 5`,
		`bourse_router_build_info{go="go`,
		"go_goroutines ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s", want)
		}
	}
	if strings.Contains(got, "MadeUp") || strings.Contains(got, `operation="C"`) {
		t.Error("clients choose labels without bound")
	}
	if t.Failed() {
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, "bourse_") && !strings.Contains(line, "_bucket") {
				t.Log(line)
			}
		}
	}
}

// lines are JSON objects, one a line.
func linesOf(t *testing.T, log *bytes.Buffer, message string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(log.String()) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if one["msg"] == message {
			out = append(out, one)
		}
	}
	return out
}

func TestTheAccessLogHasTheFieldsThatItIsAskedFor(t *testing.T) {
	var log bytes.Buffer
	told, _ := telling(t, telemetry.Options{Access: &telemetry.AccessLog{
		Logger: slog.New(slog.NewJSONHandler(&log, nil)), Sample: .5, Headers: []string{"User-Agent"},
		Fields: []string{"operation", "digest", "fetches", "code", "client_name", "address", "subject"},
	}})
	h := open(t, router.Options{Telemetry: told, Admit: func(context.Context, *http.Request, http.Header) (*identity.Identity, *serve.Refusal) {
		return &identity.Identity{Subject: "alice"}, nil
	}})
	for range 4 {
		h.post(t, query(acrossBoth), "User-Agent", "tester", "Graphql-Client-Name", "web")
	}
	h.post(t, query(`{ nothing }`))
	h.closeRouter(t)
	lines := linesOf(t, &log, "graphql")
	if len(lines) != 3 {
		t.Fatalf("half of four and the refused one are %d lines:\n%s", len(lines), log.String())
	}
	first := lines[0]
	if first["operation"] != "All" || len(first["digest"].(string)) != 64 || first["fetches"] != 2.0 || first["header.User-Agent"] != "tester" || first["client_name"] != "web" {
		t.Errorf("the line is %v", first)
	}
	if first["address"] != "127.0.0.1" || first["subject"] != "alice" {
		t.Errorf("the line does not say who asked: %v", first)
	}
	if _, there := first["request_id"]; there {
		t.Error("a field that was not asked for is there")
	}
	if lines[2]["code"] != "GRAPHQL_VALIDATION_FAILED" {
		t.Errorf("the refused one is %v", lines[2])
	}
}

func TestTheSlowLogTellsWhereTheTimeWent(t *testing.T) {
	var log bytes.Buffer
	told, _ := telling(t, telemetry.Options{Slow: &telemetry.SlowLog{
		Logger: slog.New(slog.NewJSONHandler(&log, nil)), Threshold: time.Nanosecond, Fetches: 1, Variables: []string{"s"},
	}})
	h := open(t, router.Options{Telemetry: told})
	h.post(t, query(`mutation R($s: ID!, $n: String!) { rename(symbol: $s, name: $n) { name volume } }`, `{"s":"BTC","n":"hush"}`))
	h.closeRouter(t)
	lines := linesOf(t, &log, "slow operation")
	if len(lines) != 1 {
		t.Fatal(log.String())
	}
	l := lines[0]
	if l["operation"] != "R" || l["plan"] != "market > stats" || l["fetches"] != 2.0 || l["fetch1"].(map[string]any)["duration"].(float64) <= 0 || l["fetch2"] != nil {
		t.Errorf("the line is %v", l)
	}
	if v := l["variables"].(map[string]any); v["s"] != "BTC" || v["n"] != "***" {
		t.Errorf("the variables are shown as %v", v)
	}
}

// Everything is on and everything goes through it; then whatever came out is searched for what should not have.
func TestNoSecretLeavesTheRouterByItsTelemetry(t *testing.T) {
	c := openCollector(t)
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	file := t.TempDir() + "/usage.jsonl"
	told, closed := telling(t, telemetry.Options{
		Logger: logger, Metrics: &telemetry.Metrics{}, Access: &telemetry.AccessLog{Logger: logger, Fields: telemetry.AccessFields(), Headers: []string{"User-Agent"}},
		Slow: &telemetry.SlowLog{Logger: logger, Threshold: time.Nanosecond}, Usage: &telemetry.Usage{File: file},
		Traces: &telemetry.Traces{Ratio: 1, Exporter: telemetry.OTLP{Endpoint: c.url}},
	})
	h := open(t, router.Options{Telemetry: told, Logger: logger, ForwardHeaders: []string{"Authorization", "Cookie"}})
	secrets := []string{"Authorization", "Bearer hush-1", "Cookie", "session=hush-2", "X-Api-Key", "hush-3"}
	h.post(t, query(`mutation R($s: ID!, $n: String!) { rename(symbol: $s, name: $n) { name } }`, `{"s":"BTC","n":"hush-4"}`), secrets...)
	h.post(t, query(`mutation { rename(symbol: "BTC", name: "hush-5") { name } }`), secrets...)
	h.post(t, query(`mutation R($n: Int!) { rename(symbol: "BTC", name: $n) { name } }`, `{"n":"hush-6"}`), secrets...)
	h.post(t, query(acrossBoth), secrets...)
	h.closeRouter(t)
	closed()
	c.mu.Lock()
	defer c.mu.Unlock()
	spans, _ := json.Marshal(c.spans)
	for where, text := range map[string]string{"the logs": log.String(), "the spans": string(spans), "the metrics": scrape(t, told), "the record of use": readFile(t, file)} {
		if text == "" {
			t.Errorf("nothing came out in %s", where)
		}
		if i := strings.Index(text, "hush-"); i >= 0 {
			t.Errorf("%s have …%s…", where, text[max(i-100, 0):i+10])
		}
	}
}

func TestHeadersWithSecretsAreNotLogged(t *testing.T) {
	for _, name := range []string{"Authorization", "cookie", "X-Auth-Token", "x-api-key", "My-Secret"} {
		_, err := telemetry.New(telemetry.Options{Access: &telemetry.AccessLog{Logger: slog.Default(), Headers: []string{name}}})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// flaky answers as its subgraphs do, but for the first so many requests.
type flaky struct {
	router.FetcherWithStream
	refuses atomic.Int32
}

func (f *flaky) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	if f.refuses.Add(-1) >= 0 {
		return &execute.Response{Status: 503, Body: []byte(`{}`)}, nil
	}
	return f.FetcherWithStream.Fetch(ctx, req)
}

func TestWhatHappensOnTheWayToSubgraphsIsCounted(t *testing.T) {
	told, closed := telling(t, telemetry.Options{Metrics: &telemetry.Metrics{}})
	defer closed()
	markets, stats := newSubgraphs()
	below := &flaky{FetcherWithStream: fetch.NewLocal(map[string]http.Handler{"market": markets, "stats": stats})}
	var log bytes.Buffer
	o := router.Options{
		Telemetry: told, Fetcher: below, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Traffic: traffic.Options{
			Rules: traffic.Rules{Retry: traffic.RetryOptions{Attempts: 1, MinBackoff: time.Microsecond}, Breaker: traffic.BreakerOptions{MinRequests: 4, FailureRatio: .5}},
		},
	}
	sdl := composed(t, "http://a.invalid", "http://b.invalid")
	r, err := router.New(sdl, o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	h := &house{url: server.URL, router: r, markets: markets, stats: stats}
	defer server.Close()
	defer r.Close(t.Context()) //nolint:errcheck // test

	below.refuses.Store(1)
	if _, got := h.post(t, query(`{ markets { symbol } }`)); !strings.Contains(got, "BTC") {
		t.Fatal(got)
	}
	below.refuses.Store(1 << 20)
	for range 8 {
		h.post(t, query(`{ markets { symbol } }`))
	}
	below.refuses.Store(0)
	if err := r.Reload(sdl, o); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload("nonsense", o); err == nil {
		t.Fatal("nonsense was loaded")
	}
	if failed, refused := strings.Count(log.String(), "subgraph request failed"), strings.Count(log.String(), "breaker is open"); failed == 0 || refused != 0 {
		t.Errorf("the log tells of %d requests that failed and of %d that the breaker refused", failed, refused)
	}
	got := scrape(t, told)
	for _, want := range []string{
		`bourse_router_subgraph_requests_total{status="200",subgraph="market"} 1`,
		`bourse_router_subgraph_breaker_state{subgraph="market"} 1`,
		`bourse_router_reloads_total{result="ok"} 1`,
		`bourse_router_reloads_total{result="failed"} 1`,
		`bourse_router_reload_duration_seconds_count 1`,
		`bourse_router_loaded_timestamp_seconds 1.`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s", want)
		}
	}
	if !regexp.MustCompile(`bourse_router_subgraph_retries_total\{subgraph="market"\} [1-9]`).MatchString(got) {
		t.Error("retries are not counted")
	}
	if t.Failed() {
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, "bourse_") && !strings.Contains(line, "_bucket") {
				t.Log(line)
			}
		}
	}
}

func TestSubscriptionsAreCountedWhileTheyRun(t *testing.T) {
	told, _ := telling(t, telemetry.Options{Metrics: &telemetry.Metrics{}})
	h := open(t, router.Options{Telemetry: told})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", h.url, strings.NewReader(query(`subscription { trades(symbol: "BTC") { market { volume } } }`)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // test
	h.markets.events <- "BTC"
	events := bufio.NewScanner(res.Body)
	for events.Scan() && !strings.HasPrefix(events.Text(), "data: {") {
	}
	got := scrape(t, told)
	for _, want := range []string{
		"subscriptions 1\n", "requests_in_flight 1\n", "subscription_upstreams 1\n", `subscription_events_total{result="delivered"} 1` + "\n",
	} {
		if !strings.Contains(got, "bourse_router_"+want) {
			t.Errorf("a running subscription is not counted: there is no %s", want)
		}
	}
	close(h.markets.events)
	for events.Scan() {
	}
	if err := h.router.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := scrape(t, told); !strings.Contains(got, "bourse_router_subscriptions 0\n") || !strings.Contains(got, "bourse_router_requests_in_flight 0\n") {
		t.Errorf("an ended subscription is still counted:\n%s", got)
	}
}

// However operations come, each is counted once and none stays in flight.
func TestEveryWayToAskIsCountedOnce(t *testing.T) {
	told, _ := telling(t, telemetry.Options{Metrics: &telemetry.Metrics{}})
	h := open(t, router.Options{Telemetry: told, MaxBatch: 10})
	h.post(t, query(`query One { markets { symbol } }`))
	h.post(t, "["+query(`query Two { markets { symbol } }`)+","+query(`query Three { markets { volume } }`)+","+query(`{ nothing }`)+"]")
	h.post(t, `[]`)
	h.post(t, `nonsense`)
	send := func(method, url, body, token string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("X-GraphQL-Event-Stream-Token", token)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	token, err := io.ReadAll(send("PUT", h.url, "", "").Body)
	if err != nil {
		t.Fatal(err)
	}
	stream := bufio.NewScanner(send("GET", h.url, "", string(token)).Body)
	send("POST", h.url, `{"query":"query Four { markets { symbol volume } }","extensions":{"operationId":"1"}}`, string(token))
	send("POST", h.url, `{"query":"{ nothing }","extensions":{"operationId":"2"}}`, string(token))
	for stream.Scan() && !strings.HasPrefix(stream.Text(), "event: complete") {
	}
	send("DELETE", h.url+"?operationId=1", "", string(token))
	if err := h.router.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := scrape(t, told)
	for _, want := range []string{
		"bourse_router_requests_in_flight 0\n",
		`bourse_router_operations_total{kind="query",operation="One",outcome="ok"} 1`,
		`bourse_router_operations_total{kind="query",operation="Two",outcome="ok"} 1`,
		`bourse_router_operations_total{kind="query",operation="Three",outcome="ok"} 1`,
		`bourse_router_operations_total{kind="query",operation="Four",outcome="ok"} 1`,
		`bourse_router_subgraph_requests_total{status="200",subgraph="stats"} 2`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s", want)
		}
	}
	if t.Failed() {
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, "bourse_") && !strings.Contains(line, "_bucket") {
				t.Log(line)
			}
		}
	}
}
