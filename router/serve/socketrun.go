package serve

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/vektah/gqlparser/v2/ast"
)

// socketRun is one operation on a WebSocket.
type socketRun struct {
	k      *socket
	e      *edition
	id     string
	op     *subscriber
	record Record
}

func (r *socketRun) run(ctx context.Context, req *Request) {
	op, refusal := r.e.prepare(ctx, req)
	if refusal != nil {
		r.fail(refusal)
		return
	}
	r.record.Operation, r.record.Kind = op.Name(), kindName(op.Kind())
	if op.Kind() == ast.Subscription || op.Deferred() {
		stream, stop, refusal := r.e.open(ctx, op)
		defer stop()
		if refusal != nil {
			r.fail(refusal)
			return
		}
		r.follow(ctx, stream)
		return
	}
	answer, refusal := r.e.run(ctx, op)
	if refusal != nil {
		r.fail(refusal)
		return
	}
	if r.next(answer) == nil {
		r.complete()
	}
}

// follow passes on what a stream brings, to its end.
func (r *socketRun) follow(ctx context.Context, stream Stream) {
	defer stream.Close()
	for {
		answer, err := r.e.next(ctx, stream)
		var refusal *Refusal
		switch {
		case err == nil:
			r.record.Events++
			if r.next(answer) != nil {
				return
			}
		case errors.Is(err, ErrNothingYet): // pings keep the connection alive
		case errors.Is(err, io.EOF):
			r.complete()
			return
		case errors.As(err, &refusal):
			r.fail(refusal)
			return
		default:
			return // completed by the client, or the connection is gone
		}
	}
}

var errCompleted = errors.New("completed by the client")

// next sends an answer, unless the client has completed the operation meanwhile.
func (r *socketRun) next(answer Answer) error {
	r.record.Errors = r.record.Errors || answer.HasErrors()
	if !r.k.alive(r.id, r.op) {
		answer.Release()
		return errCompleted
	}
	buf := buffers.Get().(*[]byte)
	defer recycle(buf)
	*buf = r.open((*buf)[:0], "next")
	*buf = append(answer.AppendJSON(*buf), '}')
	answer.Release()
	r.record.Bytes += len(*buf)
	return r.k.write(*buf)
}

// fail ends the operation with errors.
func (r *socketRun) fail(refusal *Refusal) {
	if r.k.drop(r.id, r.op) {
		r.refuse(refusal)
	}
}

func (r *socketRun) refuse(refusal *Refusal) {
	r.record.Code, r.record.Errors = refusal.Code(), true
	text := append(refusal.appendErrors(r.open(nil, "error")), '}')
	r.record.Bytes += len(text)
	_ = r.k.write(text)
}

func (r *socketRun) complete() {
	if r.k.drop(r.id, r.op) {
		r.k.send(message{ID: r.id, Type: "complete"})
	}
}

// open begins a message up to its payload.
func (r *socketRun) open(dst []byte, kind string) []byte {
	dst = append(dst, `{"id":`...)
	id, _ := json.Marshal(r.id) // a string always marshals
	dst = append(dst, id...)
	dst = append(dst, `,"type":"`...)
	dst = append(dst, kind...)
	return append(dst, `","payload":`...)
}
