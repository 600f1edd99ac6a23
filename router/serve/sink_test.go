package serve

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/internal/await"
)

// sinks is a gateway of subscriptions whose events are the test's to bring.
type sinks struct {
	began   chan Sink
	left    chan struct{} // a token for each call of cancel
	records chan Record
}

func newSinks() *sinks {
	return &sinks{began: make(chan Sink, 10), left: make(chan struct{}, 100), records: make(chan Record, 10)}
}

func (g *sinks) Prepare(context.Context, *Request) (Operation, *Refusal) { return g, nil }
func (g *sinks) Kind() ast.Operation                                     { return ast.Subscription }
func (g *sinks) Name() string                                            { return "S" }
func (g *sinks) Run(context.Context) Answer                              { panic("it is a subscription") }
func (g *sinks) Deferred() bool                                          { return false }
func (g *sinks) Deliver(context.Context) Stream                          { panic("it is a subscription") }

func (g *sinks) Subscribe(_ context.Context, sink Sink) (context.CancelFunc, *Refusal) {
	g.began <- sink
	return func() { g.left <- struct{}{} }, nil
}

// serveSinks subscribes on a WebSocket, as s, once the operation is known to be left to its events.
func serveSinks(t *testing.T, g *sinks, o Options) (*client, *socketRun) {
	t.Helper()
	h, _, s := serveScript(t, Options{})
	o.Gateway, o.Observe = g, func(_ context.Context, r Record) { g.records <- r }
	if err := s.Reload(o); err != nil {
		t.Fatal(err)
	}
	c := greet(t, h.URL, "", nil)
	c.subscribe("s", "whatever")
	run := await.One(t, g.began).(*socketRun)
	run.k.running.Wait() // nothing but the reading is under way
	return c, run
}

func numbered(n int) *Event { return NewEvent(fmt.Appendf(nil, `{"data":%d}`, n), false) }

// hears reads events up to a number.
func (c *client) hears(from, to int) {
	c.t.Helper()
	for n := from; n <= to; n++ {
		c.expect(fmt.Sprintf(`{"id":"s","type":"next","payload":{"data":%d}}`, n))
	}
}

// synced is reached when all that was said before has been read by the other side.
func (c *client) synced() {
	c.t.Helper()
	c.send(`{"type":"ping"}`)
	c.expect(`{"type":"pong"}`)
}

// What was on its way when the client left is nobody's: the id may be another's by now.
func TestNothingIsToldAfterTheClientHasLeft(t *testing.T) {
	g := newSinks()
	c, run := serveSinks(t, g, Options{})
	run.Event(numbered(1))
	c.hears(1, 1)
	c.send(`{"id":"s","type":"complete"}`)
	c.synced()
	await.One(t, g.left)
	run.Event(numbered(2))
	run.End(Refuse(0, "LATE", "late"))
	c.synced()
	if r := await.One(t, g.records); r.Events != 1 || r.Code != "" || r.Operation != "S" {
		t.Errorf("recorded %+v", r)
	}
	c.subscribe("s", "again") // and the place is free
	await.One(t, g.began)
	if len(g.left) != 0 || len(g.records) != 0 {
		t.Errorf("left %d times more, recorded %d times more", len(g.left), len(g.records))
	}
}

// The end comes after what waits, also when somebody else is being written to.
func TestTheEndComesAfterWhatWaits(t *testing.T) {
	for name, refusal := range map[string]*Refusal{"complete": nil, "error": Refuse(0, "BROKEN", "broken off")} {
		g := newSinks()
		c, run := serveSinks(t, g, Options{})
		free := occupied(run.k)
		for n := 1; n <= 3; n++ {
			run.Event(numbered(n))
		}
		run.End(refusal)
		run.Event(numbered(4)) // after the end: a fault of the caller
		free()
		c.hears(1, 3)
		if got := c.read(); !strings.Contains(got, `"type":"`+name+`"`) {
			t.Errorf("the end is %s", got)
		}
		await.One(t, g.left)
		if r := await.One(t, g.records); r.Events != 3 || (r.Code != "") != (refusal != nil) || r.Errors != (refusal != nil) {
			t.Errorf("%s: recorded %+v", name, r)
		}
	}
}

// occupied has the socket write something, as far as others know; the function ends that.
func occupied(k *socket) (free func()) {
	k.mu.Lock()
	k.outbox.busy = true
	k.mu.Unlock()
	return func() { k.settle(letter{}, 0, nil) }
}

// Who takes too little is left by the subgraph at once, and told so after what waits.
func TestALaggingSubscriptionIsLeftAtOnce(t *testing.T) {
	g := newSinks()
	var delivered, dropped int
	c, run := serveSinks(t, g, Options{Backlog: Backlog{Events: 3}, Events: func(a, b int) { delivered += a; dropped += b }})
	free := occupied(run.k)
	for n := 1; n <= 5; n++ {
		run.Event(numbered(n))
	}
	await.One(t, g.left)
	if delivered != 3 || dropped != 1 {
		t.Errorf("%d delivered and %d dropped are told", delivered, dropped)
	}
	free()
	c.hears(1, 3)
	if got := c.read(); !strings.Contains(got, CodeSubscriptionLagged) {
		t.Errorf("got %s", got)
	}
	if r := await.One(t, g.records); r.Code != CodeSubscriptionLagged || !r.Errors {
		t.Errorf("recorded %+v", r)
	}
}

// Dropped events are counted, those that an upstream queue had dropped before among them, and the client is told of all.
func TestGapsAddUp(t *testing.T) {
	g := newSinks()
	var delivered, dropped int
	c, run := serveSinks(t, g, Options{Backlog: Backlog{Events: 2, DropOldest: true}, Events: func(a, b int) { delivered += a; dropped += b }})
	free := occupied(run.k)
	run.Event(numbered(1))
	run.Event(numbered(5).AfterGap(3))
	run.Event(numbered(6))
	run.Event(numbered(7))
	free()
	c.expect(`{"id":"s","type":"next","payload":{"data":6,"extensions":{"gap":{"dropped":5}}}}`)
	c.hears(7, 7)
	if delivered != 4 || dropped != 2 {
		t.Errorf("%d delivered and %d dropped are told", delivered, dropped)
	}
}
