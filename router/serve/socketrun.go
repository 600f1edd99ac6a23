package serve

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/websocket"
)

// socketRun is one operation on a WebSocket. It has a goroutine while it is prepared, and until its end if it is no subscription; a subscription
// has none, and is the Sink of its events.
//
// What each event needs is together, and so it is in socket: of ten thousand subscribers none is in the processor's caches when his turn comes.
type socketRun struct {
	k    *socket
	e    *edition
	kind string // of the frames of its events: the dialect, and the id in JSON

	// Guarded by the socket's mutex:
	done       bool // nothing is told any more
	queued     bool // the outbox knows that something waits
	subscribed bool // the goroutine has ended and left the subscription to its Sink
	waiting    waiting
	record     Record
	leave      context.CancelFunc // of the subscription

	id     string
	began  time.Time
	ctx    context.Context    //nolint:containedctx // what Observe gets
	cancel context.CancelFunc // of what runs on the goroutine
}

// run answers the operation, or starts its subscription.
func (r *socketRun) run(ctx context.Context, req *Request) {
	op, refusal := r.e.prepare(ctx, req)
	if refusal != nil {
		r.finish(refusal)
		return
	}
	r.k.mu.Lock()
	r.record.Operation, r.record.Kind = op.Name(), kindName(op.Kind())
	r.k.mu.Unlock()
	switch {
	case op.Kind() == ast.Subscription:
		r.subscribe(ctx, op)
	case op.Deferred():
		r.finish(r.follow(ctx, op))
	default:
		answer, refusal := r.e.run(ctx, op)
		if refusal == nil {
			r.answer(answer)
		}
		r.finish(refusal)
	}
}

// subscribe leaves the operation to its events.
func (r *socketRun) subscribe(ctx context.Context, op Operation) {
	defer r.cancel()
	leave, refusal := r.e.subscribe(ctx, op, r)
	if refusal != nil {
		r.finish(refusal)
		return
	}
	r.k.mu.Lock()
	r.leave, r.subscribed = leave, true
	done := r.done
	r.k.mu.Unlock()
	if done { // it ended meanwhile, and left the rest to us
		leave()
		r.account()
	}
}

// follow passes on the parts of an answer.
func (r *socketRun) follow(ctx context.Context, op Operation) *Refusal {
	stream, stop, refusal := r.e.open(ctx, op)
	defer stop()
	if refusal != nil {
		return refusal
	}
	defer stream.Close()
	for {
		answer, err := r.e.next(ctx, stream)
		switch {
		case err == nil:
			r.answer(answer)
			r.k.mu.Lock()
			r.record.Events++
			r.k.mu.Unlock()
		case errors.Is(err, ErrNothingYet): // pings keep the connection alive
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &refusal):
			return refusal
		default:
			return nil // left by the client, or the connection is gone: nobody is told
		}
	}
}

// answer sends an answer or a part of one, unless the client has left.
func (r *socketRun) answer(answer Answer) {
	defer answer.Release()
	r.k.mu.Lock()
	done := r.done
	r.k.mu.Unlock()
	if done {
		return
	}
	text, out := buffers.Get().(*[]byte), buffers.Get().(*[]byte)
	defer recycle(text)
	defer recycle(out)
	*text = answer.AppendJSON((*text)[:0])
	*out = r.appendFrame((*out)[:0], r.k.speaks.next, *text)
	r.k.mu.Lock()
	r.record.Bytes += len(*text)
	r.record.Errors = r.record.Errors || answer.HasErrors()
	r.k.mu.Unlock()
	r.k.deliver(*out)
}

// finish tells the client how an operation without a subscription ended, and accounts for it.
func (r *socketRun) finish(refusal *Refusal) {
	r.k.mu.Lock()
	told := r.k.forget(r)
	r.done = true
	r.waiting.end(refusal)
	if told {
		r.k.turn(letter{frames: r.last()})
	} else {
		r.k.mu.Unlock()
	}
	r.cancel()
	r.account()
}

// Event implements Sink.
func (r *socketRun) Event(e *Event) {
	k := r.k
	k.mu.Lock()
	if r.done || r.waiting.ended || k.outbox.closed {
		k.mu.Unlock()
		return
	}
	if !k.outbox.busy {
		k.outbox.busy = true
		r.count(e)
		r.e.o.Backlog.tell(1, 0)
		k.mu.Unlock()
		r.write(e)
		return
	}
	fits := r.waiting.put(e, &r.e.o.Backlog)
	leave := r.leave
	r.queue()
	k.mu.Unlock()
	if !fits && leave != nil {
		leave()
	}
}

// write hands an event to the kernel; the caller has made the outbox busy.
func (r *socketRun) write(e *Event) {
	own := buffers.Get().(*[]byte)
	defer recycle(own)
	frames := r.frames(e, own)
	n, err := r.k.conn.TryWrite(frames)
	if err == nil && n == len(frames) {
		r.k.settle(letter{}, 0, nil)
		return
	}
	r.k.settle(letter{frames: append([]byte(nil), frames[n:]...)}, 0, err) // written when the buffer may be another's
}

// frames is the event as this operation's client gets it: made once where others have the same id, else in the buffer.
func (r *socketRun) frames(e *Event, own *[]byte) []byte {
	if shared := e.framed(r.kind, func(response []byte) []byte { return r.appendFrame(nil, r.k.speaks.next, response) }); shared != nil {
		return shared
	}
	*own = r.appendFrame((*own)[:0], r.k.speaks.next, e.JSON())
	return *own
}

func (r *socketRun) count(e *Event) {
	r.record.Events++
	r.record.Bytes += len(e.JSON())
	r.record.Errors = r.record.Errors || e.HasErrors()
}

// queue lets the outbox know that something waits; the mutex is held, and the outbox busy.
func (r *socketRun) queue() {
	if !r.queued {
		r.queued = true
		r.k.outbox.queue = append(r.k.outbox.queue, letter{run: r})
	}
}

// following takes what waits next, and queues for what follows it; the mutex is held.
func (r *socketRun) following() []byte {
	r.queued = false
	if r.done {
		return nil
	}
	if e := r.waiting.take(); e != nil {
		r.count(e)
		if len(r.waiting.events) > 0 || r.waiting.ended {
			r.queue()
		}
		return r.appendFrame(nil, r.k.speaks.next, e.JSON())
	}
	if r.waiting.ended && r.k.forget(r) {
		return r.last()
	}
	return nil
}

// End implements Sink.
func (r *socketRun) End(refusal *Refusal) {
	k := r.k
	k.mu.Lock()
	r.waiting.end(refusal)
	switch {
	case r.done:
		k.mu.Unlock()
	case k.outbox.busy:
		r.queue()
		k.mu.Unlock()
	case k.forget(r):
		k.turn(letter{frames: r.last()})
		r.over()
	default:
		k.mu.Unlock()
	}
}

// last is how the client hears of the end; the mutex is held.
func (r *socketRun) last() []byte {
	if r.waiting.refusal == nil {
		return message{ID: r.id, Type: "complete"}.frame()
	}
	r.record.Code, r.record.Errors = r.waiting.refusal.Code(), true
	return r.errorFrame(r.waiting.refusal)
}

func (r *socketRun) errorFrame(refusal *Refusal) []byte {
	errs := refusal.appendErrors(nil)
	if r.k.speaks.oneError && len(refusal.Errors) > 0 {
		errs, _ = json.Marshal(refusal.Errors[0]) // as it did in the list
	}
	return r.appendFrame(nil, "error", errs)
}

// told says whether the end has been told.
func (r *socketRun) told() bool {
	r.k.mu.Lock()
	defer r.k.mu.Unlock()
	return r.waiting.ended && len(r.waiting.events) == 0 && !r.queued
}

// over ends the operation: the client has left, the socket ends, or the client was told.
func (r *socketRun) over() {
	r.k.mu.Lock()
	done, subscribed, leave := r.done, r.subscribed, r.leave
	r.done = true
	r.k.mu.Unlock()
	if done {
		return
	}
	r.cancel()
	if subscribed { // else the goroutine sees to the rest
		leave()
		r.account()
	}
}

// account closes the books of the operation. Called once.
func (r *socketRun) account() {
	r.k.mu.Lock()
	r.k.live--
	r.record.Duration = time.Since(r.began)
	record := r.record
	r.waiting = waiting{ended: true}
	r.k.mu.Unlock()
	r.e.o.Observe(r.ctx, record)
	r.k.s.leave(r.e)
}

// appendFrame appends a message with a payload, as a frame of its own.
func (r *socketRun) appendFrame(dst []byte, kind string, payload []byte) []byte {
	id := r.kind[len(r.k.speaks.name):]
	length := len(`{"id":`) + len(id) + len(`,"type":"`) + len(kind) + len(`","payload":`) + len(payload) + len(`}`)
	if dst == nil {
		dst = make([]byte, 0, websocket.MaxHeader+length)
	}
	dst = websocket.AppendHeader(dst, websocket.Text, length)
	dst = append(append(append(dst, `{"id":`...), id...), `,"type":"`...)
	dst = append(append(append(dst, kind...), `","payload":`...), payload...)
	return append(dst, '}')
}
