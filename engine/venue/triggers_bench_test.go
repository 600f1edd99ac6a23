package venue

import (
	"runtime"
	"testing"
	"time"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/risk"
)

const middlePrice = 1_000_000

// crowd is a market in which stops wait: half of them buys above the last price and
// half sells below, a tick apart, and trailing ones each at a distance of its own.
func crowd(tb testing.TB, stops, trailing int) *house {
	tb.Helper()
	h := newHouse(tb)
	h.quiet = true
	for id := account.ID(1); id <= 2; id++ {
		h.deposit(id, "BTC", 1<<40)
		h.deposit(id, "USDT", 1<<50)
	}
	h.must(&SetLimits{Scope: risk.OfHouse, Limits: risk.Limits{OpenOrders: 1 << 30}})
	h.play(sell(1, middlePrice, 1), ioc(buy(2, middlePrice, 1)))
	for i := range market.Price(stops / 2) {
		h.play(stop(buy(1, 0, 1), middlePrice+1+i), stop(sell(2, 0, 1), middlePrice-1-i))
	}
	for i := range market.Price(trailing / 2) {
		h.play(trail(buy(1, 0, 1), 600_000+i), trail(sell(2, 0, 1), 600_000+i))
	}
	return h
}

// play plays commands, and what they make due, with nothing verified or kept.
func (h *house) play(commands ...Command) {
	h.tb.Helper()
	for _, c := range commands {
		h.now++
		h.key(c)
		h.log = h.log[:0]
		if _, err := h.state.Apply(c, h.now, &h.log); err != nil {
			h.tb.Fatal(err)
		}
		for h.state.Due(h.now) {
			if _, err := h.state.Advance(h.now, &h.log); err != nil {
				h.tb.Fatal(err)
			}
		}
	}
}

// BenchmarkTriggers has trades look at the stops that wait. A trade is an order
// that rests and one that takes it; each stop that it sets off costs a step of its
// own.
func BenchmarkTriggers(b *testing.B) {
	for _, of := range []struct {
		name                    string
		stops, trailing, trades int
		step                    market.Price // from one trade's price to the next: it sets off as many
	}{
		{"none of 0", 0, 0, 20_000, 0},
		{"none of 1100", 1_000, 100, 20_000, 0},
		{"none of 110000", 100_000, 10_000, 20_000, 0},
		{"one of 11000", 10_000, 1_000, 4_000, 1},
		{"one of 110000", 100_000, 10_000, 20_000, 1},
		{"1000 of 110000", 100_000, 10_000, 40, 1000},
	} {
		b.Run(of.name, func(b *testing.B) {
			var took time.Duration
			trades, set := 0, 0
			for range b.N {
				h := crowd(b, of.stops, of.trailing)
				open := h.state.OpenOrderCount()
				runtime.GC()
				start := time.Now()
				for i := range of.trades {
					price := middlePrice + market.Price(i+1)*of.step
					h.play(sell(1, price, 1), ioc(buy(2, price, 1)))
				}
				took += time.Since(start)
				trades += of.trades
				set += open - h.state.OpenOrderCount()
				if err := h.state.Check(); err != nil {
					b.Fatal(err)
				}
			}
			if want := trades * int(of.step); set != want {
				b.Fatalf("%d stops were set off, want %d", set, want)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(took.Nanoseconds())/float64(trades), "ns/trade")
			if set > 0 {
				b.ReportMetric(float64(took.Nanoseconds())/float64(set), "ns/stop")
			}
		})
	}
}

// BenchmarkMemoryOfStops says what an order that waits takes, and what one that
// rests does.
func BenchmarkMemoryOfStops(b *testing.B) {
	const orders = 100_000
	for _, of := range []struct {
		name  string
		order func(i market.Price) *PlaceOrder
	}{
		{"limit", func(i market.Price) *PlaceOrder { return sell(2, middlePrice+1+i, 1) }},
		{"stop", func(i market.Price) *PlaceOrder { return stop(sell(2, 0, 1), middlePrice-1-i) }},
		{"trailing", func(i market.Price) *PlaceOrder { return trail(sell(2, 0, 1), 1+i) }},
		{"iceberg", func(i market.Price) *PlaceOrder { return iceberg(sell(2, middlePrice+1+i, 20), 10) }},
		{"until", func(i market.Price) *PlaceOrder { return until(sell(2, middlePrice+1+i, 1), 1<<40) }},
	} {
		b.Run(of.name, func(b *testing.B) {
			var grew uint64
			for range b.N {
				h := crowd(b, 0, 0)
				before := heap()
				for i := range market.Price(orders) {
					h.play(of.order(i))
				}
				grew += heap() - before
				runtime.KeepAlive(h)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(grew)/float64(b.N)/orders, "B/order")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
