package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"bourse/router/internal/await"
)

// client is a WebSocket at the test's end.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

func dial(t *testing.T, url string, header http.Header, protocols ...string) (*client, *http.Response, error) {
	t.Helper()
	if protocols == nil {
		protocols = []string{transportWS.name}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, res, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: protocols, HTTPHeader: header})
	if err != nil {
		return nil, res, err
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t, conn}, res, nil
}

// greet opens a socket and introduces itself.
func greet(t *testing.T, url, payload string, header http.Header) *client {
	t.Helper()
	c, _, err := dial(t, url, header)
	if err != nil {
		t.Fatal(err)
	}
	c.send(`{"type":"connection_init"` + payload + `}`)
	c.expect(`{"type":"connection_ack"}`)
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) subscribe(id, query string) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%q}}`, id, query))
}

func (c *client) read() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func (c *client) expect(want string) {
	c.t.Helper()
	if got := c.read(); got != want {
		c.t.Fatalf("got %s, want %s", got, want)
	}
}

// closed reads to the end of the socket and returns the code.
func (c *client) closed() websocket.StatusCode {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	for {
		if _, _, err := c.conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

func TestSocketCarriesOperations(t *testing.T) {
	h, _, _ := serveScript(t, Options{})
	c := greet(t, h.URL, "", nil)
	c.subscribe("q", "query x")
	c.expect(`{"id":"q","type":"next","payload":{"data":"x"}}`)
	c.expect(`{"id":"q","type":"complete"}`)
	c.subscribe("m", "mutation y")
	c.expect(`{"id":"m","type":"next","payload":{"data":"y"}}`)
	c.expect(`{"id":"m","type":"complete"}`)
	c.subscribe("s", "count 2")
	c.expect(`{"id":"s","type":"next","payload":{"data":"1"}}`)
	c.expect(`{"id":"s","type":"next","payload":{"data":"2"}}`)
	c.expect(`{"id":"s","type":"complete"}`)
	c.subscribe("r", "refuse")
	c.expect(`{"id":"r","type":"error","payload":[{"message":"no","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`)
	c.subscribe("f", "fail")
	c.expect(`{"id":"f","type":"next","payload":{"data":"1"}}`)
	c.expect(`{"id":"f","type":"error","payload":[{"message":"too bad","extensions":{"code":"UPSTREAM_FAILED"}}]}`)
	c.subscribe("p", "panic")
	c.expect(`{"id":"p","type":"error","payload":[{"message":"internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`)
	c.subscribe("q", "query again") // a finished id is free
	c.expect(`{"id":"q","type":"next","payload":{"data":"again"}}`)
	c.expect(`{"id":"q","type":"complete"}`)
	c.send(`{"type":"ping","payload":{"a":1}}`)
	c.expect(`{"type":"pong","payload":{"a":1}}`)
	c.send(`{"type":"pong"}`)
	c.send(`{"id":"never","type":"complete"}`)
	c.send(`{"type":"ping"}`)
	c.expect(`{"type":"pong"}`)
}

func TestSocketCompleteStopsAndFreesTheID(t *testing.T) {
	h, g, _ := serveScript(t, Options{})
	c := greet(t, h.URL, "", nil)
	c.subscribe("s", "silent")
	await.One(t, g.started)
	c.send(`{"id":"s","type":"complete"}`)
	await.One(t, g.ended)
	c.subscribe("s", "count 1")
	c.expect(`{"id":"s","type":"next","payload":{"data":"1"}}`)
	c.expect(`{"id":"s","type":"complete"}`)
}

func TestSocketEndStopsItsOperations(t *testing.T) {
	h, g, _ := serveScript(t, Options{})
	c := greet(t, h.URL, "", nil)
	c.subscribe("a", "silent a")
	c.subscribe("b", "slow b")
	await.One(t, g.started)
	await.One(t, g.started)
	_ = c.conn.CloseNow()
	await.One(t, g.ended)
	await.One(t, g.ended)
}

func TestSocketBreachesOfProtocol(t *testing.T) {
	h, g, _ := serveScript(t, Options{MaxBodyBytes: 4096})
	for _, c := range []struct {
		name  string
		greet bool
		send  []string
		want  websocket.StatusCode
	}{
		{"not JSON", true, []string{`{`}, 4400},
		{"not an object", true, []string{`[]`}, 4400},
		{"unknown type", true, []string{`{"type":"start"}`}, 4400},
		{"no type", true, []string{`{}`}, 4400},
		{"id of a wrong type", true, []string{`{"id":1,"type":"subscribe","payload":{"query":"query x"}}`}, 4400},
		{"no id", true, []string{`{"type":"subscribe","payload":{"query":"query x"}}`}, 4400},
		{"no payload", true, []string{`{"id":"1","type":"subscribe"}`}, 4400},
		{"no query", true, []string{`{"id":"1","type":"subscribe","payload":{}}`}, 4400},
		{"query of a wrong type", true, []string{`{"id":"1","type":"subscribe","payload":{"query":{}}}`}, 4400},
		{"payload of init", false, []string{`{"type":"connection_init","payload":7}`}, 4400},
		{"before init", false, []string{`{"id":"1","type":"subscribe","payload":{"query":"query x"}}`}, 4401},
		{"init twice", true, []string{`{"type":"connection_init"}`}, 4429},
		{"id twice", true, []string{`{"id":"1","type":"subscribe","payload":{"query":"silent"}}`, `{"id":"1","type":"subscribe","payload":{"query":"silent"}}`}, 4409},
		{"too large", true, []string{`{"type":"ping","payload":{"a":"` + strings.Repeat("x", 5000) + `"}}`}, websocket.StatusMessageTooBig},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, _, err := dial(t, h.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.greet {
				k.send(`{"type":"connection_init"}`)
			}
			for _, text := range c.send {
				k.send(text)
			}
			if got := k.closed(); got != c.want {
				t.Errorf("closed with %d, want %d", got, c.want)
			}
		})
	}
	k := greet(t, h.URL, "", nil)
	if err := k.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	if got := k.closed(); got != 4400 {
		t.Errorf("binary: closed with %d", got)
	}
	other, _, err := dial(t, h.URL, nil, "graphql-sse")
	if err != nil {
		t.Fatal(err)
	}
	if got := other.closed(); got != 4406 {
		t.Errorf("other subprotocol: closed with %d", got)
	}
	_ = g
}

func TestSocketInitTimeout(t *testing.T) {
	h, _, _ := serveScript(t, Options{InitTimeout: 20 * time.Millisecond})
	c, _, err := dial(t, h.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.closed(); got != 4408 {
		t.Errorf("closed with %d", got)
	}
}

func TestSocketOperationsAreBounded(t *testing.T) {
	h, g, _ := serveScript(t, Options{MaxOperations: 2, MaxSockets: 1})
	c := greet(t, h.URL, "", nil)
	c.subscribe("1", "silent")
	c.subscribe("2", "silent")
	await.One(t, g.started)
	await.One(t, g.started)
	c.subscribe("3", "query x")
	var m struct {
		ID, Type string
		Payload  []Error
	}
	if err := json.Unmarshal([]byte(c.read()), &m); err != nil || m.ID != "3" || m.Type != "error" || m.Payload[0].Extensions["code"] != CodeLimitExceeded {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, res, err := dial(t, h.URL, nil); err == nil || res.StatusCode != 503 {
		t.Errorf("a second socket: %v", err)
	}
}

func TestSocketOrigin(t *testing.T) {
	h, _, _ := serveScript(t, Options{AllowedOrigins: []string{"https://app.example.com"}})
	for origin, ok := range map[string]bool{"": true, h.URL: true, "https://app.example.com": true, "https://evil.example.com": false, "null": false} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		_, res, err := dial(t, h.URL, header)
		if (err == nil) != ok || !ok && res.StatusCode != 403 {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
}

func TestConnectionParamsStandInForHeaders(t *testing.T) {
	h, _, _ := serveScript(t, Options{ForwardHeaders: []string{"Authorization", "Client-Address"}})
	c := greet(t, h.URL, `,"payload":{"authorization":"Bearer p","Client-Address":"forged"}`, nil)
	c.subscribe("1", "header Authorization")
	c.expect(`{"id":"1","type":"next","payload":{"data":"Bearer p"}}`)
	c.expect(`{"id":"1","type":"complete"}`)
	c.subscribe("2", "header Client-Address")
	c.expect(`{"id":"2","type":"next","payload":{"data":""}}`)
	c.expect(`{"id":"2","type":"complete"}`)

	c = greet(t, h.URL, `,"payload":{"Authorization":"Bearer p"}`, http.Header{"Authorization": {"Bearer h"}})
	c.subscribe("1", "header Authorization")
	c.expect(`{"id":"1","type":"next","payload":{"data":"Bearer h"}}`)
}

func TestCloseSaysGoingAwayOnSockets(t *testing.T) {
	h, g, s := serveScript(t, Options{})
	c := greet(t, h.URL, "", nil)
	c.subscribe("s", "silent")
	await.One(t, g.started)
	closed := make(chan error, 1)
	go func() { closed <- s.Close(t.Context()) }()
	if got := c.closed(); got != websocket.StatusGoingAway {
		t.Errorf("closed with %d", got)
	}
	await.One(t, g.ended)
	if err := await.One(t, closed); err != nil {
		t.Error(err)
	}
}

func TestSilentClientLosesItsSocket(t *testing.T) {
	h, g, _ := serveScript(t, Options{KeepAlive: 10 * time.Millisecond, WriteTimeout: 50 * time.Millisecond})
	c := greet(t, h.URL, "", nil)
	c.subscribe("s", "silent")
	await.One(t, g.started)
	// The client no longer reads, so nobody answers pings.
	await.One(t, g.ended)
}

func TestClientThatTakesNothingLosesItsSocket(t *testing.T) {
	h, g, _ := serveScript(t, Options{WriteTimeout: 50 * time.Millisecond, MaxOperations: 3, Backlog: Backlog{DropOldest: true}})
	c := greet(t, h.URL, "", nil)
	c.subscribe("held", "silent")
	await.One(t, g.started)
	// Until the kernel's buffers are full the server can write; then it must give up and end the other operation too.
	c.subscribe("flood", "count 100000000")
	await.One(t, g.ended)
}
