package remote

import "time"

const (
	// lookPause is the least time between two looks into the journal while the leader is heard,
	// and quietPause while it is not.
	lookPause  = 20 * time.Millisecond
	quietPause = 100 * time.Millisecond
	// lateness is how long a batch that is known to exist may be on its way.
	lateness = 20 * time.Millisecond
	// quiet is how long without a word before a follower looks for itself.
	quiet = 2*BeatEvery + BeatEvery/2
)

// Tail says when a follower must look into the journal, because what it was sent is not all there
// is or because nobody sends anything. It is not safe for concurrent use.
type Tail struct {
	heard  time.Time
	head   uint64    // known to exist
	since  time.Time // when the head moved beyond the view
	gap    bool
	looked time.Time
}

// Heard hears of a sequence that the journal has: from a beat, a batch or a receipt.
func (t *Tail) Heard(now time.Time, head, at uint64) {
	t.heard = now
	t.Expect(now, head, at)
}

// Expect is told of a sequence that the journal has by somebody else than the leader.
func (t *Tail) Expect(now time.Time, head, at uint64) {
	if head <= t.head {
		return
	}
	if t.head <= at {
		t.since = now
	}
	t.head = head
}

// Gap is told that a batch did not fit.
func (t *Tail) Gap() { t.gap = true }

// Look reports whether to read the journal now, for a view that stands at a sequence. The caller
// then does, and says Looked.
func (t *Tail) Look(now time.Time, at uint64) bool {
	since := now.Sub(t.looked)
	switch {
	case t.gap || t.head > at && now.Sub(t.since) >= lateness:
		return since >= lookPause
	case now.Sub(t.heard) >= quiet:
		return since >= quietPause
	}
	return false
}

// Looked is told that the journal was read.
func (t *Tail) Looked(now time.Time) { t.looked, t.gap, t.since = now, false, now }
