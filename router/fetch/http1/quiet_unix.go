//go:build unix

package http1

import (
	"errors"
	"net"
	"syscall"
)

// quiet says whether an idle connection is still open and has nothing to read: neither its end nor an answer that nobody asked for. told is
// false for a connection that is no socket.
func quiet(n net.Conn) (open, told bool) {
	s, ok := n.(syscall.Conn)
	if !ok {
		return false, false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false, true
	}
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, err := syscall.Read(int(fd), one[:])
		open = errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EWOULDBLOCK)
		return true // never waits
	})
	return err == nil && open, true
}
