package daemon

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// bounded is a listener with so many connections at once. More wait to be accepted; more from one address are closed at once. Its connections
// keep what TCP can do beside net.Conn: who writes without waiting, or ends one side only, needs it.
type bounded struct {
	*net.TCPListener
	room      chan struct{} // holds a token for each connection
	byAddress int           // 0: any number

	shut   sync.Once
	closed chan struct{}

	mu   sync.Mutex
	from map[netip.Addr]int // connections by address, when they are bounded
}

func bound(l *net.TCPListener, most, byAddress int) *bounded {
	return &bounded{
		TCPListener: l, room: make(chan struct{}, most), byAddress: byAddress,
		closed: make(chan struct{}), from: map[netip.Addr]int{},
	}
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		select {
		case b.room <- struct{}{}:
		case <-b.closed:
			return nil, net.ErrClosed
		}
		c, err := b.AcceptTCP()
		if err != nil {
			<-b.room
			return nil, err
		}
		held := &boundedConn{TCPConn: c, b: b}
		if b.byAddress == 0 {
			return held, nil
		}
		if from := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap(); b.admits(from) { //nolint:forcetypeassert // TCP has no others
			held.from = from
			return held, nil
		}
		_ = held.Close() // nothing was read of it that could be answered
	}
}

// Close implements net.Listener. Connections go on.
func (b *bounded) Close() error {
	b.shut.Do(func() { close(b.closed) })
	return b.TCPListener.Close()
}

func (b *bounded) admits(from netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.from[from] >= b.byAddress {
		return false
	}
	b.from[from]++
	return true
}

// boundedConn gives its room back when it is closed.
type boundedConn struct {
	*net.TCPConn
	b     *bounded
	from  netip.Addr // of the client, or of the proxy before it; the zero Addr: not counted
	ended atomic.Bool
}

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}

func (c *boundedConn) leave() {
	if !c.ended.CompareAndSwap(false, true) {
		return
	}
	<-c.b.room
	if !c.from.IsValid() {
		return
	}
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if c.b.from[c.from]--; c.b.from[c.from] == 0 {
		delete(c.b.from, c.from)
	}
}
