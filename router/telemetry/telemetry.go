package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"go.opentelemetry.io/otel/trace"
)

// Options of a Telemetry. What is nil is off.
type Options struct {
	Traces  *Traces
	Metrics *Metrics
	Access  *AccessLog
	Slow    *SlowLog
	Usage   *Usage

	// ClientName and ClientVersion are the request headers in which clients say who they are; default Graphql-Client-Name and
	// Graphql-Client-Version. What they say is taken for no more than a name.
	ClientName, ClientVersion string

	Version string       // of this build, for metrics and traces
	Logger  *slog.Logger // for troubles of telemetry itself; nil: discards
}

// Telemetry takes reports and passes them on. It is safe for concurrent use.
type Telemetry struct {
	o       Options
	tracer  *tracer
	metrics *metrics
	access  *accessLog
	slow    *slowLog
	usage   *usage
}

// New starts what the options ask for. Close it when nothing reports any more.
func New(o Options) (*Telemetry, error) {
	if o.ClientName == "" {
		o.ClientName = "Graphql-Client-Name"
	}
	if o.ClientVersion == "" {
		o.ClientVersion = "Graphql-Client-Version"
	}
	o.ClientName, o.ClientVersion = http.CanonicalHeaderKey(o.ClientName), http.CanonicalHeaderKey(o.ClientVersion)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	t := &Telemetry{o: o}
	var err error
	if t.access, err = newAccessLog(o.Access); err != nil {
		return nil, fmt.Errorf("access log: %w", err)
	}
	if t.slow, err = newSlowLog(o.Slow); err != nil {
		return nil, fmt.Errorf("slow log: %w", err)
	}
	if t.metrics, err = newMetrics(o.Metrics, o.Version); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if t.tracer, err = newTracer(o.Traces, o.Version, o.Logger, t.metrics); err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	if t.usage, err = newUsage(o.Usage, o.Logger); err != nil {
		return nil, fmt.Errorf("usage: %w", errors.Join(err, t.tracer.close(context.Background())))
	}
	return t, nil
}

// Close passes on what is still held, no longer than ctx lasts.
func (t *Telemetry) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return errors.Join(t.usage.close(), t.tracer.close(ctx))
}

// Operation is what is told of one operation while it runs. Its owner calls Prepared and End; fetches may be told from any goroutine.
type Operation struct {
	t        *Telemetry
	began    time.Time
	client   client
	header   []string // what the access log wants of the request's headers
	span     *span    // nil: not traced
	prepared Prepared
	fetches  fetches
	shared   atomic.Bool // an equal operation answered it
	spent    int         // what the answer costs, and
	counted  bool        // whether that was counted
	ended    atomic.Bool
}

// client is who asks, in its own words.
type client struct{ name, version string }

// Prepared is how an operation was made ready.
type Prepared struct {
	Document *Document // nil: it was refused before it was known
	Kind     ast.Operation
	Plan     fmt.Stringer // in one line
	Cached   bool         // the plan was there
	Cost     int          // estimated
	Costed   bool         // costs are computed
	// How long each step took; 0: it was not needed.
	Parse, Validate, Planning time.Duration
	Variables                 map[string]any // only for what the slow log may show
}

type operationKey struct{}

// account is an Operation and the context in which it is found, in one piece.
type account struct {
	context.Context //nolint:containedctx // it is one
	Operation
}

// Value implements context.Context.
func (a *account) Value(key any) any {
	if key == (operationKey{}) {
		return &a.Operation
	}
	return a.Context.Value(key)
}

// Begin opens the account of an operation that a client asked for. The header is that of its request or of its WebSocket; it is not kept.
func (t *Telemetry) Begin(ctx context.Context, header http.Header) context.Context {
	if t == nil {
		return ctx
	}
	a := &account{}
	a.t, a.began = t, time.Now()
	a.client = client{clip(header.Get(t.o.ClientName), maxClientName), clip(header.Get(t.o.ClientVersion), maxClientName)}
	a.header = t.access.pick(header)
	a.fetches.list = a.fetches.room[:0]
	a.Context, a.span = t.tracer.begin(ctx, header)
	t.metrics.begin()
	return a
}

// Of is the account of the operation that ctx belongs to; nil when there is none.
func Of(ctx context.Context) *Operation {
	o, _ := ctx.Value(operationKey{}).(*Operation)
	return o
}

// With brings an account into a context that lasts longer than that of the request which opened it.
func With(ctx context.Context, o *Operation) context.Context {
	if o == nil {
		return ctx
	}
	if o.span != nil {
		ctx = trace.ContextWithSpan(ctx, o.span.Span)
	}
	return context.WithValue(ctx, operationKey{}, o)
}

// Began is when the operation began.
func (o *Operation) Began() time.Time { return o.began }

// Prepared tells how the operation was made ready.
func (o *Operation) Prepared(p Prepared) {
	if o == nil {
		return
	}
	o.prepared = p
	o.t.metrics.prepared(&p)
	o.span.prepared(&p)
}

// Spent tells what the answer costs by what stands in it. It is called by the operation's owner.
func (o *Operation) Spent(cost int) {
	if o != nil {
		o.spent, o.counted = cost, true
	}
}

// Shared says that an equal operation under way answers this one too.
func (o *Operation) Shared() {
	if o == nil {
		return
	}
	o.shared.Store(true)
	if o.t.metrics != nil {
		o.t.metrics.sharedOperations.Inc()
	}
}

// End closes the account of the operation that ctx belongs to.
func (t *Telemetry) End(ctx context.Context, r Record) {
	if t != nil { // where there is none, the record never leaves the stack
		t.end(ctx, r)
	}
}

func (t *Telemetry) end(ctx context.Context, r Record) {
	o := Of(ctx)
	if o == nil || o.ended.Swap(true) { // refused before its account was opened, or after it was closed
		o = &Operation{t: t, began: time.Now().Add(-r.Duration)}
		t.metrics.begin()
	}
	o.span.end(o, &r)
	t.metrics.end(o, &r)
	t.usage.end(o, &r)
	t.access.write(ctx, o, &r)
	t.slow.write(ctx, o, &r)
}

// LogsAccess says whether there is an access log.
func (t *Telemetry) LogsAccess() bool { return t != nil && t.access != nil }

// maxClientName bounds what a client says of itself, in bytes.
const maxClientName = 64

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
}
