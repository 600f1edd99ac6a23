package router_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"bourse/router"
	"bourse/router/execute"
	"bourse/router/fetch"
	"bourse/router/identity"
	"bourse/router/serve"
	"bourse/router/telemetry"
	"bourse/router/traffic"
)

// collector is an OTLP receiver.
type collector struct {
	url    string
	mu     sync.Mutex
	spans  []*tracepb.Span
	origin map[string]string // of the last that came
	keys   []string          // Authorization headers that came
	status int
}

func openCollector(t *testing.T) *collector {
	c := &collector{status: 200}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.status != 200 || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			w.WriteHeader(max(c.status, 400))
			return
		}
		c.keys = append(c.keys, r.Header.Get("Authorization"))
		var data tracepb.TracesData
		if err := proto.Unmarshal(body, &data); err != nil {
			t.Error(err)
		}
		for _, resource := range data.GetResourceSpans() {
			c.origin = map[string]string{}
			for _, a := range resource.GetResource().GetAttributes() {
				c.origin[a.GetKey()] = a.GetValue().GetStringValue()
			}
			for _, scope := range resource.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// named are the spans of that name, once telemetry was closed.
func (c *collector) named(name string) []*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*tracepb.Span
	for _, s := range c.spans {
		if s.GetName() == name {
			found = append(found, s)
		}
	}
	return found
}

func attributeOf(s *tracepb.Span, name string) string {
	for _, a := range s.GetAttributes() {
		if a.GetKey() == name {
			text, _ := json.Marshal(a.GetValue().GetValue())
			_, value, _ := strings.Cut(strings.Trim(string(text), "{}"), ":")
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// telling makes a Telemetry, and what closes it.
func telling(t *testing.T, o telemetry.Options) (*telemetry.Telemetry, func()) {
	t.Helper()
	made, err := telemetry.New(o)
	if err != nil {
		t.Fatal(err)
	}
	closed := sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := made.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(closed)
	return made, closed
}

const acrossBoth = `query All { list: markets { symbol volume } }`

func TestEachFetchIsASpanOfTheRequest(t *testing.T) {
	c := openCollector(t)
	told, closed := telling(t, telemetry.Options{Version: "7", Traces: &telemetry.Traces{
		Ratio: 1, Exporter: telemetry.OTLP{Endpoint: c.url, Headers: map[string]string{"Authorization": "Key of ours"}},
		Attributes: map[string]string{"service.instance.id": "one"},
	}})
	h := open(t, router.Options{Telemetry: told})
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for range 2 {
		if status, got := h.post(t, query(acrossBoth), "Traceparent", parent, "X-Request-Id", "r1"); status != 200 {
			t.Fatal(got)
		}
	}
	h.closeRouter(t) // an exchange is accounted for when its client may already have the answer
	closed()

	requests := c.named("query")
	if len(requests) != 2 {
		t.Fatalf("%d request spans", len(requests))
	}
	for _, r := range requests {
		if got := hexOf(r.GetTraceId()) + " " + hexOf(r.GetParentSpanId()); got != "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331" {
			t.Errorf("the request's span stands below %s", got)
		}
		if r.GetKind() != tracepb.Span_SPAN_KIND_SERVER || attributeOf(r, "graphql.operation.name") != "All" || attributeOf(r, "http.response.status_code") != "200" ||
			attributeOf(r, "bourse.request_id") != "r1" {
			t.Errorf("the request's span is %v", r)
		}
	}
	// The first planned, the second did not.
	for _, step := range []string{"graphql.parse", "graphql.validate", "graphql.plan"} {
		if spans := c.named(step); len(spans) != 1 || !bytes.Equal(spans[0].GetParentSpanId(), requests[0].GetSpanId()) {
			t.Errorf("%s has %d spans", step, len(spans))
		}
	}
	if attributeOf(requests[0], "bourse.plan.cached") != "false" || attributeOf(requests[1], "bourse.plan.cached") != "true" {
		t.Error("it is not told whether the plan was cached")
	}
	for name, entities := range map[string]string{"subgraph market": "0", "subgraph stats": "2"} {
		spans := c.named(name)
		if len(spans) != 2 {
			t.Fatalf("%s has %d spans", name, len(spans))
		}
		s := spans[0]
		if !bytes.Equal(s.GetParentSpanId(), requests[0].GetSpanId()) || s.GetKind() != tracepb.Span_SPAN_KIND_CLIENT ||
			attributeOf(s, "bourse.entities") != entities || attributeOf(s, "http.response.status_code") != "200" || attributeOf(s, "http.response.body.size") == "0" {
			t.Errorf("%s is %v", name, s)
		}
	}
	// The subgraph is told the span of its fetch.
	sent := h.stats.headers[1].Get("Traceparent")
	if want := "00-0af7651916cd43dd8448eb211c80319c-" + hexOf(c.named("subgraph stats")[1].GetSpanId()) + "-01"; sent != want {
		t.Errorf("the subgraph was told %s, want %s", sent, want)
	}
	if len(c.keys) == 0 || c.keys[0] != "Key of ours" {
		t.Errorf("the collector saw the keys %q", c.keys)
	}
	for name, want := range map[string]string{
		"service.name": "bourse-router", "service.version": "7", "service.instance.id": "one", "telemetry.sdk.language": "go", "telemetry.sdk.name": "opentelemetry",
	} {
		if c.origin[name] != want {
			t.Errorf("spans come from %v, want %s %s", c.origin, name, want)
		}
	}
}

// lost has no subgraph that listens.
type lost struct{ router.FetcherWithStream }

func (lost) Fetch(context.Context, *execute.Request) (*execute.Response, error) {
	return nil, fmt.Errorf("subgraph market: %w", &net.OpError{Op: "dial", Net: "tcp", Err: &os.SyscallError{Syscall: "connect", Err: syscall.ECONNREFUSED}})
}

func TestSpansTellWhyASubgraphFailed(t *testing.T) {
	c := openCollector(t)
	told, closed := telling(t, telemetry.Options{Traces: &telemetry.Traces{Ratio: 1, Exporter: telemetry.OTLP{Endpoint: c.url}}})
	markets, stats := newSubgraphs()
	below := &flaky{FetcherWithStream: fetch.NewLocal(map[string]http.Handler{"market": markets, "stats": stats})}
	below.refuses.Store(1)
	h := open(t, router.Options{Telemetry: told, Fetcher: below})
	h.post(t, query(`{ markets { symbol } }`), "graphql-client-name", "web")
	gone := open(t, router.Options{Telemetry: told, Fetcher: lost{below}})
	gone.post(t, query(`{ markets { symbol } }`))
	h.closeRouter(t)
	gone.closeRouter(t)
	closed()
	spans := c.named("subgraph market")
	if len(spans) != 2 {
		t.Fatalf("%d spans", len(spans))
	}
	for i, want := range []string{"503", "syscall.Errno"} {
		if got := attributeOf(spans[i], "error.type"); got != want || spans[i].GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR {
			t.Errorf("span %d failed by %s, want %s", i, got, want)
		}
	}
	for _, a := range c.named("query")[0].GetAttributes() {
		if a.GetKey() == "graphql.client.version" {
			t.Error("a version that the client did not give is in the span")
		}
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var out strings.Builder
	for _, c := range b {
		out.WriteByte(digits[c>>4])
		out.WriteByte(digits[c&15])
	}
	return out.String()
}

func TestTracesAreSampledByTheirParent(t *testing.T) {
	c := openCollector(t)
	told, closed := telling(t, telemetry.Options{Traces: &telemetry.Traces{Ratio: 0, Exporter: telemetry.OTLP{Endpoint: c.url}}})
	h := open(t, router.Options{Telemetry: told})
	h.post(t, query(acrossBoth)) // a trace that begins here: none of them is recorded
	if sent := h.stats.headers[0].Get("Traceparent"); !strings.HasSuffix(sent, "-00") {
		t.Errorf("the subgraph of an unrecorded trace was told %q", sent)
	}
	h.post(t, query(acrossBoth), "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
	h.post(t, query(acrossBoth), "Traceparent", "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	h.closeRouter(t)
	closed()
	if spans := c.named("query"); len(spans) != 1 || hexOf(spans[0].GetTraceId()) != "1af7651916cd43dd8448eb211c80319c" {
		t.Errorf("recorded %v", spans)
	}
}

func TestACollectorThatIsAwayIsMentionedOnce(t *testing.T) {
	c := openCollector(t)
	c.status = 400
	var log bytes.Buffer
	told, closed := telling(t, telemetry.Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Metrics: &telemetry.Metrics{},
		Traces: &telemetry.Traces{Ratio: 1, BatchSize: 1, Exporter: telemetry.OTLP{Endpoint: c.url, Headers: map[string]string{"Authorization": "s3cret"}}},
	})
	h := open(t, router.Options{Telemetry: told})
	for range 5 {
		if status, got := h.post(t, query(acrossBoth)); status != 200 {
			t.Fatal(got)
		}
	}
	h.closeRouter(t)
	closed()
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "HTTP status 400") || strings.Contains(log.String(), "s3cret") {
		t.Errorf("the log has\n%s", log.String())
	}
	if got := scrape(t, told); !strings.Contains(got, `bourse_router_trace_spans_total{result="failed"}`) {
		t.Errorf("lost spans are not counted:\n%s", got)
	}
}

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
