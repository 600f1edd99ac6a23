package telemetry

import (
	"cmp"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/vektah/gqlparser/v2/ast"
)

// Metrics asks for Prometheus metrics.
type Metrics struct {
	OperationNames int       // how many names of operations get series of their own; the rest is "other". 0: 100; below 0: none
	Buckets        []float64 // upper bounds of the duration histograms in seconds; nil: 1 ms to 10 s
}

// costBuckets are upper bounds of costs.
var costBuckets = []float64{1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 100_000}

const (
	defaultNames = 100
	// maxCodes bounds how many codes of refusals get series of their own: hooks may make up any.
	maxCodes = 100
	other    = "other"
)

var defaultBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// metrics are the instruments; instruments.go says what each means.
type metrics struct {
	registry *prometheus.Registry
	names    bounded
	codes    bounded
	instruments
	watch watch
}

func newMetrics(o *Metrics, version string) (*metrics, error) {
	if o == nil {
		return nil, nil
	}
	buckets := o.Buckets
	if len(buckets) == 0 {
		buckets = defaultBuckets
	}
	names := o.OperationNames
	if names == 0 {
		names = defaultNames
	}
	m := &metrics{registry: prometheus.NewRegistry(), names: bounded{max: max(names, 0)}, codes: bounded{max: maxCodes}}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.make(buckets)
	m.buildInfo.WithLabelValues(cmp.Or(version, "dev"), runtime.Version()).Set(1)
	return m, nil
}

// MetricsHandler shows the metrics to Prometheus; nil where there are none.
func (t *Telemetry) MetricsHandler() http.Handler {
	if t == nil || t.metrics == nil {
		return nil
	}
	return promhttp.HandlerFor(t.metrics.registry, promhttp.HandlerOpts{Registry: t.metrics.registry, MaxRequestsInFlight: 4})
}

// Gatherer has the metrics for who wants to join them with others; nil where there are none.
func (t *Telemetry) Gatherer() prometheus.Gatherer {
	if t == nil || t.metrics == nil {
		return nil
	}
	return t.metrics.registry
}

// bounded lets the first so many values of a label through.
type bounded struct {
	max  int
	seen sync.Map // value to true
	mu   sync.Mutex
	n    int
}

func (b *bounded) label(value string) string {
	if value == "" {
		return ""
	}
	if _, known := b.seen.Load(value); known {
		return value
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.seen.Load(value); known {
		return value
	}
	if b.n >= b.max {
		return other
	}
	b.n++
	b.seen.Store(value, true)
	return value
}

func (m *metrics) begin() {
	if m != nil {
		m.inFlight.Inc()
	}
}

func (m *metrics) prepared(p *Prepared) {
	if m == nil {
		return
	}
	if p.Kind == ast.Subscription {
		m.subscriptions.Inc()
	}
	if p.Cached {
		m.planCache.WithLabelValues("hit").Inc()
		return
	}
	m.planCache.WithLabelValues("miss").Inc()
	for _, phase := range [...]struct {
		name string
		took time.Duration
	}{{"parse", p.Parse}, {"validate", p.Validate}, {"plan", p.Planning}} {
		if phase.took > 0 {
			m.phases.WithLabelValues(phase.name).Observe(phase.took.Seconds())
		}
	}
}

func (m *metrics) end(o *Operation, r *Record) {
	if m == nil {
		return
	}
	m.inFlight.Dec()
	if o.prepared.Kind == ast.Subscription {
		m.subscriptions.Dec()
	}
	kind := cmp.Or(r.Kind, "unknown")
	m.requests.WithLabelValues(kind, r.Transport, statusText(r.Status), m.codes.label(r.Code)).Inc()
	m.sent.WithLabelValues(r.Transport).Add(float64(r.Bytes))
	if r.Kind == "" {
		return // refused before anyone knew what it was: its name would be whatever the client makes up
	}
	m.operations.WithLabelValues(m.names.label(r.Operation), kind, r.outcome()).Inc()
	if o.prepared.Costed {
		m.costs.WithLabelValues(m.names.label(r.Operation), "estimated").Observe(float64(o.prepared.Cost))
	}
	if o.counted {
		m.costs.WithLabelValues(m.names.label(r.Operation), "actual").Observe(float64(o.spent))
	}
	if kind != "subscription" { // which last as long as the client likes
		m.durations.WithLabelValues(kind).Observe(r.Duration.Seconds())
	}
}

func (m *metrics) fetched(f *Fetch) {
	if m == nil {
		return
	}
	status := "failed"
	if !f.Failed {
		status = statusText(f.Status)
	}
	m.subgraphRequests.WithLabelValues(f.Subgraph, status).Inc()
	m.subgraphDurations.WithLabelValues(f.Subgraph).Observe(f.Duration.Seconds())
	m.subgraphBytes.WithLabelValues(f.Subgraph, "sent").Add(float64(f.Sent))
	m.subgraphBytes.WithLabelValues(f.Subgraph, "received").Add(float64(f.Received))
	if f.Entities > 0 {
		m.subgraphEntities.WithLabelValues(f.Subgraph).Add(float64(f.Entities))
	}
}

func (m *metrics) retried(subgraph string) {
	if m != nil {
		m.subgraphRetries.WithLabelValues(subgraph).Inc()
	}
}

func (m *metrics) hedged(subgraph string) {
	if m != nil {
		m.subgraphHedges.WithLabelValues(subgraph).Inc()
	}
}

func (m *metrics) sharedFetch(subgraph string) {
	if m != nil {
		m.subgraphShared.WithLabelValues(subgraph).Inc()
	}
}

func (m *metrics) looked(subgraph, result string, n int) {
	if m != nil && n > 0 {
		m.entityCache.WithLabelValues(subgraph, result).Add(float64(n))
	}
}

func (m *metrics) exported(spans int, result string) {
	if m != nil {
		m.spans.WithLabelValues(result).Add(float64(spans))
	}
}

var statusTexts = func() (texts [600]string) {
	for status := range texts {
		texts[status] = strconv.Itoa(status)
	}
	return texts
}()

// statusText is an HTTP status as a label, without making it anew.
func statusText(status int) string {
	if status < 0 || status >= len(statusTexts) {
		return other
	}
	return statusTexts[status]
}
