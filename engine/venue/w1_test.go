package venue

import (
	"strconv"
	"sync"
	"testing"

	"bourse/engine/account"
	"bourse/engine/book/w1"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

var standard = sync.OnceValue(w1.Standard)

// newW1 returns a venue with a market whose fees are not zero, and with a
// thousand members who can afford whatever W1 makes them do.
func newW1(tb testing.TB) *State {
	tb.Helper()
	s := New()
	base, quote := money.Asset{Code: "BASE", Scale: 4}, money.Asset{Code: "QUOTE", Scale: 4}
	commands := []Command{
		&AddAsset{Key: "base", Asset: base},
		&AddAsset{Key: "quote", Asset: quote},
		&CreateMarket{Key: "market", Definition: market.Definition{
			Symbol: "W1", Base: base, Quote: quote,
			TickSize: money.MustDecimal("0.01"), LotSize: money.MustDecimal("0.01"),
			MakerFee: 500, TakerFee: 1000, Protection: money.Whole,
		}},
	}
	for id := account.ID(1); id <= 1000; id++ {
		for _, asset := range []string{"BASE", "QUOTE"} {
			commands = append(commands, &CreditDeposit{
				Key: asset + strconv.Itoa(int(id)), Member: id, Asset: asset, Amount: 1e12,
			})
		}
	}
	var events Events
	for _, c := range commands {
		if _, err := s.Apply(c, 1, &events); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// commandsOfW1 converts operations to commands, with keys like those of clients.
func commandsOfW1(operations []w1.Operation, prefix string) []Command {
	places := make([]PlaceOrder, len(operations))
	cancels := make([]CancelOrder, len(operations))
	commands := make([]Command, len(operations))
	for i := range operations {
		o := &operations[i]
		key := prefix + strconv.Itoa(i)
		if o.Kind == w1.Cancel {
			cancels[i] = CancelOrder{Actor: account.ID(o.Trader), Key: key, Order: market.OrderID(o.Order)}
			commands[i] = &cancels[i]
			continue
		}
		c := PlaceOrder{
			Actor: account.ID(o.Trader), Key: key, Symbol: "W1", Side: market.Buy,
			Type: market.Limit, TimeInForce: market.GTC,
			Price: market.Price(o.Price), Quantity: market.Quantity(o.Quantity),
		}
		if o.Sell {
			c.Side = market.Sell
		}
		if o.Kind == w1.Market {
			c.Type, c.TimeInForce = market.Market, market.IOC
		}
		places[i] = c
		commands[i] = &places[i]
	}
	return commands
}

type w1Run struct {
	state   *State
	events  Events
	totals  w1.Totals
	rejects int
}

func (r *w1Run) play(commands []Command, now Time) {
	for i, c := range commands {
		r.events = r.events[:0]
		if _, err := r.state.Apply(c, now+Time(i), &r.events); err != nil {
			r.rejects++
		}
		for k := range r.events {
			if ev := &r.events[k]; ev.Kind == Traded {
				r.totals.Trades++
				r.totals.Volume += int64(ev.Quantity)
				r.totals.Notional += int64(ev.Quantity) * int64(ev.Price)
			}
		}
	}
}

func (r *w1Run) finish() w1.Totals {
	r.totals.Live = int64(r.state.OpenOrderCount())
	depth, _ := r.state.Depth("W1", 1<<30)
	for _, levels := range [][]Level{depth.Bids, depth.Asks} {
		for _, l := range levels {
			r.totals.Resting += int64(l.Quantity)
		}
	}
	return r.totals
}

func TestVenueArrivesAtTheTotalsOfW1(t *testing.T) {
	stream := standard()
	run := &w1Run{state: newW1(t)}
	run.play(commandsOfW1(stream.Preload, "p"), 1)
	run.play(commandsOfW1(stream.Operations, "o"), Time(len(stream.Preload)+1))
	if got := run.finish(); got != w1.StandardTotals || run.rejects != 0 {
		t.Errorf("totals are %+v with %d rejects, want %+v", got, run.rejects, w1.StandardTotals)
	}
	if err := run.state.Check(); err != nil {
		t.Error(err)
	}
	if fees := run.state.House(ledger.Fees, 2); fees <= 0 {
		t.Errorf("fees are %d", fees)
	}
}

// BenchmarkW1 reports the cost of a command: idempotency, risk, hold, matching,
// fees, postings and events. b.N counts whole streams.
func BenchmarkW1(b *testing.B) {
	stream := standard()
	preload, commands := commandsOfW1(stream.Preload, "p"), commandsOfW1(stream.Operations, "o")
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		run := &w1Run{state: newW1(b)}
		run.play(preload, 1)
		b.StartTimer()
		run.play(commands, Time(len(preload)+1))
		b.StopTimer()
		if got := run.finish(); got != w1.StandardTotals || run.rejects != 0 {
			b.Fatalf("totals are %+v with %d rejects", got, run.rejects)
		}
		b.StartTimer()
	}
	n := float64(b.N) * float64(len(commands))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/command")
	b.ReportMetric(n/b.Elapsed().Seconds()/1e6, "Mcommands/s")
}
