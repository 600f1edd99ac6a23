package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// atOnce runs something n times, all let go at the same moment.
func atOnce(n int, do func(i int)) {
	var ready, all sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		all.Go(func() {
			ready.Done()
			<-start
			do(i)
		})
	}
	ready.Wait()
	close(start)
	all.Wait()
}

// A hundred clients of one member race for a balance that is enough for ten of them: ten get it.
func TestOneBalanceIsSpentOnce(t *testing.T) {
	f := openFloor(t, nil)
	alice := f.rich(1001) // 1,000,000.00 USD
	var placed, refused atomic.Int64
	atOnce(100, func(i int) {
		// 99,800 with a fee of 0.2 % is 99,999.60: ten fit, an eleventh does not.
		_, _, err := alice.PlaceOrder(context.Background(), limit(fmt.Sprint("race-", i), market.Buy, "998.00", "100.0"))
		switch fault.CodeOf(err) {
		case "":
			if err != nil {
				t.Error(err)
			}
			placed.Add(1)
		case fault.InsufficientBalance:
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if placed.Load() != 10 || refused.Load() != 90 {
		t.Fatalf("%d were placed, %d refused", placed.Load(), refused.Load())
	}
	b, err := alice.Balance(t.Context(), "USD")
	if err != nil || b.Available.Sign() < 0 || b.Held.String() != "999996.00" || b.Available.String() != "4.00" {
		t.Fatalf("%+v, %v", b, err)
	}

	// The same for what is held already: a hundred cancels of ten orders release each once.
	var cancelled atomic.Int64
	open, err := alice.Orders(t.Context(), OrderFilter{OpenOnly: true}, Page{First: 20})
	if err != nil || len(open.Items) != 10 {
		t.Fatalf("%d open, %v", len(open.Items), err)
	}
	atOnce(100, func(i int) {
		_, _, err := alice.CancelOrder(context.Background(), CancelOrder{Key: fmt.Sprint("cancel-", i), OrderID: open.Items[i%10].ID})
		if err == nil {
			cancelled.Add(1)
		} else if fault.CodeOf(err) != fault.OrderNotOpen {
			t.Error(err)
		}
	})
	if b, err = alice.Balance(t.Context(), "USD"); err != nil || b.Available.String() != "1000000.00" || cancelled.Load() != 10 {
		t.Fatalf("%d cancelled, %+v, %v", cancelled.Load(), b, err)
	}
	f.sound()
}

// Every kind of command has one effect, whether it is asked three times in turn or fifty times at once.
func TestRepeatedCommandsHaveOneEffect(t *testing.T) {
	f := openFloor(t, nil)
	alice, bob := f.rich(1001), f.rich(1002)
	place(t, bob, limit("resting", market.Sell, "100.00", "500.0"))
	orders := make([]market.OrderID, 4)
	for i := range orders {
		order, _ := place(t, alice, limit(fmt.Sprint("mine-", i), market.Buy, "90.00", "1.0"))
		orders[i] = order.ID
	}
	submit := func(cmd venue.Command) (string, error) {
		r, err := f.submit(context.Background(), cmd)
		return fmt.Sprint(r.Sequence, r.Order, r.Status, r.Filled, r.Count), err
	}
	for kind, c := range []struct {
		name string
		ask  func(key string, n int) (string, error) // n tells the two rounds apart
	}{
		{"place a limit order", func(key string, _ int) (string, error) {
			o, at, err := alice.PlaceOrder(context.Background(), limit(key, market.Buy, "100.00", "1.0"))
			return fmt.Sprint(at, o.ID), err
		}},
		{"place a market order", func(key string, _ int) (string, error) {
			o, at, err := alice.PlaceOrder(context.Background(), PlaceOrder{
				Key: key, Symbol: btcUSD, Side: market.Buy, Type: market.Market, TimeInForce: market.IOC, Quantity: "1.0",
			})
			return fmt.Sprint(at, o.ID), err
		}},
		{"cancel an order", func(key string, n int) (string, error) {
			o, at, err := alice.CancelOrder(context.Background(), CancelOrder{Key: key, OrderID: orders[n]})
			return fmt.Sprint(at, o.ID), err
		}},
		{"cancel all", func(key string, _ int) (string, error) {
			n, at, err := alice.CancelAll(context.Background(), CancelAll{Key: key})
			return fmt.Sprint(at, n), err
		}},
		{"credit a deposit", func(key string, n int) (string, error) {
			return submit(&venue.CreditDeposit{Key: key, Deposit: uint64(9000 + n), Member: 1001, Asset: "USD", Amount: 100})
		}},
		{"add an asset", func(key string, n int) (string, error) {
			return submit(&venue.AddAsset{Key: key, Asset: money.Asset{Code: fmt.Sprint("A", n), Scale: 2}})
		}},
		{"create a market", func(key string, n int) (string, error) {
			code := fmt.Sprint("A", n)
			return submit(&venue.CreateMarket{Key: key, Definition: market.Definition{
				Symbol: market.Symbol(code + "-USD"), Base: money.Asset{Code: code, Scale: 2}, Quote: money.Asset{Code: "USD", Scale: 2},
				TickSize: money.MustDecimal("0.1"), LotSize: money.MustDecimal("0.1"),
			}})
		}},
		{"halt a market", func(key string, n int) (string, error) {
			phase := [...]market.Phase{market.Halted, market.Continuous}[n]
			return submit(&venue.SetPhase{Key: key, Symbol: btcUSD, Phase: phase})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			thrice, fifty := fmt.Sprint("thrice-", kind), fmt.Sprint("fifty-", kind)
			before := f.seq.View().Sequence()
			want, err := c.ask(thrice, 0)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if got, err := c.ask(thrice, 0); err != nil || got != want {
					t.Fatalf("asked again: %s, %v; want %s", got, err, want)
				}
			}
			answers := make([]string, 50)
			atOnce(len(answers), func(i int) {
				var err error
				if answers[i], err = c.ask(fifty, 1); err != nil {
					t.Error(err)
				}
			})
			for _, answer := range answers {
				if answer != answers[0] || answer == want {
					t.Fatalf("answers differ: %s, %s", answer, answers[0])
				}
			}
			if now := f.seq.View().Sequence(); now != before+2 {
				t.Fatalf("two commands took %d sequence numbers", now-before)
			}
		})
	}
	f.sound()
}
