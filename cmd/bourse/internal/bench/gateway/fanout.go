package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"bourse/cmd/bourse/internal/bench/core"
	"bourse/cmd/bourse/internal/pause"
)

// The subscriptions: what the event itself has, and with fields of two other subgraphs.
const (
	plainSubscription  = `subscription { reviewed { id body } }`
	entitySubscription = `subscription { reviewed { id body author { id name } product { upc name price } } }`
)

// Stream is one stream to many subscribers.
type Stream struct {
	Subscribers int
	Entity      bool // the events have fields of two other subgraphs
	Floor       bool // measured is the floor, which takes no fields to events
}

// Fanout is what a stream cost.
type Fanout struct {
	CPU       time.Duration // of the router, for one delivery; 0 where the system does not tell
	Memory    int64         // of the router, for one connection, in bytes; likewise
	P50, P99  time.Duration // from the event's writing by the subgraph until it was read
	Delivered int64         // thousandths of what should have been
	Upstreams int64         // subscriptions at the subgraph
}

// patience is how long what was written while measuring may take to arrive and still count.
const patience = 2 * time.Second

// MeasureFanout subscribes many clients to one stream and measures for a while.
func MeasureFanout(ctx context.Context, o Options, of Stream) (Fanout, error) {
	var f Fanout
	b, err := newBench(ctx, o)
	if err != nil {
		return f, err
	}
	defer b.close()
	p, err := b.start(ctx, part{Share: true, Floor: of.Floor})
	if err != nil {
		return f, err
	}
	defer p.stop()
	operation := plainSubscription
	if of.Entity {
		operation = entitySubscription
	}
	pid := p.cmd.Process.Pid
	before, err := core.Resident(pid)
	if err != nil {
		return f, err
	}
	o.Progress(fmt.Sprintf("%d subscribers", of.Subscribers))
	crowd, err := gather(ctx, p.url, operation, of.Subscribers)
	defer crowd.leave()
	if err != nil {
		return f, err
	}
	if err := pause.For(ctx, 3*b.o.Every); err != nil {
		return f, err
	}
	f.Upstreams = b.subgraphs.events.streams.Load()
	o.Progress("measuring")
	from := time.Now()
	spentBefore, _, err := core.Spent(pid)
	if err != nil {
		return f, err
	}
	if err := pause.For(ctx, o.Round); err != nil {
		return f, err
	}
	to := time.Now()
	spentAfter, _, err := core.Spent(pid)
	if err != nil {
		return f, err
	}
	after, err := core.Resident(pid)
	if err != nil {
		return f, err
	}
	if err := pause.For(ctx, max(2*b.o.Every, patience)); err != nil { // for what is late
		return f, err
	}
	took, err := crowd.leave().between(from, to)
	if err != nil {
		return f, err
	}
	if len(took) == 0 {
		return f, errors.New("no event was delivered")
	}
	n := int64(len(took))
	f.CPU, f.Memory = (spentAfter-spentBefore)/time.Duration(n), (after-before)/int64(of.Subscribers)
	f.P50, f.P99 = took[n/2], took[(n-1)*99/100]
	f.Delivered = n * 1000 * f.Upstreams / (int64(b.subgraphs.events.between(from, to)) * int64(of.Subscribers))
	return f, nil
}

// crowd are many subscribers.
type crowd struct {
	mu      sync.Mutex
	all     []*subscriber
	broken  []error
	leaving bool
	running sync.WaitGroup
}

// gather lets subscribers come, 64 at a time. The crowd is to be left even when not all came.
func gather(ctx context.Context, address, operation string, n int) (*crowd, error) {
	c := &crowd{}
	u, err := url.Parse(address)
	if err != nil {
		return c, err
	}
	places := make(chan struct{}, n)
	for range n {
		places <- struct{}{}
	}
	close(places)
	errs := make([]error, 64)
	var coming sync.WaitGroup
	for i := range errs {
		coming.Go(func() {
			for range places {
				s, err := subscribe(u.Host, operation)
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					errs[i] = err
					return
				}
				c.mu.Lock()
				c.all = append(c.all, s)
				c.mu.Unlock()
				c.running.Go(func() { c.follow(s) })
			}
		})
	}
	coming.Wait()
	return c, errors.Join(errs...)
}

func (c *crowd) follow(s *subscriber) {
	err := s.listen()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.leaving && !errors.Is(err, net.ErrClosed) {
		c.broken = append(c.broken, err)
	}
}

// leave closes all connections and waits for their readers.
func (c *crowd) leave() *crowd {
	c.mu.Lock()
	c.leaving = true
	for _, s := range c.all {
		_ = s.conn.Close() // the figures are taken
	}
	c.mu.Unlock()
	c.running.Wait()
	return c
}

// between is how long the events took that were written in a time, sorted. Connections that broke are an error.
func (c *crowd) between(from, to time.Time) ([]time.Duration, error) {
	if len(c.broken) > 0 {
		return nil, fmt.Errorf("%d connections broke: %w", len(c.broken), c.broken[0])
	}
	var took []time.Duration
	for _, s := range c.all {
		for _, d := range s.got {
			if d.written >= from.UnixNano() && d.written < to.UnixNano() {
				took = append(took, time.Duration(d.took))
			}
		}
	}
	slices.Sort(took)
	return took, nil
}
