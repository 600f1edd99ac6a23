package book_test

import (
	"sync"
	"testing"

	"bourse/engine/book/w1"
)

var standard = sync.OnceValue(w1.Standard)

func TestBookArrivesAtTheTotalsOfW1(t *testing.T) {
	s := standard()
	p := w1.NewPlayer(s)
	for rest := s.Operations; len(rest) > 0; {
		n := min(len(rest), 100_000)
		p.Play(rest[:n])
		rest = rest[n:]
		if err := p.Book.Check(); err != nil || p.Book.Crossed() {
			t.Fatalf("%d operations before the end: %v", len(rest), err)
		}
	}
	if got := p.Totals(); got != w1.StandardTotals || p.Rejects != 0 {
		t.Errorf("totals are %+v with %d rejects, want %+v", got, p.Rejects, w1.StandardTotals)
	}
}

// BenchmarkW1 reports the cost of one operation; b.N counts whole streams.
func BenchmarkW1(b *testing.B) {
	s := standard()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p := w1.NewPlayer(s)
		b.StartTimer()
		p.Play(s.Operations)
		b.StopTimer()
		if got := p.Totals(); got != w1.StandardTotals || p.Rejects != 0 {
			b.Fatalf("totals are %+v with %d rejects", got, p.Rejects)
		}
		b.StartTimer()
	}
	n := float64(b.N) * float64(len(s.Operations))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/order")
	b.ReportMetric(n/b.Elapsed().Seconds()/1e6, "Morders/s")
}
