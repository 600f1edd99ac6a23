package fetch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// maxUnread bounds what a handler may be ahead of its reader, in bytes; beyond it the handler waits.
const maxUnread = 1 << 20

// stream is the pipe between a handler and the reader of its event stream. What the handler wrote can be read
// once it has flushed.
//
//	handler: Write … Flush ──► pending │ ready ──► Read :reader
type stream struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the handler has returned

	mu      sync.Mutex
	changed sync.Cond
	header  http.Header
	sent    http.Header // as it stood when the answer began
	status  int
	pending []byte // written, not flushed
	ready   []byte
	ended   bool // the handler has returned
	closed  bool // the reader has closed
	err     error
	ctx     context.Context //nolint:containedctx // of the stream itself; set before it is handed out
}

func newStream(cancel context.CancelFunc) *stream {
	s := &stream{cancel: cancel, done: make(chan struct{}), header: http.Header{}, ctx: context.Background()}
	s.changed.L = &s.mu
	return s
}

func (s *stream) Header() http.Header { return s.header }

func (s *stream) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(status)
}

func (s *stream) begin(status int) {
	if s.status == 0 && status >= 200 {
		s.status = status
		s.sent = s.header.Clone()
		s.changed.Broadcast()
	}
}

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(http.StatusOK)
	if len(s.pending)+len(b) > maxUnread {
		s.flush()
		for !s.closed && len(s.ready) > maxUnread {
			s.changed.Wait()
		}
	}
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	s.pending = append(s.pending, b...)
	return len(b), nil
}

// Flush makes what was written readable. A reader that is far behind makes it wait.
func (s *stream) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(http.StatusOK)
	for !s.closed && len(s.ready) > maxUnread {
		s.changed.Wait()
	}
	s.flush()
}

func (s *stream) flush() {
	s.ready = append(s.ready, s.pending...)
	s.pending = s.pending[:0]
	s.changed.Broadcast()
}

func (s *stream) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(http.StatusOK)
	s.flush()
	s.ended, s.err = true, err
	s.changed.Broadcast()
}

// wake lets everyone who waits look at the context again. A cancelled stream takes no more.
func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.changed.Broadcast()
}

// started waits for the answer to begin.
func (s *stream) started(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.status == 0 && !s.ended {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("the stream did not begin: %w", err)
		}
		s.changed.Wait()
	}
	return s.err
}

// Read implements io.Reader.
func (s *stream) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.ready) == 0 && !s.ended && !s.closed {
		s.changed.Wait()
	}
	switch {
	case len(s.ready) > 0:
		n := copy(b, s.ready)
		s.ready = s.ready[:copy(s.ready, s.ready[n:])]
		s.changed.Broadcast()
		return n, nil
	case s.ended && s.err != nil:
		return 0, s.err
	case s.ended:
		return 0, io.EOF
	}
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return 0, io.ErrClosedPipe
}

// Close stops the handler and waits for it.
func (s *stream) Close() error {
	s.cancel()
	s.wake()
	<-s.done
	return nil
}
