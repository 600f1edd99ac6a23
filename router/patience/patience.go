// Package patience bounds how long requests wait for a server that may be away: each question has a deadline, and after a failure nobody
// asks for a while. Then one asks on trial, so that a Redis that hangs costs one request its time and not all of them.
//
//	          failure                      pause over
//	near ───────────────▶ left alone ───────────────────▶ one on trial
//	 ▲                        ▲  failure                     │   │
//	 │                        └──────────────────────────────┘   │
//	 └───────────────────────────────────────────────────────────┘ answer
//
// What becomes of a request that got no answer is its caller's business.
package patience

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// remindEvery is how often a failure that goes on is told of again.
const remindEvery = time.Minute

// Options of a Patience. Zero fields mean the defaults.
type Options struct {
	For   time.Duration // how long one question may take; default 50 ms
	Pause time.Duration // how long nobody asks after a failure; default 1 s
	Now   func() time.Time
	// OnFailure hears of the first failure of a row, and once a minute while they go on; may be nil.
	OnFailure func(ctx context.Context, err error)
	// OnReturn hears of the first answer after failures, and how long there was none; may be nil.
	OnReturn func(ctx context.Context, away time.Duration)
}

// Patience is with one server. It is safe for concurrent use.
type Patience struct {
	o    Options
	away atomic.Int64 // until when nobody asks, in nanoseconds; 0 where the last answer was one

	mu          sync.Mutex
	since, told time.Time // when the row of failures began, and was last told of
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
	if o.OnReturn == nil {
		o.OnReturn = func(context.Context, time.Duration) {}
	}
	return &Patience{o: o}
}

// ErrAway says that nobody was asked, because of a failure a moment ago.
var ErrAway = errors.New("left alone after a failure")

// Ask calls the question, which must heed its context, unless the server is known to be away.
func (p *Patience) Ask(ctx context.Context, question func(ctx context.Context) error) error {
	away := p.away.Load()
	trial := away != 0
	if trial {
		now := p.o.Now()
		turn := now.Add(p.o.For).UnixNano() // for the others: until this one must have an answer
		if now.UnixNano() < away || !p.away.CompareAndSwap(away, turn) {
			return ErrAway
		}
		away = turn
	}
	waiting, cancel := context.WithTimeout(ctx, p.o.For)
	defer cancel()
	err := question(waiting)
	switch {
	case err == nil && trial && p.away.CompareAndSwap(away, 0):
		p.returned(ctx)
	case err != nil && ctx.Err() == nil && p.away.CompareAndSwap(away, p.o.Now().Add(p.o.Pause).UnixNano()):
		p.failed(ctx, err) // not when the client has left: that says nothing of the server
	}
	return err
}

func (p *Patience) failed(ctx context.Context, err error) {
	now := p.o.Now()
	p.mu.Lock()
	if p.since.IsZero() {
		p.since = now
	}
	tell := p.told.IsZero() || now.Sub(p.told) >= remindEvery
	if tell {
		p.told = now
	}
	p.mu.Unlock()
	if tell {
		p.o.OnFailure(ctx, err)
	}
}

func (p *Patience) returned(ctx context.Context) {
	p.mu.Lock()
	away := p.o.Now().Sub(p.since)
	p.since, p.told = time.Time{}, time.Time{}
	p.mu.Unlock()
	p.o.OnReturn(ctx, away)
}
