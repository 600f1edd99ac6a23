package telemetry

import "github.com/prometheus/client_golang/prometheus"

const namespace = "bourse_router_"

// instruments are the router's own metrics. docs/router.md lists them as they are registered here; a test compares.
type instruments struct {
	requests, operations, sent *prometheus.CounterVec
	durations, phases          *prometheus.HistogramVec
	inFlight, subscriptions    prometheus.Gauge

	planCache                              *prometheus.CounterVec
	subgraphRequests, subgraphBytes        *prometheus.CounterVec
	subgraphEntities, subgraphRetries      *prometheus.CounterVec
	subgraphHedges, subgraphShared         *prometheus.CounterVec
	subgraphDurations                      *prometheus.HistogramVec
	breakers                               *prometheus.GaugeVec
	sharedOperations                       prometheus.Counter
	entityCache, limited, persisted, spans *prometheus.CounterVec
	delivered, dropped                     prometheus.Counter
	rateLimited, warned                    *prometheus.CounterVec
	costs                                  *prometheus.HistogramVec
	reloads                                *prometheus.CounterVec
	reloadTimes                            *prometheus.HistogramVec
	loaded                                 prometheus.Gauge
	buildInfo                              *prometheus.GaugeVec
}

// Instrument describes one metric, for the reference in the documentation.
type Instrument struct {
	Name, Type string
	Labels     []string
	Help       string
}

// maker makes instruments, registers them and remembers what they are.
type maker struct {
	registry *prometheus.Registry
	made     []Instrument
}

func (k *maker) note(name, kind, help string, labels []string) {
	k.made = append(k.made, Instrument{namespace + name, kind, labels, help})
}

func (k *maker) counter(name, help string, labels ...string) *prometheus.CounterVec {
	k.note(name, "counter", help, labels)
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: namespace + name, Help: help}, labels)
	k.registry.MustRegister(c)
	return c
}

func (k *maker) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	k.note(name, "gauge", help, labels)
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: namespace + name, Help: help}, labels)
	k.registry.MustRegister(g)
	return g
}

func (k *maker) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	k.note(name, "histogram", help, labels)
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: namespace + name, Help: help, Buckets: buckets}, labels)
	k.registry.MustRegister(h)
	return h
}

// read registers a value that is looked up when Prometheus asks.
func (k *maker) read(name, kind, help string, value func() float64) {
	k.note(name, kind, help, nil)
	if kind == "counter" {
		k.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: namespace + name, Help: help}, value))
		return
	}
	k.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: namespace + name, Help: help}, value))
}

// make makes all instruments and returns what they are.
func (m *metrics) make(buckets []float64) []Instrument {
	k := &maker{registry: m.registry}
	m.requests = k.counter("requests_total", "GraphQL requests that were answered or refused. status is 0 on a WebSocket; code is that of the refusal.",
		"kind", "transport", "status", "code")
	m.operations = k.counter("operations_total", "Operations that were run, by the name that the client gives them. Names beyond the bound are other.",
		"operation", "kind", "outcome")
	m.durations = k.histogram("request_duration_seconds", "Time from the first byte of a query or mutation to the last of its answer.", buckets, "kind")
	m.sent = k.counter("response_bytes_total", "Bytes of answers before compression.", "transport")
	inFlight := k.gauge("requests_in_flight", "Operations under way, subscriptions among them.")
	m.inFlight = inFlight.WithLabelValues()
	m.phases = k.histogram("prepare_duration_seconds", "Time of parsing, validating and planning where the plan was not cached.", buckets, "phase")
	m.planCache = k.counter("plan_cache_requests_total", "Looks into the plan cache.", "result")
	k.read("plan_cache_entries", "gauge", "Plans that are kept ready.", func() float64 { return float64(m.watch.plans().Entries) })
	k.read("plan_cache_bytes", "gauge", "About how many bytes kept plans and what leads to them take.", func() float64 { return float64(m.watch.plans().Bytes) })
	k.read("plan_cache_evictions_total", "counter", "What the plan cache let go of to make room.", func() float64 { return float64(m.watch.plans().Evictions) })

	m.subgraphRequests = k.counter("subgraph_requests_total", "Requests of the executor to subgraphs. status is that of HTTP, or failed when there was no answer.", "subgraph", "status")
	m.subgraphDurations = k.histogram("subgraph_request_duration_seconds", "Time of a subgraph request with its retries.", buckets, "subgraph")
	m.subgraphBytes = k.counter("subgraph_bytes_total", "Bytes sent to and received from subgraphs.", "subgraph", "direction")
	m.subgraphEntities = k.counter("subgraph_entities_total", "Representations of entities sent to subgraphs.", "subgraph")
	m.subgraphRetries = k.counter("subgraph_retries_total", "Subgraph requests made once more.", "subgraph")
	m.subgraphHedges = k.counter("subgraph_hedges_total", "Second subgraph requests made because the first was slow.", "subgraph")
	m.subgraphShared = k.counter("subgraph_shared_total", "Subgraph requests that an equal one under way answered.", "subgraph")
	m.breakers = k.gauge("subgraph_breaker_state", "Circuit breaker of a subgraph: 0 closed, 1 open, 2 half open.", "subgraph")
	m.sharedOperations = k.counter("shared_operations_total", "Operations that an equal one under way answered.").WithLabelValues()
	m.entityCache = k.counter("entity_cache_total", "Entities and root selections looked up in the entity cache: hit, stale (given, and asked for anew), miss, and of the misses stale_if_error, where what was kept stood in.", "subgraph", "result")

	k.read("websockets", "gauge", "WebSockets that are open.", func() float64 { return float64(m.watch.sockets()) })
	subscriptions := k.gauge("subscriptions", "Subscriptions of clients that are running.")
	m.subscriptions = subscriptions.WithLabelValues()
	k.read("subscription_upstreams", "gauge", "Subscriptions at subgraphs; each may feed many clients.", func() float64 { return float64(m.watch.upstreams()) })
	events := k.counter("subscription_events_total", "Events of subscriptions for each client: delivered to its queue, dropped out of it because the client was slow.", "result")
	m.delivered, m.dropped = events.WithLabelValues("delivered"), events.WithLabelValues("dropped")

	m.limited = k.counter("limit_refusals_total", "Operations refused by a limit.", "limit")
	m.warned = k.counter("limit_warnings_total", "Operations that exceed a limit and run, because it only warns; cost is one of the limits.", "limit")
	m.costs = k.histogram("operation_cost", "Cost of operations that were run, where costs are computed: estimated before, and actual by the answer where that is counted. Operations have the name that the client gives them; names beyond the bound are other.", costBuckets, "operation", "figure")
	m.rateLimited = k.counter("rate_limited_total", "Operations refused by a rate limit.", "rule")
	m.persisted = k.counter("persisted_documents_total", "Looks for persisted and trusted documents.", "result")
	m.reloads = k.counter("reloads_total", "Reloads of supergraph and configuration.", "result")
	m.reloadTimes = k.histogram("reload_duration_seconds", "Time of reloads that succeeded, with the plans that were warmed up.", buckets)
	loaded := k.gauge("loaded_timestamp_seconds", "When the supergraph and the configuration that are in use were loaded, in Unix time.")
	m.loaded = loaded.WithLabelValues()
	m.spans = k.counter("trace_spans_total", "Spans handed to the collector.", "result")
	m.buildInfo = k.gauge("build_info", "Always 1; the labels say which build runs.", "version", "go")
	return k.made
}

// Reference describes all of the router's own metrics, in the order of the documentation.
func Reference() []Instrument {
	m := &metrics{registry: prometheus.NewRegistry()}
	return m.make(defaultBuckets)
}
