package socket

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"bourse/router/execute"
	"bourse/router/internal/await"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is a subgraph's end of one connection.
type peer struct {
	t      *testing.T
	ws     *websocket.Conn
	header http.Header
}

func (p *peer) read() (message, error) {
	var m message
	_, text, err := p.ws.Read(p.t.Context())
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
}

func (p *peer) send(text string) {
	_ = p.ws.Write(p.t.Context(), websocket.MessageText, []byte(text))
}

// expect reads a message of that type.
func (p *peer) expect(kind string) message {
	m, err := p.read()
	if err != nil || m.Type != kind {
		p.t.Errorf("the subgraph got %+v, %v, not %s", m, err, kind)
	}
	return m
}

func (p *peer) greet() message {
	m := p.expect("connection_init")
	p.send(`{"type":"connection_ack"}`)
	return m
}

// subgraph serves connections by a script and counts them.
func subgraph(t *testing.T, o Options, protocol Protocol, script func(p *peer)) (*Client, *atomic.Int32) {
	t.Helper()
	var count atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{string(protocol)}})
		if err != nil {
			return
		}
		defer ws.CloseNow() //nolint:errcheck // test
		ws.SetReadLimit(1 << 20)
		script(&peer{t, ws, r.Header})
	}))
	if o.Subgraphs == nil {
		o.Subgraphs = map[string]Subgraph{"s": {URL: server.URL, Protocol: protocol}}
	}
	c := New(o)
	t.Cleanup(func() {
		c.Close()
		server.Close()
	})
	return c, &count
}

func request(header ...string) *execute.Request {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &execute.Request{Subgraph: "s", Body: []byte(`{"query":"subscription{a}"}`), Header: h}
}

func open(t *testing.T, c *Client, header ...string) io.ReadCloser {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := c.Stream(ctx, request(header...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

const event1, event2, done = "event: next\ndata: {\"data\":1}\n\n", "event: next\ndata: {\"data\":2}\n\n", "event: complete\ndata:\n\n"

func TestStream(t *testing.T) {
	for _, c := range []struct {
		protocol                         Protocol
		start, next, failure, fine, stop string
	}{
		{TransportWS, "subscribe", `"next"`, `[{"message":"no"}]`, `"complete"`, "complete"},
		{Legacy, "start", `"data"`, `{"message":"no"}`, `"complete"`, "stop"},
	} {
		t.Run(string(c.protocol), func(t *testing.T) {
			stopped := make(chan message, 1)
			client, count := subgraph(t, Options{}, c.protocol, func(p *peer) {
				hello := p.greet()
				if string(hello.Payload) != `{"Authorization":"Bearer x"}` || p.header.Get("Authorization") != "Bearer x" || p.header.Get("X-Request-Id") != "" {
					t.Errorf("hello %s, headers %v", hello.Payload, p.header)
				}
				m := p.expect(c.start)
				if string(m.Payload) != `{"query":"subscription{a}"}` {
					t.Errorf("payload %s", m.Payload)
				}
				p.send(`{"id":"` + m.ID + `","type":` + c.next + `,"payload":{"data":1}}`)
				p.send("{\"id\":\"" + m.ID + "\",\"type\":" + c.next + ",\"payload\":{\n\"data\":2}}")
				p.send(`{"id":"` + m.ID + `","type":` + c.fine + `}`)
				m = p.expect(c.start)
				p.send(`{"id":"` + m.ID + `","type":"error","payload":` + c.failure + `}`)
				p.expect(c.start)
				m, _ = p.read()
				stopped <- m
				_, _ = p.read()
			})
			auth := []string{"Authorization", "Bearer x", "X-Request-Id", "1"}
			if got, err := io.ReadAll(open(t, client, auth...)); err != nil || string(got) != event1+strings.Replace(event2, `{"`, `{ "`, 1)+done {
				t.Fatalf("got %q, %v", got, err)
			}
			auth[3] = "2"
			if got, err := io.ReadAll(open(t, client, auth...)); err != nil || string(got) != "event: next\ndata: {\"errors\":[{\"message\":\"no\"}]}\n\n"+done {
				t.Fatalf("got %q, %v", got, err)
			}
			s := open(t, client, auth...)
			_ = s.Close()
			if m := await.One(t, stopped); m.Type != c.stop || m.ID != "3" {
				t.Errorf("the end was told as %+v", m)
			}
			if _, err := s.Read(make([]byte, 1)); err == nil {
				t.Error("a closed stream can be read")
			}
			if count.Load() != 1 {
				t.Errorf("%d connections", count.Load())
			}
		})
	}
}

func TestConnectionsAreNotSharedBetweenHeaders(t *testing.T) {
	c, count := subgraph(t, Options{}, TransportWS, func(p *peer) {
		p.greet()
		for {
			m, err := p.read()
			if err != nil {
				return
			}
			p.send(fmt.Sprintf(`{"id":%q,"type":"next","payload":{"data":%q}}`, m.ID, p.header.Get("Authorization")))
		}
	})
	for i := range 6 {
		who := fmt.Sprint("user ", i%2)
		line, err := bufio.NewReader(skipLine(t, open(t, c, "Authorization", who))).ReadString('\n')
		if err != nil || line != `data: {"data":"`+who+"\"}\n" {
			t.Errorf("%s got %q, %v", who, line, err)
		}
	}
	if count.Load() != 2 {
		t.Errorf("%d connections for two people", count.Load())
	}
}

func skipLine(t *testing.T, r io.Reader) io.Reader {
	t.Helper()
	b := bufio.NewReader(r)
	if _, err := b.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return b
}

// What can go wrong before the first event is an error of Stream; what goes wrong later ends the stream.
func TestFaults(t *testing.T) {
	start := func(p *peer) message {
		p.greet()
		return p.expect("subscribe")
	}
	hang := func(p *peer) { // not reading: pings are not answered
		select {
		case <-p.t.Context().Done():
		case <-time.After(5 * time.Second):
		}
	}
	for _, c := range []struct {
		name   string
		script func(p *peer)
		opens  bool
		why    string
	}{
		{"never acknowledges", hang, false, "connection_ack"},
		{"refuses with a code", func(p *peer) { p.expect("connection_init"); _ = p.ws.Close(4403, "Forbidden") }, false, "4403"},
		{"speaks before its time", func(p *peer) { p.send(`{"id":"1","type":"next","payload":{}}`); _, _ = p.read(); _, _ = p.read() }, false, "before connection_ack"},
		{"sends garbage first", func(p *peer) { p.send(`hello`); _, _ = p.read(); _, _ = p.read() }, false, "not JSON"},
		{"closes with a code", func(p *peer) { start(p); _ = p.ws.Close(4409, "again") }, true, "4409"},
		{"dies", func(p *peer) { start(p); _ = p.ws.CloseNow() }, true, "WebSocket ended"},
		{"sends garbage", func(p *peer) { start(p); p.send(`{"type":`); _, _ = p.read() }, true, "not JSON"},
		{"sends bytes", func(p *peer) {
			start(p)
			_ = p.ws.Write(p.t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`))
			_, _ = p.read()
		}, true, "not JSON"},
		{"sends what is unknown", func(p *peer) { start(p); p.send(`{"type":"hallo"}`); _, _ = p.read() }, true, `"hallo"`},
		{"sends too much at once", func(p *peer) {
			m := start(p)
			p.send(`{"id":"` + m.ID + `","type":"next","payload":"` + strings.Repeat("x", 20_000) + `"}`)
			_, _ = p.read()
		}, true, "WebSocket ended"},
		{"goes half-open", func(p *peer) { start(p); hang(p) }, true, "pings"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, _ := subgraph(t, Options{
				ConnectTimeout: 300 * time.Millisecond, PingInterval: 50 * time.Millisecond, PongTimeout: 200 * time.Millisecond, MaxMessageBytes: 10_000,
			}, TransportWS, c.script)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			s, err := client.Stream(ctx, request())
			if (err == nil) != c.opens {
				t.Fatalf("opened with %v", err)
			}
			if err == nil {
				defer s.Close() //nolint:errcheck // test
				_, err = io.ReadAll(s)
			}
			if err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v, want something about %s", err, c.why)
			}
		})
	}
}

func TestOtherProtocolIsRefused(t *testing.T) {
	c, _ := subgraph(t, Options{}, "chat", func(p *peer) { _, _ = p.read() })
	o := c.o.Subgraphs["s"]
	c.o.Subgraphs["s"] = Subgraph{URL: o.URL, Protocol: TransportWS}
	if _, err := c.Stream(t.Context(), request()); err == nil || !strings.Contains(err.Error(), "does not speak") {
		t.Errorf("got %v", err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	c.o.Subgraphs["s"] = Subgraph{URL: plain.URL, Protocol: TransportWS}
	if _, err := c.Stream(t.Context(), request("A", "b")); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}

// A subscription that floods its reader ends; the others on its connection do not notice.
func TestFloodEndsItsStreamAlone(t *testing.T) {
	stopped := make(chan message, 1)
	c, _ := subgraph(t, Options{MaxUnreadBytes: 10_000}, TransportWS, func(p *peer) {
		p.greet()
		flooded, quiet := p.expect("subscribe"), p.expect("subscribe")
		for range 100 {
			p.send(`{"id":"` + flooded.ID + `","type":"next","payload":"` + strings.Repeat("x", 1000) + `"}`)
		}
		stopped <- p.expect("complete")
		p.send(`{"id":"` + quiet.ID + `","type":"next","payload":{"data":1}}`)
		p.send(`{"id":"` + quiet.ID + `","type":"complete"}`)
		_, _ = p.read()
	})
	flooded, quiet := open(t, c), open(t, c)
	if m := await.One(t, stopped); m.ID != "1" {
		t.Errorf("told the end of %q", m.ID)
	}
	if got, err := io.ReadAll(quiet); err != nil || string(got) != event1+done {
		t.Errorf("the other one: %q, %v", got, err)
	}
	if got, err := io.ReadAll(flooded); err == nil || len(got) > 11_000 || len(got) < 1000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestConnectionIsOpenedAgainAfterALoss(t *testing.T) {
	c, count := subgraph(t, Options{}, TransportWS, func(p *peer) {
		p.greet()
		m := p.expect("subscribe")
		p.send(`{"id":"` + m.ID + `","type":"next","payload":{"data":1}}`)
	})
	for range 3 {
		got, err := io.ReadAll(open(t, c))
		if err == nil || string(got) != event1 {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if count.Load() != 3 {
		t.Errorf("%d connections", count.Load())
	}
}

func TestIdleConnectionEnds(t *testing.T) {
	ended := make(chan error, 1)
	c, _ := subgraph(t, Options{IdleTimeout: 10 * time.Millisecond}, TransportWS, func(p *peer) {
		p.greet()
		for {
			if _, err := p.read(); err != nil {
				ended <- err
				return
			}
		}
	})
	_ = open(t, c).Close()
	if err := await.One(t, ended); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("ended with %v", err)
	}
}

func TestPingsOfTheSubgraphAreAnswered(t *testing.T) {
	c, _ := subgraph(t, Options{}, TransportWS, func(p *peer) {
		p.expect("connection_init")
		p.send(`{"type":"ping"}`)
		p.expect("pong")
		p.send(`{"type":"connection_ack"}`)
		m := p.expect("subscribe")
		p.send(`{"type":"ping","payload":{"a":1}}`)
		if pong := p.expect("pong"); string(pong.Payload) != `{"a":1}` {
			t.Errorf("pong %s", pong.Payload)
		}
		p.send(`{"id":"` + m.ID + `","type":"complete"}`)
		_, _ = p.read()
	})
	if got, err := io.ReadAll(open(t, c)); err != nil || string(got) != done {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestBounds(t *testing.T) {
	c, _ := subgraph(t, Options{MaxConnections: 1, MaxSubscriptions: 1}, TransportWS, func(p *peer) {
		p.greet()
		for {
			if _, err := p.read(); err != nil {
				return
			}
		}
	})
	open(t, c)
	if _, err := c.Stream(t.Context(), request()); err == nil || !strings.Contains(err.Error(), "more than 1 subscriptions") {
		t.Errorf("a second subscription: %v", err)
	}
	if _, err := c.Stream(t.Context(), request("Authorization", "else")); err == nil || !strings.Contains(err.Error(), "more than 1 connections") {
		t.Errorf("a second connection: %v", err)
	}
	c.Close()
	if _, err := c.Stream(t.Context(), request()); err == nil {
		t.Error("a closed client opens streams")
	}
}

// A subgraph with an authority of its own is believed by that, and shown the certificate that it asks for.
func TestTLSIsOfTheSubgraphsOwn(t *testing.T) {
	seen := make(chan int, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{string(TransportWS)}})
		if err != nil {
			return
		}
		defer ws.CloseNow() //nolint:errcheck // test
		seen <- len(r.TLS.PeerCertificates)
		p := &peer{t, ws, r.Header}
		p.greet()
		_, _ = p.read()
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	defer server.Close()
	authorities := x509.NewCertPool()
	authorities.AddCert(server.Certificate())
	own := &tls.Config{RootCAs: authorities, Certificates: server.TLS.Certificates, ServerName: "example.com"}
	c := New(Options{Subgraphs: map[string]Subgraph{
		"s": {URL: server.URL, Protocol: TransportWS, TLS: own}, "stranger": {URL: server.URL, Protocol: TransportWS},
	}})
	defer c.Close()
	s, err := c.Stream(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // test
	if n := <-seen; n != 1 {
		t.Errorf("the subgraph is shown %d certificates", n)
	}
	stranger := request()
	stranger.Subgraph = "stranger"
	if _, err := c.Stream(t.Context(), stranger); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a subgraph of an unknown authority gave %v", err)
	}
}
