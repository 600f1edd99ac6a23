package engine

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"bourse/engine/account"
	"bourse/engine/auth"
	"bourse/engine/fault"
)

func TestSignIn(t *testing.T) {
	h := openHouse(t)
	for _, c := range []struct {
		what, username, password string
		want                     fault.Code
	}{
		{"the right password", "alice", testPassword, ""},
		{"the name in capitals", " ALICE ", testPassword, ""},
		{"the wrong password", "alice", "wrong horse battery", fault.InvalidCredentials},
		{"an empty password", "alice", "", fault.InvalidCredentials},
		{"an endless password", "alice", strings.Repeat("x", 1<<20), fault.InvalidCredentials},
		{"no such user", "nobody-here", testPassword, fault.InvalidCredentials},
		{"no username at all", "not a name!", testPassword, fault.InvalidCredentials},
	} {
		s, err := h.Visitor().SignIn(t.Context(), Credentials{Username: c.username, Password: c.password, RemoteAddr: "192.0.2.1"})
		wantCode(t, c.what, err, c.want)
		if c.want == "" && (s.Actor.Username != "alice" || s.Actor.AgentID != h.northIn.Actor.ID || s.DisplayName != "The alice") {
			t.Errorf("%s: %+v", c.what, s.Actor)
		}
	}
	if p := must(h.alice.Profile(t.Context()))(t); !p.LastSignInAt.Equal(h.clock.Now()) {
		t.Errorf("last sign-in at %v", p.LastSignInAt)
	}
}

// The time of a refusal does not tell which usernames exist.
func TestNobodyCostsAsMuchAsSomebody(t *testing.T) {
	h := openHouse(t)
	opts := h.opts
	opts.Argon = auth.Params{Memory: 16 * 1024, Time: 2, Threads: 1}
	x, err := offline(opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Visitor().SignIn(t.Context(), Credentials{Username: "alice", Password: testPassword}); err != nil {
		t.Fatal(err) // and renew her hash to these costs
	}
	// The quickest of five each, in turns: what a busy machine adds counts for neither.
	quickest := map[string]time.Duration{"alice": time.Hour, "nobody-here": time.Hour, "not a name!": time.Hour}
	for range 5 {
		for username := range quickest {
			start := time.Now()
			_, err := x.Visitor().SignIn(t.Context(), Credentials{Username: username, Password: "wrong horse battery"})
			quickest[username] = min(quickest[username], time.Since(start))
			wantCode(t, username, err, fault.InvalidCredentials)
		}
	}
	for username, took := range quickest {
		if took < quickest["alice"]/2 {
			t.Errorf("%q is refused after %v, alice after %v", username, took, quickest["alice"])
		}
	}
}

func TestSignInIsThrottled(t *testing.T) {
	h := openHouse(t)
	try := func(password, address string) error {
		_, err := h.Visitor().SignIn(t.Context(), Credentials{Username: "alice", Password: password, RemoteAddr: address})
		return err
	}
	for range 5 {
		wantCode(t, "a wrong password", try("wrong horse battery", "192.0.2.1"), fault.InvalidCredentials)
	}
	err := try(testPassword, "192.0.2.1")
	wantCode(t, "the right one, too late", err, fault.RateLimited)
	if !strings.Contains(fmt.Sprintf("%#v", err), `"retryAfterSeconds":"900"`) {
		t.Errorf("it does not say when to try again: %#v", err)
	}
	wantCode(t, "from elsewhere", try(testPassword, "192.0.2.2"), "")
	h.clock.advance(15 * time.Minute)
	wantCode(t, "after the window", try(testPassword, "192.0.2.1"), "")
}

func TestAuthenticate(t *testing.T) {
	h := openHouse(t)
	got, err := h.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken)
	if err != nil || got != h.aliceIn.Actor || got.Role != account.RoleMember {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = h.Visitor().Authenticate(t.Context(), "")
	wantCode(t, "no token", err, fault.Unauthenticated)
	_, err = h.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken+"x")
	wantCode(t, "a forged token", err, fault.Unauthenticated)
	_, err = h.Visitor().Authenticate(t.Context(), h.aliceIn.RefreshToken)
	wantCode(t, "a refresh token", err, fault.Unauthenticated)
	h.clock.advance(auth.AccessTokenLife)
	_, err = h.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken)
	wantCode(t, "an expired token", err, fault.TokenExpired)
}

func TestRefreshRotates(t *testing.T) {
	h := openHouse(t)
	first := h.aliceIn
	h.clock.advance(auth.AccessTokenLife)
	second := must(h.Visitor().Refresh(t.Context(), first.RefreshToken))(t)
	if second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken || second.Actor != first.Actor {
		t.Errorf("%+v", second.Actor)
	}
	if _, err := h.Visitor().Authenticate(t.Context(), second.AccessToken); err != nil {
		t.Error(err)
	}
	other := h.signIn(t, "alice")

	// The first token again: someone holds a copy. The whole session ends, also for who has the second,
	// its access tokens included; other sessions of the same member go on.
	_, err := h.Visitor().Refresh(t.Context(), first.RefreshToken)
	wantCode(t, "a used token", err, fault.Unauthenticated)
	_, err = h.Visitor().Refresh(t.Context(), second.RefreshToken)
	wantCode(t, "its successor", err, fault.Unauthenticated)
	_, err = h.Visitor().Authenticate(t.Context(), second.AccessToken)
	wantCode(t, "the session's access token", err, fault.Unauthenticated)
	if _, err := h.Visitor().Authenticate(t.Context(), other.AccessToken); err != nil {
		t.Errorf("another session ended, too: %v", err)
	}
	if _, err := h.Visitor().Refresh(t.Context(), other.RefreshToken); err != nil {
		t.Errorf("another session ended, too: %v", err)
	}
}

func TestRefreshEnds(t *testing.T) {
	h := openHouse(t)
	for _, token := range []string{"", "brt_", "nonsense", h.aliceIn.AccessToken} {
		_, err := h.Visitor().Refresh(t.Context(), token)
		wantCode(t, "no refresh token", err, fault.Unauthenticated)
	}
	h.clock.advance(auth.RefreshTokenLife)
	_, err := h.Visitor().Refresh(t.Context(), h.aliceIn.RefreshToken)
	wantCode(t, "a token after its time", err, fault.TokenExpired)

	// However often it is prolonged, a session ends.
	s := h.signIn(t, "alice")
	began := h.clock.Now()
	for err = nil; err == nil && h.clock.Now().Sub(began) < 2*auth.SessionLife; {
		h.clock.advance(10 * 24 * time.Hour)
		if s, err = h.Visitor().Refresh(t.Context(), s.RefreshToken); err == nil && s.RefreshExpiresAt.Sub(began) > auth.SessionLife {
			t.Fatalf("a token that ends %v after the sign-in", s.RefreshExpiresAt.Sub(began))
		}
	}
	wantCode(t, "a session after its time", err, fault.TokenExpired)
	if lived := h.clock.Now().Sub(began); lived != auth.SessionLife {
		t.Errorf("it lived %v", lived)
	}
}

func TestSignOut(t *testing.T) {
	h := openHouse(t)
	s := h.signIn(t, "alice")
	for range 2 {
		if err := h.Visitor().SignOut(t.Context(), s.RefreshToken); err != nil {
			t.Fatal(err)
		}
	}
	_, err := h.Visitor().Authenticate(t.Context(), s.AccessToken)
	wantCode(t, "the access token", err, fault.Unauthenticated)
	_, err = h.Visitor().Refresh(t.Context(), s.RefreshToken)
	wantCode(t, "the refresh token", err, fault.Unauthenticated)
	if err := h.Visitor().SignOut(t.Context(), "nonsense"); err != nil {
		t.Errorf("signing out of nothing: %v", err)
	}
	if _, err := h.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken); err != nil {
		t.Errorf("another session ended, too: %v", err)
	}
}

// Another process learns of a revocation within a second or so, without being told.
func TestRevocationReachesOtherProcesses(t *testing.T) {
	h := openHouse(t)
	other, err := offline(h.opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken); err != nil {
		t.Fatal(err)
	}
	if err := h.Visitor().SignOut(t.Context(), h.aliceIn.RefreshToken); err != nil {
		t.Fatal(err)
	}
	h.clock.advance(endedEvery)
	_, err = other.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken)
	wantCode(t, "elsewhere, a second later", err, fault.Unauthenticated)

	fresh, err := offline(h.opts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fresh.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken)
	wantCode(t, "in a process that starts later", err, fault.Unauthenticated)
}

// A database that went away signs no one out, and lets no one in.
func TestDatabaseDown(t *testing.T) {
	h := openHouse(t)
	other, err := offline(h.opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken); err != nil {
		t.Fatal(err)
	}
	config := h.opts.DB.Config()
	config.ConnConfig.Host = t.TempDir() // no server listens there
	config.ConnConfig.Fallbacks = nil
	lost := openPool(t, config)
	opts := h.opts
	opts.DB = lost
	x, err := offline(opts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Visitor().SignIn(t.Context(), Credentials{Username: "alice", Password: testPassword})
	wantCode(t, "signing in", err, fault.Unavailable)
	_, err = x.Visitor().Refresh(t.Context(), h.aliceIn.RefreshToken)
	wantCode(t, "refreshing", err, fault.Unavailable)
	_, err = x.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken)
	wantCode(t, "before anything is known of revoked sessions", err, fault.Unavailable)

	other.people.ended.db = x.db // the database goes away under a process that runs
	h.clock.advance(time.Minute)
	if _, err := other.Visitor().Authenticate(t.Context(), h.aliceIn.AccessToken); err != nil {
		t.Errorf("the signed-in are turned away: %v", err)
	}
}

func TestHashesAreRenewed(t *testing.T) {
	h := openHouse(t)
	opts := h.opts
	opts.Argon = auth.Params{Memory: 128, Time: 1, Threads: 1}
	dearer, err := offline(opts)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := dearer.Visitor().SignIn(t.Context(), Credentials{Username: "alice", Password: testPassword}); err != nil {
			t.Fatal(err)
		}
		login := must(h.db.LoginByUsername(t.Context(), "alice"))(t)
		if !strings.Contains(login.PasswordHash, "m=128") {
			t.Errorf("the hash keeps its old costs: %s", login.PasswordHash)
		}
	}
}

// Whoever prints or logs these by mistake gives nothing away.
func TestSecretsAreNotPrinted(t *testing.T) {
	h := openHouse(t)
	secrets := []string{testPassword, h.aliceIn.AccessToken, h.aliceIn.RefreshToken, "THE-CODE"}
	values := []any{
		h.aliceIn, &h.aliceIn,
		[]Session{h.aliceIn},
		Registration{InviteCode: "THE-CODE", Username: "carol", Password: testPassword},
		Credentials{Username: "alice", Password: testPassword, RemoteAddr: "192.0.2.1"},
		NewAdmin{Username: "a", Password: testPassword},
		NewAgent{Username: "a", Password: testPassword},
	}
	for _, v := range values {
		var printed strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&printed, verb+"\n", v)
		}
		asJSON, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(asJSON)
		slog.New(slog.NewTextHandler(&printed, nil)).Info("x", "value", v)
		slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "value", v)
		for _, secret := range secrets {
			if strings.Contains(printed.String(), secret) || strings.Contains(printed.String(), fmt.Sprintf("%x", secret)) {
				t.Errorf("%T gives a secret away: %s", v, printed.String())
			}
		}
	}
	_, _ = h.Visitor().SignIn(t.Context(), Credentials{Username: "alice", Password: "wrong horse battery"})
	_, _ = h.Visitor().Refresh(t.Context(), h.aliceIn.RefreshToken)
	_, _ = h.Visitor().Refresh(t.Context(), h.aliceIn.RefreshToken)
	for _, secret := range append(secrets, "wrong horse battery") {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("the log has a secret: %s", h.log)
		}
	}
}
