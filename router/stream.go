package router

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"bourse/router/execute"
	"bourse/router/plan"
	"bourse/router/serve"
	"bourse/router/subscribe"
	"bourse/router/traffic"
)

const codeSubrequestFailed = "SUBREQUEST_HTTP_ERROR"

// streamKey is all on which the events of a subscription depend, and the right to see them. The plan stands for the operation and for what
// its making depended on: labels, and what the client may see.
type streamKey struct {
	plan *plan.Plan
	rest [sha256.Size]byte // variables, headers that subgraphs see, identity
}

// hub shares upstream subscriptions of one gateway.
type hub = subscribe.Hub[streamKey, *serve.Event, receiver]

// key is false for a subscription that cannot be shared.
func (o *operation) key() (streamKey, bool) {
	text, ok := traffic.AppendVariables(nil, o.input.Variables)
	text = traffic.AppendHeader(text, o.input.Header)
	if o.input.Identity != nil {
		text = append(append(text, '@'), o.input.Identity.Digest[:]...)
	}
	return streamKey{o.input.Plan, sha256.Sum256(text)}, ok
}

// Subscribe implements serve.Operation.
func (o *operation) Subscribe(ctx context.Context, sink serve.Sink) (context.CancelFunc, *serve.Refusal) {
	if len(o.input.Plan.Stages) == 0 {
		return nil, o.denied()
	}
	key, ok := o.key()
	if !ok {
		return nil, serve.Refuse(http.StatusInternalServerError, serve.CodeInternal, "internal error")
	}
	var watch *watched
	if o.g.hooks.Subscription != nil {
		watch = o.watch(ctx, sink)
		sink = watch
	}
	leave, err := o.g.hub.Join(ctx, key, subscribe.Topic[*serve.Event]{
		Open: o.open, Complete: o.complete, Ended: o.ended, StateFirst: o.stateFirst(),
	}, receiver{sink})
	if err != nil {
		refusal := serve.Refuse(http.StatusServiceUnavailable, serve.CodeShuttingDown, "the server is shutting down")
		if watch != nil {
			watch.over(refusal)
		}
		return nil, refusal
	}
	if watch == nil {
		return leave, nil
	}
	return func() { leave(); watch.over(nil) }, nil
}

// watched is a Sink whose beginning and end the operator's hook hears of.
type watched struct {
	serve.Sink
	over func(told *serve.Refusal) // its first call counts
}

func (o *operation) watch(ctx context.Context, sink serve.Sink) *watched {
	began, hook := time.Now(), o.g.hooks.Subscription
	e := SubscriptionEvent{Phase: SubscriptionStarted, Operation: o.name, Subgraph: o.input.Plan.Stages[0][0].Subgraph}
	hook(ctx, e)
	var once sync.Once
	return &watched{sink, func(told *serve.Refusal) {
		once.Do(func() {
			e.Phase, e.Duration, e.Told = SubscriptionEnded, time.Since(began), told
			hook(ctx, e)
		})
	}}
}

// End implements serve.Sink: the hook hears before the client.
func (w *watched) End(refusal *serve.Refusal) {
	w.over(refusal)
	w.Sink.End(refusal)
}

// stateFirst says whether the operator has named the root field as one whose first event is a state. A subscription has one root field.
func (o *operation) stateFirst() bool {
	root := o.input.Plan.Output.Only
	if len(o.g.stateFirst) == 0 || root == nil || len(root.Fields) == 0 {
		return false
	}
	return slices.Contains(o.g.stateFirst, root.Fields[0].Field) || slices.Contains(o.g.stateFirst, "*")
}

func (o *operation) open(ctx context.Context) (*subscribe.Subscription, error) {
	req, err := o.g.executor.SubscriptionRequest(o.input)
	if err != nil {
		return nil, err
	}
	return subscribe.Open(ctx, o.g.source, req, o.g.subscribe)
}

// complete takes the fields of other subgraphs to an event and prints it, once for everybody who gets it.
func (o *operation) complete(ctx context.Context, raw []byte, missed int) *serve.Event {
	result := o.g.executor.Event(ctx, o.input, raw)
	defer result.Release()
	return serve.NewEvent(result.AppendJSON(nil), result.HasErrors()).AfterGap(missed)
}

// denied refuses a subscription whose root field the client may not see: there is nothing to subscribe to.
func (o *operation) denied() *serve.Refusal {
	refusal := serve.Refuse(0, execute.CodeDenied, execute.DeniedMessage)
	if root := o.input.Plan.Output.Only; root != nil && len(root.Fields) > 0 {
		refusal.Errors[0].Path = []any{root.Fields[0].Name}
	}
	return refusal
}

// ended says in the clients' terms why a subscription is over, and in the log what they are not told.
func (o *operation) ended(ctx context.Context, err error) error {
	var dropped *subscribe.DroppedError
	switch {
	case errors.Is(err, io.EOF):
		return err
	case errors.Is(err, subscribe.ErrLagged):
		return serve.Refuse(0, serve.CodeSubscriptionLagged, "events came faster than they were taken; some are lost: subscribe again")
	case errors.Is(err, subscribe.ErrClosed):
		return serve.Refuse(http.StatusServiceUnavailable, serve.CodeShuttingDown, "the server is shutting down")
	case errors.As(err, &dropped):
		o.g.logger.WarnContext(ctx, "subscription dropped by its subgraph", "subgraph", dropped.Subgraph, "operation", o.name, "error", dropped.Err)
		code, message := codeSubrequestFailed, "the subscription was broken off"
		var known *execute.FetchError
		if errors.As(dropped.Err, &known) {
			code, message = known.Code, "Subgraph '"+dropped.Subgraph+"' "+known.What+"."
		} else if !dropped.Began {
			message = "Subgraph '" + dropped.Subgraph + "' did not take the subscription."
		}
		refusal := serve.Refuse(http.StatusBadGateway, code, message)
		refusal.Errors[0].Extensions["service"] = dropped.Subgraph
		return refusal
	default:
		o.g.logger.ErrorContext(ctx, "subscription failed", "operation", o.name, "error", err)
		return serve.Refuse(http.StatusInternalServerError, serve.CodeInternal, "internal error")
	}
}

// receiver hands what a hub brings to a Sink.
type receiver struct{ sink serve.Sink }

// Event implements subscribe.Receiver.
func (r receiver) Event(e *serve.Event) { r.sink.Event(e) }

// End implements subscribe.Receiver.
func (r receiver) End(err error) {
	var refusal *serve.Refusal
	errors.As(err, &refusal) // io.EOF is no refusal: complete
	r.sink.End(refusal)
}
