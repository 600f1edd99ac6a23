package socket

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/coder/websocket"

	"bourse/router/internal/await"
)

// readsAll reads until the connection ends, and says how.
func (p *peer) readsAll() error {
	for {
		if _, err := p.read(); err != nil {
			return err
		}
	}
}

// What only names a request does not part those who are the same, and is not told in the upgrade.
func TestTracesShareAConnection(t *testing.T) {
	headers := make(chan http.Header, 3)
	c, count := subgraph(t, Options{}, TransportWS, func(p *peer) {
		headers <- p.header
		p.greet()
		_ = p.readsAll()
	})
	for i := range 3 {
		n := strconv.Itoa(i)
		open(t, c, "Authorization", "Bearer x", "Traceparent", n, "Tracestate", n, "Baggage", n, "X-Request-Id", n, "Origin", n, "Sec-Websocket-Extensions", n)
	}
	if count.Load() != 1 {
		t.Errorf("%d connections", count.Load())
	}
	h := await.One(t, headers)
	for _, name := range []string{"Traceparent", "Tracestate", "Baggage", "X-Request-Id", "Origin"} {
		if value := h.Get(name); value != "" {
			t.Errorf("%s is %q", name, value)
		}
	}
}

// A connection that somebody is about to use, or uses, is not given up as idle.
func TestOnlyAnUnusedConnectionIsGivenUp(t *testing.T) {
	c := New(Options{})
	defer c.Close()
	k := newConn(c, "key", Subgraph{}, nil, nil)
	k.hold()
	if k.giveUp() {
		t.Error("given up while it is held")
	}
	k.streams["1"] = newStream(k, "1", 1)
	k.release()
	if k.giveUp() {
		t.Error("given up while it has a subscription")
	}
	if !k.drop(k.streams["1"]) || !k.giveUp() || k.hold() || k.giveUp() {
		t.Error("not given up once and for all")
	}
}

// A connection that ends while somebody is about to use it says so: another may do.
func TestALostConnectionSendsOnToAnother(t *testing.T) {
	c, count := subgraph(t, Options{}, TransportWS, func(p *peer) {
		p.greet()
		_ = p.readsAll()
	})
	k, err := c.connection(c.o.Subgraphs["s"], "s", http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	await.One(t, k.ready)
	k.end(errors.New("lost"))
	if _, err := k.subscribe(request().Body); !errors.Is(err, errEnded) {
		t.Errorf("got %v", err)
	}
	k.release()
	open(t, c)
	if count.Load() != 2 {
		t.Errorf("%d connections", count.Load())
	}
}

func TestASubgraphIsToldThatItIsNotUnderstood(t *testing.T) {
	for _, text := range []string{`garbage`, `{"type":"hallo"}`, `[]`} {
		ended := make(chan error, 1)
		c, _ := subgraph(t, Options{}, TransportWS, func(p *peer) {
			p.greet()
			p.expect("subscribe")
			p.send(text)
			ended <- p.readsAll()
		})
		open(t, c)
		if err := await.One(t, ended); websocket.CloseStatus(err) != 4400 {
			t.Errorf("%s: ended with %v", text, err)
		}
	}
}

// Whoever goes while the connection is opened leaves nothing that keeps it open.
func TestWaitingForAConnectionIsGivenUp(t *testing.T) {
	hello, ack, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	c, _ := subgraph(t, Options{IdleTimeout: 10 * time.Millisecond}, TransportWS, func(p *peer) {
		p.expect("connection_init")
		close(hello)
		<-ack
		p.send(`{"type":"connection_ack"}`)
		ended <- p.readsAll()
	})
	ctx, leave := context.WithCancel(t.Context())
	go func() { <-hello; leave() }()
	if _, err := c.Stream(ctx, request()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(ack)
	if err := await.One(t, ended); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("ended with %v", err)
	}
}
