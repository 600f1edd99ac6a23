package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/identity"
)

// Options of a Server. Zero fields mean the defaults; Gateway is required.
type Options struct {
	Gateway Gateway

	ForwardHeaders   []string // request headers that are passed on to subgraphs; X-Request-Id always is
	Vary             []string // request headers on which answers that may be kept depend, beside those that the server itself looks at
	ConnectionParams []string // entries of connection_init that stand in for missing headers of that name; default Authorization
	AllowedOrigins   []string // origins besides the server's own: "https://app.example.com", "https://*.example.com", "*"
	AllowCredentials bool     // lets those origins send cookies; never applies to "*"
	CORS             CORS     // what else browsers are told

	// Address finds a client's address, or refuses it before anything of its request is read; nil: the other end of the connection.
	Address func(r *http.Request) (netip.Addr, *Refusal)
	// Admit finds out whom a request speaks for, or refuses it; nil: everyone is nobody. The header is the request's; on a WebSocket it
	// is the upgrade's with what the params of connection_init stand in for, and Admit is called once for all of its operations.
	Admit func(ctx context.Context, r *http.Request, header http.Header) (*identity.Identity, *Refusal)

	MaxBodyBytes     int64         // request bodies, also once decompressed, and WebSocket messages; default 1 MiB
	CompressedBodies bool          // accepts request bodies in any of Encodings()
	Encodings        []string      // that answers may have, where clients ask for them; nil: all of Encodings()
	MaxBatch         int           // requests in one list; 0: no lists are accepted
	Uploads          Uploads       // files that forms may bring
	ReadTimeout      time.Duration // for a request's body; default 30 s
	RequestTimeout   time.Duration // of a query or mutation; default 60 s
	WriteTimeout     time.Duration // for one message to a client; default 10 s; whole answers have a second more for each 64 KiB
	KeepAlive        time.Duration // between signs of life on streams; default 15 s
	InitTimeout      time.Duration // for connection_init; default 5 s
	MaxSockets       int           // WebSockets at once; default 10,000
	MaxOperations    int           // running operations on one WebSocket; default 100
	Backlog          Backlog       // of each subscription

	MaxSocketsByAddress  int           // WebSockets of one client address; 0: as many as MaxSockets
	MaxSocketsByIdentity int           // and of one identity; 0: likewise
	MaxMessages          int           // a client may send on one WebSocket each second, ten seconds' worth at once; default 100; below 0: any number
	DrainJitter          time.Duration // over which WebSockets are closed when the server closes; default 0: at once

	// Request is asked about each request that is no preflight, WebSockets' upgrades too, before its body is read; the context that it
	// returns is the request's from then on. May be nil.
	Request func(ctx context.Context, r *http.Request) (context.Context, *Refusal)

	// Begin opens the account of an operation; the context that it returns is the operation's, and the one that Observe gets. The header is
	// that of the request, or of the WebSocket's upgrade. May be nil.
	Begin func(ctx context.Context, header http.Header) context.Context

	// Events hears of events of subscriptions that were put into clients' queues, and that these let go of. May be nil; must not block.
	Events func(delivered, dropped int)

	Logger  *slog.Logger                  // for what clients are not told; nil: discards
	Observe func(context.Context, Record) // called once for each operation; may be nil

	// Released is called once, when nothing uses these options any more: after Reload, or with Close. May be nil.
	Released func()
}

func (o Options) withDefaults() Options {
	duration := func(d *time.Duration, standard time.Duration) {
		if *d <= 0 {
			*d = standard
		}
	}
	duration(&o.RequestTimeout, time.Minute)
	duration(&o.ReadTimeout, 30*time.Second)
	duration(&o.WriteTimeout, 10*time.Second)
	duration(&o.KeepAlive, 15*time.Second)
	duration(&o.InitTimeout, 5*time.Second)
	if o.MaxBodyBytes <= 0 {
		o.MaxBodyBytes = 1 << 20
	}
	if o.Uploads.FileBytes <= 0 {
		o.Uploads.FileBytes = 10 << 20
	}
	if o.MaxSockets <= 0 {
		o.MaxSockets = 10_000
	}
	if o.MaxOperations <= 0 {
		o.MaxOperations = 100
	}
	if o.ConnectionParams == nil {
		o.ConnectionParams = []string{"Authorization"}
	}
	if o.Address == nil {
		o.Address = func(r *http.Request) (netip.Addr, *Refusal) { return identity.Peer(r), nil }
	}
	if o.Admit == nil {
		o.Admit = func(context.Context, *http.Request, http.Header) (*identity.Identity, *Refusal) { return nil, nil }
	}
	if o.MaxMessages == 0 {
		o.MaxMessages = 100
	}
	o.Backlog = o.Backlog.withDefaults()
	o.Backlog.told = o.Events
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(context.Context, Record) {}
	}
	return o
}

// Server is an http.Handler for one GraphQL endpoint. What it serves by, an edition, may be replaced while it runs.
type Server struct {
	closing context.Context // done when no new work is taken and streams should end
	close   context.CancelFunc
	aborted context.Context // done when running work must stop
	abort   context.CancelFunc

	current   atomic.Pointer[edition] // changed under mu
	releasing sync.WaitGroup

	reservations sync.Map // of *reservation by token

	mu      sync.Mutex
	active  int
	sockets int // and reserved streams
	sweep   sweep
	idle    chan struct{} // closed when closing and nothing is active
}

// New makes a server; Close it when done.
func New(o Options) *Server {
	s := &Server{idle: make(chan struct{}), sweep: newSweep()}
	s.closing, s.close = context.WithCancel(context.Background())
	s.aborted, s.abort = context.WithCancel(context.Background())
	s.current.Store(newEdition(s, o))
	return s
}

// Close takes no more requests, tells streams to end and waits for what is running. When ctx ends first, running work is cut off and
// the error of ctx is returned.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	first := s.closing.Err() == nil
	s.close()
	if first && s.active == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	defer s.releasing.Wait()
	defer s.abort()
	if first {
		defer s.retire(s.now())
	}
	select {
	case <-s.idle:
		return nil
	case <-ctx.Done():
		s.abort()
		<-s.idle
		return ctx.Err()
	}
}

// Sockets says how many WebSockets are open.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sockets
}

// ServeHTTP answers one request, or opens a WebSocket, which then lives on by itself.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, open := s.enter()
	x := &exchange{s: e, w: w, r: r, began: time.Now()}
	e.boundBody(w, r)
	x.record.RequestID = requestID(r)
	w.Header().Set("X-Request-Id", x.record.RequestID)
	if !open {
		w.Header().Set("Retry-After", "1")
		x.refuse(Refuse(http.StatusServiceUnavailable, CodeShuttingDown, "the server is shutting down"))
		return
	}
	x.held = e
	stays := false // as a WebSocket, which leaves by itself
	defer func() {
		if !stays {
			s.leave(x.held)
		}
	}()
	var refusal *Refusal
	if x.record.Address, refusal = e.o.Address(r); refusal != nil {
		x.refuse(refusal)
		return
	}
	socket := isWebSocket(r)
	if socket && !e.origins.letsCookies(r) {
		x.r = withoutCookies(r)
	}
	if !socket {
		e.origins.writeHeaders(w, r)
		if r.Method == http.MethodOptions {
			e.origins.writePreflight(w, r)
			return
		}
	}
	switch refusal = x.ask(); {
	case refusal != nil:
		x.refuse(refusal)
	case socket:
		stays = e.serveSocket(w, x.r, x.record, x.letGo)
	default:
		x.serve()
	}
}

// letGo gives up the edition: what is left of the exchange needs it no more.
func (x *exchange) letGo() {
	x.held.letGo(x.held)
	x.held = nil
}

// ask asks the operator's hook about a request.
func (x *exchange) ask() (refusal *Refusal) {
	if x.s.o.Request == nil {
		return nil
	}
	defer x.s.recovered(x.r.Context(), "request hook", &refusal)
	ctx, refusal := x.s.o.Request(x.r.Context(), x.r)
	if refusal == nil {
		x.r = x.r.WithContext(ctx)
	}
	return refusal
}

// passedOn collects the headers that subgraphs may see.
func (s *edition) passedOn(r *http.Request, id string) http.Header {
	h := http.Header{}
	for _, name := range s.o.ForwardHeaders {
		if values := r.Header.Values(name); len(values) > 0 {
			h[http.CanonicalHeaderKey(name)] = append([]string(nil), values...)
		}
	}
	h.Set("X-Request-Id", id)
	return h
}

// prepare is Gateway.Prepare with panics turned into refusals: a fault in one request must not end the others.
func (s *edition) prepare(ctx context.Context, req *Request) (op Operation, refusal *Refusal) {
	defer s.recovered(ctx, "prepare", &refusal)
	return s.o.Gateway.Prepare(ctx, req)
}

// admit is Options.Admit, guarded like prepare.
func (s *edition) admit(ctx context.Context, r *http.Request, header http.Header) (who *identity.Identity, refusal *Refusal) {
	defer s.recovered(ctx, "admit", &refusal)
	who, refusal = s.o.Admit(ctx, r, header)
	return who.Digested(), refusal // or strangers would share what has the same key
}

func (s *edition) run(ctx context.Context, op Operation) (answer Answer, refusal *Refusal) {
	defer s.recovered(ctx, "run", &refusal)
	ctx, cancel := context.WithTimeout(ctx, s.o.RequestTimeout)
	defer cancel()
	return op.Run(ctx), nil
}

// open starts a subscription, or an answer in parts, which ends with the time of a request. The caller calls stop when done.
func (s *edition) open(ctx context.Context, op Operation) (stream Stream, stop context.CancelFunc, refusal *Refusal) {
	stop = func() {}
	defer s.recovered(ctx, "open", &refusal)
	if op.Kind() == ast.Subscription {
		in := newInbox(&s.o.Backlog)
		if in.cancel, refusal = s.subscribe(ctx, op, in); refusal != nil {
			return nil, stop, refusal
		}
		return in, stop, nil
	}
	ctx, stop = context.WithTimeout(ctx, s.o.RequestTimeout)
	return op.Deliver(ctx), stop, nil
}

// subscribe is Operation.Subscribe, guarded like prepare.
func (s *edition) subscribe(ctx context.Context, op Operation, sink Sink) (cancel context.CancelFunc, refusal *Refusal) {
	defer s.recovered(ctx, "subscribe", &refusal)
	return op.Subscribe(ctx, sink)
}

func (s *edition) next(ctx context.Context, stream Stream) (answer Answer, err error) {
	var refusal *Refusal
	defer func() {
		if refusal != nil {
			err = refusal
		}
	}()
	defer s.recovered(ctx, "next", &refusal)
	return stream.Next(ctx, s.o.KeepAlive)
}

func (s *edition) recovered(ctx context.Context, step string, refusal **Refusal) {
	if v := recover(); v != nil {
		s.o.Logger.ErrorContext(ctx, "panic while answering", "step", step, "panic", v, "stack", string(debug.Stack()))
		*refusal = Refuse(http.StatusInternalServerError, CodeInternal, "internal error")
	}
}

// requestID takes over a client's id when it is harmless in logs and headers, and makes one otherwise.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	harmless := func(c rune) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == '.'
	}
	if id != "" && len(id) <= 64 && strings.IndexFunc(id, func(c rune) bool { return !harmless(c) }) < 0 {
		return id
	}
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func kindName(k ast.Operation) string { return string(k) }
