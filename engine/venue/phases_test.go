package venue

import (
	"fmt"
	"testing"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/risk"
)

var allPhases = []market.Phase{
	market.Draft, market.PreOpen, market.Continuous, market.Paused, market.ClosingAuction,
	market.CancelOnly, market.Halted, market.Closed,
}

// marketIn is a house with a market NEW in a phase, reached from its creation.
func marketIn(t *testing.T, phase market.Phase) *house {
	t.Helper()
	h := traders(t, 2)
	d := btcUSDT()
	d.Symbol = "NEW"
	create := &CreateMarket{Definition: d}
	if phase == market.Draft || phase == market.PreOpen {
		create.Phase = phase
	}
	h.must(create)
	if phase != market.Draft && phase != market.PreOpen {
		h.must(&SetPhase{Symbol: "NEW", Phase: phase})
	}
	if m, _ := h.state.Market("NEW"); m.Phase != phase {
		t.Fatalf("the market is %v, want %v", m.Phase, phase)
	}
	return h
}

func TestTheHouseMovesAMarket(t *testing.T) {
	for _, from := range allPhases {
		for _, to := range allPhases {
			h := marketIn(t, from)
			c := &SetPhase{Symbol: "NEW", Phase: to}
			if !from.CanBecome(to) {
				h.refuse(c, fault.InvalidPhaseChange)
				continue
			}
			h.must(c)
			if m, _ := h.state.Market("NEW"); m.Phase != to || h.state.Due(h.now) {
				t.Errorf("%v became %v, want %v", from, m.Phase, to)
			}
			if replay(t, h.log).Digest() != h.state.Digest() {
				t.Errorf("%v to %v: replay comes to another digest", from, to)
			}
		}
	}
}

func TestMarketsAreCreatedInThreePhases(t *testing.T) {
	h := newHouse(t)
	for phase := market.Phase(0); phase <= market.Paused+1; phase++ {
		d := btcUSDT()
		d.Symbol = market.Symbol(fmt.Sprintf("NEW-%d", phase))
		c := &CreateMarket{Definition: d, Phase: phase}
		switch phase {
		case 0, market.Continuous, market.Draft, market.PreOpen:
			h.must(c)
			if m, _ := h.state.Market(d.Symbol); m.Phase != max(phase, market.Continuous) {
				t.Errorf("created in %v, it is %v", phase, m.Phase)
			}
		default:
			h.refuse(c, fault.InvalidArgument)
		}
	}
	if replay(t, h.log).Digest() != h.state.Digest() {
		t.Error("replay comes to another digest")
	}
	restored(t, h.state)
}

// What each phase says to each kind of order; docs/trading-rules.md, section 6.
func TestWhatPhasesTake(t *testing.T) {
	limit := func(timeInForce market.TimeInForce) func(*PlaceOrder) {
		return func(c *PlaceOrder) { c.TimeInForce = timeInForce }
	}
	kinds := map[string]struct {
		change   func(*PlaceOrder)
		auction  fault.Code
		whenOpen fault.Code
	}{
		"limit":     {limit(0), "", ""},
		"GTC":       {limit(market.GTC), "", ""},
		"DAY":       {limit(market.DAY), "", ""},
		"GTD":       {func(c *PlaceOrder) { c.TimeInForce, c.ExpiresAt = market.GTD, 1e12 }, "", ""},
		"IOC":       {limit(market.IOC), fault.OrderTypeNotAllowed, ""},
		"FOK":       {limit(market.FOK), fault.OrderTypeNotAllowed, fault.NotFillable},
		"no force":  {limit(99), fault.OrderTypeNotAllowed, fault.InvalidArgument},
		"no type":   {func(c *PlaceOrder) { c.Type = 0 }, fault.OrderTypeNotAllowed, fault.InvalidArgument},
		"no side":   {func(c *PlaceOrder) { c.Side = 0 }, fault.InvalidArgument, fault.InvalidArgument},
		"market":    {func(c *PlaceOrder) { atMarket(c) }, fault.OrderTypeNotAllowed, fault.NoLiquidity},
		"post-only": {func(c *PlaceOrder) { c.PostOnly = true }, fault.OrderTypeNotAllowed, ""},
		"iceberg":   {func(c *PlaceOrder) { c.Display = 5 }, "", ""},
		"stop":      {func(c *PlaceOrder) { c.Type, c.Price, c.Trigger = market.Stop, 0, 120 }, "", ""},
		"stop limit": {
			func(c *PlaceOrder) { c.Type, c.Trigger = market.StopLimit, 120 }, "", "",
		},
		"trailing stop": {
			func(c *PlaceOrder) { c.Type, c.Price, c.Trail = market.TrailingStop, 0, 5 }, fault.NoReferencePrice, fault.NoReferencePrice,
		},
		"stop IOC": {
			func(c *PlaceOrder) { c.Type, c.Price, c.Trigger, c.TimeInForce = market.Stop, 0, 120, market.IOC },
			fault.InvalidArgument, fault.InvalidArgument,
		},
	}
	closed := map[market.Phase]fault.Code{
		market.Draft: fault.MarketClosed, market.Closed: fault.MarketClosed,
		market.CancelOnly: fault.CancelOnly, market.Halted: fault.MarketHalted,
	}
	for _, phase := range allPhases {
		for name, kind := range kinds {
			t.Run(phase.String()+"/"+name, func(t *testing.T) {
				h := marketIn(t, phase)
				c := buy(1, 100, 10)
				c.Symbol = "NEW"
				kind.change(c)
				want, isClosed := closed[phase]
				switch {
				case isClosed:
				case phase.Collects():
					want = kind.auction
				default:
					want = kind.whenOpen
				}
				if want != "" {
					h.refuse(c, want)
				} else if r := h.must(c); r.Status.Live() == (name == "IOC") || r.Filled != 0 {
					t.Errorf("the receipt is %+v", r)
				}
			})
		}
		groups := map[string]Command{
			"OCO":     &PlaceOCO{Actor: 1, Symbol: "NEW", Side: market.Sell, Quantity: 10, Price: 120, Trigger: 90},
			"bracket": &PlaceBracket{Actor: 1, Symbol: "NEW", Side: market.Buy, Type: market.Limit, Price: 100, Quantity: 10, TakeProfit: 120, StopTrigger: 90},
		}
		for name, c := range groups {
			t.Run(phase.String()+"/"+name, func(t *testing.T) {
				h := marketIn(t, phase)
				switch want, isClosed := closed[phase]; {
				case isClosed:
					h.refuse(c, want)
				case phase.Collects():
					h.refuse(c, fault.OrderTypeNotAllowed)
				default:
					h.must(c)
				}
			})
		}
	}
}

func TestAmendsAndCancelsByPhase(t *testing.T) {
	for _, phase := range allPhases {
		if phase == market.Draft {
			continue // nothing can rest there
		}
		t.Run(phase.String(), func(t *testing.T) {
			h := traders(t, 2)
			r := h.must(buy(1, 100, 10))
			postOnly := h.must(with(buy(1, 90, 10), func(c *PlaceOrder) { c.PostOnly = true }))
			other := h.must(sell(2, 110, 10))
			h.inPhase(phase)
			reduce := &AmendOrder{Actor: 1, Order: r.Order, Quantity: 5}
			move := &AmendOrder{Actor: 1, Order: r.Order, Price: 110}
			switch phase {
			case market.Continuous:
				h.must(reduce)
				if r := h.must(move); r.Filled != 5 {
					t.Errorf("the receipt is %+v", r)
				}
				h.refuse(&AmendOrder{Actor: 1, Order: postOnly.Order, Price: 110}, fault.PostOnlyWouldTake)
			case market.PreOpen, market.Paused, market.ClosingAuction:
				h.must(reduce)
				if r := h.must(move); r.Filled != 0 || r.Status != market.Open {
					t.Errorf("the receipt is %+v", r)
				}
				h.must(&AmendOrder{Actor: 1, Order: postOnly.Order, Price: 110})
			case market.CancelOnly:
				h.must(reduce)
				h.refuse(move, fault.CancelOnly)
				h.refuse(&AmendOrder{Actor: 1, Order: r.Order, Quantity: 6}, fault.CancelOnly)
			case market.Halted:
				h.refuse(reduce, fault.MarketHalted)
				h.refuse(move, fault.MarketHalted)
			default:
				h.refuse(reduce, fault.MarketClosed)
				h.refuse(move, fault.MarketClosed)
			}
			h.must(&CancelOrder{Actor: 1, Order: postOnly.Order})
			h.must(&CancelOrder{Actor: 2, Order: other.Order})
			h.must(&CancelAll{Actor: 1})
			if n := h.state.OpenOrderCount(); n != 0 {
				t.Errorf("%d orders are open", n)
			}
		})
	}
}

func TestPhasesEndByThemselves(t *testing.T) {
	h := traders(t, 2)
	for _, phase := range allPhases {
		h := marketIn(t, phase)
		c := &SetPhase{Symbol: "NEW", Phase: phase, Until: h.now + 1000}
		if _, mayEnd := phase.Next(); !mayEnd {
			h.refuse(c, fault.InvalidArgument)
			continue
		}
		h.refuse(&SetPhase{Symbol: "NEW", Phase: phase, Until: h.now + 7}, fault.InvalidArgument) // its own time
		h.refuse(&SetPhase{Symbol: "NEW", Phase: phase, Until: -1}, fault.InvalidArgument)
		c.Until = h.now + 1000
		h.must(c)
		if m, _ := h.state.Market("NEW"); m.PhaseEnds != c.Until {
			t.Errorf("%v ends at %d, want %d", phase, m.PhaseEnds, c.Until)
		}
		h.state = restored(t, h.state)
		if at, ok := h.state.NextDue(); !ok || at != c.Until || h.state.Due(at-1) || !h.state.Due(at) {
			t.Errorf("%v ends at %d, %v", phase, at, ok)
		}
		h.must(&SetPhase{Symbol: "NEW", Phase: phase}) // takes the end away
		if at, ok := h.state.NextDue(); ok {
			t.Errorf("%v ends at %d", phase, at)
		}
		c.Key = ""
		c.Until = h.now + 1000
		h.must(c)
		h.now = c.Until
		h.settle()
		next, _ := phase.Next()
		if m, _ := h.state.Market("NEW"); m.Phase != next || m.PhaseEnds != 0 {
			t.Errorf("%v became %v", phase, m.Phase)
		}
		if replay(t, h.log).Digest() != h.state.Digest() {
			t.Error("replay comes to another digest")
		}
	}
	// Several that end: by market, each in a step of its own.
	for _, symbol := range []market.Symbol{"ETH-USDT", "BTC-USDT"} {
		h.must(&SetPhase{Symbol: symbol, Phase: market.Paused, Until: h.now + 100})
	}
	h.now += 100
	start := len(h.log)
	h.settle()
	var order []MarketID
	for i := range h.log[start:] {
		if ev := &h.log[start+i]; ev.Kind == PhaseChanged {
			order = append(order, ev.Market)
		}
	}
	if len(order) != 2 || order[0] != 1 || order[1] != 2 {
		t.Errorf("the phases of %v ended", order)
	}
	// Another phase forgets the end.
	h.must(&SetPhase{Symbol: "BTC-USDT", Phase: market.Paused, Until: h.now + 100})
	h.phase(market.Halted)
	if at, ok := h.state.NextDue(); ok {
		t.Errorf("something is due at %d", at)
	}
}

// When a market closes, its DAY orders expire: also those that wait, not those
// of other markets, a thousand at a time, before anything else is done.
func TestClosingExpiresTheOrdersOfTheDay(t *testing.T) {
	const orders = 2500
	h := traders(t, 2)
	h.quiet = true
	h.must(&SetLimits{Scope: risk.OfHouse, Limits: risk.Limits{OpenOrders: 2 * orders}})
	day := func(c *PlaceOrder) { c.TimeInForce = market.DAY }
	for range orders {
		h.must(with(buy(1, 100, 10), day))
	}
	h.quiet = false
	kept := h.must(buy(1, 99, 10))
	stop := h.must(with(buy(2, 0, 10), func(c *PlaceOrder) {
		c.Type, c.Trigger, c.TimeInForce = market.Stop, 120, market.DAY
	}))
	elsewhere := h.must(with(buy(2, 99, 10), func(c *PlaceOrder) { c.Symbol, c.TimeInForce = "ETH-USDT", market.DAY }))
	h.begin(&SetPhase{Symbol: "BTC-USDT", Phase: market.Closed})
	if n := h.state.OpenOrderCount(); n != orders+3 {
		t.Fatalf("closing cancelled %d orders at once", orders+3-n)
	}
	for _, want := range []int{1000, 1000, 501} {
		h.state = restored(t, h.state)
		if !h.state.Due(h.now) {
			t.Fatal("nothing is due")
		}
		start := len(h.log)
		if _, _, err := h.apply(nil); err != nil {
			t.Fatal(err)
		}
		n := 0
		for i := range h.log[start:] {
			if ev := &h.log[start+i]; ev.Kind == OrderCancelled && ev.Reason == market.CancelExpired {
				n++
			}
		}
		if n != want {
			t.Errorf("%d orders expired, want %d", n, want)
		}
	}
	if h.state.Due(h.now) {
		t.Error("something is still due")
	}
	if !h.order(kept.Order).Status.Live() || h.order(stop.Order).Status != market.Cancelled || !h.order(elsewhere.Order).Status.Live() {
		t.Error("other orders expired than those of the day")
	}
	h.verify()
	if replay(t, h.log).Digest() != h.state.Digest() {
		t.Error("replay comes to another digest")
	}
}

// An uncrossing makes trades that stops look at; they act once the market is open.
func TestStopsLookAtAuctionPrices(t *testing.T) {
	h := traders(t, 3)
	h.must(buy(1, 100, 5))
	h.must(sell(2, 100, 5))
	h.must(with(buy(3, 0, 5), func(c *PlaceOrder) { c.Type, c.Trigger = market.Stop, 105 }))
	h.inPhase(market.PreOpen)
	h.must(buy(1, 106, 5))
	h.must(sell(2, 106, 5))
	h.must(sell(2, 107, 5))
	start := len(h.log)
	h.phase(market.Continuous)
	h.settle()
	wantStory(t, h.since(start),
		"5 lots at 106", "4 buys 5 of 5 at 106", "CONTINUOUS", "3 takes 5 of 6 at 107")
	if replay(t, h.log).Digest() != h.state.Digest() {
		t.Error("replay comes to another digest")
	}
}

// A market that is halted with a crossed book stays crossed, and is uncrossed
// when it goes on.
func TestAHaltedAuctionIsUncrossedLater(t *testing.T) {
	h := traders(t, 2)
	h.inPhase(market.PreOpen)
	h.must(buy(1, 105, 5))
	h.must(sell(2, 103, 5))
	h.phase(market.Halted)
	h.refuse(buy(1, 1, 5), fault.MarketHalted)
	h.phase(market.CancelOnly)
	h.state = restored(t, h.state)
	h.phase(market.Closed) // not from CLOSING_AUCTION: nothing trades
	if h.state.Due(h.now) {
		t.Error("something is due")
	}
	start := len(h.log)
	h.phase(market.Continuous)
	h.settle()
	wantStory(t, h.since(start), "5 lots at 104", "1 buys 5 of 2 at 104", "CONTINUOUS")
}
