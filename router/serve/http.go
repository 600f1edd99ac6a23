package serve

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/identity"
	"bourse/router/upload"
)

// exchange is one HTTP request on its way to an answer.
type exchange struct {
	s     *edition
	held  *edition // nil once let go
	w     http.ResponseWriter
	r     *http.Request
	began time.Time
	batch bool // whose operations are reported one by one
	accepted
	caching string // Cache-Control of the answer; empty: no-store
	record  Record
}

// serve answers a request that is neither a preflight nor a WebSocket.
func (x *exchange) serve() {
	x.record.Transport = "http"
	x.w.Header().Add("Vary", "Accept")
	x.accepted = negotiate(x.r.Header.Values("Accept"))
	if reserves(x.r) {
		x.reserve()
		return
	}
	if token := streamToken(x.r); token != "" {
		x.serveReserved(token)
		return
	}
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodPost {
		x.w.Header().Set("Allow", "GET, POST, OPTIONS")
		x.refuse(Refuse(http.StatusMethodNotAllowed, CodeMethodNotAllowed, "use GET or POST"))
		return
	}
	if x.media == "" {
		x.refuse(Refuse(http.StatusNotAcceptable, CodeBadRequest, "the answer can be "+mediaGraphQL+", "+mediaJSON+", "+mediaEvents+" or "+mediaParts))
		return
	}
	if x.r.Method == http.MethodGet && x.s.origins.forged(x.r) {
		x.refuse(Refuse(http.StatusForbidden, CodeCSRFPrevented,
			"this GET may come from another site's page: send the header "+x.s.origins.cors.Preflight[0]+", or use POST"))
		return
	}
	x.account()
	who, refusal := x.s.admit(x.r.Context(), x.r, x.r.Header)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	x.record.Identity = who
	in, refusal := x.s.readRequests(x.w, x.r)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	ctx, cancel := context.WithCancel(identity.With(x.r.Context(), who))
	defer cancel()
	defer context.AfterFunc(x.s.aborted, cancel)()
	if in.files != nil {
		ctx = upload.With(ctx, in.files)
		defer in.files.Close(func() { _ = http.NewResponseController(x.w).SetReadDeadline(time.Unix(1, 0)) })
	}
	if in.list {
		x.serveBatch(ctx, in.requests)
		return
	}
	req := in.requests[0]
	x.fill(req)
	op, refusal := x.s.prepare(ctx, req)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	x.record.Operation, x.record.Kind = op.Name(), kindName(op.Kind())
	x.answer(ctx, op)
}

// fill gives a request what it has from the exchange.
func (x *exchange) fill(req *Request) {
	req.Sent = x.r.Header
	req.Header = x.s.passedOn(x.r, x.record.RequestID)
	req.Incremental = x.parts || x.media == mediaEvents
	req.Identity, req.Address = x.record.Identity, x.record.Address
}

func (x *exchange) answer(ctx context.Context, op Operation) {
	switch {
	case op.Kind() == ast.Mutation && x.r.Method == http.MethodGet:
		x.w.Header().Set("Allow", "POST")
		x.refuse(Refuse(http.StatusMethodNotAllowed, CodeMethodNotAllowed, "mutations need POST"))
	case x.media == mediaEvents:
		x.serveEvents(ctx, op)
	case op.Kind() == ast.Subscription && x.live:
		x.serveLive(ctx, op)
	case op.Kind() == ast.Subscription:
		x.refuse(Refuse(http.StatusNotAcceptable, CodeBadRequest, "subscriptions need "+mediaEvents+", "+mediaParts+" with subscriptionSpec="+subscriptionSpec+", or a WebSocket"))
	case x.media == mediaLive:
		x.refuse(Refuse(http.StatusNotAcceptable, CodeBadRequest, "the answer can be "+mediaGraphQL+" or "+mediaJSON))
	case op.Deferred():
		x.serveParts(ctx, op)
	default:
		answer, refusal := x.s.run(ctx, op)
		if refusal != nil {
			x.refuse(refusal)
			return
		}
		x.whole(answer)
	}
}

// whole sends an answer that is complete: as it is where the answer has it in one piece, or out of a buffer.
func (x *exchange) whole(answer Answer) {
	if c, ok := answer.(interface{ CacheControl() string }); ok && x.media != mediaParts {
		x.cachedBy(c.CacheControl())
	}
	x.head(answer)
	if printed, ok := answer.(interface{ JSON() []byte }); ok && x.media != mediaParts {
		defer answer.Release()
		x.record.Errors = answer.HasErrors()
		x.write(http.StatusOK, printed.JSON())
		return
	}
	buf := buffers.Get().(*[]byte)
	defer recycle(buf)
	*buf = (*buf)[:0]
	if x.media == mediaParts {
		*buf = append(*buf, partsBegin...)
	}
	*buf = answer.AppendJSON(*buf)
	if x.media == mediaParts {
		*buf = append(*buf, partsEnd...)
	}
	x.record.Errors = answer.HasErrors()
	answer.Release()
	x.write(http.StatusOK, *buf)
}

// head puts what an answer has for it into the head of the response, as long as that is not sent.
func (x *exchange) head(answer Answer) {
	told, ok := answer.(interface{ Header() http.Header })
	if !ok {
		return
	}
	for name, values := range told.Header() {
		if h := x.w.Header(); h[name] == nil { // what the server has set itself stays
			h[name] = values
		}
	}
}

// cachedBy lets others keep the answer, apart for all that it depends on.
func (x *exchange) cachedBy(control string) {
	if x.caching = control; control != "" && control != "no-store" {
		for _, name := range x.s.o.Vary {
			x.w.Header().Add("Vary", name)
		}
	}
}

func (x *exchange) refuse(refusal *Refusal) {
	status := refusal.Status
	if status == 0 {
		status = http.StatusBadRequest
		if x.media == mediaJSON {
			status = http.StatusOK
		}
	}
	if x.media == "" || x.media == mediaEvents || x.media == mediaParts || x.media == mediaLive {
		x.media = mediaJSON // problems before a stream begins are told in plain JSON
	}
	for name, values := range refusal.Header {
		x.w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	x.record.Code, x.record.Errors = refusal.Code(), true
	x.write(status, refusal.appendJSON(nil))
}

// write sends the whole answer.
func (x *exchange) write(status int, body []byte) {
	h := x.w.Header()
	h.Set("Content-Type", contentType(x.media))
	h.Set("Cache-Control", cmp.Or(x.caching, "no-store"))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	x.record.Status, x.record.Bytes = status, len(body)
	if len(body) >= worthCompressing {
		if e := packing(x.r.Header.Get("Accept-Encoding"), x.s.encodings); e != nil {
			var packed bytes.Buffer
			if e.pack(&packed, body) == nil {
				h.Set("Content-Encoding", e.name)
				body = packed.Bytes()
			}
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.send(status, body)
}

// send sends a whole answer within a time that grows with it. A client that takes it more slowly loses the connection. The exchange is reported
// before the end of the answer leaves: whoever has read it finds it in the log.
func (x *exchange) send(status int, body []byte) {
	rc := http.NewResponseController(x.w)
	patience := x.s.o.WriteTimeout + time.Duration(len(body)/(64<<10))*time.Second
	bounded := rc.SetWriteDeadline(time.Now().Add(patience)) == nil // where the server can
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // a client that has gone cannot be told
	x.finish()
	if bounded {
		_ = rc.Flush()
		_ = rc.SetWriteDeadline(time.Time{}) // the connection may serve other requests
	}
}

// account opens the account of the exchange's operation. Whoever opens it must come to its end with finish.
func (x *exchange) account() {
	if x.s.o.Begin != nil {
		x.r = x.r.WithContext(x.s.o.Begin(x.r.Context(), x.r.Header))
	}
}

func (x *exchange) finish() {
	if x.batch {
		return
	}
	x.record.Duration = time.Since(x.began)
	x.s.o.Observe(x.r.Context(), x.record)
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// recycle keeps buffers of ordinary size; a rare huge one is left to the garbage collector.
func recycle(buf *[]byte) {
	if cap(*buf) <= 256<<10 {
		buffers.Put(buf)
	}
}
