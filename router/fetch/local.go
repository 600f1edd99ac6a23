package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"bourse/router/execute"
)

// Local calls http.Handlers of this process without a socket. It is safe for concurrent use.
type Local struct {
	handlers map[string]http.Handler
	bufs     sync.Pool
}

// localURL is what handlers see as the request's URL.
var localURL = &url.URL{Scheme: "http", Host: "subgraph.local", Path: "/graphql"}

// NewLocal returns a fetcher that calls handlers by subgraph name.
func NewLocal(handlers map[string]http.Handler) *Local {
	l := &Local{handlers: handlers}
	l.bufs.New = func() any { return new(bytes.Buffer) }
	return l
}

// Fetch implements execute.Fetcher: it runs the handler on the caller's goroutine. A handler that panics is
// an error.
func (l *Local) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	h, hr, err := l.request(ctx, req, acceptAnswer)
	if err != nil {
		return nil, err
	}
	buf := l.bufs.Get().(*bytes.Buffer)
	buf.Reset()
	w := &writer{header: http.Header{}, buf: buf}
	if err := serve(h, w, hr); err != nil {
		return nil, fmt.Errorf("subgraph %s: %w", req.Subgraph, err) // buf is left to the collector: the handler may hold it
	}
	if err := ctx.Err(); err != nil {
		l.bufs.Put(buf)
		return nil, fmt.Errorf("subgraph %s: %w", req.Subgraph, err)
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return &execute.Response{
		Status: w.status, Header: w.header, Body: buf.Bytes(),
		Release: func() { l.bufs.Put(buf) },
	}, nil
}

func (l *Local) request(ctx context.Context, req *execute.Request, accept string) (http.Handler, *http.Request, error) {
	h := l.handlers[req.Subgraph]
	if h == nil {
		return nil, nil, fmt.Errorf("subgraph %s has no handler", req.Subgraph)
	}
	hr := newRequest(ctx, localURL, req, req.Body, accept)
	hr.RequestURI = localURL.Path
	hr.RemoteAddr = "127.0.0.1:0"
	return h, hr, nil
}

func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v", p)
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// writer collects an answer in memory.
type writer struct {
	header http.Header
	buf    *bytes.Buffer
	status int
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.buf.Len()+len(b) > defaultMaxResponseBytes {
		return 0, ErrTooLarge
	}
	return w.buf.Write(b)
}

// WriteString keeps io.WriteString from copying.
func (w *writer) WriteString(s string) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.buf.Len()+len(s) > defaultMaxResponseBytes {
		return 0, ErrTooLarge
	}
	return w.buf.WriteString(s)
}

// Flush has nothing to do: the answer is read when the handler is done.
func (w *writer) Flush() {}

// Stream posts a subscription and returns the body of a text/event-stream answer, event by event as the handler
// flushes. Closing it cancels the handler's request and waits until the handler has returned. Any other answer
// is a *StatusError.
func (l *Local) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	stable := *req
	stable.Body = bytes.Clone(req.Body) // the handler outlives this call
	h, hr, err := l.request(ctx, &stable, "text/event-stream")
	if err != nil {
		cancel()
		return nil, err
	}
	s := newStream(cancel)
	stop := context.AfterFunc(ctx, s.wake)
	go func() {
		defer close(s.done)
		defer stop()
		err := serve(h, s, hr)
		if err == nil {
			err = ctx.Err() // a handler that was told to stop has not come to its end
		}
		s.finish(err)
	}()
	if err := s.started(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	if err := checkStream(s.status, s.sent, s); err != nil {
		_ = s.Close()
		return nil, err
	}
	s.ctx = ctx
	return s, nil
}
