package engine

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"

	"bourse/cmd/embedded/postgres/postgrestest"
	"bourse/cmd/embedded/redis"
	"bourse/engine/auth"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/venue"
)

// street is a database and a Redis that several exchanges share.
type street struct {
	t        *testing.T
	database string
	server   *redis.Server
	mu       sync.Mutex
	redis    *goredis.Options
}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{t: t, database: postgrestest.New(t)}
	s.startRedis()
	return s
}

func (s *street) startRedis() {
	s.t.Helper()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("bourse-street-%d", time.Now().UnixNano()))
	var err error
	if s.server, err = redis.Start(context.Background(), redis.Options{DataDir: dir}); err != nil {
		s.t.Fatal(err)
	}
	server := s.server
	s.t.Cleanup(func() {
		_ = server.Stop(context.Background())
		_ = os.RemoveAll(dir)
	})
	o, err := goredis.ParseURL(s.server.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.redis = o
	s.mu.Unlock()
}

// restartRedis puts another Redis, which knows nothing, where the one before was.
func (s *street) restartRedis() {
	s.t.Helper()
	s.startRedis()
}

// dial reaches the Redis of the street, wherever it is at the moment.
func (s *street) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	s.mu.Lock()
	address := s.redis.Addr
	s.mu.Unlock()
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

func (s *street) credentials() (username, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.redis.Username, s.redis.Password
}

// open opens an exchange on the street.
func (s *street) open(process Process) *floor {
	s.t.Helper()
	config, err := pgxpool.ParseConfig(s.database)
	if err != nil {
		s.t.Fatal(err)
	}
	config.MaxConns = 6
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(pool.Close)
	if err := Migrate(s.t.Context(), pool); err != nil {
		s.t.Fatal(err)
	}
	client := goredis.NewClient(&goredis.Options{Addr: "redis of the street", Dialer: s.dial, CredentialsProvider: s.credentials})
	s.t.Cleanup(func() { _ = client.Close() })
	f := &floor{t: s.t, pool: pool, opts: Options{
		DB: pool, Redis: client, Process: process, Argon: auth.Params{Memory: 64, Time: 1, Threads: 1},
	}}
	f.open()
	s.t.Cleanup(f.close)
	return f
}

// settle places an order as a client does who asks again with the same key until it knows.
func settle(t testing.TB, m *Member, ask PlaceOrder) (Order, Sequence) {
	t.Helper()
	limit := time.Now().Add(20 * time.Second)
	for {
		order, sequence, err := m.PlaceOrder(context.Background(), ask)
		switch code := fault.CodeOf(err); {
		case err == nil:
			return order, sequence
		case code != fault.Unavailable && code != fault.OutcomeUnknown || time.Now().After(limit):
			t.Fatalf("%s: %v", ask.Key, err)
		}
	}
}

// same waits until two exchanges show the same, and fails when they do not.
func same(t *testing.T, a, b *floor) {
	t.Helper()
	limit := time.Now().Add(10 * time.Second)
	for a.seq.View().Head() != b.seq.View().Head() {
		if time.Now().After(limit) {
			t.Fatalf("one shows %+v, the other %+v", a.seq.View().Head(), b.seq.View().Head())
		}
		time.Sleep(time.Millisecond)
	}
	if a.digest() != b.digest() {
		t.Fatal("two that stand at the same place hold different states")
	}
}

// The façade behaves alike whether commands are decided in this process or brought to another.
func TestFacadeConforms(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *floor{
		"alone": func(t *testing.T) *floor { return openFloor(t, nil) },
		"leader": func(t *testing.T) *floor {
			f := newStreet(t).open(Candidate)
			f.furnish()
			return f
		},
		"follower": func(t *testing.T) *floor {
			s := newStreet(t)
			s.open(Candidate)
			f := s.open(Follower)
			f.furnish()
			if f.Leads() {
				t.Fatal("a follower leads")
			}
			return f
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conform(t, open(t))
		})
	}
}

func conform(t *testing.T, f *floor) {
	ctx := t.Context()
	alice, bob := f.rich(1001), f.rich(1002)

	watched, err := alice.WatchOrders(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if first := <-watched; !first.Snapshot || len(first.Orders) != 0 {
		t.Fatalf("the first update is %+v", first)
	}
	depth, err := f.Visitor().WatchDepth(ctx, btcUSD, 5)
	if err != nil {
		t.Fatal(err)
	}
	var held book
	held.take(t, <-depth)

	// Placing, reading what was written, repeating it, and another body under its key.
	ask := limit("a", market.Buy, "100.00", "1.0")
	order, sequence, err := alice.PlaceOrder(ctx, ask)
	if err != nil || order.Status != market.Open {
		t.Fatalf("placed %+v, %v", order, err)
	}
	if read, err := alice.Order(ctx, order.ID); err != nil || read.ID != order.ID {
		t.Fatalf("read at once: %+v, %v", read, err)
	}
	again, repeated, err := alice.PlaceOrder(ctx, ask)
	if err != nil || again.ID != order.ID || repeated != sequence {
		t.Fatalf("repeated: %+v at %d, %v", again, repeated, err)
	}
	ask.Price = "101.00"
	_, _, err = alice.PlaceOrder(ctx, ask)
	wantCode(t, "another body", err, fault.IdempotencyConflict)

	// Refusals arrive as they were given, and change nothing.
	before := f.digest()
	_, _, err = alice.PlaceOrder(ctx, limit("poor", market.Buy, "100000.00", "100000.0"))
	wantCode(t, "too much", err, fault.InsufficientBalance)
	_, _, err = bob.CancelOrder(ctx, CancelOrder{Key: "not-mine", OrderID: order.ID})
	wantCode(t, "another's order", err, fault.OrderNotFound)
	if f.digest() != before {
		t.Fatal("a refusal changed something")
	}

	// A trade, seen by its sequence in history, and by those who watch.
	sold, sequence, err := bob.PlaceOrder(ctx, limit("b", market.Sell, "100.00", "0.4"))
	if err != nil || sold.Status != market.Filled {
		t.Fatalf("sold %+v, %v", sold, err)
	}
	fills, err := alice.Fills(WithMinSequence(ctx, sequence), FillFilter{}, Page{First: 10})
	if err != nil || len(fills.Items) != 1 {
		t.Fatalf("fills: %+v, %v", fills, err)
	}
	_, err = alice.Orders(WithMinSequence(ctx, sequence+1000), OrderFilter{OpenOnly: true}, Page{First: 1})
	wantCode(t, "a sequence to come", err, fault.SequenceNotReached)

	cancelled, sequence, err := alice.CancelOrder(ctx, CancelOrder{Key: "c", OrderID: order.ID})
	if err != nil || cancelled.Status != market.Cancelled {
		t.Fatalf("cancelled %+v, %v", cancelled, err)
	}
	last, at := market.Status(0), Sequence(0)
	for at < sequence {
		u := <-watched
		if u.Err != nil || u.Sequence <= at {
			t.Fatalf("after %d came %+v", at, u)
		}
		at = u.Sequence
		for _, o := range u.Orders {
			last = o.Status
		}
	}
	if last != market.Cancelled {
		t.Fatalf("the order was last seen %s", last)
	}
	for held.sequence < sequence {
		held.take(t, <-depth)
	}
	if d, err := f.Visitor().Depth(ctx, btcUSD, 5); err != nil || !held.same(d) {
		t.Fatalf("a watcher holds %+v, the book is %+v, %v", held, d, err)
	}

	// Fifty at once under one key are one order.
	var wait sync.WaitGroup
	ids := make([]market.OrderID, 50)
	for i := range ids {
		wait.Go(func() {
			o, _, err := alice.PlaceOrder(ctx, limit("fifty", market.Buy, "90.00", "0.1"))
			if err != nil {
				t.Error(err)
			}
			ids[i] = o.ID
		})
	}
	wait.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("one key made orders %v", ids)
		}
	}
	f.sound()
	if h := f.Health(ctx); !h.OK || !h.Writable || h.Epoch == 0 {
		t.Fatalf("health: %+v", h)
	}

	f.close()
	_, _, err = alice.PlaceOrder(ctx, limit("late", market.Buy, "90.00", "0.1"))
	wantCode(t, "after the end", err, fault.Unavailable)
	for u := range watched {
		if u.Err == nil {
			continue
		}
		return
	}
	t.Fatal("a watch ended without a word")
}

func (f *floor) digest() (sum [32]byte) {
	f.read(func(s *venue.State) { sum = s.Digest() })
	return sum
}
