// Package feed carries what was committed to those who watch: a bounded queue for each watcher, and
// the figures that are folded from trades on the way (recent trades, candles, the last 24 hours).
//
//	publish(key, message) ──▶ ┌ watcher ▯▯▯▯
//	                          ├ watcher ▯▯        read in time: every message, in order
//	                          └ watcher ▮▮▮▮ ──▶  full: ErrLagged as the last message, closed
//
// Publishing never waits for a watcher. The package deliberately does not know what the messages
// mean, who may watch what, or where they come from.
package feed

import (
	"context"
	"errors"
	"sync"
)

// Errors in the last message of a watch.
var (
	// ErrLagged: the watcher did not read in time and has missed messages.
	ErrLagged = errors.New("feed: the watcher lagged behind")
	// ErrClosing: the feed was closed.
	ErrClosing = errors.New("feed: closing")
	// ErrFull: there are as many watchers as the feed takes.
	ErrFull = errors.New("feed: too many watchers")
)

// Hub fans messages out to watchers by key. It is safe for concurrent use.
type Hub[K comparable, M any] struct {
	farewell func(error) M
	limit    int

	mu       sync.Mutex
	watchers map[K]map[*watcher[M]]struct{}
	count    int
	closed   bool
}

type watcher[M any] struct {
	messages chan M // one place more than is ever used by Publish: for the farewell
	stop     func() bool
}

// NewHub returns a hub for at most limit watchers. farewell makes the last message of a watch that
// ends for a reason.
func NewHub[K comparable, M any](limit int, farewell func(error) M) *Hub[K, M] {
	return &Hub[K, M]{farewell: farewell, limit: limit, watchers: map[K]map[*watcher[M]]struct{}{}}
}

// Watch returns the messages of a key from now on, with first as the first of them. At most buffer
// messages wait unread. The channel is closed when ctx ends, after a farewell otherwise.
func (h *Hub[K, M]) Watch(ctx context.Context, key K, buffer int, first M) (<-chan M, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosing
	}
	if h.count >= h.limit {
		return nil, ErrFull
	}
	w := &watcher[M]{messages: make(chan M, max(buffer, 1)+1)}
	w.messages <- first
	if h.watchers[key] == nil {
		h.watchers[key] = map[*watcher[M]]struct{}{}
	}
	h.watchers[key][w] = struct{}{}
	h.count++
	w.stop = context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, present := h.watchers[key][w]; present {
			h.remove(key, w)
			close(w.messages)
		}
	})
	return w.messages, nil
}

// Publish hands a message to every watcher of the key. All of them see the same message and must
// not change it.
func (h *Hub[K, M]) Publish(key K, message M) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers[key] {
		if len(w.messages) < cap(w.messages)-1 {
			w.messages <- message
			continue
		}
		h.end(key, w, ErrLagged)
	}
}

// Watched reports whether anybody watches the key.
func (h *Hub[K, M]) Watched(key K) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watchers[key]) > 0
}

// Keys appends the keys that are watched, in no order.
func (h *Hub[K, M]) Keys(dst []K) []K {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key := range h.watchers {
		dst = append(dst, key)
	}
	return dst
}

// Watchers is how many there are.
func (h *Hub[K, M]) Watchers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// Close ends every watch with ErrClosing.
func (h *Hub[K, M]) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for key, watchers := range h.watchers {
		for w := range watchers {
			h.end(key, w, ErrClosing)
		}
	}
}

// end says farewell. Only publishers send, under the lock, so the last place is free.
func (h *Hub[K, M]) end(key K, w *watcher[M], why error) {
	h.remove(key, w)
	w.stop()
	w.messages <- h.farewell(why)
	close(w.messages)
}

func (h *Hub[K, M]) remove(key K, w *watcher[M]) {
	delete(h.watchers[key], w)
	if len(h.watchers[key]) == 0 {
		delete(h.watchers, key)
	}
	h.count--
}
