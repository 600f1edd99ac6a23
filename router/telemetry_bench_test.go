package router_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/fetch"
	"bourse/router/telemetry"
)

// What each kind of telemetry costs a request that asks two subgraphs of this process; "off" is the measure. Compare by difference, in
// one run.
func BenchmarkTelemetry(b *testing.B) {
	logger := slog.New(slog.NewJSONHandler(io.Discard, nil))
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer collector.Close()
	traces := func(ratio float64) *telemetry.Traces {
		return &telemetry.Traces{Ratio: ratio, Exporter: telemetry.OTLP{Endpoint: collector.URL}}
	}
	for _, c := range []struct {
		name string
		o    *telemetry.Options
	}{
		{"off", nil},
		{"metrics", &telemetry.Options{Metrics: &telemetry.Metrics{}}},
		{"usage", &telemetry.Options{Usage: &telemetry.Usage{File: b.TempDir() + "/usage.jsonl"}}},
		{"access", &telemetry.Options{Access: &telemetry.AccessLog{Logger: logger}}},
		{"slow", &telemetry.Options{Slow: &telemetry.SlowLog{Logger: logger}}},
		{"traces=0", &telemetry.Options{Traces: traces(0)}},
		{"traces=0.01", &telemetry.Options{Traces: traces(.01)}},
		{"traces=1", &telemetry.Options{Traces: traces(1)}},
		{"all,traces=0.01", &telemetry.Options{
			Metrics: &telemetry.Metrics{}, Usage: &telemetry.Usage{File: b.TempDir() + "/usage.jsonl"}, Access: &telemetry.AccessLog{Logger: logger},
			Slow: &telemetry.SlowLog{Logger: logger}, Traces: traces(.01),
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			markets, stats := canned(`{"data":{"markets":[{"__typename":"Market","symbol":"BTC"}]}}`), canned(`{"data":{"_entities":[{"volume":3}]}}`)
			o := router.Options{Fetcher: fetch.NewLocal(map[string]http.Handler{"market": markets, "stats": stats})}
			if c.o != nil {
				told, err := telemetry.New(*c.o)
				if err != nil {
					b.Fatal(err)
				}
				defer told.Close(b.Context()) //nolint:errcheck // a benchmark
				o.Telemetry = told
			}
			r, err := router.New(composed(b, "http://a.invalid", "http://b.invalid"), o)
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close(b.Context()) //nolint:errcheck // a benchmark
			body := query(`query All { markets { symbol volume } }`)
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest("POST", "/graphql", strings.NewReader(body))
				req.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				r.ServeHTTP(w, req)
				if w.Code != 200 {
					b.Fatal(w.Body.String())
				}
			}
		})
	}
}

// canned answers always the same.
func canned(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	})
}
