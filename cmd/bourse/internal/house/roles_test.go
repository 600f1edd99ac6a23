package house_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bourse/cmd/bourse/internal/client"
	"bourse/cmd/bourse/internal/house"
	"bourse/cmd/embedded/postgres/postgrestest"
	"bourse/cmd/embedded/redis"
	"bourse/engine/auth"
)

// withHeader sends a header along with every request.
type withHeader struct{ name, value string }

func (h withHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(h.name, h.value)
	return http.DefaultTransport.RoundTrip(r)
}

// A house in several processes, played here by one: the engine decides, a whole house and a subgraph
// bring it their commands; when the engine ends, the whole house goes on.
func TestRolesMakeAHouse(t *testing.T) {
	streams, err := redis.Start(t.Context(), redis.Options{DataDir: filepath.Join(t.TempDir(), "redis")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = streams.Stop(context.Background()) })
	c := house.Config{
		DataDir: t.TempDir(), DatabaseURL: postgrestest.New(t), RedisURL: streams.URL(), Demo: true,
		Secret: []byte(strings.Repeat("s", 32)), RouterSecret: strings.Repeat("r", 32),
		Argon: auth.Params{Time: 1, Memory: 1024, Threads: 1},
	}
	start := func(role house.Role) *house.House {
		t.Helper()
		h, err := house.StartRole(t.Context(), c, role)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	stop := func(h *house.House) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		must(t, h.Stop(ctx))
	}
	engine := start(house.Engine)
	whole, endpoint := openWith(t, c)
	if !engine.Exchange.Leads() || whole.Exchange.Leads() {
		t.Fatal("the first process should lead, and it alone")
	}
	members := start(house.MemberSubgraph)
	defer stop(members)
	stranger := httptest.NewRecorder()
	members.Handler().ServeHTTP(stranger, httptest.NewRequest(http.MethodGet, "/metrics", nil)) // from 192.0.2.1
	expect(t, "a stranger's look at the metrics", stranger.Code, http.StatusForbidden)
	subgraph := httptest.NewServer(members.Handler())
	defer subgraph.Close()

	order := `mutation($k: String!) { placeOrder(input: {clientKey: $k, market: "BTC-USDT", side: BUY, price: "64000.0", quantity: "0.001"}) {
		sequence order { id status } } }`
	alice := signIn(t, whole, endpoint, "alice")
	ask[any](t, alice, order, vars("k", "through-the-house"))

	// The subgraph answers its router, and nobody else.
	bare := client.New(subgraph.URL+"/graphql", nil)
	if err := bare.Do(t.Context(), `{ me { username } }`, nil, nil); err == nil {
		t.Error("a subgraph answered somebody who is not its router")
	}
	near := alice.On(subgraph.URL+"/graphql", withHeader{"Bourse-Router-Secret", c.RouterSecret})
	ask[any](t, near, order, vars("k", "through-the-subgraph"))

	stop(engine)
	ask[any](t, alice, order, vars("k", "after"))
	ask[any](t, near, order, vars("k", "after-too"))
	if !whole.Exchange.Leads() || members.Exchange.Leads() {
		t.Fatal("the house that is left should lead, and a subgraph never")
	}
	worker := start(house.Worker)
	stop(worker)
}

func TestARoleNeedsServersOfItsHouse(t *testing.T) {
	t.Setenv("DATABASE_URL", "")
	t.Setenv("REDIS_URL", "")
	_, err := house.StartRole(t.Context(), house.Config{DataDir: t.TempDir(), Demo: true}, house.Engine)
	if !errors.Is(err, house.ErrNotShared) {
		t.Fatalf("a role on servers of its own: %v", err)
	}
}
