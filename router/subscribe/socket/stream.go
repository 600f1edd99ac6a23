package socket

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// errUnread ends a stream whose reader falls too far behind.
var errUnread = errors.New("events came faster than they were read")

// stream is one subscription as text/event-stream.
type stream struct {
	k     *conn
	id    string
	bound int

	mu      sync.Mutex
	changed sync.Cond
	unread  []byte
	err     error // after what is unread; io.EOF after complete
	closed  bool
}

func newStream(k *conn, id string, bound int) *stream {
	s := &stream{k: k, id: id, bound: bound}
	s.changed.L = &s.mu
	return s
}

// event adds a response; false when too much is unread.
func (s *stream) event(response []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unread) > 0 && len(s.unread)+len(response) > s.bound {
		return false
	}
	s.unread = append(s.unread, "event: next\ndata: "...)
	at := len(s.unread)
	s.unread = append(s.unread, response...)
	for i, b := range s.unread[at:] {
		if b == '\n' || b == '\r' { // white space between the parts of JSON; in a data line it would end the line
			s.unread[at+i] = ' '
		}
	}
	s.unread = append(s.unread, "\n\n"...)
	s.changed.Broadcast()
	return true
}

// refused adds the errors with which the subgraph ends a subscription: a list, or in the older protocol one error.
func (s *stream) refused(errs []byte) {
	errs = bytes.TrimSpace(errs)
	if len(errs) == 0 || errs[0] != '[' {
		if len(errs) == 0 {
			errs = []byte(`{"message":"refused"}`)
		}
		errs = append(append([]byte{'['}, errs...), ']')
	}
	if !s.event(append(append([]byte(`{"errors":`), errs...), '}')) {
		s.end(errUnread)
		return
	}
	s.complete()
}

func (s *stream) complete() {
	s.mu.Lock()
	s.unread = append(s.unread, "event: complete\ndata:\n\n"...)
	s.mu.Unlock()
	s.end(io.EOF)
}

func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.changed.Broadcast()
}

// Read implements io.Reader.
func (s *stream) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.unread) == 0 && s.err == nil && !s.closed {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, io.ErrClosedPipe
	case len(s.unread) > 0:
		n := copy(b, s.unread)
		if s.unread = s.unread[n:]; len(s.unread) == 0 {
			s.unread = nil // an idle subscription keeps nothing
		}
		return n, nil
	}
	return 0, s.err
}

// Close ends the subscription.
func (s *stream) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed, s.unread = true, nil
	s.changed.Broadcast()
	s.mu.Unlock()
	if first && s.k.drop(s) {
		s.k.stop(s)
	}
	return nil
}
