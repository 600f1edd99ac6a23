package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Sink takes what a subscription brings. Its methods are called one at a time, in order, and never block: whoever calls them has
// other subscribers to serve. After its cancel function was called a subscription may still make a call that was on its way; the
// Sink drops it.
type Sink interface {
	// Event brings one event, which is shared with other subscribers.
	Event(e *Event)
	// End is the last call, unless the subscription was cancelled: it is complete (nil), or ended as the client should be told.
	End(refusal *Refusal)
}

// Event is one event of a subscription: printed once, shared by all who get it, and never changed. What a protocol puts around it
// can be kept with it, so that a thousand subscribers cost one framing.
type Event struct {
	json   []byte
	errors bool
	gap    int // events missing before it, as its extensions say

	mu     sync.Mutex
	frames []frame
}

// frame is an event as it is sent to one kind of client.
type frame struct {
	kind  string
	bytes []byte
}

// maxFrames bounds the kinds of framing kept with one event: ids of operations are the clients' to choose.
const maxFrames = 8

// NewEvent makes an event of a printed response, which must not be changed afterwards.
func NewEvent(response []byte, hasErrors bool) *Event {
	return &Event{json: response, errors: hasErrors}
}

// JSON is the response. It is shared: it must not be changed.
func (e *Event) JSON() []byte { return e.json }

// HasErrors says whether the response has errors.
func (e *Event) HasErrors() bool { return e.errors }

// Framed is the event as a kind of client gets it, which put makes of the response. It is made once for the first few kinds; the
// result is shared and must not be changed.
func (e *Event) Framed(kind string, put func(response []byte) []byte) []byte {
	if shared := e.framed(kind, put); shared != nil {
		return shared
	}
	return put(e.json)
}

// framed is Framed for who has a buffer of his own: nil for a kind that is not one of the first few.
func (e *Event) framed(kind string, put func(response []byte) []byte) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.frames {
		if f.kind == kind {
			return f.bytes
		}
	}
	if len(e.frames) == maxFrames {
		return nil
	}
	made := put(e.json)
	e.frames = append(e.frames, frame{kind, made})
	return made
}

// AppendJSON implements Answer.
func (e *Event) AppendJSON(dst []byte) []byte { return append(dst, e.json...) }

// HasNext implements Answer: an event is whole.
func (e *Event) HasNext() bool { return false }

// Release implements Answer: events are left to the garbage collector, as nobody knows who still has them.
func (e *Event) Release() {}

// AfterGap is the event for someone who has missed some before it: the response's extensions say how many.
//
//	{"data":{…},"extensions":{"gap":{"dropped":3}}}
func (e *Event) AfterGap(dropped int) *Event {
	if dropped == 0 {
		return e
	}
	var response struct {
		Data       json.RawMessage            `json:"data,omitempty"`
		Errors     json.RawMessage            `json:"errors,omitempty"`
		Extensions map[string]json.RawMessage `json:"extensions"`
	}
	if json.Unmarshal(e.json, &response) != nil {
		return e // not a response: whoever made the event sees to that
	}
	if response.Extensions == nil {
		response.Extensions = map[string]json.RawMessage{}
	}
	gap := e.gap + dropped
	response.Extensions["gap"] = fmt.Appendf(nil, `{"dropped":%d}`, gap)
	text, err := json.Marshal(response)
	if err != nil {
		return e
	}
	return &Event{json: text, errors: e.errors, gap: gap}
}

// Backlog bounds the events that wait for a client that takes them more slowly than they come. Zero fields mean the defaults.
type Backlog struct {
	Events int // default 256
	Bytes  int // of their responses together; one event may always wait; default 4 MiB
	// DropOldest makes room by dropping what has waited longest; the next event that the client gets says in its extensions how
	// many are missing. Otherwise, which is the default, the subscription ends with SUBSCRIPTION_LAGGED after what waits: every client
	// notices that, and only some look for gaps.
	DropOldest bool

	told func(delivered, dropped int) // nil: nobody wants to know
}

func (b *Backlog) tell(delivered, dropped int) {
	if b.told != nil {
		b.told(delivered, dropped)
	}
}

func (b Backlog) withDefaults() Backlog {
	if b.Events <= 0 {
		b.Events = 256
	}
	if b.Bytes <= 0 {
		b.Bytes = 4 << 20
	}
	return b
}

// waiting are the events that a client has yet to take, in order, and how the subscription ended. It is guarded by its owner.
type waiting struct {
	ended   bool
	events  []*Event
	bytes   int
	dropped int // before the first of events
	refusal *Refusal
}

// put adds an event. It returns false when that ended the subscription.
func (w *waiting) put(e *Event, bound *Backlog) bool {
	for len(w.events) >= bound.Events || len(w.events) > 0 && w.bytes+len(e.json) > bound.Bytes {
		if !bound.DropOldest {
			w.end(Refuse(0, CodeSubscriptionLagged, "events came faster than they were taken; some are lost: subscribe again"))
			bound.tell(0, 1)
			return false
		}
		w.dropped += 1 + w.remove().gap
		bound.tell(0, 1)
	}
	w.events = append(w.events, e)
	w.bytes += len(e.json)
	bound.tell(1, 0)
	return true
}

func (w *waiting) end(refusal *Refusal) {
	if !w.ended {
		w.ended, w.refusal = true, refusal
	}
}

// take removes the next event, which tells of a gap before it. Nil: none waits.
func (w *waiting) take() *Event {
	if len(w.events) == 0 {
		return nil
	}
	e := w.remove().AfterGap(w.dropped)
	w.dropped = 0
	return e
}

func (w *waiting) remove() *Event {
	e := w.events[0]
	w.events[0] = nil
	w.events = w.events[1:]
	if len(w.events) == 0 {
		w.events = nil
	}
	w.bytes -= len(e.json)
	return e
}

// inbox is a Sink for a client that has a goroutine of its own, which takes the events as a Stream.
type inbox struct {
	bound  *Backlog
	cancel context.CancelFunc

	mu      sync.Mutex
	waiting waiting
	signal  chan struct{} // one token when something changed
}

func newInbox(bound *Backlog) *inbox { return &inbox{bound: bound, signal: make(chan struct{}, 1)} }

// Event implements Sink.
func (b *inbox) Event(e *Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.waiting.ended {
		b.waiting.put(e, b.bound)
		b.wake()
	}
}

// End implements Sink.
func (b *inbox) End(refusal *Refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting.end(refusal)
	b.wake()
}

func (b *inbox) wake() {
	select {
	case b.signal <- struct{}{}:
	default:
	}
}

// Next implements Stream. The Answer is an *Event.
func (b *inbox) Next(ctx context.Context, patience time.Duration) (Answer, error) {
	if e, err := b.take(); e != nil || err != nil {
		return e, err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case <-b.signal:
			if e, err := b.take(); e != nil || err != nil {
				return e, err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late.C:
			return nil, ErrNothingYet
		}
	}
}

func (b *inbox) take() (Answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := b.waiting.take(); {
	case e != nil:
		return e, nil
	case !b.waiting.ended:
		return nil, nil
	case b.waiting.refusal != nil:
		return nil, b.waiting.refusal
	default:
		return nil, io.EOF
	}
}

// Close implements Stream.
func (b *inbox) Close() { b.cancel() }
