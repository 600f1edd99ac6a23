package router

import (
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"bourse/router/telemetry"
)

// cache keeps what was used last, bounded in entries and in bytes. It is safe for concurrent use.
type cache[K comparable, V any] struct {
	mu       sync.Mutex
	kept     *simplelru.LRU[K, weighed[V]]
	bytes    int
	evicted  int64
	maxBytes int
}

type weighed[V any] struct {
	value V
	bytes int
}

// newCache makes an empty cache; both bounds are above 0.
func newCache[K comparable, V any](entries, maxBytes int) *cache[K, V] {
	c := &cache[K, V]{maxBytes: maxBytes}
	kept, err := simplelru.NewLRU(entries, func(_ K, gone weighed[V]) { c.bytes -= gone.bytes })
	if err != nil {
		panic("router: a cache needs room for an entry: " + err.Error())
	}
	c.kept = kept
	return c
}

func (c *cache[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.kept.Get(key)
	return found.value, ok
}

// newest lists the keys, what was used last first.
func (c *cache[K, V]) newest() []K {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := c.kept.Keys()
	slices.Reverse(keys)
	return keys
}

// peek is get without counting as a use.
func (c *cache[K, V]) peek(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.kept.Peek(key)
	return found.value, ok
}

// settle keeps a value as add does, unless there is one already: the one that there is then.
func (c *cache[K, V]) settle(key K, value V, bytes int) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.kept.Get(key); ok {
		return found.value
	}
	c.put(key, value, bytes)
	return value
}

// add keeps a value of about that many bytes. One that alone would push out much of the rest is not kept.
func (c *cache[K, V]) add(key K, value V, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(key, value, bytes)
}

// put is add with the lock held.
func (c *cache[K, V]) put(key K, value V, bytes int) {
	if bytes > c.maxBytes/4 {
		return
	}
	c.kept.Remove(key)
	if c.kept.Add(key, weighed[V]{value, bytes}) {
		c.evicted++
	}
	c.bytes += bytes
	for c.bytes > c.maxBytes {
		c.kept.RemoveOldest()
		c.evicted++
	}
}

func (c *cache[K, V]) figures() telemetry.CacheFigures {
	c.mu.Lock()
	defer c.mu.Unlock()
	return telemetry.CacheFigures{Entries: c.kept.Len(), Bytes: c.bytes, Evictions: c.evicted}
}
