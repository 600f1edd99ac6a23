package traffic

import (
	"bytes"
	"context"
	"net/http"
	"testing"

	"bourse/router/execute"
	"bourse/router/plan"
)

// What sharing costs a request that finds nothing to share.
func BenchmarkAlone(b *testing.B) {
	header := http.Header{"Authorization": {"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.q"}, "X-Request-Id": {"1"}}
	b.Run("operation", func(b *testing.B) {
		f := newFlights[*plan.Plan, int](0)
		in := execute.Input{Plan: &plan.Plan{}, Header: header, Variables: map[string]any{"first": int64(5), "name": "x"}}
		b.ReportAllocs()
		for b.Loop() {
			buf := texts.Get().(*[]byte)
			k, _ := operationKey((*buf)[:0], in)
			*buf = k.body
			_, _ = f.do(b.Context(), k, func(context.Context) (int, error) { return 1, nil })
			giveBack(buf)
		}
	})
	b.Run("fetch of 8 KiB", func(b *testing.B) {
		resp := &execute.Response{Status: 200}
		f := NewFetches(&below{answer: func(context.Context, *execute.Request) (*execute.Response, error) { return resp, nil }}, 0)
		req := &execute.Request{Subgraph: "s", Idempotent: true, Header: header, Body: bytes.Repeat([]byte("x"), 8<<10)}
		b.ReportAllocs()
		for b.Loop() {
			_, _ = f.Fetch(b.Context(), req)
		}
	})
}

// What rules cost a request that they let through.
func BenchmarkGuard(b *testing.B) {
	resp := &execute.Response{Status: 200}
	g := NewGuard(&below{answer: func(context.Context, *execute.Request) (*execute.Response, error) { return resp, nil }}, map[string]Rules{"s": {
		MaxConcurrent: 100, Retry: RetryOptions{Attempts: 2}, Breaker: BreakerOptions{FailureRatio: 0.5},
	}}, nil)
	req := one("q")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = g.Fetch(b.Context(), req)
	}
}
