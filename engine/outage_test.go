package engine

import (
	"context"
	"os"
	"testing"
	"time"

	embedded "bourse/cmd/embedded/postgres"
	"bourse/engine/fault"
	"bourse/engine/market"
)

// While the database is down, orders are refused and what is live is still read; when it is back,
// everything goes on by itself and the order that was in doubt exists once.
func TestDatabaseGoesAwayAndComesBack(t *testing.T) {
	if os.Getenv("BOURSE_TEST_DATABASE_URL") != "" {
		t.Skip("stops a server of its own, which a given database does not allow for")
	}
	dir, err := os.MkdirTemp("", "bourse-outage-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the server may run as another user
		t.Fatal(err)
	}
	var server *embedded.Server
	start := func() {
		t.Helper()
		if server, err = embedded.Start(context.Background(), embedded.Options{DataDir: dir}); err != nil {
			t.Fatal(err)
		}
	}
	stop := func() {
		t.Helper()
		if err := server.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	start()
	t.Cleanup(func() { stop() })
	f := openFloorOn(t, server.URL(), nil)
	alice := f.rich(1001)
	place(t, alice, limit("before", market.Buy, "100.00", "1.0"))

	stop()
	ask := limit("during", market.Buy, "101.00", "1.0")
	for i := range 3 {
		_, _, err := alice.PlaceOrder(t.Context(), ask)
		if code := fault.CodeOf(err); code != fault.Unavailable && (i > 0 || code != fault.OutcomeUnknown) {
			t.Fatalf("an order while the database is down: %v", err)
		}
	}
	open, err := alice.Orders(t.Context(), OrderFilter{OpenOnly: true}, Page{First: 10})
	if err != nil || len(open.Items) != 1 {
		t.Fatalf("open orders while the database is down: %+v, %v", open, err)
	}
	if depth, err := f.Visitor().Depth(t.Context(), btcUSD, 5); err != nil || len(depth.Bids) != 1 {
		t.Fatalf("depth while the database is down: %+v, %v", depth, err)
	}
	if _, err := alice.Fills(t.Context(), FillFilter{}, Page{First: 10}); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("history while the database is down: %v", err)
	}
	if h := f.Health(t.Context()); h.OK || h.Writable || h.Database {
		t.Fatalf("health while the database is down: %+v", h)
	}

	start()
	for {
		order, _, err := alice.PlaceOrder(t.Context(), ask)
		if err == nil {
			if order.ID != 2 {
				t.Fatalf("the order in doubt has number %d", order.ID)
			}
			break
		}
		if fault.CodeOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	f.sound()
	if h := f.Health(t.Context()); !h.OK {
		t.Fatalf("health after the database came back: %+v", h)
	}
	rebuilt(t, f)
}
