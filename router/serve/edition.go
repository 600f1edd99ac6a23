package serve

import "errors"

// edition is what a Server serves by at a time: its options and what follows from them. A request keeps the edition that it came into; on a
// WebSocket each operation does, and the socket itself keeps none.
//
//	Reload ─▶ current ──── new requests
//	            │ retired by the next Reload
//	            ▼
//	          uses > 0 ─── those that came before, to their end
//	            ▼
//	          Released
type edition struct {
	*Server
	o         Options
	origins   origins
	encodings []*encoding // that answers may have

	uses    int // requests and operations under way; guarded by Server.mu, as is retired
	retired bool
}

func newEdition(s *Server, o Options) *edition {
	e := &edition{Server: s, o: o.withDefaults()}
	e.origins = newOrigins(e.o.AllowedOrigins, e.o.AllowCredentials, e.o.CORS)
	e.encodings = offeredEncodings(e.o.Encodings)
	return e
}

// ErrClosed is what Reload says of a server that is closing.
var ErrClosed = errors.New("the server is closing")

// Reload serves by o from the next request on. Running requests and operations go on as they began; when the last of them has ended, the
// Released of the options before is called. After an error the server has nothing to do with o.
func (s *Server) Reload(o Options) error {
	s.mu.Lock()
	if s.closing.Err() != nil {
		s.mu.Unlock()
		return ErrClosed
	}
	before := s.current.Swap(newEdition(s, o))
	s.mu.Unlock()
	s.retire(before)
	return nil
}

// now is the edition of new requests. Use it for what holds at the moment; what lasts must enter.
func (s *Server) now() *edition { return s.current.Load() }

// enter counts a request or an operation in, under the current edition. open is false when the server is closing; then nothing was counted.
func (s *Server) enter() (e *edition, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e = s.current.Load()
	if s.closing.Err() != nil {
		return e, false
	}
	s.active++
	e.uses++
	return e, true
}

// leave counts it out; e is nil when its edition was let go before.
func (s *Server) leave(e *edition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e != nil {
		e.drop()
	}
	s.active--
	if s.active == 0 && s.closing.Err() != nil {
		close(s.idle)
	}
}

// letGo gives up the edition of what stays counted in.
func (s *Server) letGo(e *edition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.drop()
}

// retire gives an edition no new work.
func (s *Server) retire(e *edition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.uses++
	e.retired = true
	e.drop()
}

// drop takes one use away, under mu. With the last one of a retired edition its options are closed, beside the request that was the last to use
// them: its client should not wait for that. Close does, because the goroutine is counted before idle is closed.
func (e *edition) drop() {
	e.uses--
	if e.retired && e.uses == 0 && e.o.Released != nil {
		e.releasing.Go(e.o.Released)
	}
}
