package auth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"

	"bourse/engine/auth"
)

// cheap costs are for tests of everything but the costs themselves.
var cheap = auth.Params{Memory: 64, Time: 1, Threads: 1}

func newHasher(t *testing.T, p auth.Params) *auth.Hasher {
	t.Helper()
	h, err := auth.NewHasher(p, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHashVerifies(t *testing.T) {
	h := newHasher(t, cheap)
	hash, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("the costs do not stand in the hash: %s", hash)
	}
	for password, want := range map[string]bool{
		"correct horse battery": true, "Correct horse battery": false, "": false, "correct horse battery ": false,
	} {
		got, err := h.Verify(t.Context(), password, hash)
		if err != nil || got != want {
			t.Errorf("Verify(%q) = %v, %v; want %v", password, got, err, want)
		}
	}
	again, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil || again == hash {
		t.Errorf("the same password has the same hash twice: no salt (%v)", err)
	}
}

func TestHashKeepsItsCosts(t *testing.T) {
	hash, err := newHasher(t, cheap).Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	dearer := newHasher(t, auth.Params{Memory: 128, Time: 2, Threads: 1})
	if ok, err := dearer.Verify(t.Context(), "correct horse battery", hash); !ok || err != nil {
		t.Errorf("a hash with old costs is not verified: %v, %v", ok, err)
	}
	if !dearer.Outdated(hash) || newHasher(t, cheap).Outdated(hash) {
		t.Error("Outdated does not tell old costs from today's")
	}
}

func TestPasswordComposition(t *testing.T) {
	h := newHasher(t, cheap)
	hash, err := h.Hash(t.Context(), "caf\u00e9 au lait")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := h.Verify(t.Context(), "cafe\u0301 au lait", hash); !ok {
		t.Error("the same characters, composed otherwise by a keyboard, are another password")
	}
}

func TestMalformedHashIsRefused(t *testing.T) {
	h := newHasher(t, cheap)
	good, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{
		"", "$", "plain", good[1:], good + "$", strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "m=64", "m=4294967295", 1), strings.Replace(good, "t=1", "t=0", 1),
		strings.Replace(good, "p=1", "p=255", 1), strings.Replace(good, "m=64,", "", 1), good[:len(good)-30],
	} {
		if ok, err := h.Verify(t.Context(), "correct horse battery", hash); ok || err == nil {
			t.Errorf("Verify took %q: %v, %v", hash, ok, err)
		}
	}
}

func TestNobodyNeverVerifies(t *testing.T) {
	if err := newHasher(t, cheap).VerifyNobody(t.Context(), "anything at all"); err != nil {
		t.Fatal(err)
	}
}

// The queue is bounded: whoever comes when it is full is told at once, and all others are served.
func TestHasherIsBounded(t *testing.T) {
	h := newHasher(t, auth.Params{Memory: 1024, Time: 1, Threads: 1})
	const callers = 1000
	results := make(chan error, callers)
	var together sync.WaitGroup
	start := make(chan struct{})
	for range callers {
		together.Go(func() {
			<-start
			results <- h.VerifyNobody(t.Context(), "correct horse battery")
		})
	}
	close(start)
	together.Wait()
	close(results)
	var busy int
	for err := range results {
		switch {
		case errors.Is(err, auth.ErrBusy):
			busy++
		case err != nil:
			t.Fatal(err)
		}
	}
	if busy == 0 || busy == callers {
		t.Errorf("%d of %d callers were turned away", busy, callers)
	}
}

func TestHasherGivesUpWithItsCaller(t *testing.T) {
	h := newHasher(t, cheap)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // a free turn and the end of the context are both ready: either may be taken
		if err := h.VerifyNobody(ctx, "x"); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	for _, c := range []struct {
		password string
		want     error
	}{
		{"correct horse battery", nil},
		{"短い短い短い密码词语安全", nil},
		{"nine char", auth.ErrPasswordShort},
		{"ten  chars", nil},
		{"", auth.ErrPasswordShort},
		{strings.Repeat("abcdefgh", 16), nil},
		{strings.Repeat("abcdefgh", 16) + "i", auth.ErrPasswordLong},
		{strings.Repeat("x", 1<<20), auth.ErrPasswordLong},
		{"Password123", auth.ErrPasswordCommon},
		{"qwertyuiop", auth.ErrPasswordCommon},
		{"my name is Alice!", auth.ErrPasswordPersonal},
		{"aaaaaaaaaaaaab", auth.ErrPasswordUniform},
		{"with a \x00 inside it", auth.ErrPasswordText},
		{"bad \xff\xfe utf eight", auth.ErrPasswordText},
	} {
		if got := auth.CheckPassword(c.password, "alice"); !errors.Is(got, c.want) {
			t.Errorf("CheckPassword(%.30q) = %v, want %v", c.password, got, c.want)
		}
	}
}
