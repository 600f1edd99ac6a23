package venue

import (
	"slices"
	"testing"

	"bourse/engine/fault"
	"bourse/engine/market"
)

const second = int64(1e9)

// guarded is a house whose market BTC-USDT trades 10 % around 100 and pauses for
// a minute otherwise, with the reference price following after ten seconds.
// Member 2 offers 10 lots at each of 100, 105, 110, 111 and 120.
func guarded(t *testing.T, change func(*market.Rules)) *house {
	t.Helper()
	h := traders(t, 4)
	rules := market.Rules{
		ReferencePrice: 100, Breaker: 100_000, BreakerWindow: 10 * second, BreakerPause: 60 * second, MinNotional: 1,
	}
	if change != nil {
		change(&rules)
	}
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: rules})
	for _, price := range []market.Price{100, 105, 110, 111, 120} {
		h.must(sell(2, price, 10))
	}
	return h
}

func TestTheBreakerTrips(t *testing.T) {
	for name, c := range map[string]struct {
		order  *PlaceOrder
		status market.Status
		filled market.Quantity
		want   []string
	}{
		"not within the corridor": {
			buy(1, 110, 30), market.Filled, 30,
			[]string{"order 6", "6 takes 10 of 1 at 100", "6 takes 10 of 2 at 105", "6 takes 10 of 3 at 110"},
		},
		"not by a limit that stays within": {
			buy(1, 110, 40), market.PartiallyFilled, 30,
			[]string{"order 6", "6 takes 10 of 1 at 100", "6 takes 10 of 2 at 105", "6 takes 10 of 3 at 110"},
		},
		"by an order that rests, crossing": {
			buy(1, 111, 31), market.PartiallyFilled, 30,
			[]string{"order 6", "6 takes 10 of 1 at 100", "6 takes 10 of 2 at 105", "6 takes 10 of 3 at 110", "PAUSED"},
		},
		"by IOC": {
			ioc(buy(1, 111, 31)), market.Cancelled, 30,
			[]string{"order 6", "6 takes 10 of 1 at 100", "6 takes 10 of 2 at 105", "6 takes 10 of 3 at 110", "PAUSED", "cancel 1 of 6 BREAKER"},
		},
		"by a market order": {
			atMarket(buy(1, 0, 50)), market.Cancelled, 20, // its protection price is 105
			[]string{"order 6", "6 takes 10 of 1 at 100", "6 takes 10 of 2 at 105", "cancel 30 of 6 IMMEDIATE"},
		},
		"by one of another hand only": {
			with(buy(2, 120, 10), func(c *PlaceOrder) { c.SelfTrade = market.CancelTaker }), market.Cancelled, 0,
			[]string{"order 6", "cancel 10 of 6 SELF_TRADE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := guarded(t, nil)
			start := len(h.log)
			if r := h.must(c.order); r.Status != c.status || r.Filled != c.filled {
				t.Errorf("the receipt is %+v", r)
			}
			wantStory(t, h.since(start), c.want...)
			paused := slices.Contains(c.want, "PAUSED")
			if m := h.market(); (m.Phase == market.Paused) != paused || paused && m.PhaseEnds != h.now+Time(60*second) {
				t.Errorf("the market is %v until %d", m.Phase, m.PhaseEnds)
			}
			if replay(t, h.log).Digest() != h.state.Digest() {
				t.Error("replay comes to another digest")
			}
			restored(t, h.state)
		})
	}
}

// A fill-or-kill order that would meet the breaker is refused and trips nothing.
func TestFillOrKillDoesNotTripTheBreaker(t *testing.T) {
	h := guarded(t, nil)
	fok := buy(1, 111, 31)
	fok.TimeInForce = market.FOK
	h.refuse(fok, fault.NotFillable)
	if m := h.market(); m.Phase != market.Continuous {
		t.Errorf("the market is %v", m.Phase)
	}
	if r := h.must(with(fok, func(c *PlaceOrder) { c.Key, c.Quantity = "", 30 })); r.Status != market.Filled {
		t.Errorf("the receipt is %+v", r)
	}
}

func TestAStopTripsTheBreaker(t *testing.T) {
	for name, c := range map[string]struct{ stop *PlaceOrder }{
		"stop": {
			with(buy(3, 0, 50), func(c *PlaceOrder) { c.Type, c.Trigger = market.Stop, 110 }),
		},
		"stop limit": {
			with(buy(3, 120, 20), func(c *PlaceOrder) { c.Type, c.Trigger = market.StopLimit, 110 }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := guarded(t, nil)
			h.must(buy(1, 100, 5)) // there is a last price now
			h.must(c.stop)
			start := len(h.log)
			h.must(buy(1, 110, 25)) // up to 110, which triggers
			stop := h.order(7)
			taken := []string{"order 8", "8 takes 5 of 1 at 100", "8 takes 10 of 2 at 105", "8 takes 10 of 3 at 110"}
			if c.stop.Type == market.Stop {
				wantStory(t, h.since(start), append(taken, "PAUSED", "cancel 50 of 7 BREAKER")...)
				if stop.Status != market.Cancelled {
					t.Errorf("the stop is %+v", stop)
				}
			} else {
				wantStory(t, h.since(start), append(taken, "PAUSED")...)
				if stop.Status != market.Open || stop.Remaining() != 20 {
					t.Errorf("the stop is %+v", stop)
				}
			}
			h.now += Time(60 * second)
			start = len(h.log)
			h.settle()
			if c.stop.Type == market.StopLimit {
				wantStory(t, h.since(start), "20 lots at 120", "7 buys 10 of 4 at 120", "7 buys 10 of 5 at 120", "CONTINUOUS")
			} else {
				wantStory(t, h.since(start), "CONTINUOUS")
			}
			if replay(t, h.log).Digest() != h.state.Digest() {
				t.Error("replay comes to another digest")
			}
		})
	}
}

func TestAnAmendTripsTheBreaker(t *testing.T) {
	h := guarded(t, nil)
	r := h.must(buy(1, 99, 40))
	start := len(h.log)
	amended := h.must(&AmendOrder{Actor: 1, Order: r.Order, Price: 115})
	if amended.Status != market.PartiallyFilled || amended.Filled != 30 {
		t.Errorf("the receipt is %+v", amended)
	}
	wantStory(t, h.since(start), "6 takes 10 of 1 at 100", "6 takes 10 of 2 at 105", "6 takes 10 of 3 at 110", "PAUSED")
	if replay(t, h.log).Digest() != h.state.Digest() {
		t.Error("replay comes to another digest")
	}
}

// After the pause the market reopens by uncrossing, whose price is the new
// reference, and the breaker trips again around that.
func TestTheBreakerReopensAndTripsAgain(t *testing.T) {
	h := guarded(t, nil)
	h.must(buy(1, 120, 45)) // 30 trade, 15 rest at 120
	if m := h.market(); m.Phase != market.Paused {
		t.Fatalf("the market is %v", m.Phase)
	}
	h.refuse(ioc(buy(1, 100, 1)), fault.OrderTypeNotAllowed)
	if h.must(buy(3, 111, 4)).Filled != 0 {
		t.Error("an order traded in a pause")
	}
	if at, ok := h.state.NextDue(); !ok || at != h.market().PhaseEnds {
		t.Fatalf("the market goes on at %d, %v", at, ok)
	}
	h.now = h.market().PhaseEnds - 8
	h.must(buy(4, 10, 1)) // one nanosecond before
	if h.market().Phase != market.Paused {
		t.Fatal("the pause ended too early")
	}
	start := len(h.log)
	h.now = h.market().PhaseEnds
	h.settle()
	// At 111: 15 and 4 would buy, 10 sell; from 112 on 15 and 10; at 120 15 and 20.
	wantStory(t, h.since(start), "15 lots at 120", "6 buys 10 of 4 at 120", "6 buys 5 of 5 at 120", "CONTINUOUS")
	m := h.market()
	if m.Phase != market.Continuous || m.PhaseEnds != 0 || m.Reference != 120 {
		t.Fatalf("the market is %+v", m)
	}
	h.must(sell(2, 133, 10))
	start = len(h.log)
	h.must(ioc(buy(1, 200, 100)))
	wantStory(t, h.since(start), "order 10", "10 takes 5 of 5 at 120", "PAUSED", "cancel 95 of 10 BREAKER") // 132 is the limit
}

// The reference price follows the market once trades come later than the window.
func TestTheReferenceFollowsTheMarket(t *testing.T) {
	h := guarded(t, nil)
	h.must(buy(1, 105, 15)) // at 100 and 105
	if m := h.market(); m.Reference != 100 {
		t.Fatalf("the reference price is %d", m.Reference)
	}
	set := h.market().ReferenceAt
	h.now = set + Time(10*second) - 7
	start := len(h.log)
	h.must(buy(1, 105, 1)) // at the window's end, not after it
	wantStory(t, h.since(start), "order 7", "7 takes 1 of 2 at 105")
	start = len(h.log)
	h.must(buy(1, 115, 100)) // 105 is the last price: trades up to 115
	wantStory(t, h.since(start), "order 8", "reference 105", "8 takes 4 of 2 at 105", "8 takes 10 of 3 at 110", "8 takes 10 of 4 at 111")
	if m := h.market(); m.Reference != 105 || m.ReferenceAt != h.now || m.Phase != market.Continuous {
		t.Errorf("the market is %+v", m)
	}
	h.must(&CancelAll{Actor: 1})
	h.now += Time(10 * second)
	start = len(h.log)
	h.must(sell(2, 60, 1)) // meets nobody, so nothing moves
	h.must(buy(1, 60, 1))  // the last price, 111, becomes the reference and prevents it
	wantStory(t, h.since(start), "order 9", "order 10", "reference 111", "PAUSED")
	if replay(t, h.log).Digest() != h.state.Digest() {
		t.Error("replay comes to another digest")
	}
}

func TestTheFirstTradeIsTheReference(t *testing.T) {
	h := guarded(t, func(r *market.Rules) { r.ReferencePrice = 0 })
	start := len(h.log)
	h.must(buy(1, 120, 100))
	wantStory(t, h.since(start), "order 6", "reference 100", "6 takes 10 of 1 at 100", "6 takes 10 of 2 at 105", "6 takes 10 of 3 at 110", "PAUSED")
}

func TestTheBreakerAtTheHighestPrice(t *testing.T) {
	h := traders(t, 1)
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{
		ReferencePrice: market.MaxPrice, Breaker: 1_000_000, BreakerPause: market.MaxBreakerTime, Band: 1_000_000,
	}})
	h.now = 1<<63 - 1 - 100
	h.deposit(2, "BTC", 10)
	h.must(sell(2, 1000, 10))
	if r := h.must(buy(1, 1000, 10)); r.Status != market.Filled {
		t.Errorf("the receipt is %+v", r)
	}
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{
		ReferencePrice: market.MaxPrice, Breaker: 1, BreakerPause: market.MaxBreakerTime, BreakerWindow: market.MaxBreakerTime,
	}})
	h.must(sell(1, 1000, 10))
	h.must(ioc(buy(2, 1000, 1))) // the end of the pause cannot be counted
	if m := h.market(); m.Phase != market.Paused || m.PhaseEnds != 0 {
		t.Errorf("the market is %v until %d", m.Phase, m.PhaseEnds)
	}
}

func TestBand(t *testing.T) {
	h := traders(t, 2)
	rules := market.Rules{Band: 50_000, MinNotional: 1}
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: rules})
	h.must(buy(1, 1, 10)) // there is nothing to measure by
	rules.ReferencePrice = 110
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: rules})
	h.refuse(buy(1, 104, 10), fault.PriceOutsideBand) // 5 % of 110 is 5.5
	h.must(buy(1, 105, 10))
	h.must(sell(2, 115, 10))
	h.refuse(sell(2, 116, 10), fault.PriceOutsideBand)
	h.refuse(ioc(buy(1, 116, 10)), fault.PriceOutsideBand)
	h.must(sell(2, 105, 5)) // the last price counts now: 100 to 110
	h.refuse(buy(1, 111, 5), fault.PriceOutsideBand)
	h.must(buy(1, 110, 5))
	h.must(atMarket(sell(2, 0, 5))) // names no price
	h.refuse(with(buy(1, 116, 5), func(c *PlaceOrder) { c.Type, c.Trigger = market.StopLimit, 112 }), fault.PriceOutsideBand)
	r := h.must(buy(1, 105, 5)) // 110 is the last price now
	h.refuse(&AmendOrder{Actor: 1, Order: r.Order, Price: 116}, fault.PriceOutsideBand)
	h.refuse(buy(1, 0, 5), fault.InvalidPrice) // the price itself comes first
	h.inPhase(market.PreOpen)
	h.refuse(buy(1, 150, 5), fault.PriceOutsideBand)
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{}})
	h.must(buy(1, 150, 5))
}

func TestSetRules(t *testing.T) {
	h := traders(t, 2)
	if m := h.market(); m.Rules != (market.Rules{MinNotional: 100, Protection: market.DefaultProtection}) || m.Reference != 0 {
		t.Errorf("the market is %+v", m)
	}
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{ReferencePrice: 90, MinNotional: 500, Protection: 100_000, DayEnd: 5}})
	m := h.market()
	if m.Reference != 90 || m.ReferenceAt != h.now || m.Terms.MinNotional != 500 || m.Terms.Protection != 100_000 {
		t.Errorf("the market is %+v", m)
	}
	h.refuse(buy(1, 100, 4), fault.BelowMinNotional)
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{}})
	if m := h.market(); m.Reference != 90 || m.Rules.Protection != market.DefaultProtection {
		t.Errorf("the market is %+v", m)
	}
	h.must(buy(1, 100, 1))
	h.refuse(&SetRules{Symbol: "X"}, fault.UnknownMarket)
	h.refuse(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{Breaker: 1}}, fault.InvalidMarket)
	if replay(t, h.log).Digest() != h.state.Digest() {
		t.Error("replay comes to another digest")
	}
	restored(t, h.state)
}
