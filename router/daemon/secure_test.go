package daemon

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"bourse/router/compose"
	"bourse/router/internal/await"
)

// ticking is a subgraph that sends so many long events and says when the last of them has left.
func ticking(t testing.TB, events int, sent chan<- struct{}) (supergraph string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		rc := http.NewResponseController(w)
		for i := range events {
			_, _ = fmt.Fprintf(w, "event: next\ndata: {\"data\":{\"tick\":%q}}\n\n", tick(i))
		}
		_ = rc.Flush()
		sent <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	c, err := compose.Compose([]compose.Subgraph{{Name: "ticks", URL: server.URL, SDL: link + "type Query { a: Int } type Subscription { tick: String }"}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c.SupergraphSDL
}

func tick(i int) string { return fmt.Sprintf("%d%s", i, strings.Repeat(".", 4<<10)) }

// A connection over TLS has no socket of its own to write to at once: what does not fit waits, and comes whole and in order. The end of the router
// reaches it as well.
func TestEventsReachAClientOverTLS(t *testing.T) {
	const events = 2000 // 8 MiB, which no buffer of a connection holds
	sent := make(chan struct{}, 1)
	certificate, key := certificateFor(t, "router.test")
	r := startWith(t, `
listen: {address: "127.0.0.1:0", tls: {certificate: certificate.pem, key: key.pem}}
supergraph: {file: graph.graphql}
subscriptions: {queue: 5000, queue_bytes: 64MiB, upstream: {queue: 5000, queue_bytes: 64MiB}}
`, ticking(t, events, sent), map[string]string{"certificate.pem": certificate, "key.pem": key})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // of the test's own router
	defer client.CloseIdleConnections()
	ws, _, err := websocket.Dial(t.Context(), strings.Replace(r.Endpoint, "https://", "wss://", 1), &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow() //nolint:errcheck // it is closed by then
	say := func(text string) {
		t.Helper()
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	say(`{"type":"connection_init"}`)
	if _, text, err := ws.Read(t.Context()); err != nil || !strings.Contains(string(text), "connection_ack") {
		t.Fatalf("%s, %v", text, err)
	}
	say(`{"id":"1","type":"subscribe","payload":{"query":"subscription { tick }"}}`)
	await.One(t, sent) // and the client has read nothing yet
	for i := range events {
		_, text, err := ws.Read(t.Context())
		if err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
		var got struct {
			Payload struct{ Data struct{ Tick string } }
		}
		if err := json.Unmarshal(text, &got); err != nil || got.Payload.Data.Tick != tick(i) {
			t.Fatalf("event %d is %.80s", i, text)
		}
	}
	r.end()
	for {
		if _, _, err = ws.Read(context.WithoutCancel(t.Context())); err != nil {
			break // what came before it is a complete
		}
	}
	if got := websocket.CloseStatus(err); got != websocket.StatusGoingAway {
		t.Errorf("it was closed with %v", err)
	}
}
