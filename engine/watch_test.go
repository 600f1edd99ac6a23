package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"bourse/engine/market"
	"bourse/engine/money"
)

// book is a subscriber's copy of a depth.
type book struct {
	bids, asks map[string]money.Decimal
	sequence   Sequence
}

func (b *book) take(t *testing.T, u DepthUpdate) {
	t.Helper()
	if u.Err != nil {
		t.Fatal(u.Err)
	}
	if u.Snapshot {
		b.bids, b.asks = map[string]money.Decimal{}, map[string]money.Decimal{}
	} else if u.Previous != b.sequence || u.Sequence <= b.sequence {
		t.Fatalf("update %d after %d follows %d", u.Sequence, b.sequence, u.Previous)
	}
	b.sequence = u.Sequence
	for _, side := range []struct {
		levels []Level
		into   map[string]money.Decimal
	}{{u.Bids, b.bids}, {u.Asks, b.asks}} {
		for _, level := range side.levels {
			if level.Quantity.Sign() == 0 {
				delete(side.into, level.Price.String())
			} else {
				side.into[level.Price.String()] = level.Quantity
			}
		}
	}
}

func (b *book) same(d Depth) bool {
	equal := func(have map[string]money.Decimal, levels []Level) bool {
		for _, level := range levels {
			if have[level.Price.String()] != level.Quantity {
				return false
			}
		}
		return len(have) == len(levels)
	}
	return equal(b.bids, d.Bids) && equal(b.asks, d.Asks)
}

// Subscribers who join at any time and add up what they hear hold the book, the tape and their
// orders as they are.
func TestWatchersHoldWhatIs(t *testing.T) {
	f := openFloor(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	random := rand.New(rand.NewPCG(1, 2))
	members := []*Member{f.rich(1001), f.rich(1002), f.rich(1003)}
	visitor := f.Visitor()

	var watchers sync.WaitGroup
	defer func() { cancel(); watchers.Wait() }()
	watchDepth := func(levels int) {
		updates, err := visitor.WatchDepth(ctx, btcUSD, levels)
		if err != nil {
			t.Error(err)
			return
		}
		watchers.Go(func() {
			var b book
			for u := range updates {
				b.take(t, u)
				if depth, _ := visitor.Depth(ctx, btcUSD, levels); depth.Sequence == b.sequence && !b.same(depth) {
					t.Errorf("at %d of %d levels: %+v is not %+v", b.sequence, levels, b, depth)
				}
			}
			if depth, _ := visitor.Depth(context.Background(), btcUSD, levels); !b.same(depth) {
				t.Errorf("in the end, of %d levels: %+v is not %+v", levels, b, depth)
			}
		})
	}
	watchTape := func() {
		updates, err := visitor.WatchTrades(ctx, btcUSD)
		if err != nil {
			t.Error(err)
			return
		}
		watchers.Go(func() {
			last := market.TradeID(0)
			for u := range updates {
				for _, trade := range u.Trades {
					if last != 0 && trade.ID != last+1 {
						t.Errorf("trade %d after %d", trade.ID, last)
					}
					last = trade.ID
				}
			}
			if newest, _ := visitor.RecentTrades(context.Background(), btcUSD, 1); len(newest) > 0 && newest[0].ID != last {
				t.Errorf("heard of trade %d last, the newest is %d", last, newest[0].ID)
			}
		})
	}
	watchMember := func(m *Member) {
		orders, err := m.WatchOrders(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		balances, err := m.WatchBalances(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		watchers.Go(func() {
			open := map[market.OrderID]Order{}
			for u := range orders {
				for _, o := range u.Orders {
					open[o.ID] = o
				}
				for _, fill := range u.Fills {
					if fill.MemberID != m.actor.ID {
						t.Errorf("member %d heard of a fill of %d", m.actor.ID, fill.MemberID)
					}
				}
			}
			for id, o := range open {
				if now, err := m.Order(context.Background(), id); err != nil || now.Status != o.Status || now.Filled != o.Filled {
					t.Errorf("heard of %+v, it is %+v, %v", o, now, err)
				}
			}
		})
		watchers.Go(func() {
			have := map[string]Balance{}
			for u := range balances {
				for _, b := range u.Balances {
					have[b.Asset.Code] = b
				}
			}
			now, _ := m.Balances(context.Background())
			for _, b := range now {
				if have[b.Asset.Code] != b {
					t.Errorf("heard of %+v, it is %+v", have[b.Asset.Code], b)
				}
			}
		})
	}
	for i := range 400 {
		if i%100 == 7 {
			watchers.Go(func() { // while others trade
				for _, levels := range []int{1, 3, 50} {
					watchDepth(levels)
				}
				watchTape()
				for range 20 {
					watchMember(members[i/100%3])
				}
			})
		}
		m := members[random.IntN(3)]
		if open, _ := m.Orders(ctx, OrderFilter{OpenOnly: true}, Page{First: 50}); len(open.Items) > 5 && random.IntN(3) == 0 {
			_, _, err := m.CancelOrder(ctx, CancelOrder{Key: fmt.Sprint("c", i), OrderID: open.Items[random.IntN(len(open.Items))].ID})
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		side := market.Side(1 + random.IntN(2))
		place(t, m, limit(fmt.Sprint(i), side, fmt.Sprintf("%d.%d0", 99+random.IntN(3), random.IntN(10)), fmt.Sprintf("0.%d", 1+random.IntN(9))))
	}
	// What was held back for a moment is sent before the watches end.
	f.live.gate.Lock()
	f.publishDepths(true)
	f.live.gate.Unlock()
	cancel()
	watchers.Wait()
	f.sound()
	rebuilt(t, f)
}

func TestSlowWatcherLags(t *testing.T) {
	f := openFloor(t, nil)
	alice, bob := f.rich(1001), f.rich(1002)
	trades, err := f.Visitor().WatchTrades(t.Context(), btcUSD)
	if err != nil {
		t.Fatal(err)
	}
	for i := range watchBuffer + 10 {
		place(t, alice, limit(fmt.Sprint("s", i), market.Sell, "100.00", "0.1"))
		place(t, bob, limit(fmt.Sprint("b", i), market.Buy, "100.00", "0.1"))
	}
	var got []TradeUpdate
	for u := range trades {
		got = append(got, u)
	}
	if n := len(got); n != watchBuffer+1 || !errors.Is(got[n-1].Err, ErrLagged) || !got[0].Snapshot {
		t.Fatalf("%d updates, the last with %v", n, got[n-1].Err)
	}
	again, err := f.Visitor().WatchTrades(t.Context(), btcUSD)
	if err != nil {
		t.Fatal(err)
	}
	first := <-again
	if len(first.Trades) != snapshotTrades || !slices.IsSortedFunc(first.Trades, func(a, b Trade) int { return int(a.ID) - int(b.ID) }) {
		t.Fatalf("the snapshot has %d trades", len(first.Trades))
	}
	f.close()
	if last := <-again; !errors.Is(last.Err, ErrClosing) {
		t.Fatalf("on closing: %+v", last)
	}
}
