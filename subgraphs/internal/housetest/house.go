package housetest

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/cmd/embedded/postgres/postgrestest"
	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/auth"
	"bourse/engine/market"
)

// Password is everyone's.
const Password = "correct horse battery staple"

// House is an exchange with people in it.
//
//	ada, admin
//	nora, agent ─┬─ olga, agent ── carol, member
//	             └─ alice, bob, members
//	rival, agent ── eve, member
type House struct {
	Exchange *engine.Exchange
	// Handler is the subgraph under test.
	Handler http.Handler
	t       testing.TB
	tokens  map[string]string
	ids     map[string]account.ID
	ahead   atomic.Int64
	closed  sync.Once
}

// Open opens a house that ends with the test. handler makes the subgraph under test from its
// exchange.
func Open(t testing.TB, handler func(*engine.Exchange) http.Handler) *House {
	t.Helper()
	ctx := context.Background()
	h := &House{t: t, tokens: make(map[string]string), ids: make(map[string]account.ID)}
	db, err := pgxpool.New(ctx, postgrestest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := engine.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	x, err := engine.Open(ctx, engine.Options{
		DB: db, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		Clock:       func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) },
		TokenSecret: []byte("a secret of at least thirty-two bytes"),
		// As cheap as a hash may be: these passwords guard nothing.
		Argon: auth.Params{Memory: 8, Time: 1, Threads: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Exchange, h.Handler = x, handler(x)
	t.Cleanup(h.Close)
	h.settle(ctx)
	return h
}

// Close ends the exchange before the test ends.
func (h *House) Close() {
	h.t.Helper()
	h.closed.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Exchange.Close(ctx); err != nil {
			h.t.Error("close the exchange:", err)
		}
	})
}

// settle brings in the people and opens BTC-USDT.
func (h *House) settle(ctx context.Context) {
	h.t.Helper()
	system := h.Exchange.System()
	_, err := system.Bootstrap(ctx, engine.NewAdmin{Username: "ada", Password: Password, DisplayName: "Ada"})
	h.must(err)
	h.signIn(ctx, "ada")
	for _, a := range []struct{ name, parent string }{{"nora", ""}, {"olga", "nora"}, {"rival", ""}} {
		_, err := system.CreateAgent(ctx, engine.NewAgent{
			Username: a.name, Password: Password, DisplayName: a.name, ParentID: h.ids[a.parent],
		})
		h.must(err)
		h.signIn(ctx, a.name)
	}
	for _, m := range []struct{ name, agent string }{{"alice", "nora"}, {"bob", "nora"}, {"carol", "olga"}, {"eve", "rival"}} {
		invite, err := h.agent(ctx, m.agent).CreateInvite(ctx, engine.CreateInvite{MaxUses: 1, ExpiresAt: time.Now().Add(time.Hour)})
		h.must(err)
		session, err := h.Exchange.Visitor().Register(ctx, engine.Registration{
			InviteCode: invite.Code, Username: m.name, Password: Password, DisplayName: m.name,
		})
		h.must(err)
		h.tokens[m.name], h.ids[m.name] = session.AccessToken, session.Actor.ID
	}
	admin, err := h.Exchange.Admin(h.Actor("ada"))
	h.must(err)
	for code, scale := range map[string]uint8{"BTC": 8, "USDT": 6} {
		_, _, err := admin.CreateAsset(ctx, engine.CreateAsset{Key: "asset-" + code, Code: code, Scale: scale})
		h.must(err)
	}
	_, _, err = admin.CreateMarket(ctx, engine.CreateMarket{
		Key: "market-BTC-USDT", Base: "BTC", Quote: "USDT", TickSize: "0.01", LotSize: "0.0001", MinNotional: "1",
		MakerFeeRate: "0.001", TakerFeeRate: "0.002",
	})
	h.must(err)
}

func (h *House) signIn(ctx context.Context, name string) {
	h.t.Helper()
	session, err := h.Exchange.Visitor().SignIn(ctx, engine.Credentials{Username: name, Password: Password})
	h.must(err)
	h.tokens[name], h.ids[name] = session.AccessToken, session.Actor.ID
}

func (h *House) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// As is a client for someone by name; the empty name is a visitor.
func (h *House) As(name string) Client {
	h.t.Helper()
	if name == "" {
		return Client{Handler: h.Handler}
	}
	if h.tokens[name] == "" {
		h.t.Fatalf("there is no %s in this house", name)
	}
	return Client{Handler: h.Handler, Token: h.tokens[name]}
}

// Advance lets time pass for the exchange.
func (h *House) Advance(d time.Duration) { h.ahead.Add(int64(d)) }

// ID is the account of someone by name.
func (h *House) ID(name string) account.ID { return h.ids[name] }

// Actor is who someone is to the exchange.
func (h *House) Actor(name string) account.Actor {
	h.t.Helper()
	actor, err := h.Exchange.Visitor().Authenticate(context.Background(), h.tokens[name])
	h.must(err)
	return actor
}

func (h *House) agent(ctx context.Context, name string) *engine.Agent {
	h.t.Helper()
	actor, err := h.Exchange.Visitor().Authenticate(ctx, h.tokens[name])
	h.must(err)
	view, err := h.Exchange.Agent(actor)
	h.must(err)
	return view
}

// Member is a member's view.
func (h *House) Member(name string) *engine.Member {
	h.t.Helper()
	view, err := h.Exchange.Member(h.Actor(name))
	h.must(err)
	return view
}

// agents of the members that may be funded.
var agentOf = map[string]string{"alice": "nora", "bob": "nora", "carol": "olga", "eve": "rival"}

// Fund gives a member money the way the house does it: requested and approved.
func (h *House) Fund(name, asset, amount string) {
	h.t.Helper()
	ctx := context.Background()
	key := "fund-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	deposit, err := h.Member(name).RequestDeposit(ctx, engine.RequestDeposit{Key: key, Asset: asset, Amount: amount})
	h.must(err)
	_, _, err = h.agent(ctx, agentOf[name]).ApproveDeposit(ctx, engine.ApproveDeposit{DepositID: deposit.ID})
	h.must(err)
}

// Place places a limit order for a member and returns it.
func (h *House) Place(name string, side market.Side, quantity, price string) engine.Order {
	h.t.Helper()
	order, _, err := h.Member(name).PlaceOrder(context.Background(), engine.PlaceOrder{
		Key: "place-" + strconv.FormatInt(time.Now().UnixNano(), 36), Symbol: "BTC-USDT",
		Side: side, Type: market.Limit, TimeInForce: market.GTC, Price: price, Quantity: quantity,
	})
	h.must(err)
	return order
}
