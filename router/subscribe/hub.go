package subscribe

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Hub has one upstream subscription for all who ask for the same, as their keys say. K must hold everything on which the events or
// the right to see them depend. E is an event as receivers get it, shared by all of them; R is who receives.
type Hub[K comparable, E any, R Receiver[E]] struct {
	linger time.Duration

	mu      sync.Mutex              // also guards the topics
	topics  map[K]*topic[K, E, R]   // that may be joined
	all     map[*topic[K, E, R]]any // that have not ended
	closed  bool
	running sync.WaitGroup
}

// NewHub makes a hub. An upstream subscription that nobody receives any more is kept for linger, for those who come back; 0: not at all.
func NewHub[K comparable, E any, R Receiver[E]](linger time.Duration) *Hub[K, E, R] {
	return &Hub[K, E, R]{linger: linger, topics: map[K]*topic[K, E, R]{}, all: map[*topic[K, E, R]]any{}}
}

// Topic says how to follow what a key stands for.
type Topic[E any] struct {
	// Open begins the upstream subscription. Called once, on a goroutine of the hub.
	Open func(ctx context.Context) (*Subscription, error)
	// Complete makes the event that receivers get; missed tells how many responses were dropped before this one. Called for one response
	// after another.
	Complete func(ctx context.Context, raw []byte, missed int) E
	// Ended turns what ended the subscription into what receivers are told; nil: as it is. Called once.
	Ended func(ctx context.Context, err error) error
	// StateFirst says that the first event of a stream is the state to which the others are changes. Whoever comes after it
	// needs a stream of its own; only those who come before it share one.
	StateFirst bool
}

// Receiver gets the events of a topic: each from where it joined, in order, one call at a time, until it leaves; one call may still be
// on its way then. It never blocks.
type Receiver[E any] interface {
	Event(e E)
	// End is the last call: io.EOF when the subgraph has completed the subscription, else what ended it.
	End(err error)
}

// ErrClosed ends the subscriptions of a hub that is closed.
var ErrClosed = errors.New("the hub is closed")

// PanicError ends a subscription whose events cannot be completed because of a fault of the program.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Join adds a receiver to the topic of a key, which begins with its first receiver. The values of that one's ctx are those of the upstream
// subscription; the end of ctx ends nothing. leave may be called again and does not block.
func (h *Hub[K, E, R]) Join(ctx context.Context, key K, of Topic[E], r R) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	t := h.topics[key]
	if t == nil {
		t = &topic[K, E, R]{Topic: of, h: h, key: key}
		ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
		h.topics[key], h.all[t] = t, nil
		h.running.Go(func() { t.run(ctx) })
	}
	m := &member[K, E, R]{t: t, r: r, at: len(t.members)}
	t.members = append(t.members, m)
	if t.idle != nil {
		t.idle.Stop()
		t.idle = nil
	}
	return m.leave, nil
}

// Len is the number of upstream subscriptions.
func (h *Hub[K, E, R]) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// Close ends what runs, takes nobody any more and waits for the hub's goroutines.
func (h *Hub[K, E, R]) Close() {
	h.mu.Lock()
	h.closed = true
	for t := range h.all {
		t.stop()
	}
	h.mu.Unlock()
	h.running.Wait()
}

// topic is one upstream subscription and who receives it. What changes is guarded by the hub's mutex.
type topic[K comparable, E any, R Receiver[E]] struct {
	Topic[E]
	h      *Hub[K, E, R]
	key    K
	cancel context.CancelFunc
	idle   *time.Timer // runs while the topic has no members and lingers

	members []*member[K, E, R]
	lent    bool // members is being walked over without the mutex: what is in it must stay as it is
}

// member is a receiver's place in a topic.
type member[K comparable, E any, R Receiver[E]] struct {
	t  *topic[K, E, R]
	r  R
	at int // index into t.members; -1: no longer in it
}

func (m *member[K, E, R]) leave() {
	t := m.t
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	if m.at < 0 {
		return
	}
	if t.lent {
		t.members, t.lent = append(make([]*member[K, E, R], 0, len(t.members)), t.members...), false
	}
	last := len(t.members) - 1
	t.members[m.at] = t.members[last]
	t.members[m.at].at = m.at
	t.members[last] = nil
	t.members, m.at = t.members[:last], -1
	if last > 0 {
		return
	}
	if t.h.linger <= 0 || t.h.closed || t.h.topics[t.key] != t {
		t.stop()
		return
	}
	t.idle = time.AfterFunc(t.h.linger, func() {
		t.h.mu.Lock()
		defer t.h.mu.Unlock()
		if len(t.members) == 0 {
			t.stop()
		}
	})
}

// stop ends the topic for good; the hub's mutex is held.
func (t *topic[K, E, R]) stop() {
	if t.idle != nil {
		t.idle.Stop()
	}
	t.seal()
	delete(t.h.all, t)
	t.cancel()
}

// seal lets nobody join any more; the hub's mutex is held.
func (t *topic[K, E, R]) seal() {
	if t.h.topics[t.key] == t {
		delete(t.h.topics, t.key)
	}
}

// run follows the upstream subscription to its end.
func (t *topic[K, E, R]) run(ctx context.Context) {
	err := t.follow(ctx)
	t.h.mu.Lock()
	t.stop()
	members := t.members
	t.members = nil
	for _, m := range members {
		m.at = -1
	}
	if t.h.closed && ctx.Err() != nil {
		err = ErrClosed
	}
	t.h.mu.Unlock()
	if t.Ended != nil && len(members) > 0 {
		err = t.Ended(ctx, err)
	}
	for _, m := range members {
		m.r.End(err)
	}
}

func (t *topic[K, E, R]) follow(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, debug.Stack()}
		}
	}()
	upstream, err := t.Open(ctx)
	if err != nil {
		return err
	}
	defer upstream.Close()
	for {
		raw, missed, err := upstream.Next(ctx)
		if err != nil {
			return err
		}
		t.deliver(t.Complete(ctx, raw, missed))
	}
}
