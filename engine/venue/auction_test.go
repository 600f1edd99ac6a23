package venue

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// traders is a house whose members 1 to n have plenty of everything.
func traders(tb rapid.TB, n int) *house {
	tb.Helper()
	h := newHouse(tb)
	for id := account.ID(1); id <= account.ID(n); id++ {
		for _, asset := range []string{"BTC", "ETH", "USDT"} {
			h.deposit(id, asset, 1_000_000_000)
		}
	}
	return h
}

func (h *house) phase(phase market.Phase) Receipt {
	h.tb.Helper()
	return h.must(&SetPhase{Symbol: "BTC-USDT", Phase: phase})
}

// inPhase moves BTC-USDT to a phase, whichever it is in, by ways that do not
// uncross.
func (h *house) inPhase(phase market.Phase) {
	h.tb.Helper()
	switch phase {
	case market.PreOpen, market.Paused:
		h.phase(market.Halted)
	case market.ClosingAuction:
		h.phase(market.Continuous)
	}
	h.phase(phase)
	h.settle()
}

func (h *house) market() Market {
	h.tb.Helper()
	m, ok := h.state.Market("BTC-USDT")
	if !ok {
		h.tb.Fatal("there is no market")
	}
	return m
}

// since returns the events from a length of the log on, in words.
func (h *house) since(start int) (story []string) {
	for i := range h.log[start:] {
		switch ev := &h.log[start+i]; ev.Kind {
		case AuctionTraded:
			story = append(story, fmt.Sprintf("%d buys %d of %d at %d", ev.Order, ev.Quantity, ev.Maker, ev.Price))
		case Traded:
			story = append(story, fmt.Sprintf("%d takes %d of %d at %d", ev.Order, ev.Quantity, ev.Maker, ev.Price))
		case AuctionUncrossed:
			story = append(story, fmt.Sprintf("%d lots at %d", ev.Quantity, ev.Price))
		case PhaseChanged:
			story = append(story, ev.Phase.String())
		case ReferenceMoved:
			story = append(story, fmt.Sprintf("reference %d", ev.Price))
		case OrderPlaced:
			story = append(story, fmt.Sprintf("order %d", ev.Order))
		case OrderCancelled:
			story = append(story, fmt.Sprintf("cancel %d of %d %v", ev.Quantity, ev.Order, ev.Reason))
		}
	}
	return story
}

func wantStory(tb rapid.TB, got []string, want ...string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestAuctionsByExample(t *testing.T) {
	type orders = []*PlaceOrder
	for name, c := range map[string]struct {
		last  market.Price // before the auction; 0: none
		set   market.Price // reference price that the house sets
		place orders
		want  []string
	}{
		"nothing":     {0, 0, orders{}, []string{"CONTINUOUS"}},
		"not crossed": {0, 0, orders{buy(1, 100, 5), sell(2, 101, 5)}, []string{"CONTINUOUS"}},
		"the middle, rounded down, without a reference": {
			0, 0,
			orders{buy(1, 110, 5), sell(2, 105, 5)},
			[]string{"5 lots at 107", "1 buys 5 of 2 at 107", "CONTINUOUS"},
		},
		"nearest to what the house set": {
			0, 106,
			orders{buy(1, 110, 5), sell(2, 105, 5)},
			[]string{"5 lots at 106", "1 buys 5 of 2 at 106", "CONTINUOUS"},
		},
		"nearest to the last price rather": {
			120, 106,
			orders{buy(1, 110, 5), sell(2, 105, 5)},
			[]string{"5 lots at 110", "3 buys 5 of 4 at 110", "CONTINUOUS"},
		},
		"least surplus": {
			0, 0,
			orders{buy(1, 110, 5), buy(1, 107, 4), sell(2, 105, 5)},
			[]string{"5 lots at 109", "1 buys 5 of 3 at 109", "CONTINUOUS"}, // 108 to 110
		},
		"most volume": {
			90, 0,
			orders{buy(1, 110, 5), buy(1, 107, 4), sell(2, 105, 5), sell(2, 107, 2)},
			[]string{"7 lots at 107", "3 buys 5 of 5 at 107", "4 buys 2 of 6 at 107", "CONTINUOUS"},
		},
		"price, then time": {
			0, 0,
			orders{buy(1, 100, 2), buy(2, 100, 2), buy(3, 101, 1), sell(4, 100, 1), sell(5, 99, 3)},
			[]string{"4 lots at 100", "3 buys 1 of 5 at 100", "1 buys 2 of 5 at 100", "2 buys 1 of 4 at 100", "CONTINUOUS"},
		},
		"one hand": {
			0, 0,
			orders{buy(1, 100, 2), sell(1, 100, 2)},
			[]string{"2 lots at 100", "1 buys 2 of 2 at 100", "CONTINUOUS"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := traders(t, 6)
			if c.last != 0 {
				h.must(buy(5, c.last, 2))
				h.must(sell(6, c.last, 2))
			}
			if c.set != 0 {
				h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{ReferencePrice: c.set}})
			}
			h.inPhase(market.PreOpen)
			for _, o := range c.place {
				if o.Quantity *= 10; h.must(o).Status != market.Open {
					t.Errorf("%+v was not just taken", o)
				}
			}
			price, volume := h.state.Indicative("BTC-USDT")
			start := len(h.log)
			h.phase(market.Continuous)
			h.settle()
			for i, w := range c.want {
				c.want[i] = tenfold(w)
			}
			wantStory(t, h.since(start), c.want...)
			if volume > 0 && h.log[start].Price != price || (volume > 0) != (len(c.want) > 1) {
				t.Errorf("the indicative price was %d, of %d lots", price, volume)
			}
			if h.market().Phase != market.Continuous {
				t.Errorf("the market is %v", h.market().Phase)
			}
			if volume > 0 && h.market().Reference != price {
				t.Errorf("the reference price is %d", h.market().Reference)
			}
			if replay(t, h.log).Digest() != h.state.Digest() {
				t.Error("replay comes to another digest")
			}
		})
	}
}

// tenfold puts the lots of a story in tens, so that no order is too small.
func tenfold(story string) string {
	var quantity, price, buyer, seller int
	if _, err := fmt.Sscanf(story, "%d lots at %d", &quantity, &price); err == nil {
		return fmt.Sprintf("%d lots at %d", quantity*10, price)
	}
	if _, err := fmt.Sscanf(story, "%d buys %d of %d at %d", &buyer, &quantity, &seller, &price); err == nil {
		return fmt.Sprintf("%d buys %d of %d at %d", buyer, quantity*10, seller, price)
	}
	return story
}

// Both parties of an uncrossing pay as makers, and what the buyer held beyond
// the price is released.
func TestMoneyOfAnAuction(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 100_000)
	h.deposit(2, "BTC", 100)
	h.inPhase(market.PreOpen)
	h.must(buy(1, 200, 30))
	h.balance(1, usdtID, 100_000-6120, 6120) // 2 % of 6000 is the larger fee
	h.must(sell(2, 100, 20))
	h.phase(market.Continuous)
	h.settle()
	h.balance(1, btcID, 20, 0)
	h.balance(1, usdtID, 100_000-3000-30-2040, 2040) // 20 at 150, 1 %; ten remain
	h.balance(2, btcID, 80, 0)
	h.balance(2, usdtID, 2970, 0)
}

type auctionOrder struct {
	id            market.OrderID
	side          market.Side
	price         market.Price
	left, display market.Quantity
	shown         market.Quantity
}

// pairs says who trades with whom in an uncrossing, looking at all orders anew
// for each trade.
func pairs(orders []*auctionOrder, price market.Price, volume market.Quantity) (story []string) {
	first := func(side market.Side) int {
		best := -1
		for i, o := range orders {
			if o.side != side || o.left == 0 {
				continue
			}
			if best < 0 || side == market.Buy && o.price > orders[best].price || side == market.Sell && o.price < orders[best].price {
				best = i
			}
		}
		return best
	}
	for volume > 0 {
		b, a := orders[first(market.Buy)], orders[first(market.Sell)]
		quantity := min(b.shown, a.shown, volume)
		story = append(story, fmt.Sprintf("%d buys %d of %d at %d", b.id, quantity, a.id, price))
		volume -= quantity
		for _, o := range []*auctionOrder{b, a} {
			o.left -= quantity
			if o.shown -= quantity; o.shown == 0 && o.left > 0 {
				o.shown = min(o.display, o.left)
				at := slices.Index(orders, o)
				orders = append(slices.Delete(orders, at, at+1), o)
			}
		}
	}
	return story
}

// bestPrice looks at every price, as docs/trading-rules.md puts it.
func bestPrice(orders []*auctionOrder, reference market.Price) (best market.Price, volume market.Quantity) {
	type candidate struct {
		price           market.Price
		volume, surplus market.Quantity
	}
	var all []candidate
	for p := market.Price(1); p <= 300; p++ {
		var buys, sells market.Quantity
		for _, o := range orders {
			if o.side == market.Buy && o.price >= p {
				buys += o.left
			}
			if o.side == market.Sell && o.price <= p {
				sells += o.left
			}
		}
		all = append(all, candidate{p, min(buys, sells), max(buys-sells, sells-buys)})
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.volume, a.volume), cmp.Compare(a.surplus, b.surplus))
	})
	if all[0].volume == 0 {
		return 0, 0
	}
	last := 0
	for last+1 < len(all) && all[last+1].volume == all[0].volume && all[last+1].surplus == all[0].surplus {
		last++
	}
	if reference == 0 {
		return (all[0].price + all[last].price) / 2, all[0].volume
	}
	nearest := slices.MinFunc(all[:last+1], func(a, b candidate) int {
		return cmp.Compare(max(a.price-reference, reference-a.price), max(b.price-reference, reference-b.price))
	})
	return nearest.price, nearest.volume
}

func TestUncrossingsAgreeWithEveryPriceAndEveryPair(t *testing.T) {
	uncrossed := 0
	rapid.Check(t, func(t *rapid.T) {
		h := traders(t, 3)
		reference := market.Price(0)
		switch rapid.IntRange(0, 2).Draw(t, "reference") {
		case 1:
			reference = market.Price(rapid.IntRange(90, 112).Draw(t, "set"))
			h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{ReferencePrice: reference, MinNotional: 1}})
		case 2:
			reference = market.Price(rapid.IntRange(90, 112).Draw(t, "last"))
			h.must(buy(1, reference, 10))
			h.must(sell(2, reference, 10))
		}
		phase := rapid.SampledFrom([]market.Phase{market.PreOpen, market.Paused, market.ClosingAuction}).Draw(t, "phase")
		h.inPhase(phase)
		var orders []*auctionOrder
		for range rapid.IntRange(0, 14).Draw(t, "orders") {
			c := drawOrder(t)
			c.Actor, c.Symbol, c.Type, c.TimeInForce = 1+c.Actor%3, "BTC-USDT", market.Limit, market.GTC
			c.Quantity = 10 + max(c.Quantity, 0)
			if c.Price == 0 {
				c.Price = 100
			}
			if rapid.IntRange(0, 3).Draw(t, "iceberg") == 0 {
				c.Display = 1 + c.Quantity/market.Quantity(rapid.IntRange(2, 5).Draw(t, "parts"))
			}
			r, _, err := h.do(c)
			if err != nil {
				if fault.CodeOf(err) != fault.BelowMinNotional {
					t.Fatal(err)
				}
				continue
			}
			o := &auctionOrder{r.Order, c.Side, c.Price, c.Quantity, c.Display, c.Quantity}
			if c.Display > 0 {
				o.shown = c.Display
			}
			orders = append(orders, o)
		}
		price, volume := bestPrice(orders, reference)
		if gotPrice, gotVolume := h.state.Indicative("BTC-USDT"); gotPrice != price || gotVolume != volume {
			t.Fatalf("indicative are %d lots at %d, want %d at %d", gotVolume, gotPrice, volume, price)
		}
		next, _ := phase.Next()
		var want []string
		if volume > 0 {
			uncrossed++
			want = append(want, fmt.Sprintf("%d lots at %d", volume, price))
			want = append(want, pairs(orders, price, volume)...)
		}
		want = append(want, next.String())
		start := len(h.log)
		h.phase(next)
		h.settle()
		if got := h.since(start); !slices.Equal(got, want) {
			t.Fatalf("\n got %q\nwant %q", got, want)
		}
		for i := range h.log[start:] {
			if ev := &h.log[start+i]; ev.Kind == AuctionTraded {
				if h.order(ev.Order).Price < ev.Price || h.order(ev.Maker).Price > ev.Price {
					t.Fatalf("%+v is worse than a limit", ev)
				}
			}
		}
		bid, bids := h.state.markets[0].book.Best(market.Buy)
		ask, asks := h.state.markets[0].book.Best(market.Sell)
		if bids && asks && bid >= ask {
			t.Fatalf("the book is crossed, %d and %d", bid, ask)
		}
		if replay(t, h.log).Digest() != h.state.Digest() {
			t.Fatal("replay comes to another digest")
		}
	})
	t.Logf("%d books were uncrossed", uncrossed)
	if uncrossed == 0 {
		t.Error("no book was uncrossed")
	}
}

// An auction of 5,000 trades takes six steps, survives being written down and
// restored between them, and lets nothing else happen before it is over.
func TestALargeAuctionGoesInSteps(t *testing.T) {
	const trades = 5000
	h := traders(t, 2)
	h.quiet = true
	h.inPhase(market.PreOpen)
	h.must(&SetLimits{Scope: risk.OfHouse, Limits: risk.Limits{OpenOrders: 2 * trades}})
	for range trades {
		h.must(buy(1, 101, 10))
		h.must(sell(2, 100, 10))
	}
	h.quiet = false
	h.verify()
	h.begin(&SetPhase{Symbol: "BTC-USDT", Phase: market.Continuous})
	if _, err := h.state.Apply(&CancelAll{Actor: 1, Key: "too-early"}, h.now, &h.log); err == nil || fault.CodeOf(err) != "" {
		t.Fatalf("a command in the middle of an uncrossing: %v", err)
	}
	left := market.Quantity(trades * 10)
	for step := 1; h.state.Due(h.now); step++ {
		h.state = restored(t, h.state)
		if at, ok := h.state.NextDue(); !ok || at > h.now {
			t.Fatalf("the next step is due at %d, %v", at, ok)
		}
		if m := h.market(); m.Phase != market.PreOpen {
			t.Fatalf("the market is %v already", m.Phase)
		}
		if price, volume := h.state.Indicative("BTC-USDT"); price != 100 || volume != left {
			t.Fatalf("%d lots are left at %d, want %d", volume, price, left)
		}
		start := len(h.log)
		if _, _, err := h.apply(nil); err != nil {
			t.Fatal(err)
		}
		n := 0
		for i := range h.log[start:] {
			if ev := &h.log[start+i]; ev.Kind == AuctionTraded {
				left -= ev.Quantity
				n++
			}
		}
		if n != 1000 || step > 5 {
			t.Fatalf("step %d has %d trades", step, n)
		}
	}
	if m := h.market(); m.Phase != market.Continuous || left != 0 || m.OpenOrders != 0 {
		t.Errorf("the market is %v with %d lots left and %d orders", m.Phase, left, m.OpenOrders)
	}
	if replay(t, h.log).Digest() != h.state.Digest() {
		t.Error("replay comes to another digest")
	}
	h.balance(1, btcID, 1_000_000_000+trades*10, 0)
	h.balance(2, usdtID, 1_000_000_000+money.Amount(trades)*(1000-10), 0)
}
