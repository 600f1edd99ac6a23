package w1

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"bourse/engine/book/w1"
	"bourse/engine/ledger"
)

var standard = sync.OnceValue(w1.Standard)

func newPlayer(tb testing.TB) *Player {
	tb.Helper()
	p, err := NewPlayer()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestVenueArrivesAtTheTotalsOfW1(t *testing.T) {
	stream := standard()
	preload, operations := Convert(stream.Preload, 'p'), Convert(stream.Operations, 'o')
	p := newPlayer(t)
	p.Play(&preload)
	p.Play(&operations)
	if got := p.Totals(); got != w1.StandardTotals || p.Rejects != 0 {
		t.Errorf("totals are %+v with %d rejects, want %+v", got, p.Rejects, w1.StandardTotals)
	}
	if err := p.State.Check(); err != nil {
		t.Error(err)
	}
	fees, shares := p.State.House(ledger.Fees, 2), p.State.AccountBalance(ledger.Account{Owner: Agent, Kind: ledger.Commission}, 2)
	if fees <= 0 || shares <= 0 || shares >= fees { // three tenths of each fee go to the agent
		t.Errorf("fees are %d and shares of them %d", fees, shares)
	}
}

func TestRestingOrdersRest(t *testing.T) {
	p := newPlayer(t)
	c := Resting(20_000)
	p.Play(&c)
	if got := p.State.OpenOrderCount(); got != c.Len() || p.Rejects != 0 {
		t.Errorf("%d of %d orders rest, %d were refused", got, c.Len(), p.Rejects)
	}
}

// BenchmarkW1 reports the cost of a command: client key, risk, hold, matching,
// fees, postings and events. b.N counts whole streams. The processor's part of the time is what to
// compare where others use the machine as well.
func BenchmarkW1(b *testing.B) {
	stream := standard()
	preload, operations := Convert(stream.Preload, 'p'), Convert(stream.Operations, 'o')
	var cpu time.Duration
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p := newPlayer(b)
		p.Play(&preload)
		before := processor()
		b.StartTimer()
		p.Play(&operations)
		b.StopTimer()
		cpu += processor() - before
		if got := p.Totals(); got != w1.StandardTotals || p.Rejects != 0 {
			b.Fatalf("totals are %+v with %d rejects", got, p.Rejects)
		}
		b.StartTimer()
	}
	n := float64(b.N) * float64(operations.Len())
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/command")
	b.ReportMetric(float64(cpu.Nanoseconds())/n, "cpu-ns/command")
	b.ReportMetric(n/b.Elapsed().Seconds()/1e6, "Mcommands/s")
}

// processor is what the process has spent of all processors so far.
func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
