//go:build unix

package websocket

import (
	"errors"
	"net"
	"syscall"
)

// immediate writes to a socket without waiting for room. Its owner orders its writes.
type immediate struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // made once, so that a write allocates nothing

	bytes []byte
	n     int
	err   error
}

// reach says whether there is a socket; connections over TLS are none of their own.
func (w *immediate) reach(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	w.raw = raw
	w.try = func(fd uintptr) bool {
		for {
			w.n, w.err = syscall.Write(int(fd), w.bytes)
			if !errors.Is(w.err, syscall.EINTR) {
				return true // never false: that would wait
			}
		}
	}
	return true
}

func (w *immediate) write(b []byte) (int, error) {
	w.bytes, w.n, w.err = b, 0, nil
	err := w.raw.Write(w.try)
	w.bytes = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(w.err, syscall.EAGAIN):
		return 0, nil
	}
	return max(w.n, 0), w.err
}
