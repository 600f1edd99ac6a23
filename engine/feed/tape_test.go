package feed_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/feed"
	"bourse/engine/market"
	"bourse/engine/money"
)

const minute = int64(60e9)

// A tape says the same as the list of all trades.
func TestTapeAgreesWithTheListOfTrades(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tape feed.Tape
		var all []feed.Trade
		now := rapid.Int64Range(0, 1<<40).Draw(t, "start") * 1000
		for i := range rapid.IntRange(0, 500).Draw(t, "trades") {
			now += rapid.SampledFrom([]int64{0, 1, 1e9, 20 * minute, 300 * minute}).Draw(t, "later")
			trade := feed.Trade{
				ID: market.TradeID(i + 1), Time: now, Price: market.Price(rapid.Int64Range(1, 1000).Draw(t, "price")),
				Quantity: market.Quantity(rapid.Int64Range(1, 9).Draw(t, "quantity")), Notional: 5,
			}
			tape.Add(trade)
			tape.Add(trade) // a repeat counts once
			all = append(all, trade)
		}
		now += rapid.SampledFrom([]int64{0, minute, 2000 * minute}).Draw(t, "silence")

		n := rapid.IntRange(1, feed.TapeLength).Draw(t, "n")
		recent := tape.Recent(nil, n)
		if len(recent) != min(n, len(all)) {
			t.Fatalf("%d recent trades of %d", len(recent), len(all))
		}
		for i, trade := range recent {
			if trade != all[len(all)-1-i] {
				t.Fatalf("recent trade %d is %+v", i, trade)
			}
		}
		var want feed.Candle
		from := feed.OpenedAt(now, 60) - 1439*60
		for _, trade := range all {
			if trade.Time >= from*1e9 {
				want.Add(trade.Price, trade.Quantity, trade.Notional)
			}
		}
		want.OpenedAt = from
		if got := tape.Day(now); got != want {
			t.Fatalf("day %+v, want %+v", got, want)
		}
	})
}

func TestCandleStandsStillAtTheLargestSum(t *testing.T) {
	var c feed.Candle
	for range 3 {
		c.Add(1, 1<<62, money.Amount(math.MaxInt64))
	}
	if c.Volume != math.MaxInt64 || c.QuoteVolume != math.MaxInt64 || c.Trades != 3 {
		t.Fatalf("%+v", c)
	}
}

func TestOpenedAt(t *testing.T) {
	for _, length := range feed.CandleSeconds {
		at := int64(1_700_000_000) * 1e9
		opened := feed.OpenedAt(at, length)
		if opened%int64(length) != 0 || opened > 1_700_000_000 || opened+int64(length) <= 1_700_000_000 {
			t.Errorf("interval of %d: %d", length, opened)
		}
	}
}
