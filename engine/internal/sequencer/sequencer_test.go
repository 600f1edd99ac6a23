package sequencer_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	btc = money.Asset{Code: "BTC", Scale: 8}
	usd = money.Asset{Code: "USD", Scale: 2}
)

const (
	symbol = market.Symbol("BTC-USD")
	alice  = account.ID(1001)
	bob    = account.ID(1002)
)

// house is a sequencer on a journal in memory, and what it published.
type house struct {
	*sequencer.Sequencer
	t       testing.TB
	journal *journal.Memory

	mu        sync.Mutex
	published []venue.Sequence // of each event's command, without repeats
}

func open(t testing.TB, j *journal.Memory, change func(*sequencer.Options)) *house {
	t.Helper()
	h := &house{t: t, journal: j}
	opts := sequencer.Options{Journal: j, Published: h.take, Backoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond}
	if change != nil {
		change(&opts)
	}
	s, err := sequencer.Open(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	h.Sequencer = s
	t.Cleanup(func() { h.close() })
	return h
}

func (h *house) close() {
	if err := h.Close(context.Background()); err != nil {
		h.t.Error(err)
	}
}

func (h *house) take(b sequencer.Batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range b.Events {
		if b.Events[i].First {
			h.published = append(h.published, b.Events[i].Sequence)
		}
	}
}

// submit also checks that what is acknowledged is in the view and on disk.
func (h *house) submit(cmd venue.Command) (venue.Receipt, error) {
	receipt, err := h.Submit(context.Background(), cmd)
	if err == nil {
		head, _ := h.journal.Head(context.Background())
		if h.View().Sequence() < receipt.Sequence || head.Sequence < uint64(receipt.Sequence) {
			h.t.Errorf("acknowledged %d, the view is at %d, the journal at %d", receipt.Sequence, h.View().Sequence(), head.Sequence)
		}
	}
	return receipt, err
}

func (h *house) must(cmd venue.Command) venue.Receipt {
	h.t.Helper()
	receipt, err := h.submit(cmd)
	if err != nil {
		h.t.Fatalf("%+v: %v", cmd, err)
	}
	return receipt
}

// furnish opens a market and gives alice and bob money.
func (h *house) furnish() {
	h.t.Helper()
	h.must(&venue.AddAsset{Key: "btc", Asset: btc})
	h.must(&venue.AddAsset{Key: "usd", Asset: usd})
	h.must(&venue.CreateMarket{Key: "market", Definition: market.Definition{
		Symbol: symbol, Base: btc, Quote: usd, TickSize: money.MustDecimal("0.01"), LotSize: money.MustDecimal("1"),
		MakerFee: 1000, TakerFee: 2000,
	}})
	for i, member := range []account.ID{alice, bob} {
		for k, asset := range []money.Asset{btc, usd} {
			n := uint64(2*i + k + 1)
			h.must(&venue.CreditDeposit{Key: fmt.Sprint("deposit:", n), Deposit: n, Member: member, Asset: asset.Code, Amount: 1_000_000_00000000})
		}
	}
}

func buy(member account.ID, key string, price market.Price) *venue.PlaceOrder {
	return order(member, key, market.Buy, price)
}

func order(member account.ID, key string, side market.Side, price market.Price) *venue.PlaceOrder {
	return &venue.PlaceOrder{
		Actor: member, Key: key, Symbol: symbol, Side: side, Type: market.Limit, TimeInForce: market.GTC, Price: price, Quantity: 1,
	}
}

// sound checks that the journal, a venue rebuilt from nothing but it and the view say the same, and
// that everything was published once and in order.
func (h *house) sound() {
	h.t.Helper()
	h.mu.Lock()
	for i := 1; i < len(h.published); i++ {
		if h.published[i] != h.published[i-1]+1 {
			h.t.Fatalf("published %d after %d", h.published[i], h.published[i-1])
		}
	}
	h.mu.Unlock()
	restored, err := sequencer.Restore(context.Background(), h.journal, math.MaxUint64)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := restored.State.Check(); err != nil {
		h.t.Fatal(err)
	}
	h.View().Read(func(s *venue.State) {
		if s.Digest() != restored.State.Digest() {
			h.t.Fatalf("the view at %d differs from the journal at %d", s.Sequence(), restored.State.Sequence())
		}
	})
}

func TestAcknowledgedIsDurableAndInTheView(t *testing.T) {
	h := open(t, journal.NewMemory(), nil)
	h.furnish()
	receipt := h.must(buy(alice, "a", 100))
	head, _ := h.journal.Head(context.Background())
	if head.Sequence != uint64(receipt.Sequence) || h.View().Sequence() != receipt.Sequence {
		t.Fatalf("acknowledged %d, journal %d, view %d", receipt.Sequence, head.Sequence, h.View().Sequence())
	}
	h.sound()
}

func TestRestartGoesOnFromSnapshotAndTail(t *testing.T) {
	j := journal.NewMemory()
	h := open(t, j, func(o *sequencer.Options) { o.SnapshotEvery = 10 })
	h.furnish()
	for i := range 55 {
		h.must(buy(alice, fmt.Sprint(i), market.Price(100+i)))
	}
	var digest [32]byte
	h.View().Read(func(s *venue.State) { digest = s.Digest() })
	h.close()
	again := open(t, j, nil)
	again.View().Read(func(s *venue.State) {
		if s.Digest() != digest {
			t.Fatal("another state after the restart")
		}
	})
	if receipt := again.must(buy(alice, "7", 107)); receipt.Order != 8 {
		t.Fatalf("a repeat across the restart made order %d", receipt.Order)
	}
	again.must(order(bob, "s", market.Sell, 100))
	again.sound()

	// Without its snapshots the journal tells the same; with a broken one too.
	var all sequencer.Restored
	j.Tamper(func(_ []journal.Batch, snapshots []journal.Snapshot) {
		for i := range snapshots {
			snapshots[i].Payload[len(snapshots[i].Payload)/2] ^= 1
		}
	})
	all, err := sequencer.Restore(context.Background(), j, math.MaxUint64)
	if err != nil || all.Snapshot != 0 || len(all.Refused) == 0 || !all.Refused[0].Snapshot {
		t.Fatalf("restored from snapshot %d, refusing %v, %v", all.Snapshot, all.Refused, err)
	}
	again.sound()
	for _, to := range []uint64{1, 7, 30} {
		if r, err := sequencer.Restore(context.Background(), j, to); err != nil || uint64(r.State.Sequence()) != to {
			t.Fatalf("restore to %d: %v, %v", to, r.State.Sequence(), err)
		}
	}
}

func TestBrokenJournalIsNotLoaded(t *testing.T) {
	j := journal.NewMemory()
	h := open(t, j, nil)
	h.furnish()
	h.close()
	j.Tamper(func(batches []journal.Batch, snapshots []journal.Snapshot) {
		batches[2].Payload[3] ^= 1
		for i := range snapshots {
			snapshots[i].Payload[0] ^= 1
		}
	})
	_, err := sequencer.Open(context.Background(), sequencer.Options{Journal: j})
	var broken *journal.BrokenError
	if !errors.As(err, &broken) || broken.Sequence != 3 || broken.Snapshot {
		t.Fatalf("open: %v", err)
	}
}

// A commit fails before or after it was written: whoever waits is told to ask again, and asking
// again has exactly one effect.
func TestFailingCommits(t *testing.T) {
	for _, written := range []bool{false, true} {
		t.Run(fmt.Sprintf("written %v", written), func(t *testing.T) {
			j := journal.NewMemory()
			var failures atomic.Int32
			fail := func(journal.Batch) error {
				if failures.Add(-1) >= 0 {
					return errors.New("connection lost")
				}
				return nil
			}
			if written {
				j.AfterAppend = fail
			} else {
				j.BeforeAppend = fail
			}
			h := open(t, j, nil)
			h.furnish()
			failures.Store(1)
			if _, err := h.submit(buy(alice, "a", 100)); fault.CodeOf(err) != fault.OutcomeUnknown {
				t.Fatalf("on a failing commit: %v", err)
			}
			receipt := h.insist(buy(alice, "a", 100))
			if receipt.Order != 1 {
				t.Fatalf("asking again made order %d", receipt.Order)
			}
			if next := h.insist(buy(alice, "b", 101)); next.Order != 2 || next.Sequence != receipt.Sequence+1 {
				t.Fatalf("the next order is %+v", next)
			}
			h.sound()
		})
	}
}

// unsettled reports whether a client should ask again with the same key.
func unsettled(err error) bool {
	return fault.CodeOf(err) == fault.Unavailable || fault.CodeOf(err) == fault.OutcomeUnknown
}

// insist asks until there is an answer.
func (h *house) insist(cmd venue.Command) venue.Receipt {
	h.t.Helper()
	for {
		receipt, err := h.submit(cmd)
		if err == nil {
			return receipt
		}
		if !unsettled(err) {
			h.t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // the back-off of a client
	}
}

func TestReadsGoOnWhileTheJournalIsDown(t *testing.T) {
	j := journal.NewMemory()
	var down atomic.Bool
	j.BeforeAppend = func(journal.Batch) error {
		if down.Load() {
			return errors.New("disk full")
		}
		return nil
	}
	h := open(t, j, nil)
	h.furnish()
	h.must(buy(alice, "a", 100))
	down.Store(true)
	for range 20 {
		if _, err := h.submit(buy(alice, "b", 100)); !unsettled(err) {
			t.Fatalf("while down: %v", err)
		}
		h.View().Read(func(s *venue.State) {
			if len(s.OpenOrders(alice)) != 1 {
				t.Fatal("an order that was not committed is seen")
			}
		})
	}
	down.Store(false)
	h.insist(buy(alice, "b", 100))
	h.sound()
}

func TestDeposedWriterAcknowledgesNothing(t *testing.T) {
	j := journal.NewMemory()
	h := open(t, j, nil)
	h.furnish()
	before, _ := j.Head(context.Background())
	j.Depose()
	other, err := j.Lead(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.submit(buy(alice, "a", 100)); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("from a deposed writer: %v", err)
	}
	if after, _ := j.Head(context.Background()); after != before {
		t.Fatal("a deposed writer wrote")
	}
	if h.Health().Up {
		t.Fatal("a deposed writer says that it is up")
	}
	_ = other.Close()
	h.insist(buy(alice, "a", 100))
	h.sound()
}

// again is what asking again would yield.
func again(r venue.Receipt) venue.Receipt {
	r.Notional, r.Fee, r.Repeated = 0, 0, true
	return r
}

func TestFiftyRepeatsAtOnceHaveOneEffect(t *testing.T) {
	h := open(t, journal.NewMemory(), nil)
	h.furnish()
	var wait sync.WaitGroup
	receipts := make([]venue.Receipt, 50)
	for i := range receipts {
		wait.Go(func() { receipts[i], _ = h.submit(buy(alice, "same", 100)) })
	}
	wait.Wait()
	firsts := 0
	for _, r := range receipts {
		if again(r) != again(receipts[0]) || r.Order != 1 {
			t.Fatalf("receipts %+v and %+v", r, receipts[0])
		}
		if !r.Repeated {
			firsts++
		}
	}
	if firsts != 1 {
		t.Fatalf("%d receipts are the first", firsts)
	}
	if _, err := h.submit(buy(alice, "same", 101)); fault.CodeOf(err) != fault.IdempotencyConflict {
		t.Fatalf("another body under the key: %v", err)
	}
	h.sound()
}

// Refusals leave no trace, and neither does a batch of nothing else.
func TestRefusalsAreNotWritten(t *testing.T) {
	h := open(t, journal.NewMemory(), nil)
	h.furnish()
	before, _ := h.journal.Head(context.Background())
	if _, err := h.submit(buy(alice, "a", 1<<49)); fault.CodeOf(err) != fault.InsufficientBalance {
		t.Fatalf("too expensive: %v", err)
	}
	if after, _ := h.journal.Head(context.Background()); after != before {
		t.Fatal("a refusal was written")
	}
	h.sound()
}

func TestFullQueueRefuses(t *testing.T) {
	j := journal.NewMemory()
	hold, entered := make(chan struct{}), make(chan struct{}, 1)
	var holding atomic.Bool
	j.BeforeAppend = func(journal.Batch) error {
		if holding.Load() {
			entered <- struct{}{}
			<-hold
		}
		return nil
	}
	h := open(t, j, func(o *sequencer.Options) { o.Queue, o.BatchCommands = 4, 2 })
	h.furnish()
	holding.Store(true)
	var wait sync.WaitGroup
	var refused atomic.Int32
	submit := func(i int) {
		_, err := h.submit(buy(alice, fmt.Sprint(i), 100))
		switch fault.CodeOf(err) {
		case fault.Overloaded:
			refused.Add(1)
		case "":
		default:
			t.Error(err)
		}
	}
	wait.Go(func() { submit(-1) })
	<-entered // the first batch is with the disk
	holding.Store(false)
	for i := range 100 {
		wait.Go(func() { submit(i) })
	}
	for refused.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(hold)
	wait.Wait()
	if n := refused.Load(); n == 100 {
		t.Fatal("all were refused")
	}
	h.sound()
}

// A clock that goes back stands still: stamps never decrease.
func TestClockThatGoesBack(t *testing.T) {
	var now atomic.Int64
	now.Store(1_000_000)
	h := open(t, journal.NewMemory(), func(o *sequencer.Options) {
		o.Clock = func() time.Time { return time.Unix(0, now.Load()) }
	})
	h.furnish()
	now.Store(500)
	if receipt := h.must(buy(alice, "a", 100)); receipt.Time != 1_000_000 {
		t.Fatalf("stamped %d", receipt.Time)
	}
	h.sound()
}

func TestCloseWhileDownDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := journal.NewMemory()
		var down atomic.Bool
		j.BeforeAppend = func(journal.Batch) error {
			if down.Load() {
				return errors.New("gone")
			}
			return nil
		}
		h := open(t, j, func(o *sequencer.Options) { o.MaxBackoff = time.Hour; o.Backoff = time.Hour })
		h.furnish()
		down.Store(true)
		if _, err := h.submit(buy(alice, "a", 100)); fault.CodeOf(err) != fault.OutcomeUnknown {
			t.Fatal(err)
		}
		start := time.Now()
		h.close()
		if waited := time.Since(start); waited >= time.Hour {
			t.Fatalf("close waited %s", waited)
		}
	})
}

// A hundred race for one balance that covers ten.
func TestRaceForOneBalance(t *testing.T) {
	h := open(t, journal.NewMemory(), nil)
	h.furnish()
	var price market.Price
	h.View().Read(func(s *venue.State) {
		id, _, _ := s.AssetByCode("USD")
		price = market.Price(s.Balance(alice, id).Available) / 11 // ten with their fees
	})
	var wait sync.WaitGroup
	var accepted atomic.Int32
	for i := range 100 {
		wait.Go(func() {
			_, err := h.submit(buy(alice, fmt.Sprint(i), price))
			switch fault.CodeOf(err) {
			case "":
				accepted.Add(1)
			case fault.InsufficientBalance:
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := accepted.Load(); n != 10 {
		t.Fatalf("%d of 100 orders were accepted, the balance covers 10", n)
	}
	h.sound()
}

// An order that expires does so by itself, at its time and between the commands of others, and what
// has fallen due comes before any command.
func TestWhatFallsDueHappensByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, journal.NewMemory(), nil)
		h.furnish()
		until := func(key string, d time.Duration) *venue.PlaceOrder {
			o := buy(alice, key, 100)
			o.TimeInForce, o.ExpiresAt = market.GTD, venue.Time(time.Now().Add(d).UnixNano())
			return o
		}
		h.must(until("soon", time.Minute))
		h.must(until("late", time.Hour))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		h.View().Read(func(s *venue.State) {
			if open := s.OpenOrders(alice); len(open) != 1 || open[0].ID != 2 {
				t.Errorf("open after two minutes: %+v", open)
			}
		})
		time.Sleep(58*time.Minute - time.Second)
		h.must(buy(alice, "next", 100))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		h.View().Read(func(s *venue.State) {
			if open := s.OpenOrders(alice); len(open) != 1 || open[0].ID != 3 {
				t.Errorf("open after an hour: %+v", open)
			}
		})
		h.sound()
		h.close()
	})
}
