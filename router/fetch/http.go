// Package fetch carries subgraph requests: over HTTP with kept-alive connections, or straight into a
// http.Handler of this process without a socket.
//
//	Fetch  ─┬─ plain HTTP ─▶ package http1, on the caller's goroutine
//	        └─ https, or a Transport of the operator's ─▶ net/http
//	Stream ─── server-sent events ─▶ net/http
//
// It knows nothing of GraphQL beyond the media types.
package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"bourse/router/execute"
	"bourse/router/fetch/http1"
)

const (
	acceptAnswer = "application/graphql-response+json, application/json"

	defaultTimeout          = 30 * time.Second
	defaultMaxResponseBytes = 64 << 20
	// maxErrorBody is how much of a refused stream's body a StatusError keeps.
	maxErrorBody = 64 << 10
)

// ErrTooLarge is the error of an answer beyond the bound.
var ErrTooLarge = http1.ErrBodyTooLarge

// StatusError is a stream request that was answered with something else than an event stream.
type StatusError struct {
	Status      int
	ContentType string
	Body        []byte // at most 64 KiB
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("no event stream: HTTP status %d, content type %q", e.Status, e.ContentType)
}

// HTTPOptions of the HTTP fetcher; the zero value is usable.
type HTTPOptions struct {
	Timeout          time.Duration     // of one fetch, 0: 30 s; streams have none
	MaxResponseBytes int64             // of one answer, 0: 64 MiB
	MaxResponseOf    map[string]int64  // instead, of one answer of a subgraph, by name
	Transport        http.RoundTripper // nil: an own http.Transport
	// NetHTTP fetches through net/http even where package http1 would do, which costs far less: by plain HTTP and without a Transport.
	NetHTTP bool
	// Connections are subgraphs, by name, that are connected to in a way of their own; not used with a Transport.
	Connections map[string]Connection
	// Propagate adds to a request's headers which trace it belongs to; may be nil.
	Propagate func(ctx context.Context, header http.Header)
}

// HTTP fetches over HTTP. It is safe for concurrent use.
type HTTP struct {
	urls map[string]*url.URL
	errs map[string]error
	o    HTTPOptions
	own  *http.Transport            // for streams, and for fetches that plain does not do
	of   map[string]*http.Transport // of Connections
	bufs sync.Pool

	plain   map[int64]*http1.Client  // by the bound of their answers
	targets map[string]*http1.Target // by subgraph name
}

// NewHTTP returns a fetcher that posts to urls by subgraph name. A URL that is none is reported by the fetches
// that need it.
func NewHTTP(urls map[string]string, o HTTPOptions) *HTTP {
	h := &HTTP{urls: map[string]*url.URL{}, errs: map[string]error{}, o: o, targets: map[string]*http1.Target{}}
	for name, text := range urls {
		u, err := url.Parse(text)
		if err == nil && u.Scheme != "http" && u.Scheme != "https" {
			err = fmt.Errorf("not a http URL: %q", text)
		}
		if err != nil {
			h.errs[name] = err
			continue
		}
		h.urls[name] = u
	}
	if h.o.Timeout <= 0 {
		h.o.Timeout = defaultTimeout
	}
	if h.o.MaxResponseBytes <= 0 {
		h.o.MaxResponseBytes = defaultMaxResponseBytes
	}
	if h.o.Transport == nil {
		h.own = Connection{Protocol: HTTP1}.transport()
		h.of = map[string]*http.Transport{}
		for name, c := range o.Connections {
			h.of[name] = c.transport()
		}
		h.o.Transport = h.own
		if !h.o.NetHTTP {
			h.fetchPlainly()
		}
	}
	h.bufs.New = func() any { return new(bytes.Buffer) }
	return h
}

// fetchPlainly takes package http1 for the subgraphs that it reaches.
func (h *HTTP) fetchPlainly() {
	h.plain = map[int64]*http1.Client{}
	fixed := http.Header{"Content-Type": {"application/json"}, "Accept": {acceptAnswer}}
	for name, u := range h.urls {
		if h.of[name] != nil {
			continue
		}
		limit := h.limit(name)
		if h.plain[limit] == nil {
			h.plain[limit] = http1.New(http1.Options{MaxBody: limit})
		}
		if t, ok := h.plain[limit].NewTarget(u, fixed); ok {
			h.targets[name] = t
		}
	}
}

// limit is how long an answer of a subgraph may be.
func (h *HTTP) limit(subgraph string) int64 {
	if own := h.o.MaxResponseOf[subgraph]; own > 0 {
		return own
	}
	return h.o.MaxResponseBytes
}

// Fetch implements execute.Fetcher.
func (h *HTTP) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	t := h.targets[req.Subgraph]
	if t == nil {
		return h.fetchByTransport(ctx, req)
	}
	header := req.Header
	if h.o.Propagate != nil {
		if header = maps.Clone(header); header == nil {
			header = http.Header{}
		}
		h.o.Propagate(ctx, header)
	}
	a, err := t.Post(ctx, &http1.Request{
		Header: header, Skip: isOwn, Body: req.Body, Repeatable: req.Idempotent, Deadline: time.Now().Add(h.o.Timeout),
	})
	if err != nil {
		return nil, fmt.Errorf("subgraph %s: %w", req.Subgraph, err)
	}
	return &execute.Response{Status: a.Status, Header: a.Header, Body: a.Body, Release: a.Release}, nil
}

func (h *HTTP) fetchByTransport(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, h.o.Timeout)
	defer cancel()
	hr, err := h.request(ctx, req, acceptAnswer)
	if err != nil {
		return nil, err
	}
	return h.roundTrip(req.Subgraph, hr)
}

// FetchForm is Fetch with another body, which it reads as the subgraph takes it, no longer than ctx lasts. It closes the body.
func (h *HTTP) FetchForm(ctx context.Context, req *execute.Request, contentType string, body io.ReadCloser) (*execute.Response, error) {
	hr, err := h.request(ctx, req, acceptAnswer)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	hr.Header.Set("Content-Type", contentType)
	hr.Body, hr.ContentLength, hr.GetBody = body, -1, nil
	return h.roundTrip(req.Subgraph, hr)
}

func (h *HTTP) roundTrip(subgraph string, hr *http.Request) (*execute.Response, error) {
	// RoundTrip and not http.Client: a subgraph has no redirects or cookies to follow.
	resp, err := h.transport(subgraph).RoundTrip(hr)
	if err != nil {
		return nil, fmt.Errorf("subgraph %s: %w", subgraph, err)
	}
	buf := h.bufs.Get().(*bytes.Buffer)
	buf.Reset()
	if err := readBody(buf, resp, h.limit(subgraph)); err != nil {
		h.bufs.Put(buf)
		return nil, fmt.Errorf("subgraph %s: %w", subgraph, err)
	}
	return &execute.Response{
		Status: resp.StatusCode, Header: resp.Header, Body: buf.Bytes(),
		Release: func() { h.bufs.Put(buf) },
	}, nil
}

func (h *HTTP) transport(subgraph string) http.RoundTripper {
	if t := h.of[subgraph]; t != nil {
		return t
	}
	return h.o.Transport
}

func readBody(buf *bytes.Buffer, resp *http.Response, limit int64) error {
	defer func() { _ = resp.Body.Close() }() // reading it told what there is to tell
	if resp.ContentLength > limit {
		return ErrTooLarge
	}
	if resp.ContentLength > 0 {
		buf.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if n > limit {
		return ErrTooLarge
	}
	return nil
}

// Stream posts a subscription and returns the body of a text/event-stream answer. The caller closes it. Any
// other answer is a *StatusError.
func (h *HTTP) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	hr, err := h.request(ctx, req, "text/event-stream")
	if err != nil {
		return nil, err
	}
	resp, err := h.transport(req.Subgraph).RoundTrip(hr)
	if err != nil {
		return nil, fmt.Errorf("subgraph %s: %w", req.Subgraph, err)
	}
	if err := checkStream(resp.StatusCode, resp.Header, resp.Body); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp.Body, nil
}

func checkStream(status int, header http.Header, body io.Reader) error {
	contentType := header.Get("Content-Type")
	if status >= 200 && status <= 299 && strings.HasPrefix(contentType, "text/event-stream") {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // what can be read of a refusal
	return &StatusError{Status: status, ContentType: contentType, Body: text}
}

// Close closes idle connections.
func (h *HTTP) Close() {
	if h.own != nil {
		h.own.CloseIdleConnections()
	}
	for _, t := range h.of {
		t.CloseIdleConnections()
	}
	for _, c := range h.plain {
		c.Close()
	}
}

func (h *HTTP) request(ctx context.Context, req *execute.Request, accept string) (*http.Request, error) {
	u := h.urls[req.Subgraph]
	if u == nil {
		if err := h.errs[req.Subgraph]; err != nil {
			return nil, fmt.Errorf("subgraph %s: %w", req.Subgraph, err)
		}
		return nil, fmt.Errorf("subgraph %s has no URL", req.Subgraph)
	}
	// A copy: the transport may still be writing when an early answer is back.
	body := bytes.Clone(req.Body)
	hr := newRequest(ctx, u, req, body, accept)
	if h.o.Propagate != nil {
		h.o.Propagate(ctx, hr.Header)
	}
	hr.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	if req.Idempotent {
		// An empty value is not sent; it allows the transport to repeat the request when a kept
		// connection turns out to be closed.
		hr.Header["Idempotency-Key"] = nil
	}
	return hr, nil
}

// newRequest builds a request without the parsing of http.NewRequest.
func newRequest(ctx context.Context, u *url.URL, req *execute.Request, body []byte, accept string) *http.Request {
	header := make(http.Header, len(req.Header)+3)
	for name, values := range req.Header {
		if !isOwn(name) {
			header[name] = values
		}
	}
	header["Content-Type"] = []string{"application/json"}
	header["Accept"] = []string{accept}
	hr := &http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	return hr.WithContext(ctx)
}

// isOwn names the headers that belong to a connection or to the message itself and are never passed on.
func isOwn(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Type", "Content-Length", "Content-Encoding", "Accept", "Accept-Encoding", "Host", "Connection",
		"Keep-Alive", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Proxy-Authorization", "Proxy-Connection":
		return true
	}
	return false
}
