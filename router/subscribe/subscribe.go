package subscribe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"bourse/router/execute"
)

// Options of a subscription's queue. Zero fields mean the defaults.
type Options struct {
	MaxEvents int // events that may wait to be completed; default 256
	MaxBytes  int // their size together; one may always wait; default 4 MiB
	// DropOldest makes room by dropping what has waited longest; otherwise, which is the default, the subscription ends with ErrLagged.
	DropOldest bool
}

func (o Options) withDefaults() Options {
	if o.MaxEvents <= 0 {
		o.MaxEvents = 256
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 20
	}
	return o
}

// ErrLagged ends a subscription whose consumer fell too far behind.
var ErrLagged = errors.New("the subscription fell behind its events")

// DroppedError ends a subscription whose subgraph refused it, or stopped without completing it.
type DroppedError struct {
	Subgraph string
	Began    bool // it was opened
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
	missed int           // dropped before the first of queue
	err    error         // why reading ended
	signal chan struct{} // one token when something changed
}

// Open asks the subgraph and starts to read. The subscription ends with ctx; the caller must Close it.
func Open(ctx context.Context, src Source, req *execute.Request, o Options) (*Subscription, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := src.Open(ctx, req)
	if err != nil {
		cancel()
		return nil, &DroppedError{Subgraph: req.Subgraph, Err: err}
	}
	s := &Subscription{cancel: cancel, done: make(chan struct{}), o: o.withDefaults(), signal: make(chan struct{}, 1)}
	go s.read(ctx, stream, req.Subgraph)
	return s, nil
}

// Next returns the following response, which the caller owns, and how many were dropped just before it. At the end of the stream it
// returns io.EOF when the subgraph completed it, *DroppedError when it broke off, ErrLagged when the caller was too slow, or
// the error of ctx.
func (s *Subscription) Next(ctx context.Context) (raw []byte, missed int, err error) {
	for {
		raw, missed, err := s.take()
		if raw != nil || err != nil {
			return raw, missed, err
		}
		select {
		case <-s.signal:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

func (s *Subscription) take() (raw []byte, missed int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, 0, s.err
	}
	raw, missed = s.remove(), s.missed
	s.missed = 0
	return raw, missed, nil
}

func (s *Subscription) remove() []byte {
	raw := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	s.bytes -= len(raw)
	return raw
}

// Close ends the subscription and waits until the subgraph's stream is closed.
func (s *Subscription) Close() {
	s.cancel()
	<-s.done
}

func (s *Subscription) read(ctx context.Context, stream Stream, subgraph string) {
	defer close(s.done)
	// A stream may not notice that ctx has ended while it waits; closing it makes it.
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(closed); _ = stream.Close() })
	defer func() {
		if stop() {
			_ = stream.Close()
		} else {
			<-closed
		}
		s.cancel()
	}()
	for {
		raw, err := stream.Next()
		switch {
		case ctx.Err() != nil:
			s.end(ctx.Err())
			return
		case errors.Is(err, io.EOF):
			s.end(io.EOF)
			return
		case err != nil:
			s.end(&DroppedError{subgraph, true, err})
			return
		case !s.put(raw):
			s.end(ErrLagged)
			return
		}
	}
}

// put queues an event; false when there is no room for it.
func (s *Subscription) put(raw []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) >= s.o.MaxEvents || len(s.queue) > 0 && s.bytes+len(raw) > s.o.MaxBytes {
		if !s.o.DropOldest {
			return false
		}
		s.remove()
		s.missed++
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
