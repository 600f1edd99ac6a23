package subscribe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"bourse/router/execute"
)

// Source opens the stream of a subscription at a subgraph; the fetchers of package fetch do.
type Source interface {
	Stream(ctx context.Context, req *execute.Request) (io.ReadCloser, error)
}

// Options of a subscription. Zero fields mean the defaults.
type Options struct {
	MaxEvents     int // events that may wait for the consumer; default 256
	MaxBytes      int // their size together; default 4 MiB
	MaxEventBytes int // size of one event; default 1 MiB
}

func (o Options) withDefaults() Options {
	if o.MaxEvents <= 0 {
		o.MaxEvents = 256
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 20
	}
	if o.MaxEventBytes <= 0 {
		o.MaxEventBytes = 1 << 20
	}
	return o
}

// ErrLagged ends a subscription whose consumer fell too far behind.
var ErrLagged = errors.New("the subscription fell behind its events")

// DroppedError ends a subscription whose subgraph stopped without completing it.
type DroppedError struct {
	Subgraph string
	Err      error
}

func (e *DroppedError) Error() string {
	return fmt.Sprintf("subgraph %q dropped the subscription: %v", e.Subgraph, e.Err)
}

func (e *DroppedError) Unwrap() error { return e.Err }

// Subscription is one stream of responses from a subgraph. Next and Close may be called from different goroutines.
type Subscription struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the reading goroutine has ended

	mu     sync.Mutex
	o      Options
	queue  [][]byte
	bytes  int
	err    error         // why reading ended
	signal chan struct{} // one token when something changed
}

// Open asks the subgraph and starts to read. The subscription ends with ctx; the caller must Close it.
func Open(ctx context.Context, src Source, req *execute.Request, o Options) (*Subscription, error) {
	ctx, cancel := context.WithCancel(ctx)
	body, err := src.Stream(ctx, req)
	if err != nil {
		cancel()
		return nil, &DroppedError{req.Subgraph, err}
	}
	s := &Subscription{cancel: cancel, done: make(chan struct{}), o: o.withDefaults(), signal: make(chan struct{}, 1)}
	go s.read(ctx, body, req.Subgraph)
	return s, nil
}

// Next returns the following response, which the caller owns. At the end of the stream it returns io.EOF when the subgraph
// completed it, *DroppedError when it broke off, ErrLagged when the caller was too slow, or the error of ctx.
func (s *Subscription) Next(ctx context.Context) ([]byte, error) {
	for {
		raw, err := s.take()
		if raw != nil || err != nil {
			return raw, err
		}
		select {
		case <-s.signal:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Subscription) take() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, s.err
	}
	raw := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.bytes -= len(raw)
	return raw, nil
}

// Close ends the subscription and waits until the subgraph's stream is closed.
func (s *Subscription) Close() {
	s.cancel()
	<-s.done
}

func (s *Subscription) read(ctx context.Context, body io.ReadCloser, subgraph string) {
	defer close(s.done)
	// A body may not notice that ctx has ended while it waits for bytes; closing it makes it.
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(closed); _ = body.Close() })
	defer func() {
		if stop() {
			_ = body.Close()
		} else {
			<-closed
		}
		s.cancel()
	}()
	d := newDecoder(body, s.o.MaxEventBytes)
	for {
		e, err := d.next()
		switch {
		case ctx.Err() != nil:
			s.end(ctx.Err())
			return
		case err != nil:
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			s.end(&DroppedError{subgraph, err})
			return
		case e.name == "complete":
			s.end(io.EOF)
			return
		case (e.name == "next" || e.name == "") && len(e.data) > 0:
			if !s.put(e.data) {
				s.end(ErrLagged)
				return
			}
		}
	}
}

// put queues an event unless that would exceed the bounds.
func (s *Subscription) put(raw []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) >= s.o.MaxEvents || s.bytes+len(raw) > s.o.MaxBytes && len(s.queue) > 0 {
		return false
	}
	s.queue = append(s.queue, raw)
	s.bytes += len(raw)
	s.wake()
	return true
}

func (s *Subscription) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	s.wake()
}

// wake leaves a token for Next; one is enough, as Next looks at everything.
func (s *Subscription) wake() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}
