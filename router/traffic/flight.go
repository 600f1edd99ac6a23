package traffic

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
)

// defaultFollowers bounds how many wait for the work of one other.
const defaultFollowers = 10_000

// errAlone is for those who find no flight that would take them: they do their work by themselves.
var errAlone = errors.New("not shared")

// errPanicked is what followers hear of a leader whose work panicked.
var errPanicked = errors.New("the request that this one waited for panicked")

// key is what work must have in common to be the same: the scope and both texts, byte by byte.
type key[S comparable] struct {
	scope      S
	head, body []byte
}

func (k *key[S]) equal(other *key[S]) bool {
	return k.scope == other.scope && bytes.Equal(k.head, other.head) && bytes.Equal(k.body, other.body)
}

// flights is the work that is under way. The first to ask for something does it, on its own goroutine; who asks for the same meanwhile
// waits for it.
//
//	leader:   ──▶ listed ── work ────────▶ unlisted, landed ──▶ value
//	follower:        └─▶ wait ─────────────────────┘ └────────▶ value
//
// The work lasts as long as anyone waits for it: a leader whose context ends takes the flight off the list and works on for those
// who follow, which is no longer than the time of the last of them. It ends with the last to give up, and for that one's reason. The state of a
// flight is guarded by its shard.
type flights[S comparable, V any] struct {
	hash   func(*key[S]) uint64
	max    int32         // followers of one flight
	epoch  atomic.Uint64 // counts mutations; a flight of an older one takes nobody aboard
	shards [16]shard[S, V]
}

type shard[S comparable, V any] struct {
	mu     sync.Mutex
	listed map[uint64]*flight[S, V]
}

// flight is one piece of work under way, and afterwards what it brought.
type flight[S comparable, V any] struct {
	key       key[S] // the leader's own bytes: to be looked at only while the flight is listed
	next      *flight[S, V]
	epoch     uint64
	left      bool // the leader's context has ended
	followers int32
	cancel    context.CancelCauseFunc
	done      chan struct{} // made by the first follower
	landed    bool
	value     V
	err       error
	users     atomic.Int32 // who got the value and still uses it
}

// release is called once by each of those who got the value, after the last use. It is true for the last of them.
func (f *flight[S, V]) release() bool { return f.users.Add(-1) == 0 }

func newFlights[S comparable, V any](followers int) *flights[S, V] {
	if followers <= 0 {
		followers = defaultFollowers
	}
	seed := maphash.MakeSeed()
	f := &flights[S, V]{max: int32(min(followers, math.MaxInt32-1)), hash: func(k *key[S]) uint64 {
		h := maphash.Comparable(seed, k.scope)
		h = h*31 ^ maphash.Bytes(seed, k.head)
		return h*31 ^ maphash.Bytes(seed, k.body)
	}}
	for i := range f.shards {
		f.shards[i].listed = map[uint64]*flight[S, V]{}
	}
	return f
}

// wrote says that something may have changed: what is under way is of before.
func (f *flights[S, V]) wrote() { f.epoch.Add(1) }

// do does work, or waits for equal work that is under way. Who gets a flight without an error releases it. The error is that of the
// work, that of ctx, or errAlone when equal work has as many followers as it may.
func (f *flights[S, V]) do(ctx context.Context, k key[S], work func(context.Context) (V, error)) (*flight[S, V], error) {
	h := f.hash(&k)
	s := &f.shards[h%uint64(len(f.shards))]
	epoch := f.epoch.Load()
	s.mu.Lock()
	for other := s.listed[h]; other != nil; other = other.next {
		if other.epoch != epoch || !other.key.equal(&k) {
			continue
		}
		if other.followers >= f.max {
			s.mu.Unlock()
			return nil, errAlone
		}
		other.followers++
		if other.done == nil {
			other.done = make(chan struct{})
		}
		s.mu.Unlock()
		return s.follow(ctx, other)
	}
	own := &flight[S, V]{key: k, next: s.listed[h], epoch: epoch}
	s.listed[h] = own
	working, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	own.cancel = cancel
	s.mu.Unlock()
	return s.lead(ctx, working, h, own, work)
}

// lead does the work. When the leader's own context ends it goes on for those who follow, and nobody more comes to them.
func (s *shard[S, V]) lead(ctx, working context.Context, h uint64, own *flight[S, V], work func(context.Context) (V, error)) (*flight[S, V], error) {
	defer own.cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unlist(h, own)
		if own.left = true; own.followers == 0 {
			own.cancel(reason(ctx))
		}
	})
	defer stop()
	var value V
	err := errPanicked // for those who follow; the leader's caller sees the panic itself
	defer func() { s.land(h, own, value, err) }()
	if value, err = work(working); err != nil {
		return nil, err
	}
	return own, nil
}

// land gives everyone aboard the value, the leader among them.
func (s *shard[S, V]) land(h uint64, own *flight[S, V], value V, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unlist(h, own)
	own.landed, own.value, own.err = true, value, err
	own.users.Store(own.followers + 1)
	if own.done != nil {
		close(own.done)
	}
}

// follow waits for a flight. The last to give it up ends the work, if the leader has left as well.
func (s *shard[S, V]) follow(ctx context.Context, other *flight[S, V]) (*flight[S, V], error) {
	select {
	case <-other.done:
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		if !other.landed {
			if other.followers--; other.left && other.followers == 0 {
				other.cancel(reason(ctx))
			}
			return nil, reason(ctx)
		}
	}
	if other.err != nil {
		return nil, other.err
	}
	return other, nil
}

// reason is why a context has ended: of one that shared work has for its own, that of whoever waited for it last.
func reason(ctx context.Context) error {
	if err := ctx.Err(); errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return context.Cause(ctx)
}

func (s *shard[S, V]) unlist(h uint64, own *flight[S, V]) {
	first := s.listed[h]
	if first == own {
		if own.next == nil {
			delete(s.listed, h)
		} else {
			s.listed[h] = own.next
		}
		return
	}
	for ; first != nil; first = first.next {
		if first.next == own {
			first.next = own.next
			return
		}
	}
}
