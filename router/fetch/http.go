// Package fetch carries subgraph requests: over HTTP with kept-alive connections, or straight into a
// http.Handler of this process without a socket.
//
// It knows nothing of GraphQL beyond the media types.
package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"bourse/router/execute"
)

// HTTPOptions of the HTTP fetcher; the zero value is usable.
type HTTPOptions struct {
	Timeout          time.Duration     // of one fetch, 0: 30 s; streams have none
	MaxResponseBytes int64             // of one answer, 0: 64 MiB
	Transport        http.RoundTripper // nil: an own http.Transport
}

// HTTP fetches over HTTP. It is safe for concurrent use.
type HTTP struct {
	urls map[string]string
	o    HTTPOptions
}

// NewHTTP returns a fetcher that posts to urls by subgraph name.
func NewHTTP(urls map[string]string, o HTTPOptions) *HTTP { return &HTTP{urls: urls, o: o} }

// Fetch implements execute.Fetcher.
func (h *HTTP) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	return nil, errors.New("fetch: not yet")
}

// Stream posts a subscription and returns the body of a text/event-stream answer. The caller closes it.
func (h *HTTP) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	return nil, errors.New("fetch: not yet")
}

// Close closes idle connections.
func (h *HTTP) Close() {}
