package rate

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Store keeps the accounts. It is safe for concurrent use.
type Store interface {
	// Take charges all of the asks or, when one of them cannot be, none. It returns a verdict on each.
	Take(ctx context.Context, asks []Ask) ([]Verdict, error)
}

// Ask takes Cost from an account.
type Ask struct {
	Key      string
	Interval float64 // microseconds in which one is gained
	Burst    int     // that may be taken at once
	Cost     int
}

// empty is when an account will be full again from which everything has been taken. None is emptier: were the clock set back by a day, clients
// that have asked before would otherwise be refused for a day.
func (a Ask) empty(now float64) float64 { return now + float64(a.Burst)*a.Interval }

// Verdict is what became of an Ask.
type Verdict struct {
	Allowed    bool
	Remaining  int           // that could be taken now
	RetryAfter time.Duration // until as much as was asked for can be taken; 0 when it was allowed. Never: more than a burst
}

// Never is how long to wait for what is more than a burst.
const Never = time.Duration(1<<63 - 1)

// verdict judges by when an account will be full again (the "theoretical arrival time"), all in microseconds. next is when it will be
// once charged.
func verdict(a Ask, full, now float64) (v Verdict, next float64) {
	full = max(full, now)
	tolerance := float64(a.Burst) * a.Interval
	next = full + float64(a.Cost)*a.Interval
	left := func(full float64) int { return max(0, int((now+tolerance-full)/a.Interval+1e-6)) }
	switch {
	case a.Cost > a.Burst:
		return Verdict{Remaining: left(full), RetryAfter: Never}, full
	case next-now > tolerance+1e-6*a.Interval:
		return Verdict{Remaining: left(full), RetryAfter: time.Duration((next - now - tolerance) * 1000)}, full
	}
	return Verdict{Allowed: true, Remaining: left(next)}, next
}

// Memory is a Store of one process. It keeps the accounts that were used last.
type Memory struct {
	mu       sync.Mutex
	accounts *simplelru.LRU[string, float64]
	now      func() time.Time
}

// NewMemory makes a Store for that many accounts; now is the clock. An account that is forgotten is full again.
func NewMemory(accounts int, now func() time.Time) *Memory {
	kept, err := simplelru.NewLRU[string, float64](max(1, accounts), nil)
	if err != nil {
		panic("rate: a store needs room for an account: " + err.Error())
	}
	return &Memory{accounts: kept, now: now}
}

// Take implements Store.
func (m *Memory) Take(_ context.Context, asks []Ask) ([]Verdict, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := float64(m.now().UnixMicro())
	verdicts, next := make([]Verdict, len(asks)), make([]float64, len(asks))
	all := true
	for i, a := range asks {
		full, _ := m.accounts.Get(a.Key)
		if most := a.empty(now); full > most {
			full = most
			m.accounts.Add(a.Key, full)
		}
		verdicts[i], next[i] = verdict(a, full, now)
		all = all && verdicts[i].Allowed
	}
	for i, a := range asks {
		if all {
			m.accounts.Add(a.Key, next[i])
		}
	}
	return verdicts, nil
}
