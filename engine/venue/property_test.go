package venue

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// reference is the venue's trading written for clarity: every order in one slice
// by arrival, and who trades with whom found by looking at all of them. It knows
// only orders that the venue accepted, and says what must have come of them.
type reference struct{ orders []referenceOrder }

type referenceOrder struct {
	id     market.OrderID
	market MarketID
	member account.ID
	side   market.Side
	price  market.Price
	left   market.Quantity
}

// best is the order that an order would trade with next, nil when there is none.
func (r *reference) best(taker referenceOrder) *referenceOrder {
	var best *referenceOrder
	for i := range r.orders {
		o := &r.orders[i]
		if o.market != taker.market || o.side == taker.side || o.left == 0 {
			continue
		}
		if taker.side == market.Buy && o.price <= taker.price && (best == nil || o.price < best.price) ||
			taker.side == market.Sell && o.price >= taker.price && (best == nil || o.price > best.price) {
			best = o
		}
	}
	return best
}

// place says what comes of an order, in words that compare well.
func (r *reference) place(taker referenceOrder, rests bool) (story []string) {
	for taker.left > 0 {
		maker := r.best(taker)
		if maker == nil {
			break
		}
		if maker.member == taker.member {
			return append(story, fmt.Sprintf("cancel %d of %d SELF_TRADE", taker.left, taker.id))
		}
		quantity := min(taker.left, maker.left)
		maker.left -= quantity
		taker.left -= quantity
		story = append(story, fmt.Sprintf("trade %d with %d: %d at %d", taker.id, maker.id, quantity, maker.price))
	}
	switch {
	case taker.left > 0 && rests:
		r.orders = append(r.orders, taker)
	case taker.left > 0:
		story = append(story, fmt.Sprintf("cancel %d of %d IMMEDIATE", taker.left, taker.id))
	}
	return story
}

func (r *reference) cancel(id market.OrderID) string {
	i := slices.IndexFunc(r.orders, func(o referenceOrder) bool { return o.id == id && o.left > 0 })
	left := r.orders[i].left
	r.orders = slices.Delete(r.orders, i, i+1)
	return fmt.Sprintf("cancel %d of %d REQUESTED", left, id)
}

// tell puts the venue's events into the same words.
func tell(events Events) (story []string) {
	for i := range events {
		switch ev := &events[i]; ev.Kind {
		case Traded:
			story = append(story, fmt.Sprintf("trade %d with %d: %d at %d", ev.Order, ev.Maker, ev.Quantity, ev.Price))
		case OrderCancelled:
			story = append(story, fmt.Sprintf("cancel %d of %d %v", ev.Quantity, ev.Order, ev.Reason))
		}
	}
	return story
}

// machine draws commands and compares the venue with the reference after each.
type machine struct {
	*house
	reference reference
	played    []Command
	outcomes  map[string]int
}

func (m *machine) play(t rapid.TB, c Command) {
	t.Helper()
	receipt, events, err := m.do(c)
	m.count(c, err)
	if err != nil {
		return
	}
	m.played = append(m.played, c)
	var want []string
	switch c := c.(type) {
	case *PlaceOrder:
		placed := &events[0]
		want = m.reference.place(referenceOrder{
			placed.Order, placed.Market, placed.Member, placed.Side, placed.Price, placed.Quantity,
		}, placed.TimeInForce == market.GTC)
		if o := m.order(receipt.Order); o.Status != receipt.Status || o.Filled != receipt.Filled || o.Fee != receipt.Fee || o.Notional != receipt.Notional {
			t.Fatalf("the receipt %+v says other than the order %+v", receipt, o)
		}
	case *CancelOrder:
		want = append(want, m.reference.cancel(c.Order))
	case *CancelAll:
		for i := range events[1:] {
			want = append(want, m.reference.cancel(events[1+i].Order))
		}
		for _, o := range m.state.OpenOrders(c.Actor) {
			if c.Symbol == "" || o.Symbol == c.Symbol {
				t.Fatalf("order %d was left open", o.ID)
			}
		}
	}
	if got := tell(events); !slices.Equal(got, want) {
		t.Fatalf("%+v:\n got %q\nwant %q", c, got, want)
	}
}

func (m *machine) count(c Command, err error) {
	name := fmt.Sprintf("%T", c)
	if err != nil {
		name += " refused"
	}
	m.outcomes[name]++
}

func drawOrder(t *rapid.T) *PlaceOrder {
	c := buy(
		account.ID(rapid.IntRange(1, 5).Draw(t, "member")),
		market.Price(rapid.OneOf(rapid.Int64Range(95, 105), rapid.Int64Range(95, 105), rapid.Int64Range(1, 300)).Draw(t, "price")),
		market.Quantity(rapid.OneOf(rapid.Int64Range(2, 20), rapid.Int64Range(2, 20), rapid.Int64Range(-1, 3000)).Draw(t, "quantity")),
	)
	c.Side = rapid.SampledFrom([]market.Side{market.Buy, market.Sell}).Draw(t, "side")
	c.Symbol = rapid.SampledFrom([]market.Symbol{"BTC-USDT", "BTC-USDT", "ETH-USDT"}).Draw(t, "symbol")
	switch rapid.IntRange(0, 9).Draw(t, "type") {
	case 0:
		return atMarket(c)
	case 1:
		return ioc(c)
	}
	return c
}

func TestTheVenueAgreesWithAReferenceAndKeepsItsInvariants(t *testing.T) {
	outcomes := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{house: newHouse(t), outcomes: outcomes}
		for id := account.ID(1); id <= 4; id++ { // the fifth has nothing
			for _, asset := range []string{"BTC", "ETH", "USDT"} {
				m.deposit(id, asset, money.Amount(rapid.Int64Range(10_000, 1_000_000).Draw(t, asset)))
			}
		}
		place := func(t *rapid.T) {
			for range rapid.IntRange(1, 10).Draw(t, "orders") {
				m.play(t, drawOrder(t))
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"place": place, "place again": place, "place once more": place,
			"cancel": func(t *rapid.T) {
				c := &CancelOrder{Actor: account.ID(rapid.IntRange(1, 5).Draw(t, "member"))}
				if open := m.state.OpenOrders(c.Actor); len(open) > 0 {
					c.Order = rapid.SampledFrom(open).Draw(t, "order").ID
				} else {
					c.Order = market.OrderID(rapid.IntRange(0, 20).Draw(t, "order"))
				}
				m.play(t, c)
			},
			"cancel all": func(t *rapid.T) {
				m.play(t, &CancelAll{
					Actor:  account.ID(rapid.IntRange(1, 5).Draw(t, "member")),
					Symbol: rapid.SampledFrom([]market.Symbol{"", "BTC-USDT", "X"}).Draw(t, "symbol"),
				})
			},
			"phase": func(t *rapid.T) {
				// Most halts end at once, or most orders would be refused.
				m.play(t, &SetPhase{Symbol: "BTC-USDT", Phase: market.Halted})
				m.play(t, drawOrder(t))
				if rapid.IntRange(0, 9).Draw(t, "stays halted") < 9 {
					m.play(t, &SetPhase{Symbol: "BTC-USDT", Phase: market.Continuous})
				}
			},
			"deposit": func(t *rapid.T) {
				m.play(t, &CreditDeposit{
					Member: account.ID(rapid.IntRange(0, 5).Draw(t, "member")), Asset: "USDT",
					Amount:  money.Amount(rapid.Int64Range(0, 1000).Draw(t, "amount")),
					Deposit: rapid.Uint64Range(0, 200).Draw(t, "deposit"),
				})
			},
			"repeat": func(t *rapid.T) {
				if len(m.played) == 0 {
					t.Skip("nothing to repeat")
				}
				c := rapid.SampledFrom(m.played).Draw(t, "command")
				if _, events, err := m.do(c); err != nil || len(events) > 0 {
					t.Fatalf("%+v again: %v, %d events", c, err, len(events))
				}
			},
			"restart": func(t *rapid.T) { m.state = restored(t, m.state) },
		})
		if replay(t, m.log).Digest() != m.state.Digest() {
			t.Fatal("replay comes to another digest")
		}
		restored(t, m.state)
	})
	t.Logf("outcomes: %v", outcomes)
	for _, name := range []string{
		"*venue.PlaceOrder", "*venue.PlaceOrder refused", "*venue.CancelOrder", "*venue.CancelOrder refused",
		"*venue.CancelAll", "*venue.CancelAll refused", "*venue.SetPhase", "*venue.CreditDeposit", "*venue.CreditDeposit refused",
	} {
		if outcomes[name] == 0 {
			t.Errorf("%s never occurred", name)
		}
	}
}

// A long stream from a plain generator reaches books and histories that short
// ones do not. BOURSE_SEED repeats one, BOURSE_COMMANDS makes it longer.
func TestALongStreamAgreesWithTheReference(t *testing.T) {
	seed, commands := setting(t, "BOURSE_SEED", uint64(time.Now().UnixNano())), setting(t, "BOURSE_COMMANDS", 10_000)
	t.Logf("BOURSE_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	m := &machine{house: newHouse(t), outcomes: map[string]int{}}
	for id := account.ID(1); id <= 8; id++ {
		for _, asset := range []string{"BTC", "ETH", "USDT"} {
			m.deposit(id, asset, 10_000_000)
		}
	}
	mid := market.Price(1000)
	for range commands {
		mid = max(mid+market.Price(r.IntN(3)-1), 100)
		m.play(t, streamCommand(r, m.state, mid))
	}
	t.Logf("outcomes: %v, %d orders open", m.outcomes, m.state.OpenOrderCount())
	if replay(t, m.log).Digest() != m.state.Digest() {
		t.Error("replay comes to another digest")
	}
	restored(t, m.state)
}

func streamCommand(r *rand.Rand, s *State, mid market.Price) Command {
	actor := account.ID(1 + r.IntN(8))
	open := s.OpenOrders(actor)
	switch x := r.IntN(100); {
	case x < 1:
		return &CancelAll{Actor: actor}
	case x < 35 && len(open) > 0:
		return &CancelOrder{Actor: actor, Order: open[r.IntN(len(open))].ID}
	}
	c := buy(actor, mid-market.Price(r.IntN(40)-2), market.Quantity(1+r.IntN(50)))
	if r.IntN(2) == 0 {
		c = sell(actor, mid+market.Price(r.IntN(40)-2), c.Quantity)
	}
	if r.IntN(4) == 0 {
		c.Symbol = "ETH-USDT"
	}
	switch r.IntN(20) {
	case 0:
		return ioc(c)
	case 1:
		return atMarket(c)
	}
	return c
}

func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text, ok := os.LookupEnv(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// Two venues that are given the same commands at the same times say the same,
// byte for byte, even if one of them was restored in between.
func TestTheVenueIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := newHouse(t), newHouse(t)
		for id := account.ID(1); id <= 4; id++ {
			for _, asset := range []string{"BTC", "ETH", "USDT"} {
				a.deposit(id, asset, 100_000)
				b.deposit(id, asset, 100_000)
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "commands") {
			c := drawOrder(t)
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				b.state = restored(t, b.state)
			}
			one, _, errOne := a.do(c)
			two, _, errTwo := b.do(c)
			if one != two || fmt.Sprint(errOne) != fmt.Sprint(errTwo) {
				t.Fatalf("%+v, %v and %+v, %v", one, errOne, two, errTwo)
			}
		}
		if !bytes.Equal(encode(a.log), encode(b.log)) || a.state.Digest() != b.state.Digest() {
			t.Fatal("the same commands came to other events")
		}
	})
}

func encode(events Events) (payload []byte) {
	for i := range events {
		payload = AppendEvent(payload, &events[i])
	}
	return payload
}
