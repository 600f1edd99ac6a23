package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// AccessLog asks for one line for each operation.
type AccessLog struct {
	Logger *slog.Logger // its handler says whether lines are JSON or text, and where they go; required
	// Fields of a line, in their order, out of AccessFields; nil: those that stand in defaultFields. Empty values are left out.
	Fields []string
	// Headers of the request that are logged too. Those that carry secrets are refused.
	Headers []string
	// Sample is how many of the operations that went well are logged: 0 (stands for 1) to 1. What was refused or has errors is always
	// logged. Below 0: only those.
	Sample float64
}

// accessFields are all fields that a line may have.
var accessFields = map[string]func(*Operation, *Record) slog.Value{
	"request_id": func(_ *Operation, r *Record) slog.Value { return slog.StringValue(r.RequestID) },
	"transport":  func(_ *Operation, r *Record) slog.Value { return slog.StringValue(r.Transport) },
	"operation":  func(_ *Operation, r *Record) slog.Value { return slog.StringValue(r.Operation) },
	"kind":       func(_ *Operation, r *Record) slog.Value { return slog.StringValue(r.Kind) },
	"status":     func(_ *Operation, r *Record) slog.Value { return slog.IntValue(r.Status) },
	"code":       func(_ *Operation, r *Record) slog.Value { return slog.StringValue(r.Code) },
	"errors":     func(_ *Operation, r *Record) slog.Value { return slog.BoolValue(r.Errors) },
	"bytes":      func(_ *Operation, r *Record) slog.Value { return slog.IntValue(r.Bytes) },
	"events":     func(_ *Operation, r *Record) slog.Value { return slog.IntValue(r.Events) },
	"duration":   func(_ *Operation, r *Record) slog.Value { return slog.DurationValue(r.Duration) },
	"address": func(_ *Operation, r *Record) slog.Value {
		if !r.Address.IsValid() {
			return slog.StringValue("")
		}
		return slog.StringValue(r.Address.String())
	},
	"subject": func(_ *Operation, r *Record) slog.Value {
		if r.Identity == nil {
			return slog.StringValue("")
		}
		return slog.StringValue(r.Identity.Subject)
	},
	"client_name":    func(o *Operation, _ *Record) slog.Value { return slog.StringValue(o.client.name) },
	"client_version": func(o *Operation, _ *Record) slog.Value { return slog.StringValue(o.client.version) },
	"trace_id":       func(o *Operation, _ *Record) slog.Value { return slog.StringValue(o.TraceID()) },
	"cost":           costField(func(o *Operation) (int, bool) { return o.prepared.Cost, o.prepared.Costed }),
	"cost_actual":    costField(func(o *Operation) (int, bool) { return o.spent, o.counted }),
	"plan_cached":    func(o *Operation, _ *Record) slog.Value { return slog.BoolValue(o.prepared.Cached) },
	"digest": func(o *Operation, _ *Record) slog.Value {
		if o.prepared.Document == nil {
			return slog.StringValue("")
		}
		return slog.StringValue(o.prepared.Document.Digest())
	},
	"fetches": func(o *Operation, _ *Record) slog.Value {
		_, n := o.fetches.done()
		return slog.IntValue(n)
	},
}

var defaultFields = []string{
	"request_id", "transport", "operation", "kind", "status", "code", "errors", "bytes", "events", "duration", "client_name", "trace_id",
}

// costField is a cost, where there is one.
func costField(of func(*Operation) (int, bool)) func(*Operation, *Record) slog.Value {
	return func(o *Operation, _ *Record) slog.Value {
		if n, known := of(o); known {
			return slog.IntValue(n)
		}
		return slog.StringValue("")
	}
}

// AccessFields are the names that AccessLog.Fields may have.
func AccessFields() []string {
	names := make([]string, 0, len(accessFields))
	for name := range accessFields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// secretWords in the name of a header say that its value is nobody's business.
var secretWords = []string{"auth", "cookie", "token", "secret", "key", "password", "session", "credential", "signature", "jwt"}

// LoggableHeader says whether a header may be written to logs at all.
func LoggableHeader(name string) bool {
	lower := strings.ToLower(name)
	return !slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(lower, word) })
}

type accessLog struct {
	AccessLog
	values []func(*Operation, *Record) slog.Value
	count  atomic.Uint64
}

func newAccessLog(o *AccessLog) (*accessLog, error) {
	if o == nil {
		return nil, nil
	}
	if o.Logger == nil {
		return nil, errors.New("there is no logger")
	}
	a := &accessLog{AccessLog: *o}
	if a.Fields == nil {
		a.Fields = defaultFields
	}
	for _, name := range a.Fields {
		value, known := accessFields[name]
		if !known {
			return nil, fmt.Errorf("there is no field %q; there are %s", name, strings.Join(AccessFields(), ", "))
		}
		a.values = append(a.values, value)
	}
	a.Headers = slices.Clone(a.Headers)
	for i, name := range a.Headers {
		if !LoggableHeader(name) {
			return nil, fmt.Errorf("the header %s is not logged: its name says that it holds a secret", name)
		}
		a.Headers[i] = http.CanonicalHeaderKey(name)
	}
	if a.Sample == 0 {
		a.Sample = 1
	}
	return a, nil
}

// maxLoggedHeader bounds one value of a header in a line.
const maxLoggedHeader = 256

// pick takes out of a header what lines will show.
func (a *accessLog) pick(header http.Header) []string {
	if a == nil || len(a.Headers) == 0 {
		return nil
	}
	values := make([]string, len(a.Headers))
	for i, name := range a.Headers {
		values[i] = clip(header.Get(name), maxLoggedHeader)
	}
	return values
}

// sampled picks a line out of so many by counting, which spreads them evenly.
func (a *accessLog) sampled() bool {
	if a.Sample >= 1 {
		return true
	}
	if a.Sample < 0 {
		return false
	}
	n := a.count.Add(1)
	return uint64(float64(n)*a.Sample) != uint64(float64(n-1)*a.Sample)
}

func (a *accessLog) write(ctx context.Context, o *Operation, r *Record) {
	if a == nil {
		return
	}
	level := slog.LevelInfo
	if r.Code != "" {
		level = slog.LevelWarn
	}
	if !a.Logger.Enabled(ctx, level) || !r.Errors && r.Code == "" && !a.sampled() {
		return
	}
	var room [24]slog.Attr
	line := room[:0]
	for i, name := range a.Fields {
		if v := a.values[i](o, r); !empty(v) {
			line = append(line, slog.Attr{Key: name, Value: v})
		}
	}
	for i, value := range o.header {
		if value != "" {
			line = append(line, slog.String("header."+a.Headers[i], value))
		}
	}
	a.Logger.LogAttrs(ctx, level, "graphql", line...)
}

// empty says that there is nothing to tell: no text, and no events where none were awaited.
func empty(v slog.Value) bool { return v.Kind() == slog.KindString && v.String() == "" }

// SlowLog asks for a line about each query and mutation that took long.
type SlowLog struct {
	Logger    *slog.Logger  // required
	Threshold time.Duration // default 1 s
	Fetches   int           // how many of the slowest subgraph requests are told; default 5
	// Variables that may be shown with their values; of all others only the names are.
	Variables []string
}

type slowLog struct{ SlowLog }

func newSlowLog(o *SlowLog) (*slowLog, error) {
	if o == nil {
		return nil, nil
	}
	if o.Logger == nil {
		return nil, errors.New("there is no logger")
	}
	s := &slowLog{*o}
	s.Threshold, s.Fetches = cmp.Or(max(s.Threshold, 0), time.Second), cmp.Or(max(s.Fetches, 0), 5)
	return s, nil
}

func (s *slowLog) write(ctx context.Context, o *Operation, r *Record) {
	if s == nil || r.Duration < s.Threshold || r.Kind == "subscription" {
		return
	}
	p := &o.prepared
	line := []slog.Attr{
		slog.String("request_id", r.RequestID), slog.String("operation", r.Operation), slog.String("kind", r.Kind), slog.Duration("duration", r.Duration),
	}
	if p.Document != nil {
		line = append(line, slog.String("digest", p.Document.Digest()))
	}
	if p.Plan != nil {
		line = append(line, slog.String("plan", p.Plan.String()))
	}
	if !p.Cached {
		line = append(line, slog.Duration("parse", p.Parse), slog.Duration("validate", p.Validate), slog.Duration("planning", p.Planning))
	}
	fetches, all := o.fetches.done()
	slices.SortStableFunc(fetches, func(a, b *Fetch) int { return cmp.Compare(b.Duration, a.Duration) })
	line = append(line, slog.Int("fetches", all))
	for i, f := range fetches[:min(len(fetches), s.Fetches)] {
		line = append(line, slog.Attr{Key: fmt.Sprintf("fetch%d", i+1), Value: slog.GroupValue(
			slog.String("subgraph", f.Subgraph), slog.Duration("start", f.Start), slog.Duration("duration", f.Duration), slog.Int("status", f.Status),
			slog.Int("bytes", f.Received), slog.Int("entities", f.Entities), slog.Int("retries", int(f.retries.Load())),
		)})
	}
	if len(p.Variables) > 0 {
		line = append(line, slog.Attr{Key: "variables", Value: s.variables(p.Variables)})
	}
	if id := o.TraceID(); id != "" {
		line = append(line, slog.String("trace_id", id))
	}
	s.Logger.LogAttrs(ctx, slog.LevelWarn, "slow operation", line...)
}

// variables shows the values of those that may be shown, and that the others were there.
func (s *slowLog) variables(values map[string]any) slog.Value {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	var shown []slog.Attr
	for _, name := range names {
		if slices.Contains(s.Variables, name) {
			shown = append(shown, slog.Any(name, values[name]))
		} else {
			shown = append(shown, slog.String(name, "***"))
		}
	}
	return slog.GroupValue(shown...)
}
