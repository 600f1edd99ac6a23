package auth

import "sync"

// generations is a bounded map that forgets what was not used for long: it fills one generation,
// and when that is full, drops the one before. Reads of recent keys share a lock.
type generations[K comparable, V any] struct {
	mu    sync.RWMutex
	size  int
	young map[K]V
	old   map[K]V
}

func newGenerations[K comparable, V any](size int) *generations[K, V] {
	return &generations[K, V]{size: size, young: make(map[K]V)}
}

func (g *generations[K, V]) get(key K) (V, bool) {
	g.mu.RLock()
	v, young := g.young[key]
	ok := young
	if !ok {
		v, ok = g.old[key]
	}
	g.mu.RUnlock()
	if ok && !young {
		g.put(key, v)
	}
	return v, ok
}

func (g *generations[K, V]) put(key K, value V) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.young) >= g.size {
		if _, ok := g.young[key]; !ok {
			g.old, g.young = g.young, make(map[K]V)
		}
	}
	g.young[key] = value
}

func (g *generations[K, V]) remove(key K) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.young, key)
	delete(g.old, key)
}
