package router

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"bourse/router/entitycache"
	"bourse/router/headers"
	"bourse/router/traffic"
)

// seenBy wraps handlers so that what subgraphs are sent is noted, and what they answer has headers.
type seenBy struct {
	mu   sync.Mutex
	last map[string]http.Header
}

func (s *seenBy) around(all handlers) handlers {
	out := handlers{}
	for name, h := range all {
		out[name] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			s.last[name] = r.Header.Clone()
			s.mu.Unlock()
			w.Header().Set("X-Version", "of "+name)
			w.Header().Set("X-Frame-Options", "subgraph")
			h.ServeHTTP(w, r)
		})
	}
	return out
}

func TestHeaderRulesHoldFromClientToSubgraphAndBack(t *testing.T) {
	signer, err := headers.NewSigner(headers.SignerOptions{Secret: tokenSecret})
	if err != nil {
		t.Fatal(err)
	}
	seen := &seenBy{last: map[string]http.Header{}}
	server, _ := protectedRouter(t, Options{
		Tokens: Tokens{Verifier: tokenVerifier(t)}, ClaimsSigner: signer,
		ForwardHeaders: []string{"X-Simple", "Router-Secret"}, SubgraphHeaders: http.Header{"Router-Secret": {"s"}},
		Headers: headers.Rules{
			All:      []headers.Rule{{Action: headers.Propagate, Matching: "x-more-.*"}, {Action: headers.Insert, Name: "X-User", Claim: "sub"}},
			Response: []headers.ResponseRule{{Name: "X-Version", Merge: headers.Append}, {Name: "X-Frame-Options"}},
		},
		Traffic: traffic.Options{ShareOperations: true, ShareFetches: true},
	}, seen.around)
	status, header, body := ask(t, server, "Bearer "+tokenOf(t, jwt.MapClaims{"scope": "user:read email:read"}), `{ users { email } }`,
		"X-Simple", "1", "X-More-A", "2", "X-Less", "3", "X-User", "mallory", "Router-Claims", "forged", "Router-Secret", "forged")
	if status != 200 || strings.Contains(body, "errors") {
		t.Fatalf("%d %s", status, body)
	}
	if len(seen.last) == 0 || !strings.HasPrefix(header.Get("X-Version"), "of ") || header.Get("X-Frame-Options") != "subgraph" {
		t.Errorf("the client got %v", header)
	}
	for name, h := range seen.last {
		for header, want := range map[string]string{"X-Simple": "1", "X-More-A": "2", "X-Less": "", "X-User": "alice", "Router-Secret": "s", "Authorization": ""} {
			if got := h.Get(header); got != want || len(h.Values(header)) > 1 {
				t.Errorf("%s saw %s as %q", name, header, h.Values(header))
			}
		}
		if claims := h.Get("Router-Claims"); strings.Count(claims, ".") != 2 {
			t.Errorf("%s was told %q", name, claims)
		}
	}
	if status, _, _ = ask(t, server, "", `{ open }`, "X-User", "mallory", "Router-Claims", "forged"); status != 200 {
		t.Fatal(status)
	}
	for name, h := range seen.last {
		if h.Get("X-Less") != "" || h.Get("X-User") != "" && h.Get("X-User") != "alice" || h.Get("Router-Claims") == "forged" {
			t.Errorf("%s was told of nobody: %v", name, h)
		}
	}
}

func TestCookiesAreNotShared(t *testing.T) {
	cookies := headers.Rules{Response: []headers.ResponseRule{{Name: "Set-Cookie"}}}
	sdl := textOf(t, "testdata/protected.graphql")
	for what, sharing := range map[string]Options{
		"fetches": {Traffic: traffic.Options{ShareFetches: true}}, "operations": {Traffic: traffic.Options{ShareOperations: true}},
		"cached entities": {Cache: &entitycache.Options{Store: entitycache.NewMemory(1 << 20)}},
	} {
		sharing.Fetcher, sharing.Headers = handlers{}, cookies
		if r, err := New(sdl, sharing); err == nil {
			_ = r.Close(t.Context())
			t.Errorf("clients that share %s would get each other's cookies", what)
		}
	}
	r, err := New(sdl, Options{Fetcher: handlers{}, Headers: cookies})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := New(sdl, Options{Fetcher: handlers{}, Headers: headers.Rules{Subgraphs: map[string][]headers.Rule{"nowhere": nil}}}); err == nil {
		t.Error("rules for a subgraph that is not there were taken")
	}
}
