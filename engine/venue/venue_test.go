package venue

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// A morning of trading, with every figure worked out by hand. A lot is 0.0001
// BTC, which is one minor unit; one lot at one tick is one micro-USDT.
func TestAMorningOfTrading(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 1_000_000)
	h.deposit(2, "BTC", 500)
	h.deposit(3, "BTC", 500)

	// 1 bids 10 lots at 1000: 10,000 and 2 % in case it takes.
	bid := h.must(buy(1, 1000, 10))
	if want := (Receipt{Sequence: 9, Time: h.now, Order: 1, Status: market.Open}); bid != want {
		t.Errorf("receipt is %+v, want %+v", bid, want)
	}
	h.balance(1, usdtID, 989_800, 10_200)

	// 2 sells 4 of them: 4,000 less 2 % to the seller, plus 1 % from the buyer.
	hit := h.must(sell(2, 990, 4))
	if hit.Status != market.Filled || hit.Filled != 4 || hit.Notional != 4000 || hit.Fee != 80 {
		t.Errorf("receipt is %+v", hit)
	}
	h.balance(1, usdtID, 989_840, 6_120) // 40 of the held fee came back
	h.balance(1, btcID, 4, 0)
	h.balance(2, usdtID, 3_920, 0)
	h.balance(2, btcID, 496, 0)
	if o := h.order(1); o.Status != market.PartiallyFilled || o.Filled != 4 || o.Fee != 40 || o.Notional != 4000 || o.Held != 6120 {
		t.Errorf("the bid is %+v", o)
	}

	// 3 asks above; 1 lifts it at a limit that is better than needed.
	h.must(sell(3, 1020, 5))
	lift := h.must(buy(1, 1040, 7))
	if lift.Status != market.PartiallyFilled || lift.Filled != 5 || lift.Notional != 5100 || lift.Fee != 102 {
		t.Errorf("receipt is %+v", lift)
	}
	// The rest bids 2 lots at 1040 and holds 2,080 and 2 % of it, rounded down.
	h.balance(1, usdtID, 989_840-5_100-102-2_121, 6_120+2_121)
	h.balance(3, usdtID, 5_049, 0)

	// A market order takes both bids, best first, and the rest of it goes.
	market1 := h.must(atMarket(sell(2, 0, 20)))
	if market1.Status != market.Cancelled || market1.Filled != 8 || market1.Notional != 2*1040+6*1000 {
		t.Errorf("receipt is %+v", market1)
	}
	if o := h.order(market1.Order); o.Reason != market.CancelImmediate || o.Held != 0 || o.Price != 988 {
		t.Errorf("the market order is %+v", o)
	}
	h.balance(1, usdtID, 989_840-5_100-102-2_080-20+6_120-6_000-60, 0)
	h.balance(2, btcID, 488, 0)

	fees := money.Amount(80 + 40 + 102 + 51 + 41 + 20 + 120 + 60)
	if got := h.state.House(ledger.Fees, usdtID); got != fees {
		t.Errorf("fees are %d, want %d", got, fees)
	}
	if trade, ok := h.state.LastTrade("BTC-USDT"); !ok || trade.ID != 4 || trade.Price != 1000 || trade.Quantity != 6 || trade.Side != market.Sell {
		t.Errorf("the last trade is %+v", trade)
	}
	if replay(t, h.log).Digest() != h.state.Digest() {
		t.Error("replay comes to another digest")
	}
}

// The protection of a market order stops it before the price runs away.
func TestMarketOrdersStopAtTheirProtection(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 1_000_000)
	h.deposit(2, "BTC", 500)
	for _, price := range []market.Price{1000, 1050, 1051} {
		h.must(sell(2, price, 1))
	}
	r := h.must(atMarket(buy(1, 0, 3)))
	if r.Filled != 2 || r.Notional != 2050 || r.Status != market.Cancelled {
		t.Errorf("receipt is %+v", r)
	}
	h.balance(1, usdtID, 1_000_000-2050-20-21, 0)
}

func TestSelfTradesAreCutOff(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 1_000_000)
	h.deposit(1, "BTC", 100)
	h.deposit(2, "BTC", 100)
	h.must(sell(2, 100, 5))
	h.must(sell(1, 101, 5))
	h.must(sell(2, 102, 5))
	r := h.must(buy(1, 102, 15))
	if r.Status != market.Cancelled || r.Filled != 5 {
		t.Errorf("receipt is %+v", r)
	}
	if o := h.order(r.Order); o.Reason != market.CancelSelfTrade {
		t.Errorf("the order is %+v", o)
	}
	if r := h.must(buy(1, 101, 5)); r.Status != market.Cancelled || r.Filled != 0 {
		t.Errorf("an order that meets only its own: %+v", r)
	}
	h.balance(1, btcID, 100, 5)
}

func TestCancels(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 1_000_000)
	h.deposit(1, "ETH", 1000)
	h.deposit(2, "BTC", 100)
	first := h.must(buy(1, 100, 10)).Order
	second := h.must(buy(1, 99, 10)).Order
	other := buy(1, 50, 10)
	other.Symbol, other.Side = "ETH-USDT", market.Sell
	third := h.must(other).Order
	h.must(sell(2, 100, 4))

	h.must(&SetPhase{Symbol: "BTC-USDT", Phase: market.Halted}) // cancels go on
	r := h.must(&CancelOrder{Actor: 1, Order: first})
	if want := (Receipt{Sequence: h.state.Sequence(), Time: h.now, Order: first, Status: market.Cancelled, Filled: 4, Notional: 400, Fee: 4}); r != want {
		t.Errorf("receipt is %+v, want %+v", r, want)
	}
	if r := h.must(&CancelAll{Actor: 1, Symbol: "BTC-USDT"}); r.Count != 1 || h.order(second).Status != market.Cancelled {
		t.Errorf("cancel all of one market: %+v", r)
	}
	if !h.order(third).Status.Live() {
		t.Error("cancel all of one market cancelled in another")
	}
	if r := h.must(&CancelAll{Actor: 1}); r.Count != 1 {
		t.Errorf("cancel all: %+v", r)
	}
	if r := h.must(&CancelAll{Actor: 77}); r.Count != 0 {
		t.Errorf("cancel all of a stranger: %+v", r)
	}
	h.balance(1, usdtID, 1_000_000-404, 0)
	if replay(t, h.log).Digest() != h.state.Digest() {
		t.Error("replay comes to another digest")
	}
}

func TestRefusals(t *testing.T) {
	newDefinition := func(change func(*market.Definition)) *CreateMarket {
		d := btcUSDT()
		d.Symbol = "NEW"
		change(&d)
		return &CreateMarket{Definition: d}
	}
	deposit := func(change func(*CreditDeposit)) *CreditDeposit {
		c := &CreditDeposit{Member: 1, Asset: "USDT", Amount: 1, Deposit: 8}
		change(c)
		return c
	}
	for name, c := range map[string]struct {
		command Command
		want    fault.Code
	}{
		"no key":                    {&CancelAll{Key: "\x00"}, fault.InvalidIdempotencyKey},
		"key with a blank":          {&CancelAll{Key: "a b"}, fault.InvalidIdempotencyKey},
		"key in other letters":      {&CancelAll{Key: "ключ"}, fault.InvalidIdempotencyKey},
		"long key":                  {&CancelAll{Key: strings.Repeat("k", 65)}, fault.InvalidIdempotencyKey},
		"asset exists":              {&AddAsset{Asset: money.Asset{Code: "BTC", Scale: 2}}, fault.AssetExists},
		"asset malformed":           {&AddAsset{Asset: money.Asset{Code: "btc"}}, fault.InvalidArgument},
		"market exists":             {&CreateMarket{Definition: btcUSDT()}, fault.MarketExists},
		"market of unknown base":    {newDefinition(func(d *market.Definition) { d.Base.Code = "X" }), fault.UnknownAsset},
		"market of unknown quote":   {newDefinition(func(d *market.Definition) { d.Quote.Code = "X" }), fault.UnknownAsset},
		"market with another scale": {newDefinition(func(d *market.Definition) { d.Quote.Scale = 8 }), fault.InvalidMarket},
		"market malformed":          {newDefinition(func(d *market.Definition) { d.TakerFee = -1 }), fault.InvalidMarket},
		"phase of no market":        {&SetPhase{Symbol: "X", Phase: market.Halted}, fault.UnknownMarket},
		"no phase":                  {&SetPhase{Symbol: "BTC-USDT"}, fault.InvalidArgument},

		"deposit of no asset":     {deposit(func(c *CreditDeposit) { c.Asset = "X" }), fault.UnknownAsset},
		"deposit for the house":   {deposit(func(c *CreditDeposit) { c.Member = 0 }), fault.InvalidArgument},
		"deposit of nothing":      {deposit(func(c *CreditDeposit) { c.Amount = 0 }), fault.InvalidAmount},
		"negative deposit":        {deposit(func(c *CreditDeposit) { c.Amount = -5 }), fault.InvalidAmount},
		"deposit beyond counting": {deposit(func(c *CreditDeposit) { c.Amount = math.MaxInt64 }), fault.AmountOverflow},
		"deposit twice":           {deposit(func(c *CreditDeposit) { c.Deposit = 7 }), fault.DepositNotPending},

		"order in no market":        {with(buy(1, 1, 1), func(c *PlaceOrder) { c.Symbol = "X" }), fault.UnknownMarket},
		"order when halted":         {with(sell(1, 50, 5), func(c *PlaceOrder) { c.Symbol = "ETH-USDT" }), fault.MarketHalted},
		"order of the house":        {buy(0, 100, 10), fault.InvalidArgument},
		"no side":                   {with(buy(1, 100, 10), func(c *PlaceOrder) { c.Side = 0 }), fault.InvalidArgument},
		"no type":                   {with(buy(1, 100, 10), func(c *PlaceOrder) { c.Type = 0 }), fault.InvalidArgument},
		"no such force":             {with(buy(1, 100, 10), func(c *PlaceOrder) { c.TimeInForce = 9 }), fault.InvalidArgument},
		"market order that rests":   {with(atMarket(buy(1, 0, 10)), func(c *PlaceOrder) { c.TimeInForce = market.GTC }), fault.InvalidArgument},
		"market order at a price":   {with(atMarket(buy(1, 0, 10)), func(c *PlaceOrder) { c.Price = 5 }), fault.InvalidPrice},
		"market order into nothing": {atMarket(sell(1, 0, 10)), fault.NoLiquidity},
		"limit without a price":     {buy(1, 0, 10), fault.InvalidPrice},
		"negative price":            {buy(1, -3, 10), fault.InvalidPrice},
		"price out of range":        {buy(1, market.MaxPrice+1, 10), fault.InvalidPrice},
		"no quantity":               {buy(1, 100, 0), fault.InvalidQuantity},
		"negative quantity":         {buy(1, 100, -1), fault.InvalidQuantity},
		"quantity out of range":     {buy(1, 100, market.MaxQuantity+1), fault.InvalidQuantity},
		"uncountable":               {buy(1, market.MaxPrice, market.MaxQuantity), fault.AmountOverflow},
		"too small":                 {buy(1, 99, 1), fault.BelowMinNotional},
		"too small at market":       {atMarket(buy(1, 0, 0)), fault.InvalidQuantity},
		"too expensive":             {buy(1, 1000, 1000), fault.InsufficientBalance},
		"fee not covered":           {buy(1, 1000, 989), fault.InsufficientBalance},
		"sells what it has not":     {sell(1, 1000, 3), fault.InsufficientBalance},
		"a stranger":                {buy(99, 100, 10), fault.InsufficientBalance},
		"market order too large":    {atMarket(buy(1, 0, 505)), fault.InsufficientBalance},

		"cancel of nothing":         {&CancelOrder{Actor: 1, Order: 4711}, fault.OrderNotFound},
		"cancel of order 0":         {&CancelOrder{Actor: 1}, fault.OrderNotFound},
		"cancel of another's":       {&CancelOrder{Actor: 1, Order: 1}, fault.OrderNotFound},
		"cancel of another's, done": {&CancelOrder{Actor: 1, Order: 2}, fault.OrderNotFound},
		"cancel of a filled one":    {&CancelOrder{Actor: 2, Order: 2}, fault.OrderNotOpen},
		"cancel twice":              {&CancelOrder{Actor: 2, Order: 4}, fault.OrderNotOpen},
		"cancel all of no market":   {&CancelAll{Actor: 1, Symbol: "X"}, fault.UnknownMarket},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.must(&CreditDeposit{Member: 1, Asset: "USDT", Amount: 1_008_000, Deposit: 7}) // 10,000 are left below
			h.deposit(2, "BTC", 1000)
			h.must(sell(2, 2000, 100)) // order 1 rests
			h.must(sell(2, 1000, 2))   // order 2 is filled
			h.must(buy(1, 1000, 2))    // by order 3
			h.must(&CancelOrder{Actor: 2, Order: h.must(sell(2, 3000, 1)).Order})
			h.must(&SetPhase{Symbol: "ETH-USDT", Phase: market.Halted})
			h.refuse(c.command, c.want)
		})
	}
}

func TestTimeDoesNotGoBack(t *testing.T) {
	h := newHouse(t)
	var events Events
	before := h.state.Digest()
	_, err := h.state.Apply(&CancelAll{Actor: 1, Key: "k"}, h.now-1, &events)
	if fault.CodeOf(err) != fault.ClockWentBack || len(events) > 0 || h.state.Digest() != before {
		t.Errorf("%v, %d events", err, len(events))
	}
	if _, err := h.state.Apply(&CancelAll{Actor: 1, Key: "k"}, h.now, &events); err != nil {
		t.Errorf("at the same time: %v", err)
	}
}

func TestTooManyOpenOrders(t *testing.T) {
	h := newHouse(t)
	h.must(&SetLimits{Scope: risk.OfHouse, Limits: risk.Limits{OpenOrders: 2}})
	h.deposit(1, "USDT", 1_000_000)
	h.must(buy(1, 100, 10))
	last := h.must(buy(1, 100, 10)).Order
	h.refuse(buy(1, 100, 10), fault.TooManyOpenOrders)
	h.must(ioc(buy(1, 100, 10))) // does not stay
	h.must(&CancelOrder{Actor: 1, Order: last})
	h.must(buy(1, 100, 10))
}

func TestTheSameKeyHasTheSameReceiptAndNoEvent(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 1_000_000)
	h.deposit(2, "BTC", 1000)
	h.must(sell(2, 100, 5))
	for name, c := range map[string]struct{ command, other Command }{
		"place":  {buy(1, 100, 7), buy(1, 100, 8)},
		"cancel": {&CancelOrder{Actor: 1, Order: 2}, &CancelOrder{Actor: 1, Order: 999}},
		"all":    {&CancelAll{Actor: 1}, &CancelAll{Actor: 1, Symbol: "BTC-USDT"}},
		"credit": {
			&CreditDeposit{Member: 1, Asset: "BTC", Amount: 1, Deposit: 3},
			&CreditDeposit{Member: 1, Asset: "BTC", Amount: 1, Deposit: 4},
		},
		"phase": {&SetPhase{Symbol: "ETH-USDT", Phase: market.Halted}, &SetPhase{Symbol: "ETH-USDT", Phase: market.Continuous}},
	} {
		h.key(c.command)
		if name == "cancel" || name == "all" {
			h.must(buy(1, 50, 10))
		}
		if name == "cancel" {
			c.command.(*CancelOrder).Order = h.state.lastOrder
		}
		first := h.must(c.command)
		digest := h.state.Digest()
		first.Notional, first.Fee, first.Repeated = 0, 0, true
		again, events, err := h.do(c.command)
		if again != first || len(events) > 0 || err != nil || h.state.Digest() != digest {
			t.Errorf("%s again: %+v, %d events, %v; first %+v", name, again, len(events), err, first)
		}
		setKey(c.other, c.command)
		h.refuse(c.other, fault.IdempotencyConflict)

		// It is the same after a replay and after a snapshot.
		for how, s := range map[string]*State{"replay": replay(t, h.log), "snapshot": restored(t, h.state)} {
			var none Events
			again, err := s.Apply(c.command, h.now, &none)
			if again != first || err != nil || len(none) > 0 {
				t.Errorf("%s after %s: %+v, %v; first %+v", name, how, again, err, first)
			}
		}
	}
	// Another actor's key is another key.
	c := buy(2, 10, 10)
	c.Key = "key-1"
	h.deposit(2, "USDT", 1000)
	h.must(c)
}

func setKey(to, from Command) {
	_, key := from.origin()
	switch to := to.(type) {
	case *PlaceOrder:
		to.Key = key
	case *CancelOrder:
		to.Key = key
	case *CancelAll:
		to.Key = key
	case *CreditDeposit:
		to.Key = key
	case *SetPhase:
		to.Key = key
	}
}

func restored(tb rapid.TB, s *State) *State {
	tb.Helper()
	back, err := Restore(s.AppendSnapshot(nil))
	if err != nil {
		tb.Fatal(err)
	}
	if back.Digest() != s.Digest() {
		tb.Fatal("a restored snapshot has another digest")
	}
	return back
}

// Every part of a body is part of its fingerprint.
func TestBodiesThatDifferHaveOtherFingerprints(t *testing.T) {
	d := btcUSDT()
	bodies := []Command{
		&AddAsset{Asset: btc}, &AddAsset{Asset: eth}, &AddAsset{Asset: money.Asset{Code: "BTC", Scale: 5}},
		&SetPhase{Symbol: "A", Phase: 1}, &SetPhase{Symbol: "A", Phase: 2}, &SetPhase{Symbol: "B", Phase: 1},
		&CreditDeposit{Member: 1, Asset: "A", Amount: 1}, &CreditDeposit{Member: 2, Asset: "A", Amount: 1},
		&CreditDeposit{Member: 1, Asset: "B", Amount: 1}, &CreditDeposit{Member: 1, Asset: "A", Amount: 2},
		&CreditDeposit{Member: 1, Asset: "A", Amount: 1, Deposit: 1},
		buy(1, 1, 1), sell(1, 1, 1), ioc(buy(1, 1, 1)), atMarket(buy(1, 1, 1)), buy(1, 2, 1), buy(1, 1, 2),
		&PlaceOrder{Symbol: "X", Side: 1, Type: 1, TimeInForce: 1, Price: 1, Quantity: 1},
		&CancelOrder{Order: 1}, &CancelOrder{Order: 2}, &CancelAll{}, &CancelAll{Symbol: "A"},
		&CreateMarket{Definition: d},
	}
	for _, change := range []func(*market.Definition){
		func(d *market.Definition) { d.Symbol = "X" }, func(d *market.Definition) { d.Base = eth },
		func(d *market.Definition) { d.Quote = eth }, func(d *market.Definition) { d.TickSize = money.MustDecimal("1") },
		func(d *market.Definition) { d.LotSize = money.MustDecimal("1") }, func(d *market.Definition) { d.MinNotional++ },
		func(d *market.Definition) { d.MakerFee++ }, func(d *market.Definition) { d.TakerFee++ },
		func(d *market.Definition) { d.Protection++ },
	} {
		other := d
		change(&other)
		bodies = append(bodies, &CreateMarket{Definition: other})
	}
	seen := map[uint64]int{}
	for i, c := range bodies {
		if before, ok := seen[c.fingerprint()]; ok {
			t.Errorf("%+v has the fingerprint of %+v", c, bodies[before])
		}
		seen[c.fingerprint()] = i
	}
}

// The journal keeps fingerprints, so they may never change.
func TestFingerprintsStayWhatTheyAre(t *testing.T) {
	if got := buy(1, 100, 10).fingerprint(); got != 0xc2358fc1e8c95825 {
		t.Errorf("a body's fingerprint is %#x", got)
	}
	if got := printKey(7, "a key of some length"); got != (keyPrint{0xbe6beb0ae27dd785, 0xa06b1a1a59032d66}) {
		t.Errorf("a key's print is %#x", got)
	}
}

func TestOldKeysAndClosedOrdersAreForgotten(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 1_000_000)
	var events Events
	apply := func(c Command) (Receipt, error) {
		events = events[:0]
		return h.state.Apply(c, h.now, &events)
	}
	first := ioc(buy(1, 100, 10))
	h.key(first)
	for i := range ClosedOrders + 1 {
		c := *first
		c.Key += "-" + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576%26))
		if i == 0 {
			first = &c
		}
		if _, err := apply(&c); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.state.Check(); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.state.Order(1); ok {
		t.Error("the first closed order is still known")
	}
	if _, ok := h.state.Order(2); !ok {
		t.Error("the second closed order is forgotten already")
	}
	if got := len(h.state.members.at(h.state.members.find(1)).keys.entries); got != KeysPerActor {
		t.Errorf("%d keys are remembered", got)
	}
	if got := int(h.state.receipts.used); got > KeysPerActor+20 {
		t.Errorf("%d keys are found", got)
	}
	restored(t, h.state)
	before := h.state.Sequence()
	if _, err := apply(first); err != nil || h.state.Sequence() != before+1 {
		t.Errorf("a forgotten key: %v", err)
	}
}

func level(price market.Price, quantity market.Quantity, orders int) Level {
	return Level{Price: price, Quantity: quantity, Orders: orders}
}

func TestReads(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 1_000_000)
	h.deposit(2, "BTC", 1000)
	h.must(buy(1, 98, 10))
	h.must(buy(1, 99, 10))
	h.must(buy(1, 98, 5))
	h.must(sell(2, 101, 7))
	depth, ok := h.state.Depth("BTC-USDT", 2)
	if !ok || depth.Sequence != h.state.Sequence() ||
		!slices.Equal(depth.Bids, []Level{level(99, 10, 1), level(98, 15, 2)}) || !slices.Equal(depth.Asks, []Level{level(101, 7, 1)}) {
		t.Errorf("depth is %+v", depth)
	}
	if l := h.state.Level(1, market.Buy, 98); l != level(98, 15, 2) {
		t.Errorf("level is %+v", l)
	}
	if l := h.state.Level(9, market.Buy, 98); l != (Level{Price: 98}) {
		t.Errorf("level of no market is %+v", l)
	}
	var ids []market.OrderID
	for _, o := range h.state.OpenOrders(1) {
		ids = append(ids, o.ID)
	}
	if !slices.Equal(ids, []market.OrderID{1, 2, 3}) || h.state.OpenOrderCount() != 4 {
		t.Errorf("open orders are %v", ids)
	}
	if m, ok := h.state.Market("BTC-USDT"); !ok || m.ID != 1 || m.OpenOrders != 4 || m.Phase != market.Continuous ||
		m.Definition.Protection != market.DefaultProtection {
		t.Errorf("market is %+v", m)
	}
	want := []Balance{{Asset: btc}, {Asset: eth}, {Asset: usdt, Available: 1_000_000 - 1509 - 1009 + 15, Held: 1509 + 1009 - 15}}
	if got := h.state.Balances(1); got[0] != want[0] || got[2].Available+got[2].Held != 1_000_000 || len(got) != 3 {
		t.Errorf("balances are %+v", got)
	}
	for _, missing := range []bool{
		func() bool { _, ok := h.state.Market("X"); return ok }(),
		func() bool { _, ok := h.state.MarketByID(0); return ok }(),
		func() bool { _, ok := h.state.MarketByID(3); return ok }(),
		func() bool { _, ok := h.state.Depth("X", 1); return ok }(),
		func() bool { _, ok := h.state.LastTrade("BTC-USDT"); return ok }(),
		func() bool { _, ok := h.state.Asset(0); return ok }(),
		func() bool { _, ok := h.state.Asset(4); return ok }(),
		func() bool { _, ok := h.state.Order(5); return ok }(),
		h.state.OpenOrders(account.ID(9)) != nil,
	} {
		if missing {
			t.Error("something is there that is not")
		}
	}
}

func TestEventsThatDoNotFitAreRefused(t *testing.T) {
	h := newHouse(t)
	h.deposit(1, "USDT", 1_000_000)
	h.deposit(2, "BTC", 1000)
	h.must(sell(2, 100, 5))
	h.must(sell(2, 100, 5))
	h.must(sell(2, 101, 5))
	prefix := len(h.log)
	h.must(ioc(buy(1, 101, 30)))
	h.must(buy(1, 10, 30))
	h.must(&CancelAll{Actor: 1})
	tail := h.log[prefix:] // placed, traded x3, cancelled; placed; all cancelled, cancelled

	for name, spoil := range map[string]func(Events) Events{
		"left out":           func(e Events) Events { return e[1:] },
		"a trade left out":   func(e Events) Events { return slices.Delete(e, 1, 2) },
		"a cancel left out":  func(e Events) Events { return slices.Delete(e, 4, 5) },
		"doubled":            func(e Events) Events { return slices.Insert(e, 1, e[0]) },
		"a trade doubled":    func(e Events) Events { return slices.Insert(e, 2, e[1]) },
		"reordered":          func(e Events) Events { e[1], e[2] = e[2], e[1]; return e },
		"another maker":      func(e Events) Events { e[1].Maker = 3; return e },
		"another price":      func(e Events) Events { e[1].Price++; return e },
		"more":               func(e Events) Events { e[1].Quantity = 6; return e },
		"too much released":  func(e Events) Events { e[1].Release += 1 << 40; return e },
		"less released":      func(e Events) Events { e[1].Release--; return e },
		"negative fee":       func(e Events) Events { e[1].MakerFee = -1; return e },
		"fee beyond price":   func(e Events) Events { e[1].MakerFee = 1 << 40; return e },
		"more base":          func(e Events) Events { e[1].Amount++; return e },
		"another hold":       func(e Events) Events { e[0].Amount--; return e },
		"more than there is": func(e Events) Events { e[0].Amount = 1 << 40; return e },
		"another receipt":    func(e Events) Events { e[0].Receipt.Filled = 30; e[0].Receipt.Status = market.Filled; return e },
		"contradiction":      func(e Events) Events { e[0].Receipt.Filled = 30; return e },
		"another time":       func(e Events) Events { e[0].Time = 0; return e },
		"another sequence":   func(e Events) Events { e[1].Sequence++; return e },
		"another member":     func(e Events) Events { e[4].Member = 2; return e },
		"another market":     func(e Events) Events { e[0].Market = 2; return e },
		"no market":          func(e Events) Events { e[1].Market = 0; return e },
		"no kind":            func(e Events) Events { e[0].Kind = 0; return e },
		"another's key":      func(e Events) Events { e[5].Key = e[0].Key; return e },
		"no key":             func(e Events) Events { e[0].Key = ""; return e },
		"no order":           func(e Events) Events { e[7].Order = 99; return e },
		"a closed order":     func(e Events) Events { e[7].Order = 1; return e },
		"crossing": func(e Events) Events {
			e[0].Receipt.Filled, e[0].Receipt.Status = 5, market.PartiallyFilled
			return e[:2]
		},
	} {
		s := replay(t, h.log[:prefix])
		var err error
		for _, ev := range spoil(slices.Clone(tail)) {
			if err = s.Fold(&ev); err != nil {
				break
			}
		}
		if err == nil {
			err = s.Check()
		}
		if err == nil {
			t.Errorf("%s: folded", name)
		} else if !errors.Is(err, ErrMisfit) && !errors.Is(err, ledger.ErrOverdrawn) && !errors.Is(err, ledger.ErrUnbalanced) {
			t.Logf("%s: %v", name, err)
		}
	}
}
