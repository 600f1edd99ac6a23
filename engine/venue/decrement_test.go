package venue

import (
	"testing"

	"bourse/engine/market"
)

// An own iceberg that shows lots again is met again by the same taker: what it
// released before is not released a second time, and it ends once.
func TestDecrementMeetsAnIcebergAgainAndAgain(t *testing.T) {
	for _, own := range []struct {
		name         string
		rests        *PlaceOrder
		takes        *PlaceOrder
		status, then market.Status // of the iceberg and of the taker
	}{
		{"the iceberg ends", sell(5, 1011, 13), atMarket(buy(5, 0, 31)), market.Cancelled, market.Cancelled},
		{"the taker ends", sell(5, 1011, 13), buy(5, 1011, 11), market.Open, market.Cancelled},
		{"both end", buy(5, 1000, 13), sell(5, 1000, 13), market.Cancelled, market.Cancelled},
		{"the iceberg ends, the taker rests", buy(5, 1000, 13), sell(5, 999, 20), market.Cancelled, market.Open},
	} {
		t.Run(own.name, func(t *testing.T) {
			h := newHouse(t)
			h.deposit(5, "BTC", 1000)
			h.deposit(5, "USDT", 1_000_000)
			rests := h.must(iceberg(own.rests, 3)).Order
			own.takes.SelfTrade = market.Decrement
			taken := h.must(own.takes)
			if o := h.order(rests); o.Status != own.status || o.Filled != 0 {
				t.Errorf("the iceberg is %+v", o)
			}
			if taken.Status != own.then || taken.Filled != 0 {
				t.Errorf("the taker came to %+v", taken)
			}
			if s := replay(t, h.log); s.Digest() != h.state.Digest() {
				t.Error("the replay comes to another state")
			}
		})
	}
}
