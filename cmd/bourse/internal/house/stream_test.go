package house_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"bourse/cmd/bourse/internal/client"
	"bourse/cmd/bourse/internal/house"
	"bourse/cmd/embedded/postgres/postgrestest"
	"bourse/engine/auth"
)

// A subscription ends with the token that it was opened with, and its owner may come back with another. A house tells how it does.
func TestSubscriptionsEndWithTheirToken(t *testing.T) {
	c := house.Config{
		DataDir: t.TempDir(), DatabaseURL: postgrestest.New(t), Demo: true, Secret: []byte(strings.Repeat("s", 32)),
		Argon: auth.Params{Time: 1, Memory: 1024, Threads: 1},
	}
	h, endpoint := openWith(t, c)
	good := signIn(t, h, endpoint, "alice").Session().AccessToken
	ending := soonOver(t, c.Secret, good)

	stream := follow(t, endpoint, ending)
	if err := stream.next(); err != nil {
		t.Fatal(err)
	}
	if code := websocket.CloseStatus(stream.next()); code != 4403 {
		t.Errorf("closed with %d", code)
	}
	late := client.New(endpoint, withHeader{"Authorization", "Bearer " + ending})
	if err := late.Do(t.Context(), `{ me { id } }`, nil, nil); err == nil || !strings.HasPrefix(err.Error(), "renew the session") {
		t.Errorf("a client with the token is not told to renew it: %v", err)
	}
	stream = follow(t, endpoint, good)
	if err := stream.next(); err != nil {
		t.Errorf("the owner does not get back in: %v", err)
	}
	_ = stream.conn.Close(websocket.StatusNormalClosure, "")
}

// Admins may look into the router: at plans in answers, and at its metrics from where they are shown.
func TestTheRouterIsOpenToItsOperators(t *testing.T) {
	h, endpoint := open(t)
	explained := withHeader{"Bourse-Explain", "plan"}
	refused(t, signIn(t, h, endpoint, "alice").On(endpoint, explained), "EXPLAIN_FORBIDDEN", balances, nil)
	ask[any](t, signIn(t, h, endpoint, "admin").On(endpoint, explained), `{ markets { symbol } }`, nil)

	metrics := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	metrics.RemoteAddr = "127.0.0.1:1"
	seen := httptest.NewRecorder()
	h.Handler().ServeHTTP(seen, metrics)
	for _, name := range []string{"bourse_router_subgraph_requests_total{", "go_goroutines "} {
		if !strings.Contains(seen.Body.String(), name) {
			t.Errorf("/metrics has no %s", name)
		}
	}
}

// soonOver is a token of the same person with some seconds to live: long enough to subscribe with.
func soonOver(t *testing.T, secret []byte, token string) string {
	t.Helper()
	now, err := auth.NewSigner(time.Now, secret)
	must(t, err)
	actor, err := now.Verify(token)
	must(t, err)
	before, err := auth.NewSigner(func() time.Time { return time.Now().Add(5*time.Second - auth.AccessTokenLife) }, secret)
	must(t, err)
	ending, _, err := before.Sign(auth.Grant{Actor: actor})
	must(t, err)
	return ending
}

// stream is a subscription over a WebSocket.
type stream struct {
	t    *testing.T
	conn *websocket.Conn
}

// follow subscribes to a member's orders.
func follow(t *testing.T, endpoint, token string) *stream {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), endpoint, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // the library does
	must(t, err)
	s := &stream{t, conn}
	must(t, wsjson.Write(t.Context(), conn, vars("type", "connection_init", "payload", vars("authorization", "Bearer "+token))))
	must(t, wsjson.Write(t.Context(), conn, vars("id", "1", "type", "subscribe",
		"payload", vars("query", `subscription { orderUpdates { snapshot sequence } }`))))
	return s
}

// next waits for an event, or says what came instead.
func (s *stream) next() error {
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	for {
		var m struct {
			Type    string
			Payload any
		}
		if err := wsjson.Read(ctx, s.conn, &m); err != nil {
			return err
		}
		switch m.Type {
		case "next":
			return nil
		case "error", "complete":
			return errors.New(m.Type)
		}
	}
}
