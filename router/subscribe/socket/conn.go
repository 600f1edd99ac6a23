package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// errEnded is why a connection takes no more subscriptions.
var errEnded = errors.New("the connection has ended")

// conn is one connection to a subgraph. Its goroutine opens it and reads; another watches.
type conn struct {
	c        *Client
	key      string
	subgraph Subgraph
	dialer   *http.Client // nil: the usual one
	header   http.Header
	ready    chan struct{} // closed when the subgraph has acknowledged, or the connection has failed
	ws       *websocket.Conn

	mu      sync.Mutex
	held    int // by those who wait to subscribe
	last    uint64
	streams map[string]*stream
	err     error // why it has ended
	idle    *time.Timer
	unused  chan struct{} // one token when the connection may have been unused for long
}

// message of either protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func newConn(c *Client, key string, subgraph Subgraph, dialer *http.Client, header http.Header) *conn {
	return &conn{c: c, key: key, subgraph: subgraph, dialer: dialer, header: header, ready: make(chan struct{}), unused: make(chan struct{}, 1), streams: map[string]*stream{}}
}

// hold keeps the connection from ending as idle; false when it has ended.
func (k *conn) hold() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return false
	}
	k.held++
	if k.idle != nil {
		k.idle.Stop()
	}
	return true
}

func (k *conn) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held--
	k.rest()
}

// rest ends the connection after a while if nobody uses it; k.mu is held.
func (k *conn) rest() {
	if k.held > 0 || len(k.streams) > 0 || k.err != nil {
		return
	}
	if k.idle != nil {
		k.idle.Stop()
	}
	k.idle = time.AfterFunc(k.c.o.IdleTimeout, func() {
		select {
		case k.unused <- struct{}{}:
		default:
		}
	})
}

// giveUp says whether the connection is unused, and takes no more subscriptions then.
func (k *conn) giveUp() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held > 0 || len(k.streams) > 0 || k.err != nil {
		return false
	}
	k.err = errEnded
	return true
}

// run is the life of the connection.
func (k *conn) run() {
	ctx, cancel := context.WithCancel(k.c.ctx)
	defer cancel()
	err := k.open(ctx)
	if err == nil {
		k.c.running.Go(func() { k.watch(ctx) })
		close(k.ready)
		err = k.read(ctx)
	}
	k.end(err)
	if k.ws != nil {
		_ = k.ws.CloseNow() // closed already in most cases
	}
	select {
	case <-k.ready:
	default:
		close(k.ready)
	}
}

// open dials and waits for the subgraph's acknowledgement.
func (k *conn) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.c.o.ConnectTimeout)
	defer cancel()
	ws, res, err := websocket.Dial(ctx, k.subgraph.URL, &websocket.DialOptions{HTTPClient: k.dialer, HTTPHeader: k.header, Subprotocols: []string{string(k.subgraph.Protocol)}})
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			return fmt.Errorf("no WebSocket: HTTP status %d", res.StatusCode)
		}
		return fmt.Errorf("no WebSocket: %w", err)
	}
	k.ws = ws
	if got := ws.Subprotocol(); got != string(k.subgraph.Protocol) {
		_ = ws.Close(websocket.StatusProtocolError, "the subprotocol must be "+string(k.subgraph.Protocol))
		return fmt.Errorf("the subgraph does not speak %s", k.subgraph.Protocol)
	}
	ws.SetReadLimit(k.c.o.MaxMessageBytes)
	if err := k.send(ctx, message{Type: "connection_init", Payload: k.initPayload()}); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	for {
		m, err := k.next(ctx)
		if err != nil {
			return fmt.Errorf("wait for connection_ack: %w", err)
		}
		switch m.Type {
		case "connection_ack":
			return nil
		case "ping":
			if err := k.send(ctx, message{Type: "pong", Payload: m.Payload}); err != nil {
				return err
			}
		case "pong", "ka":
		case "connection_error":
			return errors.New("the subgraph refuses the connection")
		default:
			return k.garbled("a message of type " + strconv.Quote(short(m.Type)) + " before connection_ack")
		}
	}
}

// initPayload has the headers that subgraphs want to find in connection_init; nil when there are none.
func (k *conn) initPayload() json.RawMessage {
	payload := map[string]string{}
	for _, name := range k.c.o.InitHeaders {
		if value := k.header.Get(name); value != "" {
			payload[name] = value
		}
	}
	if len(payload) == 0 {
		return nil
	}
	text, _ := json.Marshal(payload) // strings always marshal
	return text
}

// read passes messages on until the connection ends.
func (k *conn) read(ctx context.Context) error {
	for {
		m, err := k.next(ctx)
		if err != nil {
			return err
		}
		switch m.Type {
		case "next", "data":
			if s := k.stream(m.ID); s != nil && !s.event(m.Payload) {
				k.drop(s)
				s.end(errUnread)
				k.stop(s)
			}
		case "error":
			if s := k.stream(m.ID); s != nil {
				k.drop(s)
				s.refused(m.Payload)
			}
		case "complete":
			if s := k.stream(m.ID); s != nil {
				k.drop(s)
				s.complete()
			}
		case "ping":
			if err := k.send(ctx, message{Type: "pong", Payload: m.Payload}); err != nil {
				return err
			}
		case "pong", "ka":
		default:
			return k.garbled("a message of type " + strconv.Quote(short(m.Type)))
		}
	}
}

// next reads a message.
func (k *conn) next(ctx context.Context) (message, error) {
	kind, text, err := k.ws.Read(ctx)
	if err != nil {
		return message{}, err
	}
	var m message
	if kind != websocket.MessageText || json.Unmarshal(text, &m) != nil {
		return message{}, k.garbled("a message that is not JSON of the protocol")
	}
	return m, nil
}

// garbled ends a connection whose subgraph does not keep to the protocol.
func (k *conn) garbled(what string) error {
	_ = k.ws.Close(4400, "not a message of this protocol")
	return errors.New("the subgraph sends " + what)
}

func short(s string) string { return s[:min(len(s), 40)] }

// watch finds out whether the other end is still there, and whether anybody needs it.
func (k *conn) watch(ctx context.Context) {
	beat := time.NewTicker(k.c.o.PingInterval)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.unused:
			if k.giveUp() {
				_ = k.ws.Close(websocket.StatusNormalClosure, "") // ends the reading
				return
			}
		case <-beat.C:
			waiting, cancel := context.WithTimeout(ctx, k.c.o.PongTimeout)
			err := k.ws.Ping(waiting)
			cancel()
			if err != nil && ctx.Err() == nil {
				k.end(errors.New("the subgraph does not answer pings"))
				_ = k.ws.CloseNow() // ends the reading
				return
			}
		}
	}
}

func (k *conn) send(ctx context.Context, m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, k.c.o.PongTimeout)
	defer cancel()
	return k.ws.Write(ctx, websocket.MessageText, text)
}

// subscribe starts a subscription. The error is errEnded when the connection was once open and is no more.
func (k *conn) subscribe(body []byte) (*stream, error) {
	k.mu.Lock()
	if k.err != nil {
		defer k.mu.Unlock()
		return nil, k.err
	}
	if len(k.streams) >= k.c.o.MaxSubscriptions {
		defer k.mu.Unlock()
		return nil, fmt.Errorf("more than %d subscriptions on one connection", k.c.o.MaxSubscriptions)
	}
	k.last++
	s := newStream(k, strconv.FormatUint(k.last, 10), k.c.o.MaxUnreadBytes)
	k.streams[s.id] = s
	k.mu.Unlock()
	kind := "subscribe"
	if k.subgraph.Protocol == Legacy {
		kind = "start"
	}
	if err := k.send(k.c.ctx, message{ID: s.id, Type: kind, Payload: body}); err != nil {
		k.drop(s)
		return nil, errEnded
	}
	return s, nil
}

// stop tells the subgraph that nobody wants a subscription any more. A connection on which that cannot be said is about to end.
func (k *conn) stop(s *stream) {
	kind := "complete"
	if k.subgraph.Protocol == Legacy {
		kind = "stop"
	}
	_ = k.send(k.c.ctx, message{ID: s.id, Type: kind})
}

func (k *conn) stream(id string) *stream {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.streams[id]
}

// drop forgets a subscription; false when it was forgotten before.
func (k *conn) drop(s *stream) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.streams[s.id] != s {
		return false
	}
	delete(k.streams, s.id)
	k.rest()
	return true
}

// end ends what runs on the connection; the first reason counts.
func (k *conn) end(err error) {
	k.c.forget(k)
	k.mu.Lock()
	if k.err == nil {
		k.err = err
		select {
		case <-k.ready:
			// Whoever comes now may try again on a new one.
			k.err = errEnded
		default:
		}
	}
	streams := k.streams
	k.streams = nil
	if k.idle != nil {
		k.idle.Stop()
	}
	k.mu.Unlock()
	for _, s := range streams {
		s.end(fmt.Errorf("the WebSocket ended: %w", err))
	}
}
