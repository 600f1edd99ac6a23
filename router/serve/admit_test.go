package serve

import (
	"context"
	"net/http"
	"net/netip"
	"testing"

	"bourse/router/identity"
)

// byName takes for proof whatever the Authorization header says, but not from mallory.
func byName(_ context.Context, _ *http.Request, header http.Header) (*identity.Identity, *Refusal) {
	switch name := header.Get("Authorization"); name {
	case "":
		return nil, nil
	case "mallory":
		refusal := Refuse(http.StatusUnauthorized, CodeUnauthenticated, "the token is not valid")
		refusal.Header = http.Header{"Www-Authenticate": {"Bearer"}}
		return nil, refusal
	case "panic":
		panic("scripted")
	default:
		return &identity.Identity{Subject: name}, nil
	}
}

func TestRequestsAreAdmitted(t *testing.T) {
	h, g, _ := serveScript(t, Options{Admit: byName})
	ask := func(name string) *http.Response {
		return do(t, http.MethodPost, h.URL, `{"query":"who"}`, "Content-Type", "application/json", "Authorization", name)
	}
	if got := bodyOf(t, ask("alice")); got != `{"data":"alice at 127.0.0.1"}` {
		t.Errorf("alice is %s", got)
	}
	if got := bodyOf(t, ask("")); got != `{"data":"nobody at 127.0.0.1"}` {
		t.Errorf("nobody is %s", got)
	}
	res := ask("mallory")
	if code := codeOf(t, bodyOf(t, res)); res.StatusCode != 401 || code != CodeUnauthenticated || res.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("mallory got %d %s %v", res.StatusCode, code, res.Header)
	}
	if res := ask("panic"); res.StatusCode != 500 {
		t.Errorf("a panic got %d", res.StatusCode)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.records[0]; r.Identity == nil || r.Identity.Subject != "alice" || r.Address != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("recorded %+v", r)
	}
}

func TestRefusedAddressesAreHeardNoFurther(t *testing.T) {
	h, _, _ := serveScript(t, Options{
		Address: func(*http.Request) (netip.Addr, *Refusal) {
			return netip.MustParseAddr("2001:db8::1"), Refuse(http.StatusForbidden, "ADDRESS_DENIED", "not from there")
		},
		Admit: func(context.Context, *http.Request, http.Header) (*identity.Identity, *Refusal) {
			t.Error("who comes from a refused address is not asked for a token")
			return nil, nil
		},
	})
	res := do(t, http.MethodPost, h.URL, `{"query":"who"}`, "Content-Type", "application/json")
	if code := codeOf(t, bodyOf(t, res)); res.StatusCode != 403 || code != "ADDRESS_DENIED" {
		t.Errorf("got %d %s", res.StatusCode, code)
	}
	if _, res, err := dial(t, h.URL, nil); err == nil || res.StatusCode != 403 {
		t.Errorf("a socket was opened: %v", err)
	}
}

func TestSocketsAreAdmittedByTheirParams(t *testing.T) {
	h, _, _ := serveScript(t, Options{Admit: byName})
	for _, c := range []struct {
		payload string
		header  http.Header
		want    string
	}{
		{`,"payload":{"Authorization":"alice"}`, nil, "alice at 127.0.0.1"},
		{``, http.Header{"Authorization": {"bob"}}, "bob at 127.0.0.1"},
		{`,"payload":{"Authorization":"alice"}`, http.Header{"Authorization": {"bob"}}, "bob at 127.0.0.1"},
		{`,"payload":{"authorization":"alice"}`, nil, "alice at 127.0.0.1"},
		{`,"payload":{"Authorization":"alice\r\nX-Role: admin"}`, nil, "nobody at 127.0.0.1"},
		{`,"payload":{"Authorization":"alice\u0000"}`, nil, "nobody at 127.0.0.1"},
		{`,"payload":{"Authorization":["alice"]}`, nil, "nobody at 127.0.0.1"},
		{`,"payload":null`, nil, "nobody at 127.0.0.1"},
		{``, nil, "nobody at 127.0.0.1"},
	} {
		k := greet(t, h.URL, c.payload, c.header)
		k.subscribe("q", "who")
		k.expect(`{"id":"q","type":"next","payload":{"data":"` + c.want + `"}}`)
	}
	stranger := greet(t, h.URL, `,"payload":{"Authorization":"alice","X-Role":"admin"}`, nil)
	stranger.subscribe("q", "header X-Role")
	stranger.expect(`{"id":"q","type":"next","payload":{"data":""}}`) // only what stands in for a header is one
	k, _, err := dial(t, h.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	k.send(`{"type":"connection_init","payload":{"Authorization":"mallory"}}`)
	if code := k.closed(); code != 4401 {
		t.Errorf("closed with %d", code)
	}
}
