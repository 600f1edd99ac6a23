package subscribe

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"bourse/router/internal/await"
)

// A stream that nobody can join any more does not linger: nobody can come back to it.
func TestWhatCannotBeJoinedDoesNotLinger(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](time.Hour)
	defer h.Close()
	p := newPipe()
	topic := p.topic()
	topic.StateFirst = true
	a, leave := join(t, h, "k", topic)
	p.events <- "state"
	await.One(t, a.some)
	leave()
	await.One(t, p.left)
}

// Whoever comes back in time stays, though the time was running.
func TestLingeringEndsWithTheNextReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub[string, string, Receiver[string]](time.Minute)
		p := newPipe()
		_, leave := join(t, h, "k", p.topic())
		leave()
		time.Sleep(59 * time.Second)
		_, leave = join(t, h, "k", p.topic())
		leave()
		time.Sleep(59 * time.Second) // a time of its own, not what was left of the first
		back, leave := join(t, h, "k", p.topic())
		time.Sleep(time.Hour)
		p.events <- "1"
		if got := <-back.some; got != "1" {
			t.Errorf("got %s", got)
		}
		leave()
		time.Sleep(time.Minute)
		synctest.Wait()
		if h.Len() != 0 || len(p.opened) != 1 {
			t.Errorf("%d topics, opened %d times", h.Len(), len(p.opened))
		}
		h.Close()
	})
}

type word struct{}

// An upstream subscription has what came with its first receiver, but for the end: it is everybody's.
func TestTheFirstReceiversContextEndsNothing(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](0)
	p, asked := newPipe(), make(chan any, 1)
	topic := p.topic()
	open := topic.Open
	topic.Open = func(ctx context.Context) (*Subscription, error) { asked <- ctx.Value(word{}); return open(ctx) }
	ctx, end := context.WithCancel(context.WithValue(t.Context(), word{}, "of the first"))
	first := newListener()
	if _, err := h.Join(ctx, "k", topic, first); err != nil {
		t.Fatal(err)
	}
	if got := await.One(t, asked); got != "of the first" {
		t.Errorf("the subgraph is asked with %v", got)
	}
	other, _ := join(t, h, "k", topic)
	end()
	p.events <- "1"
	if await.One(t, first.some) != "1" || await.One(t, other.some) != "1" {
		t.Error("not everybody heard")
	}
	h.Close()
}

// A hub is closed once its goroutines have ended, and so have its streams.
func TestCloseWaitsForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub[string, string, Receiver[string]](0)
		p, completing, let := newPipe(), make(chan struct{}), make(chan struct{})
		topic := p.topic()
		topic.Complete = func(context.Context, []byte, int) string { close(completing); <-let; return "late" }
		join(t, h, "k", topic)
		p.events <- "1"
		<-completing
		closed := make(chan struct{})
		go func() { h.Close(); close(closed) }()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("closed while an event is completed")
		default:
		}
		close(let)
		<-closed
	})
}

// An upstream subscription is closed when what it is for has failed, not only when it ends by itself.
func TestAFaultClosesTheStream(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](0)
	p := newPipe()
	topic := p.topic()
	var upstream *Subscription
	open := topic.Open
	topic.Open = func(ctx context.Context) (s *Subscription, err error) {
		upstream, err = open(context.WithoutCancel(ctx)) // so that closing it is all that ends it
		return upstream, err
	}
	topic.Complete = func(context.Context, []byte, int) string { panic("fault") }
	a, _ := join(t, h, "k", topic)
	p.events <- "1"
	var fault *PanicError
	if err := await.One(t, a.ended); !errors.As(err, &fault) {
		t.Errorf("told %v", err)
	}
	await.One(t, p.left)
	h.Close()
	await.One(t, upstream.done)
}
