package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"bourse/engine/market"
)

// Watchers who read nothing are told of the gap and let go, having cost no more than their buffer;
// those beside them miss nothing.
func TestSlowWatchersHarmNobody(t *testing.T) {
	f := openFloor(t, nil)
	alice, bob := f.rich(1001), f.rich(1002)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watch := func() (<-chan TradeUpdate, <-chan DepthUpdate, <-chan OrderUpdate, <-chan BalanceUpdate) {
		t.Helper()
		trades, err1 := f.Visitor().WatchTrades(ctx, btcUSD)
		depths, err2 := f.Visitor().WatchDepth(ctx, btcUSD, 5)
		orders, err3 := alice.WatchOrders(ctx)
		balances, err4 := alice.WatchBalances(ctx)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		return trades, depths, orders, balances
	}
	slowTrades, slowDepths, slowOrders, slowBalances := watch()
	fastTrades, fastDepths, fastOrders, fastBalances := watch()
	both := f.Health(ctx).Watchers

	const rounds = 3 * watchBuffer
	var fast sync.WaitGroup
	seen := map[uint64]int{}
	fast.Go(func() {
		for u := range fastTrades {
			for _, trade := range u.Trades {
				seen[uint64(trade.ID)]++
			}
			if errors.Is(u.Err, ErrLagged) {
				t.Error("a watcher who reads is told of a gap")
			}
		}
	})
	fills := 0
	fast.Go(func() {
		for u := range fastOrders {
			fills += len(u.Fills)
		}
	})
	fast.Go(func() {
		copied := book{}
		for u := range fastDepths {
			if u.Err == nil {
				copied.take(t, u)
			}
		}
	})
	fast.Go(func() {
		for range fastBalances {
		}
	})
	for i := range rounds {
		place(t, alice, limit(fmt.Sprint("s", i), market.Sell, "100.00", "0.1"))
		place(t, bob, limit(fmt.Sprint("b", i), market.Buy, "100.00", "0.1"))
	}
	if left := f.Health(ctx).Watchers; left != both-4 && left != both-3 { // depths that change back and forth may be sent as one
		t.Errorf("%d watchers are left of %d", left, both)
	}
	lagged(t, "trades", slowTrades, func(u TradeUpdate) error { return u.Err })
	lagged(t, "orders", slowOrders, func(u OrderUpdate) error { return u.Err })
	lagged(t, "balances", slowBalances, func(u BalanceUpdate) error { return u.Err })
	cancel()
	fast.Wait()
	for range slowDepths {
	}
	if len(seen) != rounds || fills != rounds {
		t.Fatalf("those who read heard of %d trades and %d fills, there were %d", len(seen), fills, rounds)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("trade %d was told %d times", id, n)
		}
	}
	f.sound()
}

// lagged empties the channel of a watcher who read nothing.
func lagged[U any](t *testing.T, what string, updates <-chan U, failure func(U) error) {
	t.Helper()
	n, last := 0, error(nil)
	for u := range updates {
		n, last = n+1, failure(u)
	}
	if n > watchBuffer+1 || !errors.Is(last, ErrLagged) {
		t.Errorf("%s: %d messages were kept, the last with %v", what, n, last)
	}
}
