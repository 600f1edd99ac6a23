package router_test

import (
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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"bourse/router"
	"bourse/router/execute"
	"bourse/router/fetch"
	"bourse/router/telemetry"
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
