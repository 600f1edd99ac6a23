package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/cmd/embedded/postgres/postgrestest"
	"bourse/engine/account"
	"bourse/engine/auth"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

const btcUSD = market.Symbol("BTC-USD")

// floor is an exchange on a real database with one market, and members with money.
type floor struct {
	*Exchange
	t      testing.TB
	pool   *pgxpool.Pool
	opts   Options
	closed bool
}

func openFloor(t testing.TB, change func(*floor)) *floor {
	t.Helper()
	return openFloorOn(t, postgrestest.New(t), change)
}

func openFloorOn(t testing.TB, url string, change func(*floor)) *floor {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if err := Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	f := &floor{t: t, pool: pool, opts: Options{DB: pool, Argon: auth.Params{Memory: 64, Time: 1, Threads: 1}}}
	if change != nil {
		change(f)
	}
	f.open()
	t.Cleanup(f.close)
	f.furnish()
	return f
}

// furnish opens the market.
func (f *floor) furnish() {
	f.t.Helper()
	f.must(&venue.AddAsset{Key: "btc", Asset: money.Asset{Code: "BTC", Scale: 8}})
	f.must(&venue.AddAsset{Key: "usd", Asset: money.Asset{Code: "USD", Scale: 2}})
	f.must(&venue.CreateMarket{Key: "market", Definition: market.Definition{
		Symbol: btcUSD, Base: money.Asset{Code: "BTC", Scale: 8}, Quote: money.Asset{Code: "USD", Scale: 2},
		TickSize: money.MustDecimal("0.10"), LotSize: money.MustDecimal("0.1"), MakerFee: 1000, TakerFee: 2000,
	}})
}

func (f *floor) open() {
	f.t.Helper()
	x, err := Open(context.Background(), f.opts)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Exchange, f.closed = x, false
}

func (f *floor) close() {
	if f.closed {
		return
	}
	f.closed = true
	if err := f.Close(context.Background()); err != nil {
		f.t.Error(err)
	}
}

func (f *floor) must(cmd venue.Command) venue.Receipt {
	f.t.Helper()
	receipt, err := f.submit(context.Background(), cmd)
	if err != nil {
		f.t.Fatalf("%+v: %v", cmd, err)
	}
	return receipt
}

// rich returns a member with a million of each asset.
func (f *floor) rich(id account.ID) *Member {
	f.t.Helper()
	for i, asset := range []string{"BTC", "USD"} {
		n := 2*uint64(id) + uint64(i)
		f.must(&venue.CreditDeposit{
			Key: fmt.Sprint("deposit:", n), Deposit: n, Member: id, Asset: asset, Amount: []money.Amount{1_000_000_00000000, 1_000_000_00}[i],
		})
	}
	m, err := f.Member(account.Actor{ID: id, Role: account.RoleMember, Username: fmt.Sprint("m", id)})
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

func limit(key string, side market.Side, price, quantity string) PlaceOrder {
	return PlaceOrder{Key: key, Symbol: btcUSD, Side: side, Type: market.Limit, TimeInForce: market.GTC, Price: price, Quantity: quantity}
}

func place(t testing.TB, m *Member, ask PlaceOrder) (Order, Sequence) {
	t.Helper()
	order, sequence, err := m.PlaceOrder(context.Background(), ask)
	if err != nil {
		t.Fatalf("%+v: %v", ask, err)
	}
	return order, sequence
}

// sound checks that everything tells the same: the view, the journal, the projected balances, their
// postings, and projections built anew.
func (f *floor) sound() {
	f.t.Helper()
	ctx := context.Background()
	if err := f.AwaitProjected(ctx, f.seq.View().Sequence()); err != nil {
		f.t.Fatal(err)
	}
	proof, err := f.Prove(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(proof.Faults) > 0 {
		f.t.Fatalf("faults at %d: %s", proof.Sequence, strings.Join(proof.Faults, "; "))
	}
	f.read(func(s *venue.State) {
		if s.Sequence() != proof.Sequence || s.Digest() != proof.Digest {
			f.t.Fatalf("the view at %d differs from the journal at %d", s.Sequence(), proof.Sequence)
		}
	})
}

// dump is all that the projections hold.
func (f *floor) dump() string {
	f.t.Helper()
	var b strings.Builder
	for _, table := range []string{"projection", "assets", "markets", "orders", "trades", "fills", "postings", "balances", "candles", "volumes"} {
		var text string
		err := f.pool.QueryRow(context.Background(), `SELECT coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '') FROM `+table+` r`).Scan(&text)
		if err != nil {
			f.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n%s\n", table, text)
	}
	return b.String()
}

func TestTradingDay(t *testing.T) {
	f := openFloor(t, nil)
	ctx := t.Context()
	alice, bob := f.rich(1001), f.rich(1002)

	ask, _ := place(t, alice, limit("a1", market.Sell, "100.00", "2.0"))
	if ask.Status != market.Open || ask.Price.String() != "100.00" || ask.Remaining.String() != "2.0" {
		t.Fatalf("resting: %+v", ask)
	}
	bid, at := place(t, bob, limit("b1", market.Buy, "100.50", "0.5"))
	if bid.Status != market.Filled || bid.AveragePrice.String() != "100.00" || bid.Fee.String() != "0.10" {
		t.Fatalf("taking: %+v", bid)
	}
	if now, err := alice.Order(ctx, ask.ID); err != nil || now.Status != market.PartiallyFilled || now.Filled.String() != "0.5" {
		t.Fatalf("made: %+v, %v", now, err)
	}
	if _, err := bob.Order(ctx, ask.ID); fault.CodeOf(err) != fault.OrderNotFound {
		t.Fatalf("someone else's order: %v", err)
	}
	again, sequence, err := bob.PlaceOrder(ctx, limit("b1", market.Buy, "100.50", "0.5"))
	if err != nil || again.ID != bid.ID || sequence != at {
		t.Fatalf("asked again: %+v at %d, %v", again, sequence, err)
	}

	// Read your own writes, from history.
	own := WithMinSequence(ctx, at)
	fills, err := bob.Fills(own, FillFilter{}, Page{First: 10})
	if err != nil || len(fills.Items) != 1 || fills.Items[0].Liquidity != Taker || fills.Items[0].Fee.String() != "0.10" {
		t.Fatalf("fills: %+v, %v", fills, err)
	}
	orders, err := bob.Orders(own, OrderFilter{Symbol: btcUSD}, Page{First: 10})
	if err != nil || len(orders.Items) != 1 || orders.Items[0].Status != market.Filled || orders.HasNext {
		t.Fatalf("orders: %+v, %v", orders, err)
	}
	balance, err := bob.Balance(ctx, "USD")
	if err != nil || balance.Available.String() != "999949.90" || balance.Held.String() != "0.00" {
		t.Fatalf("balance: %+v, %v", balance, err)
	}

	visitor := f.Visitor()
	depth, err := visitor.Depth(ctx, btcUSD, 5)
	if err != nil || len(depth.Asks) != 1 || depth.Asks[0].Quantity.String() != "1.5" || len(depth.Bids) != 0 {
		t.Fatalf("depth: %+v, %v", depth, err)
	}
	ticker, err := visitor.Ticker(ctx, btcUSD)
	if err != nil || ticker.Last.String() != "100.00" || ticker.Volume.String() != "0.5" || ticker.QuoteVolume.String() != "50.00" ||
		ticker.Change.String() != "0.0000" {
		t.Fatalf("ticker: %+v, %v", ticker, err)
	}
	trades, err := visitor.RecentTrades(ctx, btcUSD, 10)
	if err != nil || len(trades) != 1 || trades[0].TakerSide != market.Buy {
		t.Fatalf("trades: %+v, %v", trades, err)
	}
	if trade, err := visitor.Trade(own, trades[0].ID); err != nil || trade != trades[0] {
		t.Fatalf("trade: %+v, %v", trade, err)
	}
	for interval := range intervals {
		candles, err := visitor.Candles(own, btcUSD, interval, time.Time{}, time.Time{}, 10)
		if err != nil || len(candles) != 1 || candles[0].Close.String() != "100.00" || candles[0].Volume.String() != "0.5" {
			t.Fatalf("candles %s: %+v, %v", interval, candles, err)
		}
	}
	cancelled, _, err := alice.CancelOrder(ctx, CancelOrder{Key: "c1", OrderID: ask.ID})
	if err != nil || cancelled.Status != market.Cancelled || cancelled.Reason != market.CancelRequested {
		t.Fatalf("cancelled: %+v, %v", cancelled, err)
	}
	f.sound()

	// After a restart everything is as it was, and history with it.
	before := f.dump()
	f.close()
	f.open()
	f.sound()
	if after := f.dump(); after != before {
		t.Fatalf("projections changed over a restart:\n%s\n%s", before, after)
	}
	if ticker, err := f.Visitor().Ticker(ctx, btcUSD); err != nil || ticker.Last.String() != "100.00" || ticker.Volume.String() != "0.5" {
		t.Fatalf("ticker after the restart: %+v, %v", ticker, err)
	}
	if again, err := f.Visitor().RecentTrades(ctx, btcUSD, 10); err != nil || len(again) != 1 || again[0] != trades[0] {
		t.Fatalf("trades after the restart: %+v, %v", again, err)
	}
}

func TestRefusalsOfOrders(t *testing.T) {
	f := openFloor(t, nil)
	alice := f.rich(1001)
	before := f.seq.View().Head()
	for _, test := range []struct {
		name   string
		change func(*PlaceOrder)
		want   fault.Code
	}{
		{"unknown market", func(o *PlaceOrder) { o.Symbol = "XXX-USD" }, fault.UnknownMarket},
		{"no price", func(o *PlaceOrder) { o.Price = "" }, fault.InvalidPrice},
		{"negative price", func(o *PlaceOrder) { o.Price = "-1" }, fault.InvalidPrice},
		{"a price of words", func(o *PlaceOrder) { o.Price = "1e9" }, fault.InvalidPrice},
		{"off tick", func(o *PlaceOrder) { o.Price = "100.05" }, fault.PriceOffTick},
		{"off lot", func(o *PlaceOrder) { o.Quantity = "0.05" }, fault.QuantityOffLot},
		{"zero quantity", func(o *PlaceOrder) { o.Quantity = "0" }, fault.InvalidQuantity},
		{"a market order with a price", func(o *PlaceOrder) { o.Type = market.Market }, fault.InvalidPrice},
		{"nothing to take", func(o *PlaceOrder) { o.Type, o.Price = market.Market, "" }, fault.NoLiquidity},
		{"too expensive", func(o *PlaceOrder) { o.Price = "100000000.00" }, fault.InsufficientBalance},
		{"no key", func(o *PlaceOrder) { o.Key = "" }, fault.InvalidIdempotencyKey},
		{"a long key", func(o *PlaceOrder) { o.Key = strings.Repeat("k", 65) }, fault.InvalidIdempotencyKey},
	} {
		ask := limit("k", market.Buy, "100.00", "1.0")
		test.change(&ask)
		if _, _, err := alice.PlaceOrder(t.Context(), ask); fault.CodeOf(err) != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	if _, _, err := alice.CancelOrder(t.Context(), CancelOrder{Key: "c", OrderID: 99}); fault.CodeOf(err) != fault.OrderNotFound {
		t.Errorf("cancel of nothing: %v", err)
	}
	if after := f.seq.View().Head(); after != before {
		t.Fatal("refusals left a trace in the journal")
	}
	if _, err := alice.Orders(WithMinSequence(t.Context(), 1), OrderFilter{}, Page{First: 0}); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("a page of nothing: %v", err)
	}
	if _, err := alice.Orders(t.Context(), OrderFilter{}, Page{First: 1, After: encodeCursor('f', 1)}); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("a cursor of another list: %v", err)
	}
}

func TestPagesOfOrders(t *testing.T) {
	f := openFloor(t, nil)
	alice := f.rich(1001)
	var at Sequence
	for i := range 25 {
		_, at = place(t, alice, limit(fmt.Sprint(i), market.Buy, "1.00", "1.0"))
	}
	for _, filter := range []OrderFilter{{}, {OpenOnly: true}, {Symbol: btcUSD}} {
		var seen []market.OrderID
		page := Page{First: 10}
		for {
			got, err := alice.Orders(WithMinSequence(t.Context(), at), filter, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range got.Items {
				seen = append(seen, o.ID)
			}
			if !got.HasNext {
				break
			}
			page.After = got.Next
		}
		if len(seen) != 25 || seen[0] != 25 || seen[24] != 1 {
			t.Fatalf("%+v: %v", filter, seen)
		}
	}
}

// Members race with orders, cancels and repeats, the connection of the writer is killed now and
// then, and in the end everything agrees and everything that was acknowledged is there.
func TestWriterIsKilledUnderLoad(t *testing.T) {
	f := openFloor(t, nil)
	const traders = 20
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var acknowledged sync.Map // order id -> key
	var orders atomic.Int64
	for i := range traders {
		m := f.rich(account.ID(1001 + i))
		wait.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				side := market.Side(1 + (i+n)%2)
				ask := limit(fmt.Sprint("k", n), side, fmt.Sprintf("%d.00", 95+(i*7+n*3)%10), "0.1")
				for {
					order, _, err := m.PlaceOrder(context.Background(), ask)
					if code := fault.CodeOf(err); code == fault.Unavailable || code == fault.OutcomeUnknown {
						time.Sleep(5 * time.Millisecond)
						continue // the same key settles what happened
					}
					if err != nil {
						t.Error(err)
						return
					}
					orders.Add(1)
					key := fmt.Sprint(i, "/", ask.Key)
					if other, loaded := acknowledged.LoadOrStore(order.ID, key); loaded {
						t.Errorf("order %d was acknowledged to %v and %v", order.ID, other, key)
					}
					break
				}
			}
		})
	}
	for range 5 {
		from := orders.Load()
		for orders.Load() < from+500 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		_, err := f.pool.Exec(context.Background(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bourse journal' AND datname = current_database()`)
		if err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wait.Wait()
	f.sound()
	var highest market.OrderID
	f.read(func(s *venue.State) {
		acknowledged.Range(func(id, _ any) bool {
			highest = max(highest, id.(market.OrderID))
			return true
		})
	})
	if int64(highest) != orders.Load() {
		t.Fatalf("%d orders were acknowledged, the last has number %d", orders.Load(), highest)
	}
	if epoch := f.Health(context.Background()).Epoch; epoch < 4 {
		t.Fatalf("the writer was not replaced: epoch %d", epoch)
	}
	rebuilt(t, f)
}

// rebuilt checks that projections built anew are the same.
func rebuilt(t *testing.T, f *floor) {
	t.Helper()
	before := f.dump()
	if err := f.Rebuild(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after := f.dump(); after != before {
		t.Fatalf("rebuilt projections differ:\nbefore %d bytes, after %d bytes", len(before), len(after))
	}
	f.sound()
}

// faulty is the real journal, whose writer fails when it is told to.
type faulty struct {
	journal.Journal
	fail func(written bool) error // asked before and after each append
}

func (j *faulty) Lead(ctx context.Context) (journal.Writer, error) {
	w, err := j.Journal.Lead(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyWriter{w, j}, nil
}

type faultyWriter struct {
	journal.Writer
	journal *faulty
}

func (w *faultyWriter) Append(ctx context.Context, e journal.Entry) (journal.Head, error) {
	if err := w.journal.fail(false); err != nil {
		return journal.Head{}, err
	}
	head, err := w.Writer.Append(ctx, e)
	if err == nil {
		err = w.journal.fail(true)
	}
	return head, err
}

// Between applying and committing, and between committing and hearing of it, the process dies; a new
// one has exactly what was committed.
func TestCrashAroundTheCommit(t *testing.T) {
	for _, written := range []bool{false, true} {
		t.Run(fmt.Sprintf("written %v", written), func(t *testing.T) {
			var armed atomic.Bool
			f := openFloor(t, func(f *floor) {
				store := postgres.NewStore(f.pool)
				f.opts.journal = &faulty{Journal: store.Journal(), fail: func(after bool) error {
					if armed.Load() && after == written {
						return io.ErrUnexpectedEOF
					}
					return nil
				}}
			})
			alice := f.rich(1001)
			order, _ := place(t, alice, limit("first", market.Buy, "100.00", "1.0"))
			armed.Store(true)
			if _, _, err := alice.PlaceOrder(t.Context(), limit("second", market.Buy, "101.00", "1.0")); fault.CodeOf(err) != fault.OutcomeUnknown {
				t.Fatalf("in the crash: %v", err)
			}
			if _, _, err := alice.PlaceOrder(t.Context(), limit("third", market.Buy, "102.00", "1.0")); fault.CodeOf(err) != fault.Unavailable {
				t.Fatalf("after the crash: %v", err)
			}
			f.close()
			armed.Store(false)
			f.opts.journal = nil
			f.open()
			alice.x = f.Exchange
			open, err := alice.Orders(t.Context(), OrderFilter{OpenOnly: true}, Page{First: 10})
			if err != nil {
				t.Fatal(err)
			}
			if want := 1 + map[bool]int{true: 1}[written]; len(open.Items) != want && !written {
				t.Fatalf("%d orders are open, want %d", len(open.Items), want)
			}
			second, _ := place(t, alice, limit("second", market.Buy, "101.00", "1.0"))
			if second.ID != order.ID+1 {
				t.Fatalf("asked again, the second order has id %d", second.ID)
			}
			third, _ := place(t, alice, limit("third", market.Buy, "102.00", "1.0"))
			if third.ID != order.ID+2 {
				t.Fatalf("asked again, the third order has id %d", third.ID)
			}
			f.sound()
		})
	}
}

// Row-level security shows a member its own rows, whatever the query asks for.
func TestSecondWall(t *testing.T) {
	f := openFloor(t, nil)
	alice, bob := f.rich(1001), f.rich(1002)
	order, _ := place(t, alice, limit("a", market.Sell, "100.00", "1.0"))
	_, at := place(t, bob, limit("b", market.Buy, "100.00", "0.5"))
	if err := f.AwaitProjected(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	for _, viewer := range []struct {
		id   account.ID
		want int
	}{{1001, 1}, {1002, 0}, {4711, 0}, {0, 1}} {
		orders, err := f.db.Orders(t.Context(), viewer.id, postgres.OrderQuery{Member: 1001, Limit: 10})
		if err != nil || len(orders) != viewer.want {
			t.Errorf("%d sees %d orders of 1001, %v; want %d", viewer.id, len(orders), err, viewer.want)
		}
		byID, err := f.db.OrdersByID(t.Context(), viewer.id, []market.OrderID{order.ID})
		if err != nil || len(byID) != viewer.want {
			t.Errorf("%d sees %d orders by id, %v; want %d", viewer.id, len(byID), err, viewer.want)
		}
		fills, err := f.db.Fills(t.Context(), viewer.id, postgres.FillQuery{Member: 1001, Limit: 10})
		if err != nil || len(fills) != viewer.want {
			t.Errorf("%d sees %d fills of 1001, %v; want %d", viewer.id, len(fills), err, viewer.want)
		}
	}
}

// While an exchange runs on the database, a second one does not.
func TestOneExchangeAtATime(t *testing.T) {
	f := openFloor(t, nil)
	other, err := sequencer.Open(t.Context(), sequencer.Options{Journal: postgres.NewStore(f.pool).Journal(), LeadTimeout: time.Second})
	if !errors.Is(err, journal.ErrHeld) {
		t.Fatalf("a second sequencer: %v, %v", other, err)
	}
}

func TestRepeatsAtOnceHaveOneEffect(t *testing.T) {
	f := openFloor(t, nil)
	alice := f.rich(1001)
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			order, _, err := alice.PlaceOrder(context.Background(), limit("same", market.Buy, "100.00", "1.0"))
			if err != nil || order.ID != 1 {
				t.Errorf("order %d, %v", order.ID, err)
			}
		})
	}
	wait.Wait()
	if _, _, err := alice.PlaceOrder(t.Context(), limit("same", market.Buy, "100.10", "1.0")); fault.CodeOf(err) != fault.IdempotencyConflict {
		t.Fatalf("another body: %v", err)
	}
	f.sound()
}

// An order that traded at once is told the same again, at first from memory, and from history once
// it has traded further.
func TestARepeatedOrderIsAnsweredWithWhatItTradedAtOnce(t *testing.T) {
	f := openFloor(t, nil)
	alice, bob := f.rich(1001), f.rich(1002)
	place := func(m *Member, ask PlaceOrder) Order {
		t.Helper()
		order, _, err := m.PlaceOrder(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		return order
	}
	place(bob, limit("1", market.Sell, "100.00", "1.0"))
	place(bob, limit("2", market.Sell, "101.00", "2.0"))
	ask := limit("same", market.Buy, "102.00", "5.0")
	first := place(alice, ask)
	if first.Status != market.PartiallyFilled || first.AveragePrice == nil || first.Fee.String() == "0.00" {
		t.Fatalf("the order came to %+v", first)
	}
	if again := place(alice, ask); !reflect.DeepEqual(again, first) {
		t.Errorf("again: %+v, first %+v", again, first)
	}
	for i, quantity := range []string{"1.0", "1.0"} {
		place(bob, limit(fmt.Sprint("more", i), market.Sell, "102.00", quantity))
		if again := place(alice, ask); !reflect.DeepEqual(again, first) {
			t.Errorf("after %d more trades: %+v, first %+v", i+1, again, first)
		}
	}
}

func TestRaceForOneBalance(t *testing.T) {
	f := openFloor(t, nil)
	alice := f.rich(1001) // 1,000,000.00: nine orders of 100,000.00 with their fees, and not ten
	var wait sync.WaitGroup
	var accepted atomic.Int32
	for i := range 100 {
		wait.Go(func() {
			_, _, err := alice.PlaceOrder(context.Background(), limit(fmt.Sprint(i), market.Buy, "100000.00", "1.0"))
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
	if n := accepted.Load(); n != 9 {
		t.Fatalf("%d orders were accepted, the balance covers 9", n)
	}
	f.sound()
}

func TestReadsWaitForTheirSequence(t *testing.T) {
	f := openFloor(t, nil)
	alice := f.rich(1001)
	next := f.seq.View().Sequence() + 1
	done := make(chan error, 1)
	go func() {
		_, err := alice.Balances(WithMinSequence(context.Background(), next))
		done <- err
	}()
	place(t, alice, limit("a", market.Buy, "1.00", "1.0"))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := alice.Balances(WithMinSequence(ctx, math.MaxInt64)); fault.CodeOf(err) != fault.SequenceNotReached {
		t.Fatalf("a sequence that never comes: %v", err)
	}
}
