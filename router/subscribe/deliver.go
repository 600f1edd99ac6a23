package subscribe

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// batch is how many receivers one goroutine serves before it looks for more.
const batch = 256

// deliver hands an event to everybody who is there now. Many receivers are served by several goroutines, as each may cost a system
// call; all of them are done before the next event.
func (t *topic[K, E, R]) deliver(e E) {
	members := t.lend()
	workers := min(runtime.GOMAXPROCS(0), (len(members)+batch-1)/batch)
	if workers <= 1 {
		hand(members, e)
	} else {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for {
					end := int(next.Add(batch))
					if end-batch >= len(members) {
						return
					}
					hand(members[end-batch:min(end, len(members))], e)
				}
			})
		}
		wg.Wait()
	}
	t.h.mu.Lock()
	t.lent = false
	t.h.mu.Unlock()
}

func hand[K comparable, E any, R Receiver[E]](members []*member[K, E, R], e E) {
	for _, m := range members {
		m.r.Event(e)
	}
}

// lend is a view of the members as they are, good until deliver takes it back. Who joins meanwhile is not in it.
func (t *topic[K, E, R]) lend() []*member[K, E, R] {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	if t.StateFirst {
		t.seal()
	}
	t.lent = true
	return t.members
}
