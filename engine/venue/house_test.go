package venue

import (
	"reflect"
	"strconv"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// The house of the tests: two markets against USDT, where one lot at one tick is
// one minor unit and fees are large enough to be seen.
var (
	btc  = money.Asset{Code: "BTC", Scale: 4}
	eth  = money.Asset{Code: "ETH", Scale: 2}
	usdt = money.Asset{Code: "USDT", Scale: 6}
)

const (
	btcID  ledger.AssetID = 1
	ethID  ledger.AssetID = 2
	usdtID ledger.AssetID = 3
)

func btcUSDT() market.Definition {
	return market.Definition{
		Symbol: "BTC-USDT", Base: btc, Quote: usdt,
		TickSize: money.MustDecimal("0.01"), LotSize: money.MustDecimal("0.0001"), MinNotional: 100,
		MakerFee: 10_000, TakerFee: 20_000, // 1 % and 2 %
	}
}

func ethUSDT() market.Definition {
	return market.Definition{
		Symbol: "ETH-USDT", Base: eth, Quote: usdt,
		TickSize: money.MustDecimal("0.0001"), LotSize: money.MustDecimal("0.01"), MinNotional: 1,
		MakerFee: 30_000, TakerFee: 7, // the maker's is the larger
	}
}

// house plays commands into a venue and watches it: every accepted command must
// leave an intact state, and balances that are the fold of the postings.
type house struct {
	tb     rapid.TB
	state  *State
	log    Events // all events so far
	now    Time
	keys   int
	quiet  bool                            // nothing is verified, for long streams
	ledger map[ledger.Posting]money.Amount // balances from postings alone
}

func newHouse(tb rapid.TB) *house {
	tb.Helper()
	h := &house{tb: tb, state: New(), now: 1_000_000, ledger: map[ledger.Posting]money.Amount{}}
	h.must(&AddAsset{Asset: btc})
	h.must(&AddAsset{Asset: eth})
	h.must(&AddAsset{Asset: usdt})
	h.must(&CreateMarket{Definition: btcUSDT()})
	h.must(&CreateMarket{Definition: ethUSDT()})
	return h
}

// key gives a command without a key one of its own.
func (h *house) key(c Command) {
	if key := reflect.ValueOf(c).Elem().FieldByName("Key"); key.String() == "" {
		h.keys++
		key.SetString("key-" + strconv.Itoa(h.keys))
	}
}

// do plays a command and returns its events.
func (h *house) do(c Command) (Receipt, Events, error) {
	h.tb.Helper()
	h.key(c)
	h.now += 7
	h.settle()
	receipt, events, err := h.apply(c)
	if err == nil {
		h.settle()
	}
	return receipt, events, err
}

// begin plays a command that must be accepted and leaves undone what falls due
// with it.
func (h *house) begin(c Command) {
	h.tb.Helper()
	h.key(c)
	h.now += 7
	if _, _, err := h.apply(c); err != nil {
		h.tb.Fatalf("%T: %v", c, err)
	}
}

// settle lets everything happen that is due now and returns its events.
func (h *house) settle() Events {
	h.tb.Helper()
	start := len(h.log)
	for h.state.Due(h.now) {
		if _, _, err := h.apply(nil); err != nil {
			h.tb.Fatalf("something is due and is not done: %v", err)
		}
	}
	return h.log[start:]
}

// wait lets time pass.
func (h *house) wait(until Time) Events {
	h.tb.Helper()
	h.now = max(h.now, until)
	return h.settle()
}

// apply plays a command, or with none what is due.
func (h *house) apply(c Command) (Receipt, Events, error) {
	h.tb.Helper()
	start := len(h.log)
	before := h.state.Sequence()
	var receipt Receipt
	var err error
	if c != nil {
		receipt, err = h.state.Apply(c, h.now, &h.log)
	} else {
		receipt, err = h.state.Advance(h.now, &h.log)
	}
	events := h.log[start:]
	if err != nil {
		if fault.CodeOf(err) == "" {
			h.tb.Fatalf("%T: %v", c, err)
		}
		if len(events) > 0 || h.state.Sequence() != before {
			h.tb.Fatalf("%T was refused and has %d events", c, len(events))
		}
	}
	for i := range events {
		ev := &events[i]
		if ev.Sequence != before+1 || ev.Time != h.now || ev.First != (i == 0) {
			h.tb.Fatalf("%T: event %d is %+v", c, i, ev)
		}
		h.post(ev)
		for _, id := range []market.OrderID{ev.Order, ev.Maker} {
			if o, known := h.state.Order(id); id != 0 && known && ev.Kind != TradeBusted && o.UpdatedAt != h.now {
				h.tb.Fatalf("%v left order %d as if untouched", ev.Kind, id)
			}
		}
	}
	h.verify()
	return receipt, events, err
}

func (h *house) post(ev *Event) {
	sums := map[ledger.AssetID]money.Amount{}
	for _, p := range Postings(ev) {
		if p.Amount == 0 {
			h.tb.Fatalf("%v posts nothing", ev.Kind)
		}
		sums[p.Asset] += p.Amount
		h.ledger[ledger.Posting{Account: p.Account, Asset: p.Asset}] += p.Amount
	}
	for asset, sum := range sums {
		if sum != 0 {
			h.tb.Fatalf("postings of %v in asset %d sum to %d", ev.Kind, asset, sum)
		}
	}
}

func (h *house) verify() {
	h.tb.Helper()
	if h.quiet {
		return
	}
	if err := h.state.Check(); err != nil {
		h.tb.Fatal(err)
	}
	for at, want := range h.ledger {
		got := h.state.AccountBalance(at.Account, at.Asset)
		if got != want {
			h.tb.Fatalf("%+v has %d, its postings sum to %d", at, got, want)
		}
	}
}

func (h *house) must(c Command) Receipt {
	h.tb.Helper()
	receipt, _, err := h.do(c)
	if err != nil {
		h.tb.Fatalf("%T: %v", c, err)
	}
	return receipt
}

// refuse plays a command that must be refused and leave the digest alone.
func (h *house) refuse(c Command, want fault.Code) {
	h.tb.Helper()
	before := h.state.Digest()
	if _, _, err := h.do(c); fault.CodeOf(err) != want {
		h.tb.Errorf("%+v: %v, want %s", c, err, want)
	}
	if h.state.Digest() != before {
		h.tb.Errorf("%+v was refused and changed the state", c)
	}
}

func (h *house) deposit(member account.ID, asset string, amount money.Amount) {
	h.tb.Helper()
	h.must(&CreditDeposit{Member: member, Asset: asset, Amount: amount})
}

func (h *house) balance(member account.ID, asset ledger.AssetID, available, held money.Amount) {
	h.tb.Helper()
	if got := h.state.Balance(member, asset); got != (ledger.Balance{Available: available, Held: held}) {
		h.tb.Errorf("account %d has %+v of asset %d, want %d and %d held", member, got, asset, available, held)
	}
}

func (h *house) order(id market.OrderID) Order {
	h.tb.Helper()
	o, ok := h.state.Order(id)
	if !ok {
		h.tb.Fatalf("order %d is not known", id)
	}
	return o
}

func buy(actor account.ID, price market.Price, quantity market.Quantity) *PlaceOrder {
	return &PlaceOrder{
		Actor: actor, Symbol: "BTC-USDT", Side: market.Buy, Type: market.Limit, TimeInForce: market.GTC,
		Price: price, Quantity: quantity,
	}
}

func sell(actor account.ID, price market.Price, quantity market.Quantity) *PlaceOrder {
	c := buy(actor, price, quantity)
	c.Side = market.Sell
	return c
}

func ioc(c *PlaceOrder) *PlaceOrder {
	c.TimeInForce = market.IOC
	return c
}

func atMarket(c *PlaceOrder) *PlaceOrder {
	c.Type, c.TimeInForce, c.Price = market.Market, market.IOC, 0
	return c
}

// replay folds events, through their encoding, into a new state.
func replay(tb rapid.TB, events Events) *State {
	tb.Helper()
	var payload []byte
	for i := range events {
		payload = AppendEvent(payload, &events[i])
	}
	s, d := New(), NewDecoder(payload)
	var ev Event
	for {
		more, err := d.Next(&ev)
		if err != nil {
			tb.Fatal(err)
		}
		if !more {
			return s
		}
		if err := s.Fold(&ev); err != nil {
			tb.Fatal(err)
		}
	}
}

func until(c *PlaceOrder, at Time) *PlaceOrder {
	c.TimeInForce, c.ExpiresAt = market.GTD, at
	return c
}

func with(c *PlaceOrder, change func(*PlaceOrder)) *PlaceOrder {
	change(c)
	return c
}

func iceberg(c *PlaceOrder, display market.Quantity) *PlaceOrder {
	c.Display = display
	return c
}

func stop(c *PlaceOrder, trigger market.Price) *PlaceOrder {
	c.Type, c.Trigger = market.Stop, trigger
	if c.Price != 0 {
		c.Type = market.StopLimit
	}
	return c
}

func trail(c *PlaceOrder, distance market.Price) *PlaceOrder {
	c.Type, c.Trail = market.TrailingStop, distance
	return c
}
