package serve

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/vektah/gqlparser/v2/ast"
)

// serveEvents answers with server-sent events, in the mode of distinct connections: a subscription's events, or the
// one answer of a query, in parts where it defers some.
func (x *exchange) serveEvents(ctx context.Context, op Operation) {
	x.record.Transport = "sse"
	e := &eventWriter{x.liveWriter()}
	defer x.endLive(e.liveWriter)
	if op.Kind() != ast.Subscription && !op.Deferred() {
		answer, refusal := x.s.run(ctx, op)
		x.begin(e)
		if refusal != nil {
			x.failWith(e, refusal)
			return
		}
		x.record.Errors = answer.HasErrors()
		e.next(answer)
		e.complete()
		return
	}
	if op.Kind() == ast.Subscription {
		var stop func()
		ctx, stop = x.untilClosing(ctx)
		defer stop()
	}
	stream, stop, refusal := x.s.open(ctx, op)
	defer stop()
	x.begin(e)
	if refusal != nil {
		x.failWith(e, refusal)
		return
	}
	defer stream.Close()
	x.follow(ctx, e, stream)
}

// untilClosing is ctx for a stream, which ends when the server closes, or its client's token does.
func (x *exchange) untilClosing(ctx context.Context) (context.Context, func()) {
	ctx, release := whileValid(ctx, x.record.Identity)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(x.s.closing, cancel)
	return ctx, func() {
		stop()
		cancel()
		release()
	}
}

// streamWriter is a protocol for streams over HTTP.
type streamWriter interface {
	next(answer Answer)
	alive()                // a sign of life
	complete()             // the last word
	fail(refusal *Refusal) // the last word of a stream that ends otherwise
	broken() bool          // the client takes no more
}

// follow passes events on until the stream, the client, its token or the server ends.
func (x *exchange) follow(ctx context.Context, e streamWriter, stream Stream) {
	for !e.broken() {
		answer, err := x.s.next(ctx, stream)
		if err == nil && ctx.Err() != nil { // events may never cease to come
			answer.Release()
			err = ctx.Err()
		}
		var refusal *Refusal
		switch {
		case hasExpired(ctx):
			x.failWith(e, expired())
			return
		case err == nil:
			x.record.Events++
			x.record.Errors = x.record.Errors || answer.HasErrors()
			e.next(answer)
		case errors.Is(err, ErrNothingYet):
			e.alive()
		case errors.Is(err, io.EOF):
			e.complete()
			return
		case errors.As(err, &refusal):
			x.failWith(e, refusal)
			return
		case x.r.Context().Err() != nil:
			return // the client has gone
		default:
			x.failWith(e, Refuse(http.StatusServiceUnavailable, CodeShuttingDown, "the server is shutting down"))
			return
		}
	}
}

func (x *exchange) begin(e *eventWriter) {
	h := x.w.Header()
	h.Set("Content-Type", mediaEvents+"; charset=utf-8")
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("X-Accel-Buffering", "no") // proxies that know it pass events on at once
	x.record.Status = http.StatusOK
	x.w.WriteHeader(http.StatusOK)
	e.alive() // shows the client that the stream stands before there is an event
}

func (x *exchange) failWith(e streamWriter, refusal *Refusal) {
	x.record.Code, x.record.Errors = refusal.Code(), true
	e.fail(refusal)
}

// eventWriter writes server-sent events.
type eventWriter struct{ *liveWriter }

func (e *eventWriter) next(answer Answer) {
	if shared, ok := answer.(*Event); ok {
		e.send(shared.Framed("sse", func(response []byte) []byte {
			return nextEvent(make([]byte, 0, len(response)+24), func(dst []byte) []byte { return append(dst, response...) })
		}))
		return
	}
	e.buf = nextEvent(e.buf[:0], answer.AppendJSON)
	answer.Release()
	e.flush()
}

// nextEvent appends a response as an event.
func nextEvent(dst []byte, response func(dst []byte) []byte) []byte {
	dst = append(dst, "event: next\ndata: "...)
	head := len(dst)
	dst = response(dst)
	oneLine(dst[head:])
	return append(dst, "\n\n"...)
}

// oneLine makes JSON fit a data line. Line breaks can only be white space between its parts, where a subgraph laid out a value.
func oneLine(text []byte) {
	for i, b := range text {
		if b == '\n' || b == '\r' {
			text[i] = ' '
		}
	}
}

// named writes an event; data must not hold line breaks, which JSON that we write never does.
func (e *eventWriter) named(name string, data []byte) {
	e.buf = append(append(e.buf[:0], "event: "...), name...)
	e.buf = append(append(e.buf, "\ndata: "...), data...)
	e.buf = append(e.buf, "\n\n"...)
	e.flush()
}

func (e *eventWriter) complete() { e.named("complete", nil) }

func (e *eventWriter) fail(refusal *Refusal) {
	e.named("next", refusal.appendJSON(nil))
	e.complete()
}

func (e *eventWriter) alive() {
	e.buf = append(e.buf[:0], ":\n\n"...)
	e.flush()
}
