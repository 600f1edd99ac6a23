package websocket

import (
	"fmt"
	"io"
	"net"
	"time"
	"unicode/utf8"
)

// inline is the size of a connection's own buffer for reading. The messages that clients send again and again (pings, pongs, the end of a
// subscription) fit.
const inline = 256

// step is how much of a message is made room for at a time: a length that is announced costs nothing before the bytes come.
const step = 4 << 10

// Conn is the server's end of a WebSocket. One goroutine reads. Writes are ordered by the owner, one at a time; a read and a write may go on
// together.
type Conn struct {
	net   net.Conn
	now   immediate
	able  bool  // else TryWrite takes nothing
	limit int64 // of a message, in bytes

	unread []byte // read from net, not consumed
	buf    [inline]byte

	kind   Opcode // of the message whose frames are coming; Continuation: none is
	frames []byte // of it, so far
}

// CloseError is how the client has closed the connection.
type CloseError struct {
	Code   Code
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("websocket: closed by the client with %d %s", e.Code, e.Reason)
}

// New takes over a connection after its handshake, with what was read of it already. limit bounds a message, in bytes.
func New(c net.Conn, early []byte, limit int64) *Conn {
	conn := &Conn{net: c, limit: limit, unread: early}
	conn.able = conn.now.reach(c)
	return conn
}

// Net is the connection below, for deadlines, addresses and closing. Reading from it is the Conn's.
func (c *Conn) Net() net.Conn { return c.net }

// Read implements io.Reader below the frames.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		if len(p) >= inline {
			return c.net.Read(p)
		}
		n, err := c.net.Read(c.buf[:])
		if n == 0 {
			return 0, err
		}
		c.unread = c.buf[:n]
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// ReadMessage waits for the next message, which the caller owns: text, binary, ping or pong. Pings and pongs may come between the frames of a
// message. The error is a *CloseError when the client has closed, an *Error when it broke the protocol, and that of the connection else; after
// an error nothing can be read any more.
func (c *Conn) ReadMessage() (Opcode, []byte, error) {
	for {
		h, err := readHeader(c)
		if err != nil {
			return 0, nil, err
		}
		switch {
		case h.opcode.control():
			payload, err := c.payload(nil, h)
			if err != nil {
				return 0, nil, err
			}
			if h.opcode != Close {
				return h.opcode, payload, nil
			}
			code, reason, err := readClose(payload)
			if err != nil {
				return 0, nil, err
			}
			return 0, nil, &CloseError{code, reason}
		case h.opcode == Continuation && c.kind == Continuation:
			return 0, nil, breach("there is nothing to continue")
		case h.opcode != Continuation && c.kind != Continuation:
			return 0, nil, breach("a message begins inside another")
		case h.length > c.limit-int64(len(c.frames)):
			return 0, nil, &Error{TooBig, fmt.Sprintf("a message is larger than %d bytes", c.limit)}
		}
		if h.opcode != Continuation {
			c.kind = h.opcode
		}
		if c.frames, err = c.payload(c.frames, h); err != nil {
			return 0, nil, err
		}
		if !h.final {
			continue
		}
		kind, message := c.kind, c.frames
		c.kind, c.frames = Continuation, nil
		if kind == Text && !utf8.Valid(message) {
			return 0, nil, &Error{InvalidData, "a text message is not UTF-8"}
		}
		return kind, message, nil
	}
}

// payload appends what a frame holds, with room made as the bytes come.
func (c *Conn) payload(dst []byte, h header) ([]byte, error) {
	begin, total := len(dst), len(dst)+int(h.length)
	for len(dst) < total {
		have := len(dst)
		if have == cap(dst) {
			grown := make([]byte, have, min(total, max(step, 2*have)))
			copy(grown, dst)
			dst = grown
		}
		n, err := io.ReadAtLeast(c, dst[have:min(cap(dst), total)], 1)
		if err != nil {
			return nil, unexpected(err)
		}
		dst = dst[:have+n]
	}
	unmask(dst[begin:], h.mask)
	return dst, nil
}

// Linger ends the sending side and throws away what the client still sends, up to a bound: closing at once would reset the connection, and the
// client would lose the close frame.
func (c *Conn) Linger(patience time.Duration) {
	half, ok := c.net.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || c.net.SetReadDeadline(time.Now().Add(patience)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, c.net, maxLinger) // it ends by an error at best
}

const maxLinger = 4 << 20

// Write sends what frames hold, waiting as long as the connection's deadline lasts.
func (c *Conn) Write(frames []byte) error {
	_, err := c.net.Write(frames)
	return err
}

// TryWrite sends as much as can be sent at once and says how much that was; the rest is the caller's to Write. It never waits.
func (c *Conn) TryWrite(frames []byte) (int, error) {
	if !c.able {
		return 0, nil
	}
	return c.now.write(frames)
}
