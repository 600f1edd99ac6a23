package http1

import (
	"context"
	"sync"
	"time"
)

// pool keeps the connections to one address, the one used last on top: the others grow old and go.
type pool struct {
	c       *Client
	address string
	mu      sync.Mutex
	idle    []*conn
	closed  bool
}

func (c *Client) poolOf(address string) *pool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pools[address]
	if p == nil {
		p = &pool{c: c, address: address, closed: c.closed}
		c.pools[address] = p
	}
	return p
}

// take returns a kept connection that is good for a request, or nil.
func (p *pool) take(r *Request) *conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle[n-1], p.idle = nil, p.idle[:n-1]
		p.mu.Unlock()
		c.reused = true
		if time.Since(c.since) < p.c.o.IdleTimeout && c.net.SetDeadline(r.Deadline) == nil && still(c, r) {
			return c
		}
		_ = c.net.Close() // it is given up
	}
}

// still says that nothing has come since the last answer: it would be taken for the answer to this request, which may be somebody else's.
func still(c *conn, r *Request) bool {
	open, told := quiet(c.net)
	return open || !told && r.Repeatable // which is sent once more where the connection is not open
}

func (p *pool) put(c *conn) {
	c.since = time.Now()
	p.mu.Lock()
	keep := !p.closed && len(p.idle) < p.c.o.MaxIdle
	first := keep && len(p.idle) == 0
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		_ = c.net.Close() // nothing is lost
	}
	if first {
		p.c.reapLater()
	}
}

func (p *pool) dial(ctx context.Context, r *Request) (*conn, error) {
	if !r.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, r.Deadline)
		defer cancel()
	}
	n, err := p.c.o.Dial(ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	if err := n.SetDeadline(r.Deadline); err != nil {
		_ = n.Close() // the first error counts
		return nil, err
	}
	return newConn(n, &p.c.o), nil
}

// drop closes all idle connections.
func (p *pool) drop() { p.closeThose(func(*conn) bool { return true }) }

// closeThose closes the idle connections of which a condition holds and reports how many are left.
func (p *pool) closeThose(condition func(*conn) bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.idle[:0]
	for _, c := range p.idle {
		if condition(c) {
			_ = c.net.Close() // nothing is lost
			continue
		}
		kept = append(kept, c)
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	return len(kept)
}

func (p *pool) close() {
	p.drop()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.drop() // what came back in between
}

// reapLater lets the reaper look once the connections that are idle now have aged. It runs only while there are any.
func (c *Client) reapLater() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
	case c.reaper == nil:
		c.reaper = time.AfterFunc(c.o.IdleTimeout, c.reap)
	default:
		c.reaper.Reset(c.o.IdleTimeout)
	}
}

// reap closes what has been idle for too long.
func (c *Client) reap() {
	c.mu.Lock()
	pools := make([]*pool, 0, len(c.pools))
	for _, p := range c.pools {
		pools = append(pools, p)
	}
	c.mu.Unlock()
	left, now := 0, time.Now()
	for _, p := range pools {
		left += p.closeThose(func(k *conn) bool { return now.Sub(k.since) >= c.o.IdleTimeout })
	}
	if left > 0 {
		c.reapLater()
	}
}
