package book

import (
	"sync"
	"testing"

	"bourse/engine/book/w1"
	"bourse/engine/market"
)

var standard = sync.OnceValue(w1.Standard)

// player plays W1 into a book. Handles are kept by order id in a slice, as a
// caller with dense ids would.
type player struct {
	book    *Book
	handles []Handle
	fills   []Fill
	totals  w1.Totals
	rejects int
}

func newPlayer(s *w1.Stream) *player {
	p := &player{
		book:    New(),
		handles: make([]Handle, len(s.Preload)+len(s.Operations)+1),
		fills:   make([]Fill, 0, 256),
	}
	for i := range s.Preload {
		p.play(&s.Preload[i])
	}
	return p
}

func (p *player) play(o *w1.Operation) {
	if o.Kind == w1.Cancel {
		h := p.handles[o.Order]
		if h == 0 {
			p.rejects++
			return
		}
		p.handles[o.Order] = 0
		p.book.Cancel(h)
		return
	}
	side, price := market.Buy, market.Price(o.Price)
	if o.Sell {
		side = market.Sell
	}
	if o.Kind == w1.Market {
		price = market.MaxPrice
		if o.Sell {
			price = 1
		}
	}
	left := market.Quantity(o.Quantity)
	p.fills = p.book.Match(side, price, left, p.fills[:0])
	for i := range p.fills {
		f := &p.fills[i]
		left -= f.Quantity
		p.totals.Trades++
		p.totals.Volume += int64(f.Quantity)
		p.totals.Notional += int64(f.Quantity) * int64(f.Price)
		if p.book.Reduce(f.Maker, f.Quantity) == 0 {
			p.handles[f.Ref] = 0
		}
	}
	if left > 0 && o.Kind == w1.Limit {
		p.handles[o.Order] = p.book.Add(side, price, left, o.Order)
	}
}

func (p *player) finish() w1.Totals {
	totals := p.totals
	totals.Live = int64(p.book.Len())
	for _, s := range []market.Side{market.Buy, market.Sell} {
		for _, l := range p.book.AppendLevels(nil, s, 1<<30) {
			totals.Resting += int64(l.Quantity)
		}
	}
	return totals
}

func TestBookArrivesAtTheTotalsOfW1(t *testing.T) {
	s := standard()
	p := newPlayer(s)
	for i := range s.Operations {
		p.play(&s.Operations[i])
		if i%100_000 == 0 {
			if err := p.book.Check(); err != nil {
				t.Fatalf("after operation %d: %v", i, err)
			}
		}
	}
	if got := p.finish(); got != w1.StandardTotals || p.rejects != 0 {
		t.Errorf("totals are %+v with %d rejects, want %+v", got, p.rejects, w1.StandardTotals)
	}
}

// BenchmarkW1 reports the cost of one operation; b.N counts whole streams.
func BenchmarkW1(b *testing.B) {
	s := standard()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p := newPlayer(s)
		b.StartTimer()
		for i := range s.Operations {
			p.play(&s.Operations[i])
		}
		b.StopTimer()
		if got := p.finish(); got != w1.StandardTotals {
			b.Fatalf("totals are %+v", got)
		}
		b.StartTimer()
	}
	n := float64(b.N) * float64(len(s.Operations))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/order")
	b.ReportMetric(n/b.Elapsed().Seconds()/1e6, "Morders/s")
}
