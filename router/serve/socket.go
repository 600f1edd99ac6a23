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

	"bourse/router/identity"
	"bourse/router/websocket"
)

// socket is one WebSocket. One goroutine reads; nothing else of it runs while it is idle. Time is looked at by the server's sweep of all
// sockets (sweep.go), and whoever has something to say writes it himself, or leaves it to a goroutine that ends when all is said (outbox.go).
type socket struct {
	mu     sync.Mutex // guards outbox, and what stands under running
	outbox outbox
	conn   *websocket.Conn
	speaks *dialect
	s      *Server

	address netip.Addr      // the client's
	id      string          // of the upgrade request
	ctx     context.Context //nolint:containedctx // with what the request's hook put into it; never done
	sent    http.Header     // of the upgrade request
	upgrade *http.Request   // until connection_init: who the client is depends on it
	running sync.WaitGroup  // goroutines that prepare, answer or write

	inited  bool
	who     *identity.Identity // set by connection_init
	counted bool               // among the sockets of its identity
	header  http.Header
	ops     []*socketRun // that neither side has completed
	live    int          // operations that have not ended; those that the client has left may still be among them
	clock   clock
	budget  budget
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

// serveSocket answers the upgrade. The socket then lives on by itself, counted in as the request was; it lets the edition go, as each operation
// enters one itself. False: there is no socket, and the request has been answered.
func (s *edition) serveSocket(w http.ResponseWriter, r *http.Request, of Record, letGo func()) bool {
	refuse := func(refusal *Refusal) bool {
		x := &exchange{s: s, w: w, r: r, began: time.Now(), record: Record{RequestID: of.RequestID, Address: of.Address, Transport: "websocket"}}
		x.refuse(refusal)
		return false
	}
	if !s.origins.allows(r) {
		return refuse(Refuse(http.StatusForbidden, CodeCSRFPrevented, "pages of this origin may not open a WebSocket here"))
	}
	if !s.takeSocket() {
		return refuse(Refuse(http.StatusServiceUnavailable, CodeLimitExceeded, "too many WebSockets are open"))
	}
	if !s.sweep.admits(of.Address, s.o.MaxSocketsByAddress) {
		s.giveSocket()
		return refuse(Refuse(http.StatusTooManyRequests, CodeLimitExceeded, "too many WebSockets are open from this address"))
	}
	conn, protocol, err := websocket.Upgrade(w, r, []string{transportWS.name, legacyWS.name}, s.o.MaxBodyBytes)
	if err != nil {
		s.sweep.dismiss(of.Address)
		s.giveSocket()
		if no := (*websocket.Refusal)(nil); errors.As(err, &no) {
			return refuse(Refuse(no.Status, CodeBadRequest, no.Reason))
		}
		return false // the connection is gone
	}
	k := &socket{
		s: s.Server, conn: conn, speaks: dialects[protocol], address: of.Address, id: of.RequestID, upgrade: r,
		// The request's context ends with its handler.
		ctx: context.WithoutCancel(r.Context()), sent: sentBefore(r.Header), header: s.passedOn(r, of.RequestID),
	}
	known := k.speaks != nil
	if !known {
		k.speaks = transportWS
	}
	letGo()
	s.watch(k)
	go k.serve(known)
	return true
}

// sentBefore are the headers of an upgrade without those of the handshake, which nobody needs afterwards.
func sentBefore(h http.Header) http.Header {
	kept := make(http.Header, len(h))
	for name, values := range h {
		switch name {
		case "Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions", "Sec-Websocket-Protocol":
		default:
			kept[name] = values
		}
	}
	return kept
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

// serve carries the socket to its end. One whose protocol is not known gets no further than being told.
func (k *socket) serve(known bool) {
	if !known {
		k.shut(closeProtocol, "the subprotocol must be "+transportWS.name+" or "+legacyWS.name)
	}
	k.readAll()
	_ = k.conn.Net().Close() // nothing is left to say
	for _, r := range k.end() {
		r.over()
	}
	k.running.Wait()
	k.s.sweep.remove(k)
	k.s.giveSocket()
	k.s.leave(nil)
}

// maxIgnored is how much is read of a client after it was told that it is closed: what was on its way by then. Who goes on sending beyond
// that is not read for as long as it may take to answer.
const maxIgnored = 1 << 20

// readAll reads messages until the connection ends. Once it is being closed from here, only the client's answer to that counts.
func (k *socket) readAll() {
	ignored := 0
	for {
		kind, text, err := k.conn.ReadMessage()
		if err != nil {
			k.failed(err)
			return
		}
		k.mu.Lock()
		k.clock.silent = false
		closing, within := k.outbox.closed, k.budget.spend(k.s.now().o.MaxMessages)
		k.mu.Unlock()
		switch {
		case closing:
			const each = 64 // that even the smallest message costs
			if ignored += each + len(text); ignored > maxIgnored {
				return
			}
		case !within:
			k.shut(closeTooManyRequests, "Too many messages")
		case kind == websocket.Ping:
			k.send(websocket.AppendFrame(nil, websocket.Pong, text))
		case kind == websocket.Pong:
		case kind != websocket.Text:
			k.shut(closeInvalidMessage, "messages must be text")
		default:
			k.read(text)
		}
	}
}

// failed answers what ended the reading.
func (k *socket) failed(err error) {
	var closed *websocket.CloseError
	var breach *websocket.Error
	switch {
	case errors.As(err, &closed):
		<-k.shut(closed.Code, "") // the handshake of closing: the same code back
	case errors.As(err, &breach):
		<-k.shut(breach.Code, breach.Reason)
		k.conn.Linger(closePatience)
	}
}

func (k *socket) read(text []byte) {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		k.shut(closeInvalidMessage, "the message is not JSON of this protocol")
		return
	}
	if code, reason := k.handle(m); code != 0 {
		k.shut(code, reason)
	}
}

func (k *socket) handle(m message) (websocket.Code, string) {
	switch {
	case m.Type == "connection_init":
		return k.init(m.Payload)
	case m.Type == "ping" && k.speaks.pings:
		k.send(message{Type: "pong", Payload: m.Payload}.frame())
	case m.Type == "pong" && k.speaks.pings:
	case m.Type == k.speaks.start:
		return k.subscribe(m)
	case m.Type == k.speaks.stop:
		if r := k.drop(m.ID); r != nil {
			r.over()
		}
	case m.Type == k.speaks.terminate && m.Type != "":
		return websocket.Normal, ""
	default:
		return closeInvalidMessage, "unknown message type"
	}
	return 0, ""
}

// init takes from the payload what stands in for headers that browsers cannot set on a WebSocket. A header of the upgrade
// request is never replaced: what stands in front of us may have set it.
func (k *socket) init(payload json.RawMessage) (websocket.Code, string) {
	var params map[string]json.RawMessage
	if len(payload) > 0 && json.Unmarshal(payload, &params) != nil {
		return closeInvalidMessage, "the payload of connection_init must be an object"
	}
	upgrade := k.upgrade
	switch {
	case upgrade == nil && k.speaks.greetAfterRepeat:
		k.send(message{Type: "connection_ack"}.frame())
		return 0, ""
	case upgrade == nil:
		return closeTooManyRequests, "Too many initialisation requests"
	}
	k.upgrade = nil
	e := k.s.now()
	proof := upgrade.Header.Clone()
	for name, raw := range params {
		var value string
		wanted := slices.ContainsFunc(e.o.ConnectionParams, func(p string) bool { return strings.EqualFold(p, name) })
		if !wanted || json.Unmarshal(raw, &value) != nil || strings.ContainsAny(value, "\r\n\x00") {
			continue
		}
		for _, h := range []http.Header{k.header, proof} { // k.header is this goroutine's
			if h.Get(name) == "" {
				h.Set(name, value)
			}
		}
	}
	who, refusal := e.admit(k.ctx, upgrade, proof)
	if refusal != nil {
		e.o.Observe(k.ctx, Record{RequestID: k.id, Address: k.address, Transport: "websocket", Code: refusal.Code(), Errors: true})
		if k.speaks.refusesInWords && len(refusal.Errors) > 0 {
			text, _ := json.Marshal(refusal.Errors[0]) // without it, the close code says it
			k.send(message{Type: "connection_error", Payload: text}.frame())
		}
		if refusal.Status == http.StatusUnauthorized {
			return closeUnauthorized, refusal.Error()
		}
		return closeForbidden, refusal.Error()
	}
	if !k.s.sweep.introduce(k, who, e.o.MaxSocketsByIdentity) {
		return closeTooManyRequests, "too many WebSockets are open in this name"
	}
	k.mu.Lock()
	k.inited, k.who = true, who
	k.mu.Unlock()
	k.send(message{Type: "connection_ack"}.frame())
	if k.speaks.keepAlive != nil {
		k.send(k.speaks.keepAlive)
	}
	return 0, ""
}

// subscribe starts an operation.
func (k *socket) subscribe(m message) (websocket.Code, string) {
	if m.ID == "" || len(m.ID) > 128 {
		return closeInvalidMessage, "an operation needs an id of 1 to 128 characters"
	}
	req, refusal := decodeRequest(m.Payload)
	if refusal != nil {
		return closeInvalidMessage, refusal.Error()
	}
	if k.speaks.replaces {
		if r := k.drop(m.ID); r != nil {
			r.over()
		}
	}
	quoted, _ := json.Marshal(m.ID) // a string always marshals
	r := &socketRun{k: k, id: m.ID, kind: k.speaks.name + string(quoted), began: time.Now()}
	r.record = Record{RequestID: k.id, Address: k.address, Identity: k.who, Transport: "websocket"}
	if code, reason, ok := k.register(r); !ok {
		return code, reason
	}
	req.Sent = k.sent
	req.Incremental = true // there is nothing like Accept here: whoever writes @defer takes what it means
	req.Identity, req.Address, req.Header = k.who, k.address, k.header.Clone()
	ctx := identity.With(k.ctx, k.who)
	if r.e.o.Begin != nil {
		ctx = r.e.o.Begin(ctx, k.sent)
	}
	r.ctx = ctx
	ctx, r.cancel = context.WithCancel(ctx)
	k.running.Go(func() { r.run(ctx, req) })
	return 0, ""
}

// register lists the operation as running, under the edition of the moment. An operation too many is refused there and then, without closing.
func (k *socket) register(r *socketRun) (code websocket.Code, reason string, ok bool) {
	e, open := k.s.enter()
	if !open {
		return websocket.GoingAway, "the server is shutting down", false
	}
	r.e = e
	k.mu.Lock()
	switch {
	case !k.inited:
		code, reason = closeUnauthorized, "Unauthorized"
	case slices.ContainsFunc(k.ops, func(other *socketRun) bool { return other.id == r.id }):
		code, reason = closeDuplicateID, "Subscriber for "+r.id+" already exists"
	case k.live < e.o.MaxOperations:
		k.ops = append(k.ops, r)
		k.live++
		ok = true
	}
	k.mu.Unlock()
	if ok {
		return 0, "", true
	}
	k.s.leave(e)
	if code == 0 {
		refusal := Refuse(0, CodeLimitExceeded, "too many operations run on this WebSocket")
		k.send(r.errorFrame(refusal))
		r.record.Code, r.record.Errors = refusal.Code(), true
		e.o.Observe(k.ctx, r.record)
	}
	return code, reason, false
}

// drop forgets the operation with an id, and returns it; nil when there is none.
func (k *socket) drop(id string) *socketRun {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.ops {
		if r.id == id {
			k.forget(r)
			return r
		}
	}
	return nil
}

// forget frees the id of an operation; k.mu is held. False when it was free: the client has left, and the id may be in use again.
func (k *socket) forget(r *socketRun) bool {
	at := slices.Index(k.ops, r)
	if at < 0 {
		return false
	}
	k.ops = slices.Delete(k.ops, at, at+1)
	return true
}

// end lets nothing begin any more, and returns the operations that neither side has ended.
func (k *socket) end() []*socketRun {
	k.mu.Lock()
	defer k.mu.Unlock()
	ops := k.ops
	k.ops, k.outbox.closed, k.outbox.gone = nil, true, true
	return ops
}
