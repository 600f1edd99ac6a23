package telemetry

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Traces asks for OpenTelemetry traces: one span for each operation, one below it for each subgraph request, and one for each step of
// preparing that was not cached. Names and attributes follow the semantic conventions for GraphQL servers and HTTP.
type Traces struct {
	Exporter     OTLP
	ServiceName  string            // default bourse-router
	Attributes   map[string]string // of the resource, beside or instead of its own: service.name, .version, .instance.id, telemetry.sdk.*
	Ratio        float64           // of the traces that begin here, how many are recorded: 0 to 1
	IgnoreParent bool              // decide by the ratio alone, whatever the client's traceparent says; its trace id is kept
	Baggage      bool              // pass W3C baggage on to subgraphs
	Document     bool              // put the text of operations into spans; it may hold literals that are nobody's business

	QueueSize int           // spans that may wait; more are dropped. Default 2,048
	BatchSize int           // spans in one message; default 512
	Every     time.Duration // between messages; default 5 s
}

// tracer makes spans.
type tracer struct {
	o          *Traces
	provider   *sdk.TracerProvider
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

const scope = "bourse/router"

func newTracer(o *Traces, version string, logger *slog.Logger, m *metrics) (*tracer, error) {
	if o == nil {
		return nil, nil
	}
	if o.Ratio < 0 || o.Ratio > 1 {
		return nil, fmt.Errorf("the ratio %v is not between 0 and 1", o.Ratio)
	}
	client, err := newOTLP(o.Exporter, logger, m)
	if err != nil {
		return nil, err
	}
	exporter := otlptrace.NewUnstarted(client) // there is nothing to start
	attributes := map[string]string{
		"service.name": cmp.Or(o.ServiceName, "bourse-router"), "service.version": cmp.Or(version, "dev"), "service.instance.id": rand.Text(),
		"telemetry.sdk.name": "opentelemetry", "telemetry.sdk.language": "go", "telemetry.sdk.version": otel.Version(),
	}
	maps.Copy(attributes, o.Attributes)
	var origin []attribute.KeyValue
	for name, value := range attributes {
		origin = append(origin, attribute.String(name, value))
	}
	sampler := sdk.TraceIDRatioBased(o.Ratio)
	if !o.IgnoreParent {
		sampler = sdk.ParentBased(sampler)
	}
	t := &tracer{o: o, provider: sdk.NewTracerProvider(
		sdk.WithSampler(sampler),
		sdk.WithResource(resource.NewSchemaless(origin...)),
		sdk.WithBatcher(exporter,
			sdk.WithMaxQueueSize(cmp.Or(max(o.QueueSize, 0), 2048)), sdk.WithMaxExportBatchSize(cmp.Or(max(o.BatchSize, 0), 512)),
			sdk.WithBatchTimeout(cmp.Or(max(o.Every, 0), 5*time.Second)), sdk.WithExportTimeout(client.timeout)),
	)}
	t.tracer = t.provider.Tracer(scope, trace.WithInstrumentationVersion(version))
	t.propagator = propagation.TraceContext{}
	if o.Baggage {
		t.propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	}
	return t, nil
}

func (t *tracer) close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// span is one span of ours; nil where nothing is traced.
type span struct {
	t     *tracer
	began time.Time
	trace.Span
}

func (t *tracer) begin(ctx context.Context, header http.Header) (context.Context, *span) {
	if t == nil {
		return ctx, nil
	}
	began := time.Now()
	ctx = t.propagator.Extract(ctx, propagation.HeaderCarrier(header))
	ctx, s := t.tracer.Start(ctx, "graphql", trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(began))
	return ctx, &span{t, began, s}
}

// prepared adds a span for each step that had to be done. They followed one another and ended just now.
func (s *span) prepared(p *Prepared) {
	if s == nil || !s.IsRecording() {
		return
	}
	s.SetAttributes(attribute.Bool("bourse.plan.cached", p.Cached))
	if p.Cost > 0 {
		s.SetAttributes(attribute.Int("bourse.cost.estimated", p.Cost))
	}
	if p.Document != nil {
		s.SetAttributes(attribute.String("graphql.document.digest", p.Document.Digest()))
		if s.t.o.Document {
			s.SetAttributes(attribute.String("graphql.document", p.Document.Text))
		}
	}
	ctx := trace.ContextWithSpan(context.Background(), s.Span)
	at := time.Now().Add(-p.Parse - p.Validate - p.Planning)
	for _, step := range [...]struct {
		name string
		took time.Duration
	}{{"parse", p.Parse}, {"validate", p.Validate}, {"plan", p.Planning}} {
		if step.took <= 0 {
			continue
		}
		_, child := s.t.tracer.Start(ctx, "graphql."+step.name, trace.WithTimestamp(at))
		at = at.Add(step.took)
		child.End(trace.WithTimestamp(at))
	}
}

func (s *span) end(o *Operation, r *Record) {
	if s == nil {
		return
	}
	if s.IsRecording() {
		s.SetName(cmp.Or(r.Kind, "graphql")) // the name of an operation is an attribute: clients make up any number of them
		s.SetAttributes(
			attribute.String("bourse.request_id", r.RequestID), attribute.String("bourse.transport", r.Transport),
			attribute.Int("http.response.body.size", r.Bytes), attribute.Bool("bourse.errors", r.Errors),
		)
		if r.Kind != "" {
			s.SetAttributes(attribute.String("graphql.operation.type", r.Kind))
		}
		if r.Operation != "" {
			s.SetAttributes(attribute.String("graphql.operation.name", r.Operation))
		}
		if r.Status != 0 {
			s.SetAttributes(attribute.Int("http.response.status_code", r.Status))
		}
		if o.shared.Load() {
			s.SetAttributes(attribute.Bool("bourse.shared", true))
		}
		if r.Kind == string(ast.Subscription) {
			s.SetAttributes(attribute.Int("bourse.subscription.events", r.Events))
		}
		if o.client.name != "" {
			s.SetAttributes(attribute.String("graphql.client.name", o.client.name))
		}
		if o.client.version != "" {
			s.SetAttributes(attribute.String("graphql.client.version", o.client.version))
		}
		if r.Code != "" {
			s.SetAttributes(attribute.String("error.type", r.Code))
			s.SetStatus(codes.Error, r.Code)
		}
	}
	s.End()
}

func (t *tracer) fetch(ctx context.Context, a *Ask) (context.Context, *span) {
	if t == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, nil // the subgraph is told the request's own span, and that it is not recorded
	}
	began := time.Now()
	ctx, s := t.tracer.Start(ctx, "subgraph "+a.Subgraph, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(began))
	return ctx, &span{t, began, s}
}

func (s *span) endFetch(f *Fetch, err error) {
	if s == nil {
		return
	}
	if s.IsRecording() {
		s.SetAttributes(
			attribute.String("bourse.subgraph", f.Subgraph), attribute.String("http.request.method", http.MethodPost),
			attribute.Int("http.request.body.size", f.Sent), attribute.Int("http.response.body.size", f.Received),
			attribute.Int("bourse.entities", f.Entities), attribute.Int("bourse.fetch", f.Index),
		)
		if f.Status != 0 {
			s.SetAttributes(attribute.Int("http.response.status_code", f.Status))
		}
		if n := f.retries.Load(); n > 0 {
			s.SetAttributes(attribute.Int("http.request.resend_count", int(n)))
		}
		if f.shared.Load() {
			s.SetAttributes(attribute.Bool("bourse.shared", true))
		}
		if f.cached.Load() {
			s.SetAttributes(attribute.Bool("bourse.cached", true))
		}
		switch {
		case err != nil:
			s.SetAttributes(attribute.String("error.type", errorType(err)))
			s.SetStatus(codes.Error, "no answer")
		case f.Status >= 400:
			s.SetAttributes(attribute.String("error.type", strconv.Itoa(f.Status)))
			s.SetStatus(codes.Error, http.StatusText(f.Status))
		}
	}
	s.End()
}

// errorType is of few values, as the conventions want it: of an error in the network the type says nothing but that it was wrapped.
func errorType(err error) string {
	var late net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return "timeout"
	}
	for deeper := errors.Unwrap(err); deeper != nil; deeper = errors.Unwrap(err) {
		err = deeper
	}
	return fmt.Sprintf("%T", err)
}

// TraceID is the id of the trace that an operation belongs to; empty when there is none.
func (o *Operation) TraceID() string {
	if o == nil || o.span == nil {
		return ""
	}
	return o.span.SpanContext().TraceID().String()
}

// Propagate tells the next hop which trace it belongs to, in headers that are the caller's own. nil where nothing is traced.
func (t *Telemetry) Propagate() func(ctx context.Context, header http.Header) {
	if t == nil || t.tracer == nil {
		return nil
	}
	p := t.tracer.propagator
	return func(ctx context.Context, header http.Header) { p.Inject(ctx, propagation.HeaderCarrier(header)) }
}
