package traffic

import (
	"sync"
	"time"
)

// BreakerOptions say when a subgraph is left alone for a while. The zero value never does.
type BreakerOptions struct {
	FailureRatio float64       // of the requests in the window that opens the breaker, 0 to 1; 0: off
	Window       time.Duration // that is looked at; default 10 s
	MinRequests  int           // in the window before the ratio counts; default 20
	SlowCall     time.Duration // requests that take longer count as failed; 0: time alone is no failure
	Cooldown     time.Duration // how long it stays open; default 5 s
	Trials       int           // that must succeed before it closes again, and that are let through at once; default 3
}

func (o BreakerOptions) withDefaults() BreakerOptions {
	orDefault(&o.Window, 10*time.Second)
	orDefault(&o.MinRequests, 20)
	orDefault(&o.Cooldown, 5*time.Second)
	orDefault(&o.Trials, 3)
	return o
}

func orDefault[T int | time.Duration](v *T, standard T) {
	if *v <= 0 {
		*v = standard
	}
}

// State of a breaker.
type State int

// The states. A closed breaker lets everything through, an open one nothing, a half-open one a few trials.
const (
	Closed State = iota
	Open
	HalfOpen
)

func (s State) String() string { return [...]string{"closed", "open", "half-open"}[s] }

// outcome of a request, as far as a breaker cares.
type outcome int

const (
	succeeded outcome = iota
	failed
	nothing // it says nothing of the subgraph: the client left, or nothing was asked
)

// breaker is the state machine; it is told the time.
//
//	closed ──failures──▶ open ──cooldown──▶ half-open ──trials succeed──▶ closed
//	                       ▲─────────a trial fails──────┘
//
// One that nobody has asked anything of since the cooldown, for as long as the window, is closed: what it was opened for is no longer looked
// back on, and after a quiet night many may come at once.
type breaker struct {
	o BreakerOptions

	mu      sync.Mutex
	change  func(from, to State) // called outside of the lock
	state   State
	term    int // counts states; an outcome of an earlier one says nothing
	opened  time.Time
	trials  int // under way
	passed  int // trials that succeeded
	buckets [windowBuckets]bucket
}

// windowBuckets is how finely the window slides.
const windowBuckets = 10

type bucket struct {
	slice            int64 // which slice of time it counts
	requests, failed int
}

func newBreaker(o BreakerOptions, change func(from, to State)) *breaker {
	return &breaker{o: o.withDefaults(), change: change}
}

// allow says whether a request may be made, and in which term: the caller hands that to report afterwards.
func (b *breaker) allow(now time.Time) (term int, ok bool) {
	b.mu.Lock()
	before := b.state
	defer func() { b.unlock(before) }()
	switch since := now.Sub(b.opened); {
	case b.state != Closed && b.trials == 0 && since >= b.o.Cooldown+b.o.Window:
		b.enter(Closed)
	case b.state == Open && since >= b.o.Cooldown:
		b.enter(HalfOpen)
	}
	switch b.state {
	case Open:
		return 0, false
	case HalfOpen:
		if b.trials+b.passed >= b.o.Trials {
			return 0, false
		}
		b.trials++
	case Closed:
	}
	return b.term, true
}

// report tells what became of a request that was allowed.
func (b *breaker) report(term int, now time.Time, what outcome, took time.Duration) {
	if what == succeeded && b.o.SlowCall > 0 && took > b.o.SlowCall {
		what = failed
	}
	b.mu.Lock()
	before := b.state
	defer func() { b.unlock(before) }()
	if term != b.term {
		return
	}
	if b.state == HalfOpen {
		b.trials--
		switch what {
		case failed:
			b.open(now)
		case succeeded:
			if b.passed++; b.passed >= b.o.Trials {
				b.enter(Closed)
			}
		case nothing:
		}
		return
	}
	if what == nothing {
		return
	}
	b.count(now, what)
	if what != failed {
		return // a subgraph that is well again is not left alone because its good answers of before have left the window
	}
	if requests, bad := b.sum(now); requests >= b.o.MinRequests && float64(bad) >= b.o.FailureRatio*float64(requests) {
		b.open(now)
	}
}

func (b *breaker) open(now time.Time) {
	b.enter(Open)
	b.opened = now
}

func (b *breaker) enter(s State) {
	b.state, b.trials, b.passed = s, 0, 0
	b.term++
	b.buckets = [windowBuckets]bucket{}
}

func (b *breaker) slice(now time.Time) int64 {
	return now.UnixNano() / max(1, int64(b.o.Window)/windowBuckets)
}

func (b *breaker) count(now time.Time, what outcome) {
	slice := b.slice(now)
	at := &b.buckets[slice%windowBuckets]
	if at.slice != slice {
		*at = bucket{slice: slice}
	}
	at.requests++
	if what == failed {
		at.failed++
	}
}

func (b *breaker) sum(now time.Time) (requests, bad int) {
	slice := b.slice(now)
	for _, at := range b.buckets {
		if at.slice > slice-windowBuckets {
			requests += at.requests
			bad += at.failed
		}
	}
	return requests, bad
}

func (b *breaker) unlock(before State) {
	after, change := b.state, b.change
	b.mu.Unlock()
	if before != after && change != nil {
		change(before, after)
	}
}

// tell has another hear of changes from now on.
func (b *breaker) tell(change func(from, to State)) {
	b.mu.Lock()
	b.change = change
	b.mu.Unlock()
}

func (b *breaker) now() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}
