package sequencer

import (
	"sync"
	"sync/atomic"

	"bourse/engine/fault"
	"bourse/engine/venue"
)

// request is one command on its way and the place for its answer.
type request struct {
	cmd      venue.Command
	deadline venue.Time // after which it is not decided; 0 for never
	receipt  venue.Receipt
	err      error
	done     chan struct{}              // of one: to answer never waits
	reply    func(venue.Receipt, error) // called instead, when there is one
	fate     atomic.Int32               // who has it: the queue, the venue, or nobody any more
}

// The fates of a request. Whoever moves it away from waiting has it.
const (
	waiting int32 = iota
	taken
	withdrawn
)

// take is called before the command is decided. False: its sender gave up, and was told that nothing
// happened.
func (r *request) take() bool { return r.fate.CompareAndSwap(waiting, taken) }

// withdraw is called by a sender that waits no longer. False: it is too late for that.
func (r *request) withdraw() bool { return r.fate.CompareAndSwap(waiting, withdrawn) }

func newRequest() any { return &request{done: make(chan struct{}, 1)} }

func (r *request) answer() {
	if r.reply != nil {
		r.reply(r.receipt, r.err)
		return
	}
	r.done <- struct{}{}
}

// queue holds the requests that wait to be decided. Both sides hold its lock for a few
// instructions, and the reader takes all there is at once: at a hundred thousand commands a second
// that is cheaper than a channel.
type queue struct {
	wake chan struct{} // of one: there is something to take

	mu       sync.Mutex
	waiting  []*request
	capacity int
	refuse   error // why nothing is taken any more; nil while it is
	closed   bool
}

var errFull = fault.New(fault.Overloaded, "too many commands are waiting; ask again later")

func (q *queue) init(capacity int, refuse error) {
	q.capacity, q.refuse = capacity, refuse
	q.wake = make(chan struct{}, 1)
}

func (q *queue) put(r *request) error {
	q.mu.Lock()
	if why := q.refuse; why != nil {
		q.mu.Unlock()
		return why
	}
	if len(q.waiting) >= q.capacity {
		q.mu.Unlock()
		return errFull
	}
	q.waiting = append(q.waiting, r)
	first := len(q.waiting) == 1
	q.mu.Unlock()
	if first {
		q.signal()
	}
	return nil
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take moves up to limit requests behind those in dst.
func (q *queue) take(dst []*request, limit int) []*request {
	q.mu.Lock()
	n := min(len(q.waiting), limit)
	dst = append(dst, q.waiting[:n]...)
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	q.mu.Unlock()
	if rest > 0 {
		q.signal()
	}
	return dst
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// suspend refuses what comes and returns what waits, to be refused as well.
func (q *queue) suspend(why error) []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.refuse = why
	}
	out := q.waiting
	q.waiting = nil
	return out
}

// resume takes requests again, unless the queue was closed.
func (q *queue) resume() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.refuse = nil
	}
}

// close refuses for good; what waits stays.
func (q *queue) close(why error) {
	q.mu.Lock()
	q.closed, q.refuse = true, why
	q.mu.Unlock()
	q.signal()
}
