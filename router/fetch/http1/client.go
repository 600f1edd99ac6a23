package http1

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Errors of answers that are not taken.
var (
	ErrBodyTooLarge = errors.New("the answer is larger than allowed")
	ErrHeadTooLarge = errors.New("the answer's head is larger than allowed")
	ErrMalformed    = errors.New("not an HTTP/1.1 answer")
)

// Options of a Client; the zero value is usable.
type Options struct {
	Dial        func(ctx context.Context, network, address string) (net.Conn, error) // nil: a net.Dialer with a timeout of 10 s
	MaxIdle     int                                                                  // connections kept for each address, 0: 512
	IdleTimeout time.Duration                                                        // how long they are kept, 0: 90 s
	MaxHead     int                                                                  // bytes of an answer's head, 0: 64 KiB
	MaxBody     int64                                                                // bytes of an answer's body, 0: 64 MiB
}

// Client keeps connections. It is safe for concurrent use.
type Client struct {
	o      Options
	mu     sync.Mutex
	pools  map[string]*pool // by address
	reaper *time.Timer      // runs while connections are kept
	closed bool
}

// New makes a client; Close it when done.
func New(o Options) *Client {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	if o.MaxIdle <= 0 {
		o.MaxIdle = 512
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 90 * time.Second
	}
	if o.MaxHead <= 0 {
		o.MaxHead = 64 << 10
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 64 << 20
	}
	return &Client{o: o, pools: map[string]*pool{}}
}

// Target is a URL to post to, with what every request to it begins with. It is safe for concurrent use.
type Target struct {
	pool *pool
	head []byte // request line and the headers that never change
}

// NewTarget prepares a URL for posts that carry the fixed headers. It reports false for URLs that need more than this package does.
func (c *Client) NewTarget(u *url.URL, fixed http.Header) (*Target, bool) {
	host := u.Host
	if u.Scheme != "http" || u.User != nil || u.Hostname() == "" || strings.Contains(host, "%") || !httpguts.ValidHostHeader(host) || strings.ContainsFunc(host, notASCII) {
		return nil, false
	}
	address := host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "80")
	}
	t := &Target{pool: c.poolOf(address)}
	t.head = append(t.head, "POST "...)
	t.head = append(t.head, u.RequestURI()...)
	t.head = append(t.head, " HTTP/1.1\r\nHost: "...)
	t.head = append(append(t.head, strings.TrimSuffix(host, ":")...), "\r\n"...)
	var err error
	t.head, err = appendHeader(t.head, fixed, nil)
	return t, err == nil
}

func notASCII(c rune) bool { return c <= ' ' || c >= 0x7f }

// Request is one post.
type Request struct {
	Header     http.Header            // beside the target's own; not modified
	Skip       func(name string) bool // names of Header that are not sent; nil: all are
	Body       []byte                 // not modified, not kept
	Repeatable bool                   // whether it may be sent a second time when a kept connection breaks under it
	Deadline   time.Time              // of everything; zero: that of the context alone
}

// Answer is what came back.
type Answer struct {
	Status  int
	Header  http.Header
	Body    []byte
	Release func() // hands Body back; to be called once at most
}

// Post sends a request and reads the whole answer. An error that is due to time or to the end of ctx wraps the context's errors.
func (t *Target) Post(ctx context.Context, r *Request) (Answer, error) {
	if at, ok := ctx.Deadline(); ok && (r.Deadline.IsZero() || at.Before(r.Deadline)) {
		r.Deadline = at
	}
	out := buffers.take(len(t.head) + len(r.Body) + roomForHeader)
	defer out.free()
	text, err := t.write(out.b[:0], r)
	if err != nil {
		return Answer{}, err
	}
	c := t.pool.take(r)
	for {
		if c == nil {
			if c, err = t.pool.dial(ctx, r); err != nil {
				return Answer{}, inTermsOf(ctx, err)
			}
		}
		a, err := c.exchange(ctx, text)
		switch {
		case err == nil && c.kept:
			t.pool.put(c)
			return a, nil
		case err == nil:
			_ = c.net.Close() // everything that matters has been read
			return a, nil
		}
		_ = c.net.Close() // the first error counts
		if err = inTermsOf(ctx, err); !c.mayRepeat(r, err) {
			return Answer{}, err
		}
		t.pool.drop() // those below it have been idle for longer
		c = nil
	}
}

// roomForHeader is how many bytes a request's own header lines take, as a rule.
const roomForHeader = 512

// write writes a whole request.
func (t *Target) write(b []byte, r *Request) ([]byte, error) {
	b, err := appendHeader(append(b, t.head...), r.Header, r.Skip)
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(r.Body)), 10)
	return append(append(b, "\r\n\r\n"...), r.Body...), err
}

// appendHeader writes header lines; those that would not arrive as one line each are refused.
func appendHeader(b []byte, header http.Header, skip func(string) bool) ([]byte, error) {
	for name, values := range header {
		if skip != nil && skip(name) {
			continue
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return b, fmt.Errorf("%q cannot be the name of a header", name)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return b, fmt.Errorf("the value of header %s cannot be sent", name) // it may be a secret
			}
			b = append(append(append(append(b, name...), ": "...), v...), "\r\n"...)
		}
	}
	return b, nil
}

// inTermsOf says in the context's terms what came of its end or of a deadline.
func inTermsOf(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return err
}

// Close closes the connections that are idle, and those in use when they come back.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.reaper != nil {
		c.reaper.Stop()
	}
	for _, p := range c.pools {
		p.close()
	}
}
