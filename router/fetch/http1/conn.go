package http1

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// maxInterim bounds the interim answers (status 1xx) before the answer itself.
const maxInterim = 8

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// conn is a connection and what happened to its last request.
type conn struct {
	net       net.Conn
	o         *Options
	since     time.Time // idle since then
	interrupt func()    // breaks off what is being read or written

	reused   bool // it carried a request before
	sent     bool // some of the request has been written
	answered bool // some of the answer has been read
	kept     bool // good for another request
}

func newConn(n net.Conn, o *Options) *conn {
	c := &conn{net: n, o: o}
	c.interrupt = func() { _ = n.SetDeadline(longAgo) } // fails only on one that is closed
	return c
}

// exchange sends a request and reads its answer, until the connection's deadline or the end of ctx.
func (c *conn) exchange(ctx context.Context, text []byte) (Answer, error) {
	c.sent, c.answered, c.kept = false, false, false
	stop := context.AfterFunc(ctx, c.interrupt)
	a, err := c.post(text)
	if !stop() {
		c.kept = false // its deadline is being changed, now or later
	}
	return a, err
}

// mayRepeat says whether a request that failed may be sent again on another connection: the server had closed this one, and either saw
// nothing of the request or may see it twice.
func (c *conn) mayRepeat(r *Request, err error) bool {
	ended := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	return c.reused && !ended && !c.answered && (r.Repeatable || !c.sent)
}

func (c *conn) post(text []byte) (Answer, error) {
	n, err := c.net.Write(text)
	c.sent = n > 0
	if err == nil {
		return c.read()
	}
	if c.sent {
		// A server may refuse what it has not read to the end, and say why before it hangs up.
		if a, readErr := c.read(); readErr == nil {
			c.kept = false
			return a, nil
		}
	}
	return Answer{}, fmt.Errorf("send: %w", err)
}

// read reads the answer, past interim ones.
func (c *conn) read() (Answer, error) {
	in := inbox{conn: c, buf: buffers.take(minBuffer)}
	h, err := c.readHead(&in)
	if err != nil {
		in.buf.free()
		return Answer{}, err
	}
	body, err := in.readBody(&h)
	if err != nil {
		in.buf.free()
		return Answer{}, fmt.Errorf("read the answer: %w", err)
	}
	c.kept = h.keep && in.r == in.w
	return Answer{Status: h.status, Header: h.header, Body: body, Release: in.buf.free}, nil
}

func (c *conn) readHead(in *inbox) (head, error) {
	for range maxInterim {
		raw, err := in.head()
		if err != nil {
			return head{}, fmt.Errorf("read the answer's head: %w", err)
		}
		h, err := parseHead(raw)
		if err != nil {
			return head{}, err
		}
		if h.status >= 200 {
			return h, nil
		}
		if h.status == http.StatusSwitchingProtocols {
			break
		}
	}
	return head{}, fmt.Errorf("%w: nothing but interim answers", ErrMalformed)
}
