package subscribe

import (
	"context"
	"errors"
	"io"

	"bourse/router/execute"
)

// Source opens subscriptions at subgraphs, by whatever protocol they speak. It is safe for concurrent use.
type Source interface {
	// Open asks for a subscription and returns once the subgraph has taken it, or has refused. The subscription lasts no longer than ctx.
	// The request is not modified; its body is not kept after Open returns.
	Open(ctx context.Context, req *execute.Request) (Stream, error)
}

// Stream is one subscription at a subgraph.
type Stream interface {
	// Next waits for the following response, which the caller then owns. It returns io.EOF once the subgraph has completed the subscription,
	// and another error when it broke off. It is called by one goroutine.
	Next() ([]byte, error)
	// Close gives the subscription up and makes Next return. It may be called more than once and beside Next.
	Close() error
}

// Streamer posts a request and returns the body of a text/event-stream answer; the fetchers of package fetch do. Closing the body
// ends a read.
type Streamer interface {
	Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error)
}

// Events is the Source for subgraphs that answer subscriptions with server-sent events, in the mode of distinct connections: one request,
// events named next with a response as data, and complete at the end. maxEventBytes bounds one event; 0: 1 MiB.
func Events(f Streamer, maxEventBytes int) Source {
	if maxEventBytes <= 0 {
		maxEventBytes = defaultMaxEventBytes
	}
	return &events{f, maxEventBytes}
}

const defaultMaxEventBytes = 1 << 20

type events struct {
	f     Streamer
	limit int
}

// Open implements Source.
func (s *events) Open(ctx context.Context, req *execute.Request) (Stream, error) {
	body, err := s.f.Stream(ctx, req)
	if err != nil {
		return nil, err
	}
	return &eventStream{body: body, d: newDecoder(body, s.limit)}, nil
}

type eventStream struct {
	body io.Closer
	d    *decoder
}

// Next implements Stream.
func (s *eventStream) Next() ([]byte, error) {
	for {
		e, err := s.d.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case e.name == "complete":
			return nil, io.EOF
		case (e.name == "next" || e.name == "") && len(e.data) > 0:
			return e.data, nil
		}
	}
}

// Close implements Stream.
func (s *eventStream) Close() error { return s.body.Close() }
