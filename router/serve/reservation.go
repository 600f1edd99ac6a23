package serve

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/identity"
	"bourse/router/telemetry"
)

// Server-sent events with one connection for all operations of a client (GraphQL over SSE, "single connection mode"):
//
//	PUT                         reserves a stream: 201 and its token
//	GET, token                  opens it
//	POST, token                 starts an operation, named by extensions.operationId: 202; what it brings comes on the stream
//	DELETE, token, operationId  ends an operation: 200
//
// The token goes into the header X-GraphQL-Event-Stream-Token, or into the query string where EventSource allows no headers.
const (
	streamTokenHeader = "X-GraphQL-Event-Stream-Token"
	streamTokenParam  = "token"
)

// reservation is one such stream. Operations push into it; the goroutine of the GET writes.
type reservation struct {
	bound  Backlog // of each operation
	most   int     // operations at once
	token  string
	who    *identity.Identity
	ctx    context.Context // ends with the stream; of all its operations
	cancel context.CancelFunc
	unused *time.Timer // gives the reservation up when nobody opens the stream

	mu     sync.Mutex
	opened bool
	ops    map[string]*streamed
	ready  []*streamed // those with something to write, each once
	signal chan struct{}
}

func streamToken(r *http.Request) string {
	if token := r.Header.Get(streamTokenHeader); token != "" {
		return token
	}
	if r.URL.RawQuery == "" {
		return ""
	}
	return r.URL.Query().Get(streamTokenParam)
}

// reserves says whether a request asks for a stream: a PUT that brings nothing.
func reserves(r *http.Request) bool { return r.Method == http.MethodPut && r.ContentLength == 0 }

// reserve answers PUT.
func (x *exchange) reserve() {
	x.record.Transport = "sse"
	who, refusal := x.s.admit(x.r.Context(), x.r, x.r.Header)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	x.record.Identity = who
	if !x.s.takeSocket() {
		x.refuse(Refuse(http.StatusServiceUnavailable, CodeLimitExceeded, "too many streams are open"))
		return
	}
	v := &reservation{
		bound: x.s.o.Backlog, most: x.s.o.MaxOperations, token: rand.Text(), who: who,
		ops: map[string]*streamed{}, signal: make(chan struct{}, 1),
	}
	v.ctx, v.cancel = context.WithCancel(context.WithoutCancel(x.r.Context()))
	server := x.s.Server
	context.AfterFunc(v.ctx, func() {
		server.reservations.Delete(v.token)
		server.giveSocket()
	})
	server.reservations.Store(v.token, v)
	v.unused = time.AfterFunc(x.s.o.InitTimeout, v.giveUp)
	h := x.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	x.record.Status, x.record.Bytes = http.StatusCreated, len(v.token)
	x.w.WriteHeader(http.StatusCreated)
	_, _ = x.w.Write([]byte(v.token)) // a client that has gone does not open the stream either
}

// giveUp forgets a reservation that was not used in time.
func (v *reservation) giveUp() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.opened {
		v.cancel()
	}
}

// serveReserved answers a request that names a stream. The stream of somebody else is none.
func (x *exchange) serveReserved(token string) {
	x.record.Transport = "sse"
	who, refusal := x.s.admit(x.r.Context(), x.r, x.r.Header)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	x.record.Identity = who
	found, ok := x.s.reservations.Load(token)
	if !ok || found.(*reservation).ctx.Err() != nil || !samePerson(found.(*reservation).who, who) {
		x.refuse(Refuse(http.StatusNotFound, CodeBadRequest, "there is no such stream: reserve one with PUT"))
		return
	}
	v := found.(*reservation)
	switch x.r.Method {
	case http.MethodGet:
		x.openReserved(v)
	case http.MethodPost:
		x.startReserved(v)
	case http.MethodDelete:
		x.endReserved(v)
	default:
		x.w.Header().Set("Allow", "GET, POST, DELETE, OPTIONS")
		x.refuse(Refuse(http.StatusMethodNotAllowed, CodeMethodNotAllowed, "use GET, POST or DELETE with the token of a stream"))
	}
}

// samePerson compares without the moment: tokens are renewed while a stream lasts.
func samePerson(a, b *identity.Identity) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Subject == b.Subject && a.Issuer == b.Issuer
}

// openReserved carries the stream to its end.
func (x *exchange) openReserved(v *reservation) {
	if !acceptsEvents(x.r) {
		x.refuse(Refuse(http.StatusNotAcceptable, CodeBadRequest, "the stream is "+mediaEvents))
		return
	}
	v.mu.Lock()
	again := v.opened
	v.opened = true
	v.mu.Unlock()
	if again {
		x.refuse(Refuse(http.StatusConflict, CodeBadRequest, "the stream is open already"))
		return
	}
	v.unused.Stop()
	defer v.dispose()
	e := &eventWriter{x.liveWriter()}
	defer e.end()
	x.begin(e)
	x.letGo() // each operation has its own edition
	beat := time.NewTicker(x.s.o.KeepAlive)
	defer beat.Stop()
	for e.err == nil {
		select {
		case <-v.signal:
			v.drain(e)
		case <-beat.C:
			e.alive()
		case <-x.s.closing.Done():
			v.endAll(Refuse(0, CodeShuttingDown, "the server is shutting down"))
			v.drain(e)
			return
		case <-x.r.Context().Done():
			return
		}
	}
}

func acceptsEvents(r *http.Request) bool {
	accept := r.Header.Values("Accept")
	return len(accept) == 0 || strings.Contains(strings.Join(accept, ","), mediaEvents) || strings.Contains(strings.Join(accept, ","), "*/*")
}

// drain writes all that waits.
func (v *reservation) drain(e *eventWriter) {
	for e.err == nil {
		op, event, ended, refusal := v.take()
		switch {
		case op == nil:
			return
		case event != nil:
			e.reserved("next", op.idJSON, event.JSON())
		case ended:
			if refusal != nil {
				e.reserved("next", op.idJSON, refusal.appendJSON(nil))
			}
			e.reserved("complete", op.idJSON, nil)
		}
	}
}

// reserved writes an event that says to which operation it belongs.
func (e *eventWriter) reserved(name string, id, payload []byte) {
	e.buf = append(append(e.buf[:0], "event: "...), name...)
	e.buf = append(append(e.buf, "\ndata: {\"id\":"...), id...)
	if payload != nil {
		head := len(e.buf)
		e.buf = append(append(e.buf, `,"payload":`...), payload...)
		oneLine(e.buf[head:])
	}
	e.buf = append(e.buf, "}\n\n"...)
	e.flush()
}

// startReserved starts an operation whose results come on the stream.
func (x *exchange) startReserved(v *reservation) {
	x.media = mediaGraphQL // refusals have their statuses: the answer itself is elsewhere
	in, refusal := x.s.readRequests(x.w, x.r)
	switch {
	case refusal != nil:
	case in.files != nil:
		// They would have to outlive this exchange. None was read yet.
		refusal = Refuse(http.StatusUnsupportedMediaType, CodeBadRequest, "files are not accepted on a stream")
	case in.list:
		refusal = Refuse(http.StatusBadRequest, CodeBatchingOff, "lists of requests are not accepted on a stream")
	}
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	req := in.requests[0]
	var id string
	if json.Unmarshal(req.Extensions["operationId"], &id) != nil || id == "" || len(id) > 128 {
		x.refuse(Refuse(http.StatusBadRequest, CodeBadRequest, "extensions.operationId must be a text of 1 to 128 characters"))
		return
	}
	x.account() // the operation's, which ends with it
	x.fill(req)
	if refusal := v.start(x, id, req); refusal != nil {
		x.refuse(refusal)
		return
	}
	x.w.WriteHeader(http.StatusAccepted)
}

// endReserved answers DELETE. An operation that has ended by itself meanwhile is no error.
func (x *exchange) endReserved(v *reservation) {
	v.mu.Lock()
	o := v.ops[x.r.URL.Query().Get("operationId")]
	v.mu.Unlock()
	if o != nil {
		v.drop(o)
	}
	x.w.WriteHeader(http.StatusOK)
}

func (v *reservation) register(o *streamed) *Refusal {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.ctx.Err() != nil:
		return Refuse(http.StatusNotFound, CodeBadRequest, "the stream has ended")
	case v.ops[o.id] != nil:
		return Refuse(http.StatusConflict, CodeBadRequest, "an operation with this operationId runs already")
	case len(v.ops) >= v.most:
		return Refuse(http.StatusTooManyRequests, CodeLimitExceeded, "too many operations run on this stream")
	}
	v.ops[o.id] = o
	return nil
}

// drop ends an operation of which nothing more is told.
func (v *reservation) drop(o *streamed) {
	v.mu.Lock()
	if v.ops[o.id] == o {
		delete(v.ops, o.id)
	}
	o.gone = true
	v.mu.Unlock()
	o.cancel()
}

// endAll ends all operations with a word to the client.
func (v *reservation) endAll(refusal *Refusal) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, o := range v.ops {
		o.waiting.end(refusal)
		v.push(o)
	}
}

// dispose ends the stream with all its operations.
func (v *reservation) dispose() {
	v.cancel()
	v.mu.Lock()
	ops := v.ops
	v.ops = nil
	v.mu.Unlock()
	for _, o := range ops {
		v.drop(o)
	}
}

// push lists an operation as having something to say; v.mu is held.
func (v *reservation) push(o *streamed) {
	if !o.listed {
		o.listed = true
		v.ready = append(v.ready, o)
	}
	select {
	case v.signal <- struct{}{}:
	default:
	}
}

// take removes the next thing to write: an event, or the end of an operation. Operations take turns.
func (v *reservation) take() (o *streamed, e *Event, ended bool, refusal *Refusal) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for len(v.ready) > 0 {
		o = v.ready[0]
		v.ready = v.ready[1:]
		o.listed = false
		if o.gone {
			continue
		}
		if e = o.waiting.take(); e != nil {
			v.push(o)
			o.record.Events++
			o.record.Bytes += len(e.json)
			o.record.Errors = o.record.Errors || e.errors
			return o, e, false, nil
		}
		if o.waiting.ended {
			delete(v.ops, o.id)
			o.gone = true
			if o.waiting.refusal != nil {
				o.record.Code, o.record.Errors = o.waiting.refusal.Code(), true
			}
			o.cancel()
			return o, nil, true, o.waiting.refusal
		}
	}
	return nil, nil, false, nil
}

// streamed is one operation of a reserved stream, and the Sink of its results. The reservation's lock guards it.
type streamed struct {
	v       *reservation
	id      string
	idJSON  []byte
	cancel  context.CancelFunc
	record  Record
	waiting waiting
	listed  bool
	gone    bool // nothing more is told
}

// start begins an operation and does not wait for it. Answers come whole: a stream for many operations has no place for parts.
func (v *reservation) start(x *exchange, id string, req *Request) *Refusal {
	s, open := x.s.enter()
	if !open {
		return Refuse(http.StatusServiceUnavailable, CodeShuttingDown, "the server is shutting down")
	}
	ctx, cancel := context.WithCancel(telemetry.With(identity.With(v.ctx, req.Identity), telemetry.Of(x.r.Context())))
	o := &streamed{v: v, id: id, cancel: cancel, record: x.record}
	o.idJSON, _ = json.Marshal(id) // a string always marshals
	if refusal := v.register(o); refusal != nil {
		cancel()
		s.leave(s)
		return refusal
	}
	op, refusal := s.prepare(ctx, req)
	if refusal == nil {
		o.record.Operation, o.record.Kind, o.record.Status = op.Name(), kindName(op.Kind()), http.StatusAccepted
		refusal = o.begin(ctx, s, op)
	}
	if refusal != nil {
		v.drop(o)
		s.leave(s)
	}
	return refusal
}

// begin runs a prepared operation. When it returns nil, the operation leaves s when it has ended. A subscription ends with the token that it was
// started with: the stream may have been reserved with another one.
func (o *streamed) begin(ctx context.Context, s *edition, op Operation) *Refusal {
	began := time.Now()
	finish := func() {
		o.v.mu.Lock()
		record := o.record
		o.v.mu.Unlock()
		record.Duration = time.Since(began)
		s.o.Observe(ctx, record)
		s.leave(s)
	}
	if op.Kind() == ast.Subscription {
		unsubscribe, refusal := s.subscribe(ctx, op, o)
		if refusal != nil {
			return refusal
		}
		valid, release := whileValid(ctx, o.record.Identity)
		expiry := context.AfterFunc(valid, func() {
			if hasExpired(valid) {
				o.End(expired())
			}
		})
		context.AfterFunc(ctx, func() {
			expiry()
			release()
			unsubscribe()
			finish()
		})
		return nil
	}
	go func() {
		stop := context.AfterFunc(s.aborted, o.cancel)
		answer, refusal := s.run(ctx, op)
		if refusal == nil {
			e := NewEvent(answer.AppendJSON(nil), answer.HasErrors())
			answer.Release()
			o.Event(e)
		}
		o.End(refusal)
		stop()
		<-ctx.Done() // the stream has told it, or has ended
		finish()
	}()
	return nil
}

// Event implements Sink.
func (o *streamed) Event(e *Event) {
	o.v.mu.Lock()
	defer o.v.mu.Unlock()
	if !o.gone && !o.waiting.ended {
		o.waiting.put(e, &o.v.bound)
		o.v.push(o)
	}
}

// End implements Sink.
func (o *streamed) End(refusal *Refusal) {
	o.v.mu.Lock()
	defer o.v.mu.Unlock()
	if !o.gone {
		o.waiting.end(refusal)
		o.v.push(o)
	}
}
