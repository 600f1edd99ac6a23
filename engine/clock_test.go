package engine

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"bourse/engine/account"
	"bourse/engine/market"
)

// A clock that is turned back, while the house runs and before it starts again: stamps stand still until
// time has caught up, and nobody is refused for it.
func TestClockGoesBack(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC).UnixNano())
	f := openFloor(t, func(f *floor) {
		f.opts.Clock = func() time.Time { return time.Unix(0, now.Load()) }
	})
	alice, bob := f.rich(1001), f.rich(1002)
	n := 0
	var last time.Time
	trade := func(when string) time.Time {
		t.Helper()
		n++
		ask, _ := place(t, alice, limit(fmt.Sprint("ask-", n), market.Sell, "100.00", "0.2"))
		bid, _ := place(t, bob, limit(fmt.Sprint("bid-", n), market.Buy, "100.00", "0.1"))
		gone, _, err := alice.CancelOrder(context.Background(), CancelOrder{Key: fmt.Sprint("out-", n), OrderID: ask.ID})
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if bid.PlacedAt.Before(ask.PlacedAt) || gone.UpdatedAt.Before(bid.PlacedAt) || ask.PlacedAt.Before(last) {
			t.Fatalf("%s: stamps %v, %v, %v after %v", when, ask.PlacedAt, bid.PlacedAt, gone.UpdatedAt, last)
		}
		last = gone.UpdatedAt
		return last
	}
	start := trade("at noon")
	now.Add(-int64(time.Hour))
	if at := trade("an hour back"); !at.Equal(start) {
		t.Fatalf("an hour back the stamp is %v, was %v", at, start)
	}
	f.sound()

	f.close()
	f.open()
	alice, bob = f.view(1001), f.view(1002)
	if at := trade("started again"); !at.Equal(start) {
		t.Fatalf("started again, the stamp is %v, was %v", at, start)
	}
	now.Add(int64(2 * time.Hour))
	if at := trade("two hours on"); !at.After(start) {
		t.Fatalf("two hours on the stamp is %v, was %v", at, start)
	}
	f.sound()
	candles, err := f.Visitor().Candles(t.Context(), btcUSD, H1, start.Add(-3*time.Hour), start.Add(3*time.Hour), 10)
	if err != nil || len(candles) != 2 {
		t.Fatalf("%d candles, %v", len(candles), err)
	}
}

// view is a member's view of the exchange as it runs now.
func (f *floor) view(id account.ID) *Member {
	f.t.Helper()
	m, err := f.Member(account.Actor{ID: id, Role: account.RoleMember})
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}
