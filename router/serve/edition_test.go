package serve

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"bourse/router/internal/await"
)

// announced is a Released that says so, once.
func announced(t *testing.T) (released chan struct{}, call func()) {
	released = make(chan struct{}, 1)
	return released, func() {
		select {
		case released <- struct{}{}:
		default:
			t.Error("the options were released twice")
		}
	}
}

func stillHeld(t *testing.T, released <-chan struct{}) {
	t.Helper()
	select {
	case <-released:
		t.Fatal("the options were released while they were in use")
	default:
	}
}

func TestReloadLeavesRunningRequestsTheirEdition(t *testing.T) {
	released, call := announced(t)
	server, before, s := serveScript(t, Options{Released: call})
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		req, _ := http.NewRequestWithContext(ctx, "POST", server.URL, strings.NewReader(`{"query":"slow"}`))
		req.Header.Set("Content-Type", "application/json")
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	await.One(t, before.started)
	after := newScript()
	if err := s.Reload(Options{Gateway: after, Observe: after.observe, ForwardHeaders: []string{"X-New"}}); err != nil {
		t.Fatal(err)
	}
	stillHeld(t, released)
	res := do(t, "POST", server.URL, `{"query":"header X-New"}`, "Content-Type", "application/json", "X-New", "passed on")
	if got := bodyOf(t, res); got != `{"data":"passed on"}` {
		t.Errorf("the new edition answers %s", got)
	}
	stillHeld(t, released)
	leave()
	await.One(t, before.ended)
	await.One(t, released)
}

func TestReloadFreesWhatNothingUses(t *testing.T) {
	released, call := announced(t)
	_, _, s := serveScript(t, Options{Released: call})
	last, callLast := announced(t)
	if err := s.Reload(Options{Gateway: newScript(), Released: callLast}); err != nil {
		t.Fatal(err)
	}
	await.One(t, released)
	stillHeld(t, last)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	await.One(t, last)
	if err := s.Reload(Options{Gateway: newScript()}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed server reloads: %v", err)
	}
}

// A socket lives on through a reload: its running operations keep their edition, new ones get the new one, and the socket itself holds neither.
func TestReloadKeepsSockets(t *testing.T) {
	released, call := announced(t)
	server, before, s := serveScript(t, Options{Released: call})
	idle, busy := greet(t, server.URL, "", nil), greet(t, server.URL, "", nil)
	busy.subscribe("old", "silent one")
	await.One(t, before.started)
	after := newScript()
	if err := s.Reload(Options{Gateway: after, Observe: after.observe}); err != nil {
		t.Fatal(err)
	}
	idle.subscribe("1", "silent two")
	busy.subscribe("2", "silent three")
	await.One(t, after.started)
	await.One(t, after.started)
	stillHeld(t, released)
	busy.send(`{"id":"old","type":"complete"}`)
	await.One(t, before.ended)
	await.One(t, released)
	busy.send(`{"id":"2","type":"complete"}`)
	if got := await.One(t, after.ended); got != "silent three" {
		t.Errorf("what ended is %q", got)
	}
}
