package serve

import "context"

// subscriptionSpec is the version of subscriptions over multipart/mixed that clients and routers have agreed on. Each part is
// {"payload": response}; {} is a sign of life; {"payload": null, "errors": […]} is why the stream ended otherwise than complete.
const (
	subscriptionSpec = "1.0"
	liveBoundary     = "graphql"
)

// The boundary after a part is sent with the part, for clients that read up to it. What follows it says whether there is more.
const (
	liveBegin = "\r\n--" + liveBoundary
	liveHead  = "\r\ncontent-type: application/json\r\n\r\n"
	liveEnd   = "--\r\n"
)

// serveLive answers with a subscription as multipart/mixed.
func (x *exchange) serveLive(ctx context.Context, op Operation) {
	x.record.Transport = "multipart"
	ctx, stop := x.untilClosing(ctx)
	defer stop()
	stream, done, refusal := x.s.open(ctx, op)
	defer done()
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	defer stream.Close()
	p := &liveParts{liveWriter: x.liveWriter()}
	defer x.endLive(p.liveWriter)
	x.media = mediaLive
	x.beginParts(p.liveWriter)
	p.buf = append(p.buf[:0], liveBegin...)
	p.alive() // shows the client that the stream stands before there is an event
	x.follow(ctx, p, stream)
}

// liveParts writes the parts of a subscription. A beginning may wait in the buffer.
type liveParts struct{ *liveWriter }

func (p *liveParts) next(answer Answer) {
	if shared, ok := answer.(*Event); ok {
		p.send(shared.Framed("multipart", func(response []byte) []byte {
			return livePart(make([]byte, 0, len(response)+64), func(dst []byte) []byte { return append(dst, response...) })
		}))
		return
	}
	p.buf = livePart(p.buf[:0], answer.AppendJSON)
	answer.Release()
	p.flush()
}

// livePart appends a response as a part.
func livePart(dst []byte, response func(dst []byte) []byte) []byte {
	dst = append(append(dst, liveHead...), `{"payload":`...)
	dst = append(response(dst), '}')
	return append(dst, liveBegin...)
}

func (p *liveParts) alive() {
	p.buf = append(append(append(p.buf, liveHead...), "{}"...), liveBegin...)
	p.flush()
	p.buf = p.buf[:0]
}

func (p *liveParts) complete() {
	p.buf = append(p.buf[:0], liveEnd...)
	p.flush()
}

func (p *liveParts) fail(refusal *Refusal) {
	p.buf = append(append(p.buf[:0], liveHead...), `{"payload":null,"errors":`...)
	p.buf = append(refusal.appendErrors(p.buf), '}')
	p.buf = append(append(p.buf, liveBegin...), liveEnd...)
	p.flush()
}
