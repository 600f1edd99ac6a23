package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"bourse/router/identity"
	"bourse/router/internal/await"
)

// bearer admits whoever names himself, until a time.
func bearer(expires time.Time) func(context.Context, *http.Request, http.Header) (*identity.Identity, *Refusal) {
	return func(_ context.Context, _ *http.Request, header http.Header) (*identity.Identity, *Refusal) {
		name := header.Get("Authorization")
		if name == "" {
			return nil, Refuse(http.StatusUnauthorized, CodeUnauthenticated, "who are you?")
		}
		i := &identity.Identity{Subject: name, Expires: expires}
		copy(i.Digest[:], name)
		return i, nil
	}
}

func TestLegacyProtocol(t *testing.T) {
	h, g, _ := serveScript(t, Options{KeepAlive: time.Hour})
	c, _, err := dial(t, h.URL, nil, "graphql-ws")
	if err != nil {
		t.Fatal(err)
	}
	start := func(id, query string) {
		c.send(fmt.Sprintf(`{"id":%q,"type":"start","payload":{"query":%q}}`, id, query))
	}
	c.send(`{"type":"connection_init","payload":{}}`)
	c.expect(`{"type":"connection_ack"}`)
	c.expect(`{"type":"ka"}`)
	c.send(`{"type":"connection_init"}`)
	c.expect(`{"type":"connection_ack"}`)
	start("q", "query x")
	c.expect(`{"id":"q","type":"data","payload":{"data":"x"}}`)
	c.expect(`{"id":"q","type":"complete"}`)
	start("s", "count 2")
	c.expect(`{"id":"s","type":"data","payload":{"data":"1"}}`)
	c.expect(`{"id":"s","type":"data","payload":{"data":"2"}}`)
	c.expect(`{"id":"s","type":"complete"}`)
	start("r", "refuse")
	c.expect(`{"id":"r","type":"error","payload":{"message":"no","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}}`)
	start("a", "silent one")
	await.One(t, g.started)
	start("a", "silent two") // takes its place
	await.One(t, g.ended)
	await.One(t, g.started)
	c.send(`{"id":"a","type":"stop"}`)
	await.One(t, g.ended)
	c.send(`{"type":"connection_terminate"}`)
	if got := c.closed(); got != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", got)
	}
	other, _, err := dial(t, h.URL, nil, "graphql-ws")
	if err != nil {
		t.Fatal(err)
	}
	other.send(`{"type":"subscribe","id":"1","payload":{"query":"query x"}}`)
	if got := other.closed(); got != 4400 {
		t.Errorf("a message of the other protocol: closed with %d", got)
	}
}

func TestLegacyProtocolRefusesInWords(t *testing.T) {
	h, _, _ := serveScript(t, Options{Admit: bearer(time.Time{})})
	c, _, err := dial(t, h.URL, nil, "graphql-ws")
	if err != nil {
		t.Fatal(err)
	}
	c.send(`{"type":"connection_init"}`)
	c.expect(`{"type":"connection_error","payload":{"message":"who are you?","extensions":{"code":"UNAUTHENTICATED"}}}`)
	if got := c.closed(); got != 4401 {
		t.Errorf("closed with %d", got)
	}
}

func TestLegacyProtocolKeepsAlive(t *testing.T) {
	h, _, _ := serveScript(t, Options{KeepAlive: 20 * time.Millisecond})
	c, _, err := dial(t, h.URL, nil, "graphql-ws")
	if err != nil {
		t.Fatal(err)
	}
	c.send(`{"type":"connection_init"}`)
	c.expect(`{"type":"connection_ack"}`)
	for range 3 {
		c.expect(`{"type":"ka"}`)
	}
}

// A client that stops taking events for a while sees a run with gaps that are told, one that takes them sees all, and neither holds the
// other back.
func TestSlowClientIsToldItsGaps(t *testing.T) {
	const events = 100_000 // more than the kernel buffers while the client does not read
	h, g, _ := serveScript(t, Options{WriteTimeout: time.Minute, Backlog: Backlog{Events: 10, DropOldest: true}})
	c := greet(t, h.URL, "", nil)
	c.conn.SetReadLimit(1 << 20)
	c.subscribe("s", fmt.Sprintf("burst %d", events))
	other := greet(t, h.URL, "", nil)
	other.subscribe("o", "query meanwhile")
	other.expect(`{"id":"o","type":"next","payload":{"data":"meanwhile"}}`)
	await.One(t, g.started)
	seen, gaps := 0, 0
	for {
		var m struct {
			Type    string
			Payload struct {
				Data       string
				Extensions struct{ Gap struct{ Dropped int } }
			}
		}
		if err := json.Unmarshal([]byte(c.read()), &m); err != nil {
			t.Fatal(err)
		}
		if m.Type == "complete" {
			break
		}
		if dropped := m.Payload.Extensions.Gap.Dropped; dropped > 0 {
			seen += dropped
			gaps++
		}
		if seen++; m.Payload.Data != fmt.Sprint(seen) {
			t.Fatalf("event %s as number %d", m.Payload.Data, seen)
		}
	}
	if seen != events || gaps == 0 {
		t.Errorf("%d of %d events with %d gaps", seen, events, gaps)
	}
}

func TestSlowClientIsEndedAfterWhatWaits(t *testing.T) {
	h, _, _ := serveScript(t, Options{WriteTimeout: time.Minute, Backlog: Backlog{Events: 10}})
	c := greet(t, h.URL, "", nil)
	c.subscribe("s", "count 1000000")
	for seen := 1; ; seen++ {
		text := c.read()
		if strings.Contains(text, `"type":"error"`) {
			if !strings.Contains(text, CodeSubscriptionLagged) {
				t.Errorf("ended with %s", text)
			}
			break
		}
		if want := fmt.Sprintf(`{"id":"s","type":"next","payload":{"data":"%d"}}`, seen); text != want {
			t.Fatalf("got %s, want %s", text, want)
		}
	}
	c.subscribe("s", "query x") // the id is free, the socket goes on
	c.expect(`{"id":"s","type":"next","payload":{"data":"x"}}`)
}

func TestSocketEndsWithItsToken(t *testing.T) {
	h, g, _ := serveScript(t, Options{Admit: bearer(time.Now().Add(300 * time.Millisecond)), InitTimeout: 100 * time.Millisecond})
	c := greet(t, h.URL, `,"payload":{"Authorization":"me"}`, nil)
	c.subscribe("s", "silent")
	await.One(t, g.started)
	if got := c.closed(); got != 4403 {
		t.Errorf("closed with %d", got)
	}
	await.One(t, g.ended)
}

func TestSocketsOfOneClientAreBounded(t *testing.T) {
	h, _, s := serveScript(t, Options{MaxSocketsByAddress: 2, MaxSocketsByIdentity: 1, Admit: bearer(time.Time{})})
	a := greet(t, h.URL, `,"payload":{"Authorization":"a"}`, nil)
	again, _, err := dial(t, h.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	again.send(`{"type":"connection_init","payload":{"Authorization":"a"}}`)
	if got := again.closed(); got != 4429 {
		t.Errorf("a second socket in one name: closed with %d", got)
	}
	for s.Sockets() > 1 { // it is counted out a moment after the client knows
		runtime.Gosched()
	}
	greet(t, h.URL, `,"payload":{"Authorization":"b"}`, nil)
	if _, res, err := dial(t, h.URL, nil); err == nil || res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a third socket of one address: %v", err)
	}
	if n := s.Sockets(); n != 2 {
		t.Errorf("%d are counted with the one that was refused", n)
	}
	_ = a.conn.CloseNow()
	for s.Sockets() > 1 {
		runtime.Gosched()
	}
	greet(t, h.URL, `,"payload":{"Authorization":"a"}`, nil)
}

// What is refused while it is opened takes no place of those that are open.
func TestRefusedUpgradesTakeNoPlace(t *testing.T) {
	h, _, s := serveScript(t, Options{MaxSockets: 1, MaxSocketsByAddress: 1})
	for range 3 {
		for _, header := range [][]string{
			{"Upgrade", "websocket", "Connection", "Upgrade"}, // and no key
			{"Upgrade", "websocket", "Connection", "Upgrade", "Sec-WebSocket-Key", "short", "Sec-WebSocket-Version", "13"},
			{"Upgrade", "websocket", "Connection", "Upgrade", "Origin", "https://evil.example"},
		} {
			if res := do(t, "GET", h.URL, "", header...); res.StatusCode < 400 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable {
				t.Errorf("%v: %d", header, res.StatusCode)
			}
		}
	}
	if n := s.Sockets(); n != 0 {
		t.Errorf("%d are counted", n)
	}
	greet(t, h.URL, "", nil)
	if _, res, err := dial(t, h.URL, nil); err == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a second one: %v", err)
	}
}

func TestMessagesOfOneClientAreBounded(t *testing.T) {
	h, _, _ := serveScript(t, Options{MaxMessages: 2})
	c := greet(t, h.URL, "", nil)
	for range 60 { // ten seconds' worth and some
		_ = c.conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"pong"}`)) // fails once it is closed
	}
	if got := c.closed(); got != 4429 {
		t.Errorf("closed with %d", got)
	}
}

func TestPingsAreMessages(t *testing.T) {
	h, _, _ := serveScript(t, Options{MaxMessages: 2})
	c := greet(t, h.URL, "", nil)
	reading := c.conn.CloseRead(t.Context()) // or nobody would notice the pongs
	for range 60 {
		if c.conn.Ping(reading) != nil {
			return
		}
	}
	t.Error("60 pings are answered where 20 may come at once")
}

// A client that goes on sending although it was told that it is closed is not read for as long as it might answer.
func TestClosedClientThatGoesOnIsCutOff(t *testing.T) {
	h, _, _ := serveScript(t, Options{MaxMessages: 2, KeepAlive: time.Hour, WriteTimeout: time.Hour})
	c := greet(t, h.URL, "", nil)
	message := []byte(`{"type":"pong","payload":{"a":"` + strings.Repeat("x", 10_000) + `"}}`)
	sent := 0
	for c.conn.Write(t.Context(), websocket.MessageText, message) == nil {
		if sent += len(message); sent > maxIgnored+16<<20 { // what the kernel may hold beside
			t.Fatal("it is read on and on")
		}
	}
}

func TestClientThatAsksAndDoesNotListenIsCutOff(t *testing.T) {
	h, _, s := serveScript(t, Options{MaxMessages: -1, WriteTimeout: time.Minute})
	c := greet(t, h.URL, "", nil)
	ping := []byte(`{"type":"ping","payload":{"a":"` + strings.Repeat("x", 10_000) + `"}}`)
	for s.Sockets() > 0 {
		if c.conn.Write(t.Context(), websocket.MessageText, ping) != nil {
			break
		}
	}
}

func TestDrainSpreadsTheClosing(t *testing.T) {
	h, _, s := serveScript(t, Options{DrainJitter: 100 * time.Millisecond})
	var clients []*client
	for range 20 {
		clients = append(clients, greet(t, h.URL, "", nil))
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close(t.Context()) }()
	for _, c := range clients {
		if got := c.closed(); got != websocket.StatusGoingAway {
			t.Errorf("closed with %d", got)
		}
	}
	if err := await.One(t, closed); err != nil {
		t.Error(err)
	}
}

// An idle socket with its subscriptions has one goroutine, whatever it had while they began.
func TestIdleSocketsHaveOneGoroutineEach(t *testing.T) {
	const sockets = 50
	h, g, _ := serveScript(t, Options{KeepAlive: time.Hour})
	before := runtime.NumGoroutine()
	for range sockets {
		c := greet(t, h.URL, "", nil)
		c.subscribe("1", "silent")
		c.subscribe("2", "silent")
		await.One(t, g.started)
		await.One(t, g.started)
	}
	// The client has one as well, the script two; one looks at the time for all.
	for most := before + sockets*(1+1+2) + 10; runtime.NumGoroutine() > most; {
		runtime.Gosched()
	}
}
