package rate

import (
	"context"
	"fmt"
	"time"

	"bourse/router/patience"
)

// Options of a Limiter.
type Options struct {
	Rules []Rule
	Store Store

	FailClosed bool               // refuse what the store cannot judge; else it passes
	Patience   *patience.Patience // with the store; nil: the default
}

// Limiter asks the rules. It is safe for concurrent use.
type Limiter struct {
	o           Options
	early, late []*Rule
	costs       bool
}

// New makes a Limiter.
func New(o Options) (*Limiter, error) {
	if o.Patience == nil {
		o.Patience = patience.New(patience.Options{})
	}
	l := &Limiter{o: o}
	names := map[string]bool{}
	for i := range o.Rules {
		r := &o.Rules[i]
		if err := r.Check(); err != nil {
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
	var verdicts []Verdict
	err := l.o.Patience.Ask(ctx, func(ctx context.Context) (err error) {
		verdicts, err = l.o.Store.Take(ctx, asks)
		return err
	})
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
