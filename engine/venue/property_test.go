package venue

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// machine draws commands and looks at the whole venue after each. What must come of them is for the naive venue to say
// (internal/naive).
type machine struct {
	*house
	played   []Command
	outcomes map[string]int
}

func (m *machine) play(t rapid.TB, c Command) {
	t.Helper()
	receipt, _, err := m.do(c)
	m.count(c, err)
	if err != nil {
		return
	}
	m.played = append(m.played, c)
	switch c := c.(type) {
	case *PlaceOrder:
		if o := m.order(receipt.Order); o.Status != receipt.Status || o.Filled != receipt.Filled || o.Fee != receipt.Fee || o.Notional != receipt.Notional {
			t.Fatalf("the receipt %+v says other than the order %+v", receipt, o)
		}
	case *CancelAll:
		for _, o := range m.state.OpenOrders(c.Actor) {
			if c.Symbol == "" || o.Symbol == c.Symbol {
				t.Fatalf("order %d was left open", o.ID)
			}
		}
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

func TestTheVenueKeepsItsInvariants(t *testing.T) {
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
