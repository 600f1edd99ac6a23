package rate

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Options of a Limiter.
type Options struct {
	Rules []Rule
	Store Store

	// FailClosed refuses what the store cannot judge; else it passes.
	FailClosed bool
	// Patience is how long a request waits for the store; default 50 ms. After a failure the store is left alone for Pause, default 1 s,
	// in which requests do not wait at all.
	Patience, Pause time.Duration
	Now             func() time.Time
	// OnFailure hears that the store failed, at most once for each Pause; may be nil.
	OnFailure func(ctx context.Context, err error)
}

// Limiter asks the rules. It is safe for concurrent use.
type Limiter struct {
	o           Options
	early, late []*Rule
	costs       bool
	away        atomic.Int64 // until when the store is left alone, in nanoseconds
}

// New makes a Limiter.
func New(o Options) (*Limiter, error) {
	if o.Patience <= 0 {
		o.Patience = 50 * time.Millisecond
	}
	if o.Pause <= 0 {
		o.Pause = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Limiter{o: o}
	names := map[string]bool{}
	for i := range o.Rules {
		r := &o.Rules[i]
		if err := r.check(); err != nil {
			return nil, err
		}
		if names[r.Name] {
			return nil, fmt.Errorf("two rate limits are named %s", r.Name)
		}
		names[r.Name] = true
		if r.early() {
			l.early = append(l.early, r)
		} else {
			l.late = append(l.late, r)
		}
		l.costs = l.costs || r.Cost
	}
	return l, nil
}

// Counts says whether a rule counts what operations cost.
func (l *Limiter) Counts() bool { return l.costs }

// Stage says which rules are asked.
type Stage int

// Stages of a request: rules that need not know the operation can be asked Before it is read and the others After; at once where it is
// known already.
const (
	Whole Stage = iota
	Before
	After
)

// Decision is what the rules say together.
type Decision struct {
	Rule       string // that refused
	RetryAfter time.Duration
	Limit      int // and what remains of it: of the rule that has least left. 0: no rule applied
	Remaining  int
	Failed     bool // refused because the store is away
}

// Refused says whether the request must not go on.
func (d *Decision) Refused() bool { return d.Rule != "" || d.Failed }

// Take asks the rules of a stage about a request.
func (l *Limiter) Take(ctx context.Context, req *Request, stage Stage) Decision {
	rules, asks := l.asks(req, stage)
	if len(asks) == 0 {
		return Decision{}
	}
	verdicts, err := l.ask(ctx, asks)
	if err != nil {
		return Decision{Failed: l.o.FailClosed}
	}
	d := Decision{Remaining: -1}
	for i, v := range verdicts {
		if !v.Allowed && (d.Rule == "" || v.RetryAfter > d.RetryAfter) {
			d.Rule, d.RetryAfter = rules[i].Name, v.RetryAfter
		}
		if d.Remaining < 0 || v.Remaining < d.Remaining {
			d.Limit, d.Remaining = rules[i].burst(), v.Remaining
		}
	}
	return d
}

func (l *Limiter) asks(req *Request, stage Stage) ([]*Rule, []Ask) {
	var rules []*Rule
	var asks []Ask
	take := func(all []*Rule) {
		for _, r := range all {
			if r.applies(req) {
				rules, asks = append(rules, r), append(asks, r.ask(req))
			}
		}
	}
	if stage != After {
		take(l.early)
	}
	if stage != Before {
		take(l.late)
	}
	return rules, asks
}

var errAway = errors.New("the store of rate limits is left alone after a failure")

// ask waits no longer than patience allows, and not at all while the store is known to be away.
func (l *Limiter) ask(ctx context.Context, asks []Ask) ([]Verdict, error) {
	away := l.away.Load()
	if now := l.o.Now().UnixNano(); now < away {
		return nil, errAway
	}
	waiting, cancel := context.WithTimeout(ctx, l.o.Patience)
	defer cancel()
	verdicts, err := l.o.Store.Take(waiting, asks)
	if err != nil && ctx.Err() == nil { // not the client, who has left
		until := l.o.Now().Add(l.o.Pause).UnixNano()
		if l.away.CompareAndSwap(away, until) && l.o.OnFailure != nil {
			l.o.OnFailure(ctx, err)
		}
	}
	return verdicts, err
}
