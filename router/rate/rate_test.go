package rate_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	embedded "bourse/cmd/embedded/redis"
	"bourse/router/identity"
	"bourse/router/patience"
	"bourse/router/rate"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(noon.UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// stores are both kinds with a clock of their own.
func stores(t *testing.T) map[string]func() (rate.Store, func(time.Duration)) {
	t.Helper()
	return map[string]func() (rate.Store, func(time.Duration)){
		"memory": func() (rate.Store, func(time.Duration)) {
			c := newClock()
			return rate.NewMemory(1000, c.now), c.advance
		},
		"redis": func() (rate.Store, func(time.Duration)) {
			server := miniredis.RunT(t)
			at := noon
			server.SetTime(at)
			return redisStore(t, server.Addr()), func(d time.Duration) {
				at = at.Add(d)
				server.SetTime(at)
				server.FastForward(d)
			}
		},
	}
}

func redisStore(t *testing.T, address string) rate.Store {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	s, err := rate.NewRedis(client)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// limiter has a patience that a busy machine does not wear out, where a test says none.
func limiter(t *testing.T, o rate.Options) *rate.Limiter {
	t.Helper()
	if o.Patience == nil {
		o.Patience = patience.New(patience.Options{For: time.Minute})
	}
	l, err := rate.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestABurstAndThenTheRate(t *testing.T) {
	for name, open := range stores(t) {
		t.Run(name, func(t *testing.T) {
			store, advance := open()
			l := limiter(t, rate.Options{Store: store, Rules: []rate.Rule{{Name: "r", By: []string{"address"}, Limit: 10, Per: time.Second, Burst: 3}}})
			ask := func(from string) rate.Decision {
				return l.Take(t.Context(), &rate.Request{Address: netip.MustParseAddr(from)}, rate.Whole)
			}
			for i := range 3 {
				if d := ask("10.0.0.1"); d.Refused() || d.Remaining != 2-i || d.Limit != 3 {
					t.Fatalf("request %d: %+v", i, d)
				}
			}
			d := ask("10.0.0.1")
			if d.Rule != "r" || d.RetryAfter <= 0 || d.RetryAfter > 100*time.Millisecond {
				t.Fatalf("the fourth: %+v", d)
			}
			if d := ask("10.0.0.2"); d.Refused() {
				t.Errorf("another client: %+v", d)
			}
			advance(99 * time.Millisecond)
			if d := ask("10.0.0.1"); !d.Refused() {
				t.Error("too early, and it passed")
			}
			advance(time.Millisecond)
			if d := ask("10.0.0.1"); d.Refused() {
				t.Errorf("after a tenth of a second: %+v", d)
			}
			if d := ask("10.0.0.1"); !d.Refused() {
				t.Error("a refused request was not free, or one gained two")
			}
			advance(time.Hour)
			for range 3 {
				if d := ask("10.0.0.1"); d.Refused() {
					t.Errorf("after an hour: %+v", d)
				}
			}
			if d := ask("10.0.0.1"); !d.Refused() {
				t.Error("an hour of silence gave more than a burst")
			}
		})
	}
}

// Who had spent everything when the clock was set back by a day waits for what one more costs, not for a day; and gains nothing by it.
func TestAClockThatIsSetBackLocksNobodyOut(t *testing.T) {
	for name, open := range stores(t) {
		t.Run(name, func(t *testing.T) {
			store, advance := open()
			l := limiter(t, rate.Options{Store: store, Rules: []rate.Rule{{Name: "r", Limit: 10, Per: time.Minute, Burst: 2}}})
			ask := func() rate.Decision { return l.Take(t.Context(), &rate.Request{}, rate.Whole) }
			for range 2 {
				if d := ask(); d.Refused() {
					t.Fatalf("%+v", d)
				}
			}
			advance(-24 * time.Hour)
			if d := ask(); d.Rule != "r" || d.RetryAfter != 6*time.Second || d.Remaining != 0 {
				t.Fatalf("a day earlier: %+v", d)
			}
			advance(6 * time.Second)
			if d := ask(); d.Refused() {
				t.Errorf("after six seconds: %+v", d)
			}
			if d := ask(); !d.Refused() {
				t.Error("the clock gave more than one for six seconds")
			}
		})
	}
}

func TestWhatOneRuleRefusesNoRuleCharges(t *testing.T) {
	for name, open := range stores(t) {
		t.Run(name, func(t *testing.T) {
			store, _ := open()
			l := limiter(t, rate.Options{Store: store, Rules: []rate.Rule{
				{Name: "all", Limit: 10, Per: time.Hour},
				{Name: "search", Operations: []string{"Search"}, Limit: 1, Per: time.Hour},
			}})
			search, other := &rate.Request{Operation: "Search"}, &rate.Request{Operation: "Other"}
			if d := l.Take(t.Context(), search, rate.Whole); d.Refused() || d.Remaining != 0 || d.Limit != 1 {
				t.Fatalf("the first search: %+v", d)
			}
			for range 20 {
				if d := l.Take(t.Context(), search, rate.Whole); d.Rule != "search" {
					t.Fatalf("another search: %+v", d)
				}
			}
			if d := l.Take(t.Context(), other, rate.Whole); d.Refused() || d.Remaining != 8 {
				t.Errorf("something else, of which one was used: %+v", d)
			}
		})
	}
}

func TestCostsCount(t *testing.T) {
	for name, open := range stores(t) {
		t.Run(name, func(t *testing.T) {
			store, advance := open()
			l := limiter(t, rate.Options{Store: store, Rules: []rate.Rule{{Name: "cost", Limit: 100, Per: time.Minute, Cost: true}}})
			if !l.Counts() {
				t.Error("a rule counts costs")
			}
			take := func(cost int) rate.Decision { return l.Take(t.Context(), &rate.Request{Cost: cost}, rate.Whole) }
			if d := take(60); d.Refused() || d.Remaining != 40 {
				t.Fatalf("60 of 100: %+v", d)
			}
			if d := take(60); d.RetryAfter != 12*time.Second {
				t.Fatalf("60 more, of which 20 are missing: %+v", d)
			}
			if d := take(101); d.RetryAfter != rate.Never {
				t.Errorf("more than ever: %+v", d)
			}
			if d := take(0); d.Refused() {
				t.Errorf("nothing: %+v", d)
			}
			advance(12 * time.Second)
			if d := take(60); d.Refused() || d.Remaining != 0 {
				t.Errorf("after twelve seconds: %+v", d)
			}
		})
	}
}

func TestClientsAreToldApart(t *testing.T) {
	l := limiter(t, rate.Options{Store: rate.NewMemory(100, newClock().now), Rules: []rate.Rule{
		{Name: "members", By: []string{"claim:org", "subject", "header:X-Api-Key", "address"}, NotRoles: []string{"admin"}, Limit: 1, Per: time.Hour},
		{Name: "admins", By: []string{"subject"}, Roles: []string{"admin"}, Limit: 1, Per: time.Hour},
	}})
	who := func(subject string, claims map[string]any, roles ...string) *identity.Identity {
		return &identity.Identity{Issuer: "one", Subject: subject, Claims: claims, Roles: roles}
	}
	at := netip.MustParseAddr
	for i, c := range []struct {
		req     rate.Request
		refused string
	}{
		{rate.Request{Identity: who("a", map[string]any{"org": "x"})}, ""},
		{rate.Request{Identity: who("b", map[string]any{"org": "x"})}, "members"},
		{rate.Request{Identity: who("b", map[string]any{"org": 7})}, ""},
		{rate.Request{Identity: who("b", nil)}, ""},
		{rate.Request{Identity: who("b", nil), Address: at("10.0.0.9")}, "members"},
		{rate.Request{Identity: who("x", nil)}, ""},                                       // a subject is no org, whatever it is called
		{rate.Request{Identity: &identity.Identity{Issuer: "another", Subject: "x"}}, ""}, // nor is it the same of two issuers
		{rate.Request{Header: http.Header{"X-Api-Key": {"x"}}.Get}, ""},                   // and what a client calls itself is neither
		{rate.Request{Header: http.Header{"X-Api-Key": {"k"}}.Get, Address: at("10.0.0.1")}, ""},
		{rate.Request{Header: http.Header{"X-Api-Key": {"k"}}.Get, Address: at("10.0.0.2")}, "members"},
		{rate.Request{Address: at("2001:db8::1")}, ""},
		{rate.Request{Address: at("2001:db8::2")}, "members"},
		{rate.Request{Address: at("2001:db8:0:1::2")}, ""},
		{rate.Request{Address: at("::ffff:10.0.0.7")}, ""},
		{rate.Request{Address: at("10.0.0.7")}, "members"},
		{rate.Request{}, ""},
		{rate.Request{}, "members"}, // who hides what he is shares with all that do
		{rate.Request{Identity: who("b", nil, "admin")}, ""},
		{rate.Request{Identity: who("b", nil, "admin")}, "admins"},
	} {
		if d := l.Take(t.Context(), &c.req, rate.Whole); d.Rule != c.refused {
			t.Errorf("request %d: %q refused it, want %q", i, d.Rule, c.refused)
		}
	}
}

func TestStages(t *testing.T) {
	l := limiter(t, rate.Options{Store: rate.NewMemory(100, newClock().now), Rules: []rate.Rule{
		{Name: "early", Limit: 2, Per: time.Hour},
		{Name: "late", Kinds: []string{"mutation"}, Limit: 1, Per: time.Hour},
	}})
	req := &rate.Request{Kind: "mutation"}
	for _, c := range []struct {
		stage   rate.Stage
		refused string
	}{{rate.Before, ""}, {rate.After, ""}, {rate.After, "late"}, {rate.Before, ""}, {rate.Before, "early"}} {
		if d := l.Take(t.Context(), req, c.stage); d.Rule != c.refused {
			t.Errorf("stage %d: %+v, want %q", c.stage, d, c.refused)
		}
	}
}

func TestRulesApplyToTheirKindsAndOperations(t *testing.T) {
	l := limiter(t, rate.Options{Store: rate.NewMemory(100, newClock().now), Rules: []rate.Rule{
		{Name: "writes", Kinds: []string{"mutation", "subscription"}, Limit: 1, Per: time.Hour},
		{Name: "search", Operations: []string{"Search"}, Limit: 1, Per: time.Hour},
	}})
	for i, c := range []struct {
		kind, operation, refused string
	}{
		{"mutation", "A", ""},
		{"query", "A", ""},
		{"query", "A", ""},
		{"subscription", "A", "writes"},
		{"query", "Search", ""},
		{"query", "search", ""}, // names have a case
		{"query", "Search", "search"},
		{"query", "", ""},
	} {
		if d := l.Take(t.Context(), &rate.Request{Kind: c.kind, Operation: c.operation}, rate.Whole); d.Rule != c.refused {
			t.Errorf("request %d: %+v, want %q", i, d, c.refused)
		}
	}
}

// Who came back after the shorter of two waits would only be refused again.
func TestTheLongestWaitIsTold(t *testing.T) {
	for name, open := range stores(t) {
		store, _ := open()
		l := limiter(t, rate.Options{Store: store, Rules: []rate.Rule{
			{Name: "minute", Limit: 1, Per: time.Minute}, {Name: "hour", Limit: 1, Per: time.Hour}, {Name: "second", Limit: 1, Per: time.Second},
		}})
		l.Take(t.Context(), &rate.Request{}, rate.Whole)
		if d := l.Take(t.Context(), &rate.Request{}, rate.Whole); d.Rule != "hour" || d.RetryAfter != time.Hour {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestWhatMakesNoRule(t *testing.T) {
	for _, r := range []rate.Rule{
		{Limit: 1, Per: time.Second},
		{Name: "a", Per: time.Second},
		{Name: "a", Limit: 1},
		{Name: "a", Limit: 1, Per: time.Second, By: []string{"moon"}},
		{Name: "a", Limit: 1, Per: time.Second, By: []string{"header:"}},
		{Name: "a", Limit: 1, Per: time.Second, Burst: -1},
	} {
		if _, err := rate.New(rate.Options{Rules: []rate.Rule{r}}); err == nil {
			t.Errorf("%+v was taken", r)
		}
	}
	twice := rate.Rule{Name: "a", Limit: 1, Per: time.Second}
	if _, err := rate.New(rate.Options{Rules: []rate.Rule{twice, twice}}); err == nil {
		t.Error("two rules of one name were taken")
	}
	if _, err := rate.NewRedis(redis.NewClient(&redis.Options{})); err == nil {
		t.Error("a client that heeds no deadline was taken")
	}
}

// silent is a server that takes connections and never says anything.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// counting is a store that counts how often it is asked.
type counting struct {
	rate.Store
	asked *int
}

func (c counting) Take(ctx context.Context, asks []rate.Ask) ([]rate.Verdict, error) {
	*c.asked++
	return c.Store.Take(ctx, asks)
}

func TestARedisThatIsAwayDelaysOneRequest(t *testing.T) {
	for _, closed := range []bool{false, true} {
		t.Run(fmt.Sprintf("fail closed %v", closed), func(t *testing.T) {
			c, failures, asked := newClock(), 0, 0
			l := limiter(t, rate.Options{
				Store: counting{redisStore(t, silent(t)), &asked}, Rules: []rate.Rule{{Name: "r", Limit: 1, Per: time.Hour}},
				FailClosed: closed,
				Patience: patience.New(patience.Options{
					For: 20 * time.Millisecond, Pause: time.Second, Now: c.now, OnFailure: func(context.Context, error) { failures++ },
				}),
			})
			for range 100 {
				if d := l.Take(t.Context(), &rate.Request{}, rate.Whole); d.Refused() != closed {
					t.Fatalf("%+v", d)
				}
			}
			if asked != 1 || failures != 1 {
				t.Errorf("%d requests waited for it, where one is enough, and %d were told of", asked, failures)
			}
			c.advance(2 * time.Second)
			l.Take(t.Context(), &rate.Request{}, rate.Whole)
			if asked != 2 || failures != 1 {
				t.Errorf("after the pause it was asked %d times in all, and told of %d times", asked, failures)
			}
		})
	}
}

func TestAccountsInRedisExpireAndTellNothing(t *testing.T) {
	server := miniredis.RunT(t)
	l := limiter(t, rate.Options{Store: redisStore(t, server.Addr()), Rules: []rate.Rule{{Name: "r", By: []string{"header:Authorization"}, Limit: 10, Per: time.Minute}}})
	l.Take(t.Context(), &rate.Request{Header: http.Header{"Authorization": {"secret"}}.Get}, rate.Whole)
	keys := server.Keys()
	if len(keys) != 1 || strings.Contains(keys[0], "secret") {
		t.Fatalf("keys %q", keys)
	}
	if ttl := server.TTL(keys[0]); ttl <= 0 || ttl > 7*time.Second {
		t.Errorf("it is kept for %v, where it is full again after 6 s", ttl)
	}
}

func TestMemoryForgetsTheAccountsUsedLeast(t *testing.T) {
	m := rate.NewMemory(10, newClock().now)
	passes := func(account int) bool {
		v, err := m.Take(t.Context(), []rate.Ask{{Key: fmt.Sprint(account), Interval: 1e12, Burst: 1, Cost: 1}})
		if err != nil {
			t.Fatal(err)
		}
		return v[0].Allowed
	}
	for i := range 11 {
		if !passes(i) {
			t.Fatalf("account %d is not full", i)
		}
	}
	if passes(10) || passes(1) {
		t.Error("an account of the last ten was forgotten")
	}
	if !passes(0) {
		t.Error("an account outlived ten others in a store for ten")
	}
}

// A real server where there is one, else the one inside the process: many routers at once let through exactly a burst.
func TestRoutersTogetherLetThroughOneBurst(t *testing.T) {
	server, err := embedded.Start(t.Context(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	o, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	rule := rate.Rule{Name: fmt.Sprintf("test-%d", time.Now().UnixNano()), Limit: 50, Per: time.Hour}
	var passed atomic.Int64
	var running sync.WaitGroup
	for range 4 {
		client := redis.NewClient(&redis.Options{Addr: o.Addr, Username: o.Username, Password: o.Password, DB: o.DB, ContextTimeoutEnabled: true})
		t.Cleanup(func() { _ = client.Close() })
		store, err := rate.NewRedis(client)
		if err != nil {
			t.Fatal(err)
		}
		l := limiter(t, rate.Options{Store: store, Rules: []rate.Rule{rule}, FailClosed: true, Patience: patience.New(patience.Options{For: time.Minute})})
		running.Go(func() {
			for range 30 {
				if d := l.Take(t.Context(), &rate.Request{}, rate.Whole); !d.Refused() {
					passed.Add(1)
				} else if d.Failed {
					t.Error("the store failed")
				}
			}
		})
	}
	running.Wait()
	if passed.Load() != 50 {
		t.Errorf("%d passed", passed.Load())
	}
}

// Both stores say what a bucket says that is filled drop by drop.
func TestStoresAgreeWithABucket(t *testing.T) {
	server := miniredis.RunT(t)
	store := redisStore(t, server.Addr())
	rapid.Check(t, func(t *rapid.T) {
		server.FlushAll()
		at := noon
		clock := func() time.Time { return at }
		memory := rate.NewMemory(10, clock)
		interval := int64(rapid.SampledFrom([]int{1, 7, 1000, 250_000}).Draw(t, "µs for one"))
		burst := int64(rapid.IntRange(1, 20).Draw(t, "burst"))
		level, filled := burst*interval, at // in µs worth of drops
		for range rapid.IntRange(1, 30).Draw(t, "asks") {
			at = at.Add(time.Duration(rapid.Int64Range(0, 3*interval).Draw(t, "later")) * time.Microsecond)
			server.SetTime(at)
			cost := int64(rapid.IntRange(0, 22).Draw(t, "cost"))
			level = min(burst*interval, level+at.Sub(filled).Microseconds())
			filled = at
			want := rate.Verdict{Allowed: cost <= burst && cost*interval <= level}
			switch {
			case want.Allowed:
				level -= cost * interval
			case cost > burst:
				want.RetryAfter = rate.Never
			default:
				want.RetryAfter = time.Duration(cost*interval-level) * time.Microsecond
			}
			want.Remaining = int(level / interval)
			ask := []rate.Ask{{Key: "{k}", Interval: float64(interval), Burst: int(burst), Cost: int(cost)}}
			for name, s := range map[string]rate.Store{"memory": memory, "redis": store} {
				got, err := s.Take(context.Background(), ask)
				if err != nil || got[0] != want {
					t.Fatalf("%s says %+v (%v), the bucket %+v", name, got[0], err, want)
				}
			}
		}
	})
}
