package entitycache

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	defaultMemory = 64 << 20
	// maxMarks bounds the labels that are remembered one by one; of older ones only the highest mark is known, which then counts for all.
	maxMarks = 100_000
	// entryBytes is about what an entry takes beside its key and value.
	entryBytes = 160
)

// Memory is a Store in this process: what was used last, bounded in bytes.
type Memory struct {
	mu       sync.Mutex
	lru      *simplelru.LRU[string, held]
	bytes    int64
	maxBytes int64
	epoch    uint64
	marks    map[string]uint64
	order    []string // of marks, the oldest first; a label may occur again
	floor    uint64   // the highest mark that was forgotten
	maxMarks int
}

type held struct {
	value   []byte
	expires time.Time
}

// NewMemory makes a Memory of at most that many bytes; 0: 64 MiB.
func NewMemory(maxBytes int64) *Memory {
	if maxBytes <= 0 {
		maxBytes = defaultMemory
	}
	m := &Memory{maxBytes: maxBytes, marks: map[string]uint64{}, maxMarks: maxMarks}
	// The bytes bound the entries: each takes entryBytes at least.
	lru, err := simplelru.NewLRU(int(maxBytes/entryBytes)+1, func(key string, h held) { m.bytes -= weigh(key, h.value) })
	if err != nil {
		panic("entitycache: a cache needs room for an entry: " + err.Error())
	}
	m.lru = lru
	return m
}

func weigh(key string, value []byte) int64 { return int64(len(key)+cap(value)) + entryBytes }

// Get implements Store.
func (m *Memory) Get(_ context.Context, keys, labels []string) (Found, error) {
	now := time.Now()
	f := Found{Values: make([][]byte, len(keys)), Marks: make([]uint64, len(labels))}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, key := range keys {
		h, ok := m.lru.Get(key)
		if ok && !now.Before(h.expires) {
			m.lru.Remove(key)
			ok = false
		}
		if ok {
			f.Values[i] = h.value
		}
	}
	for i, label := range labels {
		f.Marks[i] = max(m.floor, m.marks[label])
	}
	f.Epoch = m.epoch
	return f, nil
}

// Set implements Store.
func (m *Memory) Set(_ context.Context, items []Item) error {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, item := range items {
		weight := weigh(item.Key, item.Value)
		if weight > m.maxBytes/4 || item.TTL <= 0 {
			continue // it would push out much of the rest
		}
		m.lru.Remove(item.Key)
		m.lru.Add(item.Key, held{item.Value, now.Add(item.TTL)})
		m.bytes += weight
		for m.bytes > m.maxBytes {
			m.lru.RemoveOldest()
		}
	}
	return nil
}

// Mark implements Store.
func (m *Memory) Mark(_ context.Context, labels []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch++
	for _, label := range labels {
		m.marks[label] = m.epoch
		m.order = append(m.order, label)
	}
	for len(m.order) > m.maxMarks {
		oldest := m.order[0]
		m.order = m.order[1:]
		if mark, ok := m.marks[oldest]; ok {
			m.floor = max(m.floor, mark)
			delete(m.marks, oldest)
		}
	}
	return nil
}
