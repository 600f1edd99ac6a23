package serve

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"bourse/router/identity"
)

const socketProtocol = "graphql-transport-ws"

// Close codes of graphql-transport-ws.
const (
	closeInvalidMessage  websocket.StatusCode = 4400
	closeUnauthorized    websocket.StatusCode = 4401
	closeForbidden       websocket.StatusCode = 4403
	closeProtocol        websocket.StatusCode = 4406
	closeInitTimeout     websocket.StatusCode = 4408
	closeDuplicateID     websocket.StatusCode = 4409
	closeTooManyRequests websocket.StatusCode = 4429
)

// socket is one WebSocket. Its handler's goroutine reads messages, one watches the clock and the server, and each operation has its own, which
// writes what it has to say itself; the library takes one write at a time.
type socket struct {
	s       *Server
	conn    *websocket.Conn
	upgrade *http.Request
	address netip.Addr // the client's
	id      string     // of the upgrade request
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	who     *identity.Identity // set by connection_init; only the reading goroutine uses it

	mu     sync.Mutex
	inited bool
	header http.Header
	ops    map[string]*subscriber
	live   int // operations whose goroutine runs; those that the client has completed may still be among them
}

// subscriber is one operation that the client has started and neither side has completed.
type subscriber struct{ cancel context.CancelFunc }

// message of the protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func isWebSocket(r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	for token := range strings.SplitSeq(r.Header.Get("Upgrade"), ",") {
		if strings.EqualFold(strings.TrimSpace(token), "websocket") {
			return true
		}
	}
	return false
}

// serveSocket carries one WebSocket from the upgrade to its end. Once it stands it lets the edition go: each operation enters one itself.
func (s *edition) serveSocket(w http.ResponseWriter, r *http.Request, of Record, letGo func()) {
	refuse := func(refusal *Refusal) {
		x := &exchange{s: s, w: w, r: r, began: time.Now(), record: Record{RequestID: of.RequestID, Address: of.Address, Transport: "websocket"}}
		x.refuse(refusal)
	}
	if !s.origins.allows(r) {
		refuse(Refuse(http.StatusForbidden, CodeCSRFPrevented, "pages of this origin may not open a WebSocket here"))
		return
	}
	if !s.takeSocket() {
		refuse(Refuse(http.StatusServiceUnavailable, CodeLimitExceeded, "too many WebSockets are open"))
		return
	}
	defer s.giveSocket()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{socketProtocol}, InsecureSkipVerify: true}) // the origin was checked above
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow() //nolint:errcheck // closed already in most cases
	if conn.Subprotocol() != socketProtocol {
		_ = conn.Close(closeProtocol, "the subprotocol must be "+socketProtocol)
		return
	}
	conn.SetReadLimit(s.o.MaxBodyBytes)
	// The request's context does not end with a connection that was taken over, so the socket has its own.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	k := &socket{
		s: s.Server, conn: conn, upgrade: r, address: of.Address, id: of.RequestID, ctx: ctx, cancel: cancel,
		header: s.passedOn(r, of.RequestID), ops: map[string]*subscriber{},
	}
	letGo()
	k.serve()
}

func (s *edition) takeSocket() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sockets >= s.o.MaxSockets {
		return false
	}
	s.sockets++
	return true
}

func (s *Server) giveSocket() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets--
}

func (k *socket) serve() {
	defer context.AfterFunc(k.s.aborted, func() { k.conn.CloseNow() })() //nolint:errcheck // nothing is left to say
	k.running.Go(k.watch)
	code, reason := k.readAll()
	if code != 0 {
		_ = k.conn.Close(code, reason)
	}
	// Only now: cancelling a write that is under way would cut the connection before the close code is out.
	k.cancel()
	k.running.Wait()
}

// watch ends the socket when the client does not introduce itself, does not answer pings, or the server closes.
func (k *socket) watch() {
	hello := time.NewTimer(k.s.now().o.InitTimeout)
	defer hello.Stop()
	beat := time.NewTicker(k.s.now().o.KeepAlive)
	defer beat.Stop()
	for {
		select {
		case <-k.ctx.Done():
			return
		case <-k.s.closing.Done():
			_ = k.conn.Close(websocket.StatusGoingAway, "the server is shutting down")
			return
		case <-hello.C:
			k.mu.Lock()
			inited := k.inited
			k.mu.Unlock()
			if !inited {
				_ = k.conn.Close(closeInitTimeout, "Connection initialisation timeout")
				return
			}
		case <-beat.C:
			ctx, cancel := context.WithTimeout(k.ctx, k.s.now().o.WriteTimeout)
			err := k.conn.Ping(ctx)
			cancel()
			if err != nil {
				k.conn.CloseNow() //nolint:errcheck // the client is gone
				return
			}
		}
	}
}

// readAll reads messages until the socket ends. It returns the code to close with, 0 when the socket is closed already.
func (k *socket) readAll() (websocket.StatusCode, string) {
	for {
		kind, text, err := k.conn.Read(k.ctx)
		if err != nil {
			return 0, "" // closed by either side, or the message was too large, which the library has said
		}
		if kind != websocket.MessageText {
			return closeInvalidMessage, "messages must be text"
		}
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			return closeInvalidMessage, "the message is not JSON of this protocol"
		}
		if code, reason := k.handle(m); code != 0 {
			return code, reason
		}
	}
}

func (k *socket) handle(m message) (websocket.StatusCode, string) {
	switch m.Type {
	case "connection_init":
		return k.init(m.Payload)
	case "ping":
		k.send(message{Type: "pong", Payload: m.Payload})
	case "pong":
	case "subscribe":
		return k.subscribe(m)
	case "complete":
		k.mu.Lock()
		op := k.ops[m.ID]
		delete(k.ops, m.ID)
		k.mu.Unlock()
		if op != nil {
			op.cancel()
		}
	default:
		return closeInvalidMessage, "unknown message type"
	}
	return 0, ""
}

// init takes from the payload what stands in for headers that browsers cannot set on a WebSocket. A header of the upgrade
// request is never replaced: what stands in front of us may have set it.
func (k *socket) init(payload json.RawMessage) (websocket.StatusCode, string) {
	var params map[string]json.RawMessage
	if len(payload) > 0 && json.Unmarshal(payload, &params) != nil {
		return closeInvalidMessage, "the payload of connection_init must be an object"
	}
	k.mu.Lock()
	again := k.inited
	k.inited = true
	proof := k.upgrade.Header.Clone()
	for name, raw := range params {
		var value string
		wanted := slices.ContainsFunc(k.s.now().o.ConnectionParams, func(p string) bool { return strings.EqualFold(p, name) })
		if !wanted || json.Unmarshal(raw, &value) != nil || strings.ContainsAny(value, "\r\n\x00") {
			continue
		}
		for _, h := range []http.Header{k.header, proof} {
			if h.Get(name) == "" {
				h.Set(name, value)
			}
		}
	}
	k.mu.Unlock()
	if again {
		return closeTooManyRequests, "Too many initialisation requests"
	}
	who, refusal := k.s.now().admit(k.ctx, k.upgrade, proof)
	if refusal != nil {
		k.s.now().o.Observe(k.ctx, Record{RequestID: k.id, Address: k.address, Transport: "websocket", Code: refusal.Code(), Errors: true})
		if refusal.Status == http.StatusUnauthorized {
			return closeUnauthorized, trimReason(refusal.Error())
		}
		return closeForbidden, trimReason(refusal.Error())
	}
	k.who = who
	k.send(message{Type: "connection_ack"})
	return 0, ""
}

// subscribe starts an operation.
func (k *socket) subscribe(m message) (websocket.StatusCode, string) {
	if m.ID == "" || len(m.ID) > 128 {
		return closeInvalidMessage, "subscribe needs an id of 1 to 128 characters"
	}
	req, refusal := decodeRequest(m.Payload)
	if refusal != nil {
		return closeInvalidMessage, trimReason(refusal.Error())
	}
	req.Sent = k.upgrade.Header
	req.Incremental = true // there is nothing like Accept here: whoever writes @defer takes what it means
	req.Identity, req.Address = k.who, k.address
	ctx, cancel := context.WithCancel(identity.With(k.ctx, k.who))
	run := &socketRun{
		k: k, id: m.ID, op: &subscriber{cancel},
		record: Record{RequestID: k.id, Address: k.address, Identity: k.who, Transport: "websocket"},
	}
	code, reason, full := k.register(run, req)
	if code != 0 || full {
		cancel()
	}
	if full {
		// Said from the reading goroutine, so that who does not take the answer cannot ask on.
		run.refuse(Refuse(0, CodeLimitExceeded, "too many operations run on this WebSocket"))
		k.s.now().o.Observe(k.ctx, run.record)
	}
	if code != 0 || full {
		return code, reason
	}
	e, open := k.s.enter()
	if !open {
		cancel()
		return websocket.StatusGoingAway, "the server is shutting down"
	}
	run.e = e
	k.running.Go(func() {
		defer k.s.leave(e)
		defer k.retire()
		defer cancel()
		began := time.Now()
		if e.o.Begin != nil {
			ctx = e.o.Begin(ctx, k.upgrade.Header)
		}
		run.run(ctx, req)
		run.record.Duration = time.Since(began)
		e.o.Observe(ctx, run.record)
	})
	return 0, ""
}

// register lists the operation as running and gives its request the socket's headers.
func (k *socket) register(run *socketRun, req *Request) (code websocket.StatusCode, reason string, full bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case !k.inited:
		return closeUnauthorized, "Unauthorized", false
	case k.ops[run.id] != nil:
		return closeDuplicateID, trimReason("Subscriber for " + run.id + " already exists"), false
	case k.live >= k.s.now().o.MaxOperations:
		return 0, "", true
	}
	k.ops[run.id] = run.op
	k.live++
	req.Header = k.header.Clone()
	return 0, "", false
}

func (k *socket) retire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.live--
}

// drop forgets an operation; false when the client has completed it already, and its id may be in use again.
func (k *socket) drop(id string, op *subscriber) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ops[id] != op {
		return false
	}
	delete(k.ops, id)
	return true
}

func (k *socket) alive(id string, op *subscriber) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ops[id] == op
}

func (k *socket) send(m message) {
	text, err := json.Marshal(m)
	if err != nil {
		return // only a payload that is not JSON, and all of them came as JSON
	}
	_ = k.write(text)
}

// write sends one message. A client that does not take it in time loses the connection: that is what cancelling a write means.
func (k *socket) write(text []byte) error {
	ctx, cancel := context.WithTimeout(k.ctx, k.s.now().o.WriteTimeout)
	defer cancel()
	err := k.conn.Write(ctx, websocket.MessageText, text)
	if errors.Is(err, context.DeadlineExceeded) {
		k.conn.CloseNow() //nolint:errcheck // too slow to be told
	}
	return err
}

// trimReason keeps a close reason within the 123 bytes that a close frame has for it.
func trimReason(s string) string {
	if len(s) <= 123 {
		return s
	}
	return strings.ToValidUTF8(s[:123], "")
}
