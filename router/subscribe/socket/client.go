package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"bourse/router/execute"
)

// Protocol is a WebSocket's subprotocol.
type Protocol string

// The protocols that the package speaks.
const (
	TransportWS Protocol = "graphql-transport-ws"
	Legacy      Protocol = "graphql-ws"
)

// Subgraph is where a subgraph takes WebSockets.
type Subgraph struct {
	URL      string // http, https, ws or wss
	Protocol Protocol
	TLS      *tls.Config // nil: the system's authorities, no client certificate
}

// ErrTooMany says that there are as many connections as there may be.
var ErrTooMany = errors.New("there are as many connections for subscriptions as there may be")

// Options of a Client. Zero fields mean the defaults.
type Options struct {
	Subgraphs map[string]Subgraph // by name

	InitHeaders      []string      // headers of the request that go into the payload of connection_init too; default Authorization
	ConnectTimeout   time.Duration // to open a connection, up to the subgraph's connection_ack; default 10 s
	PingInterval     time.Duration // between pings; default 20 s
	PongTimeout      time.Duration // for the answer to one, and for one message to be taken; default 10 s
	IdleTimeout      time.Duration // of a connection without subscriptions; default 10 s
	MaxMessageBytes  int64         // of one message; default 1 MiB
	MaxUnreadBytes   int           // that wait for the reader of one subscription; one event may always wait; default 4 MiB
	MaxConnections   int           // altogether; default 10,000
	MaxSubscriptions int           // on one connection; default 10,000
}

func (o Options) withDefaults() Options {
	for d, standard := range map[*time.Duration]time.Duration{
		&o.ConnectTimeout: 10 * time.Second, &o.PingInterval: 20 * time.Second, &o.PongTimeout: 10 * time.Second, &o.IdleTimeout: 10 * time.Second,
	} {
		if *d <= 0 {
			*d = standard
		}
	}
	if o.InitHeaders == nil {
		o.InitHeaders = []string{"Authorization"}
	}
	if o.MaxMessageBytes <= 0 {
		o.MaxMessageBytes = 1 << 20
	}
	if o.MaxUnreadBytes <= 0 {
		o.MaxUnreadBytes = 4 << 20
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = 10_000
	}
	if o.MaxSubscriptions <= 0 {
		o.MaxSubscriptions = 10_000
	}
	return o
}

// Client keeps connections to subgraphs. It is safe for concurrent use.
type Client struct {
	o       Options
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	dialers map[string]*http.Client // of subgraphs with TLS of their own

	mu     sync.Mutex
	conns  map[string]*conn
	closed bool
}

// New makes a client. Close it when done.
func New(o Options) *Client {
	c := &Client{o: o.withDefaults(), conns: map[string]*conn{}, dialers: map[string]*http.Client{}}
	for name, s := range o.Subgraphs {
		if s.TLS != nil {
			c.dialers[name] = dialer(s.TLS)
		}
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// dialer upgrades connections, which leaves none to be used again. WebSockets are of HTTP/1.1.
func dialer(own *tls.Config) *http.Client {
	own = own.Clone()
	own.NextProtos = []string{"http/1.1"}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: own, DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}}
}

// Close ends all connections and waits for them.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.running.Wait()
}

// Knows says whether the subgraph is one of this client's.
func (c *Client) Knows(subgraph string) bool {
	_, ok := c.o.Subgraphs[subgraph]
	return ok
}

// errClosed is why a client that was closed opens nothing.
var errClosed = errors.New("the client of subscriptions is closed")

// Stream asks the subgraph for a subscription and returns its events as text/event-stream. It waits for the subgraph's connection, not for its
// first event. The caller closes the stream; the end of ctx does not.
func (c *Client) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	subgraph, ok := c.o.Subgraphs[req.Subgraph]
	if !ok {
		return nil, fmt.Errorf("subgraph %s takes no WebSockets", req.Subgraph)
	}
	// A connection may end between being found and being used; then it takes no subscription, and the next is a new one.
	for range 3 {
		k, err := c.connection(subgraph, req.Subgraph, req.Header)
		if err != nil {
			return nil, fmt.Errorf("subgraph %s: %w", req.Subgraph, err)
		}
		select {
		case <-k.ready:
		case <-ctx.Done():
			k.release()
			return nil, ctx.Err()
		}
		s, err := k.subscribe(req.Body)
		k.release()
		switch {
		case err == nil:
			return s, nil
		case !errors.Is(err, errEnded):
			return nil, fmt.Errorf("subgraph %s: %w", req.Subgraph, err)
		}
	}
	return nil, fmt.Errorf("subgraph %s: %w", req.Subgraph, errEnded)
}

// connection finds the connection for these headers, or begins one. The caller releases it.
func (c *Client) connection(subgraph Subgraph, name string, header http.Header) (*conn, error) {
	header = passedOn(header)
	key := keyOf(name, header)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if k := c.conns[key]; k != nil && k.hold() {
		return k, nil
	}
	if len(c.conns) >= c.o.MaxConnections {
		return nil, fmt.Errorf("more than %d connections: %w", c.o.MaxConnections, ErrTooMany)
	}
	k := newConn(c, key, subgraph, c.dialers[name], header)
	k.hold()
	c.conns[key] = k
	c.running.Go(k.run)
	return k, nil
}

// forget makes the next subscription open a new connection.
func (c *Client) forget(k *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conns[k.key] == k {
		delete(c.conns, k.key)
	}
}

// passedOn are the headers that an upgrade carries: neither those of one request alone nor those of the connection itself.
func passedOn(header http.Header) http.Header {
	out := http.Header{}
	for name, values := range header {
		switch name {
		case "X-Request-Id", "Traceparent", "Tracestate", "Baggage",
			"Content-Type", "Content-Length", "Content-Encoding", "Accept", "Accept-Encoding", "Host", "Connection", "Keep-Alive",
			"Transfer-Encoding", "Te", "Trailer", "Upgrade", "Proxy-Authorization", "Proxy-Connection", "Origin":
			continue
		}
		if !strings.HasPrefix(name, "Sec-Websocket-") {
			out[name] = values
		}
	}
	return out
}

// keyOf is equal for the same subgraph and headers only.
func keyOf(subgraph string, header http.Header) string {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(subgraph)
	for _, name := range names {
		for _, value := range header[name] {
			fmt.Fprintf(&b, "\x00%d:%s%d:%s", len(name), name, len(value), value)
		}
	}
	return b.String()
}
