package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Codes of refused lists of requests.
const (
	CodeBatchingOff  = "BATCHING_NOT_ALLOWED"
	CodeBatchTooLong = "BATCH_LIMIT_EXCEEDED"
)

// isList says whether a body is a list of requests.
func isList(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && body[0] == '['
}

// decodeBatch reads a list of requests, if lists are allowed. One request that is malformed refuses all.
func (s *edition) decodeBatch(body []byte) ([]*Request, *Refusal) {
	if s.o.MaxBatch <= 0 {
		return nil, Refuse(http.StatusBadRequest, CodeBatchingOff, "lists of requests are not accepted")
	}
	var texts []json.RawMessage
	if json.Unmarshal(body, &texts) != nil {
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, "the body is not JSON")
	}
	switch {
	case len(texts) == 0:
		return nil, Refuse(http.StatusBadRequest, CodeBadRequest, "the list of requests is empty")
	case len(texts) > s.o.MaxBatch:
		return nil, Refuse(http.StatusBadRequest, CodeBatchTooLong, fmt.Sprintf("the list has %d requests, at most %d are allowed", len(texts), s.o.MaxBatch))
	}
	list := make([]*Request, len(texts))
	for i, text := range texts {
		req, refusal := decodeRequest(text)
		if refusal != nil {
			refusal.Errors[0].Message = fmt.Sprintf("request %d: %s", i, refusal.Errors[0].Message)
			return nil, refusal
		}
		list[i] = req
	}
	return list, nil
}

// serveBatch answers a list of requests with a list of answers, each as if it had come alone as application/json. Queries run beside one another;
// where there is a mutation, one after the other. Answers come whole, and there are no subscriptions.
func (x *exchange) serveBatch(ctx context.Context, list []*Request) {
	if x.media != mediaJSON && x.media != mediaGraphQL {
		x.refuse(Refuse(http.StatusNotAcceptable, CodeBadRequest, "the answer to a list of requests is "+mediaJSON))
		return
	}
	x.batch = true
	runs := make([]*batched, len(list))
	together := true
	for i, req := range list {
		x.fill(req)
		req.Incremental = false
		runs[i] = &batched{x: x, ctx: ctx, record: x.record}
		if i > 0 && x.s.o.Begin != nil { // the first has the account of the exchange
			runs[i].ctx = x.s.o.Begin(ctx, x.r.Header)
		}
		runs[i].prepare(runs[i].ctx, req)
		together = together && (runs[i].op == nil || runs[i].op.Kind() == ast.Query)
	}
	if together {
		var running sync.WaitGroup
		for _, b := range runs {
			running.Go(func() { b.run(b.ctx) })
		}
		running.Wait()
	} else {
		for _, b := range runs {
			b.run(b.ctx)
		}
	}
	body := []byte{'['}
	for i, b := range runs {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, b.text...)
		x.s.o.Observe(b.ctx, b.record)
	}
	x.write(http.StatusOK, append(body, ']'))
}

// batched is one request of a list.
type batched struct {
	x      *exchange
	ctx    context.Context //nolint:containedctx // of one request among several of a call
	op     Operation       // nil: refused
	text   []byte          // of the answer
	record Record
}

func (b *batched) prepare(ctx context.Context, req *Request) {
	b.record.Status = http.StatusOK
	op, refusal := b.x.s.prepare(ctx, req)
	if refusal == nil {
		b.record.Operation, b.record.Kind = op.Name(), kindName(op.Kind())
		if op.Kind() == ast.Subscription {
			refusal = Refuse(0, CodeBadRequest, "a list of requests may have no subscription")
		}
	}
	if refusal != nil {
		b.refuse(refusal)
		return
	}
	b.op = op
}

func (b *batched) run(ctx context.Context) {
	if b.op == nil {
		return
	}
	answer, refusal := b.x.s.run(ctx, b.op)
	if refusal != nil {
		b.refuse(refusal)
		return
	}
	b.text = answer.AppendJSON(nil)
	b.record.Errors, b.record.Bytes = answer.HasErrors(), len(b.text)
	answer.Release()
	b.record.Duration = time.Since(b.x.began)
}

func (b *batched) refuse(refusal *Refusal) {
	b.text = refusal.appendJSON(nil)
	b.record.Code, b.record.Errors, b.record.Bytes = refusal.Code(), true, len(b.text)
	b.record.Duration = time.Since(b.x.began)
}
