package engine

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/cmd/embedded/postgres/postgrestest"
	"bourse/engine/account"
	"bourse/engine/auth"
	"bourse/engine/fault"
)

// testClock is a time that only a test moves.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// testLog keeps what was logged.
type testLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// house is an exchange on a database of its own, with a small tree, two assets and a market:
//
//	top ── north ── alice
//	 └──── south ── bob
type house struct {
	*Exchange
	opts  Options
	clock *testClock
	log   *testLog

	root             *Admin
	top, north       *Agent
	south            *Agent
	alice, bob       *Member
	aliceIn, northIn Session
}

const testPassword = "correct horse battery"

func openHouse(t *testing.T) *house {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), postgrestest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if err := Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	h := &house{clock: &testClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, log: &testLog{}}
	h.opts = Options{
		DB: pool, Clock: h.clock.Now, Argon: auth.Params{Memory: 64, Time: 1, Threads: 1},
		Logger: slog.New(slog.NewTextHandler(h.log, nil)), TokenSecret: bytes.Repeat([]byte("s"), auth.MinSecret),
	}
	if h.Exchange, err = Open(t.Context(), h.opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	h.settle(t)
	return h
}

func (h *house) settle(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	if done, err := h.System().Bootstrap(ctx, NewAdmin{Username: "admin", Password: testPassword, DisplayName: "Root"}); !done || err != nil {
		t.Fatal(done, err)
	}
	h.root = must(h.Admin(h.signIn(t, "admin").Actor))(t)
	for _, asset := range []CreateAsset{{Key: "btc", Code: "BTC", Scale: 8}, {Key: "usdt", Code: "USDT", Scale: 6}} {
		if _, _, err := h.root.CreateAsset(ctx, asset); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := h.root.CreateMarket(ctx, btcMarket("market")); err != nil {
		t.Fatal(err)
	}
	top := h.agent(t, "top", 0)
	h.agent(t, "north", top.ID)
	h.agent(t, "south", top.ID)
	h.top = must(h.Agent(h.signIn(t, "top").Actor))(t)
	h.northIn = h.signIn(t, "north")
	h.north = must(h.Agent(h.northIn.Actor))(t)
	h.south = must(h.Agent(h.signIn(t, "south").Actor))(t)
	h.aliceIn = h.register(t, "alice", h.north)
	h.alice = must(h.Member(h.aliceIn.Actor))(t)
	h.bob = must(h.Member(h.register(t, "bob", h.south).Actor))(t)
}

func openPool(t *testing.T, config *pgxpool.Config) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func btcMarket(key string) CreateMarket {
	return CreateMarket{
		Key: key, Base: "BTC", Quote: "USDT", TickSize: "0.01", LotSize: "0.0001", MinNotional: "1",
		MakerFeeRate: "0.001", TakerFeeRate: "0.002",
	}
}

// must returns the value of a call that has to succeed.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func (h *house) signIn(t *testing.T, username string) Session {
	t.Helper()
	return must(h.Visitor().SignIn(t.Context(), Credentials{Username: username, Password: testPassword, RemoteAddr: "192.0.2.9"}))(t)
}

func (h *house) agent(t *testing.T, name string, parent account.ID) account.Agent {
	t.Helper()
	return must(h.System().CreateAgent(t.Context(), NewAgent{Username: name, Password: testPassword, DisplayName: name, ParentID: parent}))(t)
}

func (h *house) invite(t *testing.T, agent *Agent, uses int) account.Invite {
	t.Helper()
	return must(agent.CreateInvite(t.Context(), CreateInvite{MaxUses: uses, ExpiresAt: h.clock.Now().Add(time.Hour)}))(t)
}

func (h *house) register(t *testing.T, name string, agent *Agent) Session {
	t.Helper()
	r := Registration{InviteCode: h.invite(t, agent, 1).Code, Username: name, Password: testPassword, DisplayName: "The " + name}
	return must(h.Visitor().Register(t.Context(), r))(t)
}

func wantCode(t *testing.T, what string, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want || want == "" && err != nil {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// together runs do n times at once and counts the codes that it came to; "" is success.
func together(n int, do func(i int) error) map[fault.Code]int {
	codes := make(chan fault.Code, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			err := do(i)
			code := fault.CodeOf(err)
			if err != nil && code == "" {
				code = fault.Code(err.Error())
			}
			codes <- code
		})
	}
	close(start)
	all.Wait()
	close(codes)
	counted := make(map[fault.Code]int)
	for code := range codes {
		counted[code]++
	}
	return counted
}

func TestRegister(t *testing.T) {
	h := openHouse(t)
	good := func() Registration {
		return Registration{InviteCode: h.invite(t, h.north, 1).Code, Username: "carol", Password: testPassword, DisplayName: "Carol"}
	}
	for _, c := range []struct {
		what string
		edit func(*Registration)
		want fault.Code
	}{
		{"a short username", func(r *Registration) { r.Username = "x" }, fault.InvalidArgument},
		{"a username of the house", func(r *Registration) { r.Username = "support" }, fault.InvalidArgument},
		{"an empty display name", func(r *Registration) { r.DisplayName = " " }, fault.InvalidArgument},
		{"a short password", func(r *Registration) { r.Password = "short" }, fault.WeakPassword},
		{"a password with the username", func(r *Registration) { r.Password = "carol has a secret" }, fault.WeakPassword},
		{"no invite", func(r *Registration) { r.InviteCode = "" }, fault.InviteInvalid},
		{"an unknown invite", func(r *Registration) { r.InviteCode = "AAAAA-AAAAA-AAAAA-AAAAA" }, fault.InviteInvalid},
		{"a taken username", func(r *Registration) { r.Username = "Alice" }, fault.UsernameTaken},
		{"an agent's username", func(r *Registration) { r.Username = "north" }, fault.UsernameTaken},
		{"a code in small letters", func(r *Registration) { r.InviteCode = strings.ToLower(r.InviteCode) }, ""},
	} {
		r := good()
		c.edit(&r)
		s, err := h.Visitor().Register(t.Context(), r)
		wantCode(t, c.what, err, c.want)
		if c.want != "" && s != (Session{}) {
			t.Errorf("%s: a session all the same", c.what)
		}
	}
	used := good()
	used.Username = "dave"
	must(h.Visitor().Register(t.Context(), used))(t)
	used.Username = "erin"
	_, err := h.Visitor().Register(t.Context(), used)
	wantCode(t, "a used up invite", err, fault.InviteInvalid)
	late := good()
	late.Username = "frank"
	h.clock.advance(time.Hour)
	_, err = h.Visitor().Register(t.Context(), late)
	wantCode(t, "an expired invite", err, fault.InviteInvalid)

	profile := must(h.alice.Profile(t.Context()))(t)
	if profile.Username != "alice" || profile.DisplayName != "The alice" || profile.AgentID != h.northIn.Actor.ID || profile.Status != account.StatusActive {
		t.Errorf("%+v", profile)
	}
}

func TestInviteRace(t *testing.T) {
	h := openHouse(t)
	code := h.invite(t, h.north, 3).Code
	codes := together(12, func(i int) error {
		_, err := h.Visitor().Register(t.Context(), Registration{InviteCode: code, Username: fmt.Sprint("racer", i), Password: testPassword, DisplayName: "R"})
		return err
	})
	if codes[""] != 3 || codes[fault.InviteInvalid] != 9 {
		t.Errorf("%v", codes)
	}
	for _, i := range must(h.north.Invites(t.Context()))(t) {
		if i.Code == code && i.Uses != 3 {
			t.Errorf("%d uses", i.Uses)
		}
	}
}

func TestViewsAreOfOneRole(t *testing.T) {
	h := openHouse(t)
	agent, member := h.northIn.Actor, h.aliceIn.Actor
	_, err := h.Member(agent)
	wantCode(t, "an agent as member", err, fault.Forbidden)
	_, err = h.Agent(member)
	wantCode(t, "a member as agent", err, fault.Forbidden)
	_, err = h.Admin(agent)
	wantCode(t, "an agent as admin", err, fault.Forbidden)
	_, err = h.Admin(account.House())
	wantCode(t, "the house as admin", err, fault.Forbidden)
	_, err = h.Member(account.Actor{})
	wantCode(t, "nobody as member", err, fault.Unauthenticated)
}
