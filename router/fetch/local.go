package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"

	"bourse/router/execute"
)

// Local calls http.Handlers of this process without a socket. It is safe for concurrent use.
type Local struct {
	handlers map[string]http.Handler
}

// NewLocal returns a fetcher that calls handlers by subgraph name.
func NewLocal(handlers map[string]http.Handler) *Local { return &Local{handlers: handlers} }

// Fetch implements execute.Fetcher.
func (l *Local) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	return nil, errors.New("fetch: not yet")
}

// Stream posts a subscription and returns the body of a text/event-stream answer, event by event as
// the handler flushes. Closing it cancels the handler's request and waits until the handler returned.
func (l *Local) Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	return nil, errors.New("fetch: not yet")
}
