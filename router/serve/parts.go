package serve

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// deferSpec names the draft of incremental delivery that clients and routers have agreed on.
const deferSpec = "20220824"

// The frame of a multipart answer. The whole boundary after a part is sent with the part, for clients that read up to it.
const (
	partsBegin = "\r\n---\r\n" + partBegin
	partBegin  = "content-type: application/json\r\n\r\n"
	partEnd    = "\r\n---\r\n"
	partsEnd   = "\r\n-----\r\n"
)

// serveParts answers with the primary answer first and what is deferred as it comes. When nothing turns out to be
// deferred, the answer is like any other.
func (x *exchange) serveParts(ctx context.Context, op Operation) {
	stream, stop, refusal := x.s.open(ctx, op)
	defer stop()
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	defer stream.Close()
	first, err := x.nextPart(ctx, stream)
	switch {
	case errors.As(err, &refusal):
		x.refuse(refusal)
		return
	case err != nil: // the client has gone, or the server was told to stop
		x.refuse(Refuse(http.StatusServiceUnavailable, CodeShuttingDown, "the request was cut off"))
		return
	case !first.HasNext():
		x.whole(first)
		return
	}
	x.media = mediaParts
	p := &partWriter{liveWriter: x.liveWriter()}
	defer x.endLive(p.liveWriter)
	x.head(first)
	x.beginParts(p.liveWriter)
	x.record.Events++
	x.record.Errors = first.HasErrors()
	p.part(partsBegin, first)
	for p.err == nil {
		next, err := x.nextPart(ctx, stream)
		switch {
		case err == nil:
			x.record.Events++
			x.record.Errors = x.record.Errors || next.HasErrors()
			p.part(partBegin, next)
		case errors.Is(err, io.EOF):
			return
		case x.r.Context().Err() != nil:
			return // the client has gone
		default:
			x.endParts(p, err)
			return
		}
	}
}

// nextPart waits for the next message; parts need no signs of life between them, as their time is bounded.
func (x *exchange) nextPart(ctx context.Context, stream Stream) (Answer, error) {
	for {
		answer, err := x.s.next(ctx, stream)
		if !errors.Is(err, ErrNothingYet) {
			return answer, err
		}
	}
}

func (x *exchange) beginParts(l *liveWriter) {
	h := x.w.Header()
	h.Set("Content-Type", contentType(x.media))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // proxies that know it pass parts on at once
	h.Add("Vary", "Accept-Encoding")
	// A subscription's parts are small and many; a window for each of its clients would cost more than they do.
	if e := packing(x.r.Header.Get("Accept-Encoding"), x.s.encodings); e != nil && x.media == mediaParts {
		h.Set("Content-Encoding", e.name)
		l.compress(e)
	}
	x.record.Status = http.StatusOK
	x.w.WriteHeader(http.StatusOK)
}

// endParts ends with errors what cannot be completed.
func (x *exchange) endParts(p *partWriter, err error) {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		refusal = Refuse(0, CodeShuttingDown, "the server is shutting down")
	}
	x.record.Code, x.record.Errors = refusal.Code(), true
	p.buf = append(append(p.buf[:0], partBegin...), `{"errors":`...)
	p.buf = append(refusal.appendErrors(p.buf), `,"hasNext":false}`...)
	p.buf = append(p.buf, partsEnd...)
	p.flush()
}

// partWriter writes the parts of a multipart answer.
type partWriter struct{ *liveWriter }

// part sends one message; the last one ends the answer.
func (p *partWriter) part(begin string, answer Answer) {
	p.buf = answer.AppendJSON(append(p.buf[:0], begin...))
	if answer.HasNext() {
		p.buf = append(p.buf, partEnd...)
	} else {
		p.buf = append(p.buf, partsEnd...)
	}
	answer.Release()
	p.flush()
}
