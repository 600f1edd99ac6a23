package subscribe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"bourse/router/execute"
	"bourse/router/internal/await"
)

// pipe is a Source and its only Stream: what is sent to it is an event.
type pipe struct {
	events chan string
	end    error         // once events is closed
	opened chan struct{} // a token for each time
	left   chan struct{}
	once   *sync.Once
}

func newPipe() *pipe {
	return &pipe{events: make(chan string), end: io.EOF, opened: make(chan struct{}, 100), left: make(chan struct{}), once: new(sync.Once)}
}

func (p *pipe) Open(context.Context, *execute.Request) (Stream, error) {
	select {
	case p.opened <- struct{}{}:
	default: // enough of them
	}
	return p, nil
}

func (p *pipe) Next() ([]byte, error) {
	select {
	case e, ok := <-p.events:
		if !ok {
			return nil, p.end
		}
		return []byte(e), nil
	case <-p.left:
		return nil, io.ErrClosedPipe
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.left) })
	return nil
}

func (p *pipe) topic() Topic[string] {
	return Topic[string]{
		Open: func(ctx context.Context) (*Subscription, error) {
			return Open(ctx, p, &execute.Request{Subgraph: "member"}, Options{MaxEvents: 1000})
		},
		Complete: func(_ context.Context, raw []byte, _ int) string { return string(raw) },
	}
}

// listener is a Receiver that writes down what it hears.
type listener struct {
	mu    sync.Mutex
	heard []string
	some  chan string
	ended chan error
}

func newListener() *listener {
	return &listener{some: make(chan string, 1000), ended: make(chan error, 2)}
}

func (l *listener) Event(e string) {
	l.mu.Lock()
	l.heard = append(l.heard, e)
	l.mu.Unlock()
	l.some <- e
}

func (l *listener) End(err error) { l.ended <- err }

func join(t *testing.T, h *Hub[string, string, Receiver[string]], key string, of Topic[string]) (*listener, func()) {
	t.Helper()
	l := newListener()
	leave, err := h.Join(t.Context(), key, of, l)
	if err != nil {
		t.Fatal(err)
	}
	return l, leave
}

func TestOneUpstreamForOneKey(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](0)
	defer h.Close()
	p, other := newPipe(), newPipe()
	a, leaveA := join(t, h, "k", p.topic())
	b, leaveB := join(t, h, "k", other.topic())
	c, _ := join(t, h, "other", other.topic())
	p.events <- "1"
	if await.One(t, a.some) != "1" || await.One(t, b.some) != "1" {
		t.Error("not everybody heard")
	}
	late, leaveLate := join(t, h, "k", other.topic())
	p.events <- "2"
	if await.One(t, a.some) != "2" || await.One(t, b.some) != "2" || await.One(t, late.some) != "2" {
		t.Error("not everybody heard")
	}
	other.events <- "x"
	if await.One(t, c.some) != "x" || len(a.heard) != 2 {
		t.Error("keys are mixed up")
	}
	if len(p.opened) != 1 || len(other.opened) != 1 {
		t.Errorf("opened %d and %d times", len(p.opened), len(other.opened))
	}
	leaveA()
	leaveA()
	leaveLate()
	p.events <- "3" // goes on for the last one
	if await.One(t, b.some) != "3" {
		t.Error("the last one did not hear")
	}
	leaveB()
	await.One(t, p.left)
	if len(a.heard) != 2 || len(a.ended) != 0 || h.Len() != 1 {
		t.Errorf("who left heard %q; %d topics", a.heard, h.Len())
	}
}

func TestEndIsToldToAll(t *testing.T) {
	broken := errors.New("broken")
	for _, end := range []error{io.EOF, broken} {
		h := NewHub[string, string, Receiver[string]](0)
		p, told := newPipe(), 0
		p.end = end
		topic := p.topic()
		topic.Ended = func(_ context.Context, err error) error { told++; return err }
		a, leave := join(t, h, "k", topic)
		b, _ := join(t, h, "k", topic)
		close(p.events)
		if err := await.One(t, a.ended); !errors.Is(err, end) {
			t.Errorf("told %v", err)
		}
		if err := await.One(t, b.ended); !errors.Is(err, end) || told != 1 {
			t.Errorf("told %v; translated %d times", err, told)
		}
		leave()
		again := newPipe()
		c, _ := join(t, h, "k", again.topic()) // the key begins anew
		again.events <- "1"
		await.One(t, c.some)
		h.Close()
		if err := await.One(t, c.ended); !errors.Is(err, ErrClosed) {
			t.Errorf("closed with %v", err)
		}
		if _, err := h.Join(t.Context(), "k", again.topic(), c); !errors.Is(err, ErrClosed) {
			t.Errorf("joined a closed hub: %v", err)
		}
	}
}

func TestRefusalOfTheSubgraphIsToldToAll(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](0)
	defer h.Close()
	refused, asked := errors.New("no"), make(chan struct{})
	topic := Topic[string]{Open: func(context.Context) (*Subscription, error) { <-asked; return nil, refused }}
	a, _ := join(t, h, "k", topic)
	b, _ := join(t, h, "k", topic)
	close(asked)
	if await.One(t, a.ended) != refused || await.One(t, b.ended) != refused {
		t.Error("not told")
	}
}

func TestLeavingWhileTheSubgraphIsAskedGivesUp(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](0)
	gone := make(chan struct{})
	_, leave := join(t, h, "k", Topic[string]{Open: func(ctx context.Context) (*Subscription, error) {
		<-ctx.Done()
		close(gone)
		return nil, ctx.Err()
	}})
	leave()
	await.One(t, gone)
	h.Close()
}

func TestFaultEndsTheTopicNotTheProcess(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](0)
	defer h.Close()
	p := newPipe()
	topic := p.topic()
	topic.Complete = func(context.Context, []byte, int) string { panic("fault") }
	a, _ := join(t, h, "k", topic)
	p.events <- "1"
	var fault *PanicError
	if err := await.One(t, a.ended); !errors.As(err, &fault) {
		t.Errorf("told %v", err)
	}
	await.One(t, p.left)
}

// Whoever comes after the state that a stream begins with gets a stream of its own.
func TestStateFirstIsNotJoinedLate(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](0)
	p, q := newPipe(), newPipe()
	first, second := p.topic(), q.topic()
	first.StateFirst, second.StateFirst = true, true
	a, leave := join(t, h, "k", first)
	b, _ := join(t, h, "k", second)
	p.events <- "state"
	await.One(t, a.some)
	await.One(t, b.some)
	c, _ := join(t, h, "k", second)
	q.events <- "state of q"
	if got := await.One(t, c.some); got != "state of q" {
		t.Errorf("got %s", got)
	}
	p.events <- "change"
	if await.One(t, b.some) != "change" || len(c.heard) != 1 || h.Len() != 2 {
		t.Errorf("c heard %q; %d topics", c.heard, h.Len())
	}
	leave()
	h.Close() // ends what can no longer be joined as well
	await.One(t, p.left)
	await.One(t, q.left)
}

func TestUpstreamLingersForThoseWhoComeBack(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](time.Hour)
	p := newPipe()
	a, leave := join(t, h, "k", p.topic())
	p.events <- "1"
	await.One(t, a.some)
	leave()
	b, leave := join(t, h, "k", newPipe().topic())
	p.events <- "2"
	if got := await.One(t, b.some); got != "2" {
		t.Errorf("got %s", got)
	}
	if len(p.opened) != 1 {
		t.Error("opened again")
	}
	leave()
	h.Close()
	await.One(t, p.left)

	h = NewHub[string, string, Receiver[string]](time.Nanosecond)
	defer h.Close()
	p = newPipe()
	_, leave = join(t, h, "k", p.topic())
	await.One(t, p.opened)
	leave()
	await.One(t, p.left)
}

// Many come and go while events flow: each hears a run without holes from where it came, nobody who stays misses the end, and the
// upstream subscription is given up with the last.
func TestManyJoinAndLeave(t *testing.T) {
	const people, events = 2000, 300
	h := NewHub[string, string, Receiver[string]](0)
	p := newPipe()
	stays, _ := join(t, h, "k", p.topic())
	over := Topic[string]{Open: func(context.Context) (*Subscription, error) { return nil, io.EOF }} // for who comes after the end
	var wg sync.WaitGroup
	for range people {
		wg.Go(func() {
			l := newListener()
			leave, err := h.Join(t.Context(), "k", over, l)
			if err != nil {
				t.Error(err)
				return
			}
			patience := rand.IntN(4) * rand.IntN(40)
			for range patience {
				select {
				case <-l.some:
					continue
				case err := <-l.ended:
					if !errors.Is(err, io.EOF) {
						t.Error(err)
					}
				}
				break
			}
			leave()
			l.mu.Lock()
			defer l.mu.Unlock()
			for i := 1; i < len(l.heard); i++ {
				if before, _ := strconv.Atoi(l.heard[i-1]); l.heard[i] != strconv.Itoa(before+1) {
					t.Errorf("heard %s after %s", l.heard[i], l.heard[i-1])
				}
			}
		})
	}
	for i := range events {
		p.events <- strconv.Itoa(i)
	}
	close(p.events)
	if err := await.One(t, stays.ended); !errors.Is(err, io.EOF) || len(stays.heard) != events || !slices.IsSortedFunc(stays.heard, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	}) {
		t.Errorf("%v after %d events", err, len(stays.heard))
	}
	await.One(t, p.left)
	wg.Wait()
	h.Close()
}

// A receiver that leaves or joins others from within a call is no trouble.
func TestLeavingFromWithinAnEvent(t *testing.T) {
	h := NewHub[string, string, Receiver[string]](0)
	defer h.Close()
	p := newPipe()
	var mu sync.Mutex
	leaves, heard := map[int]func(){}, 0
	for i := range 10 {
		leave, err := h.Join(t.Context(), "k", p.topic(), receiverFunc(func(string) {
			mu.Lock()
			defer mu.Unlock()
			heard++
			leaves[i]()
		}))
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		leaves[i] = leave
		mu.Unlock()
	}
	last, leave := join(t, h, "k", p.topic())
	for i := range 3 {
		p.events <- fmt.Sprint(i)
		await.One(t, last.some)
	}
	leave()
	await.One(t, p.left)
	if heard != 10 {
		t.Errorf("heard %d times", heard)
	}
}

type receiverFunc func(string)

func (f receiverFunc) Event(e string) { f(e) }
func (f receiverFunc) End(error)      {}
