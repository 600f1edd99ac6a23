package auth_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bourse/engine/account"
	"bourse/engine/auth"
)

// clock is a time that only a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var (
	secretA = bytes.Repeat([]byte("a"), auth.MinSecret)
	secretB = bytes.Repeat([]byte("b"), auth.MinSecret)
	alice   = account.Actor{ID: 1001, Role: account.RoleMember, Username: "alice", AgentID: 7, SessionID: "s1"}
)

func newSigner(t *testing.T, c *clock, secrets ...[]byte) *auth.Signer {
	t.Helper()
	s, err := auth.NewSigner(c.Now, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t *testing.T, s *auth.Signer, g auth.Grant) string {
	t.Helper()
	token, _, err := s.Sign(g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokenSaysWhoActs(t *testing.T) {
	c := newClock()
	s := newSigner(t, c, secretA)
	token, ends, err := s.Sign(auth.Grant{Actor: alice, Methods: []auth.Method{auth.MethodPassword}})
	if err != nil {
		t.Fatal(err)
	}
	if want := c.Now().Add(auth.AccessTokenLife); !ends.Equal(want) {
		t.Errorf("it ends at %v, want %v", ends, want)
	}
	for range 2 { // the second time from the cache
		if got, err := s.Verify(token); err != nil || got != alice {
			t.Errorf("Verify = %+v, %v", got, err)
		}
	}
	admin := account.Actor{ID: 5, Role: account.RoleAdmin, Username: "ada", SessionID: "s2"}
	roles := []account.AdminRole{account.AdminMarkets}
	got, err := s.Verify(sign(t, s, auth.Grant{Actor: admin, Roles: roles}))
	if err != nil || got.Duties != account.DutiesOf(roles) {
		t.Errorf("Verify = %+v, %v", got, err)
	}
}

func TestTokenExpires(t *testing.T) {
	for _, cached := range []bool{false, true} {
		c := newClock()
		s := newSigner(t, c, secretA)
		token := sign(t, s, auth.Grant{Actor: alice})
		if cached {
			if _, err := s.Verify(token); err != nil {
				t.Fatal(err)
			}
		}
		c.Advance(auth.AccessTokenLife - time.Second)
		if _, err := s.Verify(token); err != nil {
			t.Errorf("cached %v: refused a second before its end: %v", cached, err)
		}
		c.Advance(time.Second)
		if _, err := s.Verify(token); !errors.Is(err, auth.ErrTokenExpired) {
			t.Errorf("cached %v: at its end: %v", cached, err)
		}
	}
}

func TestTokenIsNotGoodBeforeItsTime(t *testing.T) {
	c := newClock()
	token := sign(t, newSigner(t, c, secretA), auth.Grant{Actor: alice})
	c.Advance(-time.Minute)
	if _, err := newSigner(t, c, secretA).Verify(token); !errors.Is(err, auth.ErrTokenInvalid) {
		t.Errorf("a minute early: %v", err)
	}
}

func TestSecretsRotate(t *testing.T) {
	c := newClock()
	old := sign(t, newSigner(t, c, secretA), auth.Grant{Actor: alice})
	both := newSigner(t, c, secretB, secretA)
	if _, err := both.Verify(old); err != nil {
		t.Errorf("the secret of before is not accepted: %v", err)
	}
	fresh := sign(t, both, auth.Grant{Actor: alice})
	if _, err := newSigner(t, c, secretB).Verify(fresh); err != nil {
		t.Errorf("the first secret does not sign: %v", err)
	}
	if _, err := newSigner(t, c, secretB).Verify(old); !errors.Is(err, auth.ErrTokenInvalid) {
		t.Errorf("a secret that is gone is accepted: %v", err)
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	c := newClock()
	s := newSigner(t, c, secretA)
	good := sign(t, s, auth.Grant{Actor: alice})
	parts := strings.Split(good, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	forge := func(from, to string) string {
		changed := strings.Replace(string(payload), from, to, 1)
		if changed == string(payload) {
			t.Fatalf("%q does not stand in %s", from, payload)
		}
		return base64.RawURLEncoding.EncodeToString([]byte(changed))
	}
	head := func(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }
	resign := func(edit func(jwt.MapClaims)) string {
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(good, claims); err != nil {
			t.Fatal(err)
		}
		edit(claims)
		again := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
		first, _, _ := jwt.NewParser().ParseUnverified(good, jwt.MapClaims{})
		again.Header["kid"] = first.Header["kid"]
		text, err := again.SignedString(secretA)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, token := range map[string]string{
		"empty":              "",
		"no token":           "hello",
		"too long":           strings.Repeat("a", 1<<20),
		"other subject":      parts[0] + "." + forge(`"sub":"1001"`, `"sub":"1002"`) + "." + parts[2],
		"other role":         parts[0] + "." + forge(`"MEMBER"`, `"ADMIN"`) + "." + parts[2],
		"no algorithm":       head(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".",
		"no key":             head(`{"alg":"HS256","typ":"JWT"}`) + "." + parts[1] + "." + parts[2],
		"signature cut":      good[:len(good)-2],
		"other issuer":       resign(func(c jwt.MapClaims) { c["iss"] = "elsewhere" }),
		"other audience":     resign(func(c jwt.MapClaims) { c["aud"] = "elsewhere" }),
		"no expiry":          resign(func(c jwt.MapClaims) { delete(c, "exp") }),
		"no subject":         resign(func(c jwt.MapClaims) { delete(c, "sub") }),
		"the house":          resign(func(c jwt.MapClaims) { c["sub"] = "0" }),
		"the house's role":   resign(func(c jwt.MapClaims) { c["role"] = "SYSTEM" }),
		"without a session":  resign(func(c jwt.MapClaims) { delete(c, "sid") }),
		"signed by another":  sign(t, newSigner(t, c, secretB), auth.Grant{Actor: alice}),
		"expired and forged": parts[0] + "." + forge(`"sub":"1001"`, `"sub":"1002"`) + "." + parts[2],
	} {
		if actor, err := s.Verify(token); !errors.Is(err, auth.ErrTokenInvalid) || actor != (account.Actor{}) {
			t.Errorf("%s: %+v, %v", name, actor, err)
		}
	}
	c.Advance(time.Hour)
	forged := parts[0] + "." + forge(`"sub":"1001"`, `"sub":"1002"`) + "." + parts[2]
	if _, err := s.Verify(forged); !errors.Is(err, auth.ErrTokenInvalid) {
		t.Errorf("a forged token is told that it expired: %v", err)
	}
}

func TestWeakSecretIsRefused(t *testing.T) {
	if _, err := auth.NewSigner(time.Now, []byte("short")); err == nil {
		t.Error("a short secret is taken")
	}
	if _, err := auth.NewSigner(time.Now); err == nil {
		t.Error("no secret is taken")
	}
}

func TestRefreshTokens(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		token, hash, err := auth.NewRefreshToken(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		got, err := auth.HashRefreshToken(token)
		if err != nil || got != hash || seen[token] {
			t.Fatalf("hash of a fresh token: %v, seen before: %v", err, seen[token])
		}
		seen[token] = true
	}
	token, _, _ := auth.NewRefreshToken(rand.Reader)
	for _, bad := range []string{"", "brt_", token[4:], token + "A", token[:len(token)-1], "brt_" + strings.Repeat("!", 43)} {
		if _, err := auth.HashRefreshToken(bad); !errors.Is(err, auth.ErrRefreshMalformed) {
			t.Errorf("HashRefreshToken(%q): %v", bad, err)
		}
	}
}

func TestInviteCodes(t *testing.T) {
	code, err := auth.NewInviteCode(rand.Reader)
	if err != nil || len(code) != 23 {
		t.Fatalf("%q, %v", code, err)
	}
	for _, typed := range []string{code, strings.ToLower(code), " " + strings.ReplaceAll(code, "-", " ") + " ", strings.ReplaceAll(code, "-", "")} {
		if got := auth.ParseInviteCode(typed); got != code {
			t.Errorf("ParseInviteCode(%q) = %q, want %q", typed, got, code)
		}
	}
	for _, other := range []string{"", "x", code + "A"} {
		if got := auth.ParseInviteCode(other); got != other {
			t.Errorf("ParseInviteCode(%q) = %q", other, got)
		}
	}
}

func TestThrottle(t *testing.T) {
	c := newClock()
	th := auth.NewThrottle(c.Now)
	attempt := func(user, address string) bool {
		_, ok := th.Begin(user, address)
		return ok
	}
	for i := range 5 {
		if !attempt("alice", "192.0.2.1:4711") {
			t.Fatalf("attempt %d is refused", i+1)
		}
	}
	if wait, ok := th.Begin("alice", "192.0.2.1:99"); ok || wait <= 0 || wait > 15*time.Minute {
		t.Errorf("the sixth attempt: %v, %v", wait, ok)
	}
	if !attempt("alice", "192.0.2.2") || !attempt("bob", "192.0.2.1") {
		t.Error("another address, or another name, pays for it")
	}
	c.Advance(15 * time.Minute)
	if !attempt("alice", "192.0.2.1") {
		t.Error("the window does not end")
	}
}

func TestThrottleForgivesSuccess(t *testing.T) {
	th := auth.NewThrottle(newClock().Now)
	for i := range 100 {
		if _, ok := th.Begin("alice", "192.0.2.1"); !ok {
			t.Fatalf("attempt %d is refused", i+1)
		}
		if i%2 == 0 {
			th.Succeeded("alice", "192.0.2.1")
		} else {
			th.Abandoned("alice", "192.0.2.1")
		}
	}
}

// One address may not try the passwords of many, and an account of its own does not help it.
func TestThrottleCountsAddresses(t *testing.T) {
	th := auth.NewThrottle(newClock().Now)
	refusedAt := 0
	for i := 1; i <= 100 && refusedAt == 0; i++ {
		// All addresses of one /64 are one party.
		if _, ok := th.Begin(fmt.Sprint("user", i), fmt.Sprintf("2001:db8::%x", i)); !ok {
			refusedAt = i
		}
		if _, ok := th.Begin("mallory", "2001:db8::1"); ok {
			th.Succeeded("mallory", "2001:db8::1")
		}
	}
	if refusedAt != 51 {
		t.Errorf("refused at attempt %d, want 51", refusedAt)
	}
	if _, ok := th.Begin("alice", "2001:db8:0:1::1"); !ok {
		t.Error("the neighbouring network pays for it")
	}
}

// Attempts in parallel cannot pass before their failures are counted.
func TestThrottleHoldsInParallel(t *testing.T) {
	th := auth.NewThrottle(newClock().Now)
	var mu sync.Mutex
	passed := 0
	var together sync.WaitGroup
	for range 64 {
		together.Go(func() {
			if _, ok := th.Begin("alice", "192.0.2.1"); ok {
				mu.Lock()
				passed++
				mu.Unlock()
			}
		})
	}
	together.Wait()
	if passed != 5 {
		t.Errorf("%d attempts passed, want 5", passed)
	}
}

func BenchmarkVerifyRemembered(b *testing.B) {
	s, err := auth.NewSigner(time.Now, secretA)
	if err != nil {
		b.Fatal(err)
	}
	token, _, err := s.Sign(auth.Grant{Actor: alice})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}
