package router

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"bourse/router/execute"
	"bourse/router/fetch"
	"bourse/router/subscribe/socket"
	"bourse/router/traffic"
)

// defaultEventStreams bounds the streams of server-sent events that one subgraph sends at once: each is a connection.
const defaultEventStreams = 10_000

// eventStreams opens streams of server-sent events, so many of each subgraph at once.
type eventStreams struct {
	max int

	mu   sync.Mutex
	open map[string]int // by subgraph
}

func newEventStreams(most int) *eventStreams {
	if most <= 0 {
		most = defaultEventStreams
	}
	return &eventStreams{max: most, open: map[string]int{}}
}

// stream opens one by way of f.
func (s *eventStreams) stream(ctx context.Context, f *fetch.HTTP, req *execute.Request) (io.ReadCloser, error) {
	if !s.begin(req.Subgraph) {
		return nil, overloaded(fmt.Errorf("subgraph %s: %d streams of events are open", req.Subgraph, s.max))
	}
	body, err := f.Stream(ctx, req)
	if err != nil {
		s.end(req.Subgraph)
		return nil, err
	}
	return &counted{ReadCloser: body, closed: sync.OnceFunc(func() { s.end(req.Subgraph) })}, nil
}

func (s *eventStreams) begin(subgraph string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[subgraph] >= s.max {
		return false
	}
	s.open[subgraph]++
	return true
}

func (s *eventStreams) end(subgraph string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[subgraph]--
}

// counted is a stream that gives its place back when it is closed.
type counted struct {
	io.ReadCloser
	closed func()
}

// Close implements io.Closer.
func (c *counted) Close() error {
	defer c.closed()
	return c.ReadCloser.Close()
}

// overSockets opens a subscription over a WebSocket, of which there are only so many as well.
func (n *network) overSockets(ctx context.Context, req *execute.Request) (io.ReadCloser, error) {
	body, err := n.sockets.Stream(ctx, req)
	if errors.Is(err, socket.ErrTooMany) {
		err = overloaded(err)
	}
	return body, err
}

func overloaded(err error) error {
	return &execute.FetchError{Code: traffic.CodeOverloaded, What: "has too many subscriptions", Err: err}
}
