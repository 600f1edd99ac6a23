// Package patience bounds how long requests wait for a server that may be away: each question has a deadline, and after a failure nobody
// asks for a while, so that a Redis that hangs costs one request its time and not all of them.
//
// What becomes of a request that got no answer is its caller's business.
package patience

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Options of a Patience. Zero fields mean the defaults.
type Options struct {
	For   time.Duration // how long one question may take; default 50 ms
	Pause time.Duration // how long nobody asks after a failure; default 1 s
	Now   func() time.Time
	// OnFailure hears of failures, at most one for each Pause; may be nil.
	OnFailure func(ctx context.Context, err error)
}

// Patience is with one server. It is safe for concurrent use.
type Patience struct {
	o    Options
	away atomic.Int64 // until when nobody asks, in nanoseconds
}

// New makes a Patience.
func New(o Options) *Patience {
	if o.For <= 0 {
		o.For = 50 * time.Millisecond
	}
	if o.Pause <= 0 {
		o.Pause = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnFailure == nil {
		o.OnFailure = func(context.Context, error) {}
	}
	return &Patience{o: o}
}

// ErrAway says that nobody was asked, because of a failure a moment ago.
var ErrAway = errors.New("left alone after a failure")

// Ask calls the question, which must heed its context, unless the server is known to be away.
func (p *Patience) Ask(ctx context.Context, question func(ctx context.Context) error) error {
	away := p.away.Load()
	if p.o.Now().UnixNano() < away {
		return ErrAway
	}
	waiting, cancel := context.WithTimeout(ctx, p.o.For)
	defer cancel()
	err := question(waiting)
	if err != nil && ctx.Err() == nil && p.away.CompareAndSwap(away, p.o.Now().Add(p.o.Pause).UnixNano()) {
		p.o.OnFailure(ctx, err) // not when the client has left: that says nothing of the server
	}
	return err
}
