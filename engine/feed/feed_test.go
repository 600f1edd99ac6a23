package feed_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"bourse/engine/feed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type message struct {
	n   int
	err error
}

func newHub(limit int) *feed.Hub[string, message] {
	return feed.NewHub[string](limit, func(err error) message { return message{err: err} })
}

func watch(t *testing.T, h *feed.Hub[string, message], key string, buffer int) <-chan message {
	t.Helper()
	ch, err := h.Watch(t.Context(), key, buffer, message{n: -1})
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func TestEveryMessageInOrder(t *testing.T) {
	h := newHub(10)
	a, b, other := watch(t, h, "a", 100), watch(t, h, "a", 100), watch(t, h, "b", 100)
	for n := range 50 {
		h.Publish("a", message{n: n})
	}
	h.Publish("nobody", message{})
	for _, ch := range []<-chan message{a, b} {
		for n := -1; n < 50; n++ {
			if got := <-ch; got.n != n || got.err != nil {
				t.Fatalf("got %+v, want %d", got, n)
			}
		}
	}
	if len(other) != 1 {
		t.Fatalf("the other key has %d messages", len(other))
	}
}

func TestSlowWatcherIsToldAndClosed(t *testing.T) {
	h := newHub(10)
	slow, quick := watch(t, h, "a", 3), watch(t, h, "a", 3)
	for n := range 10 {
		h.Publish("a", message{n: n})
		if n == 0 {
			<-quick // the first
		}
		if got := <-quick; got.n != n {
			t.Fatalf("the quick one got %+v, want %d", got, n)
		}
	}
	var got []message
	for m := range slow {
		got = append(got, m)
	}
	if len(got) != 4 || got[2].n != 1 || !errors.Is(got[3].err, feed.ErrLagged) {
		t.Fatalf("the slow one got %+v", got)
	}
	if h.Watchers() != 1 {
		t.Fatalf("%d watchers are left", h.Watchers())
	}
}

func TestEndedContextClosesSilently(t *testing.T) {
	h := newHub(10)
	ctx, cancel := context.WithCancel(t.Context())
	ch, err := h.Watch(ctx, "a", 3, message{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	var last message
	n := 0
	for last = range ch {
		n++
	}
	if n != 1 || last.err != nil {
		t.Fatalf("%d messages, the last %+v", n, last)
	}
	if h.Watched("a") {
		t.Fatal("the key is still watched")
	}
	h.Publish("a", message{})
}

func TestClosedHub(t *testing.T) {
	h := newHub(10)
	full, ended := watch(t, h, "a", 1), make(chan struct{})
	go func() {
		defer close(ended)
		h.Close()
	}()
	<-ended
	<-full
	if last := <-full; !errors.Is(last.err, feed.ErrClosing) {
		t.Fatalf("the last message is %+v", last)
	}
	if _, open := <-full; open {
		t.Fatal("the channel is open")
	}
	if _, err := h.Watch(t.Context(), "a", 1, message{}); !errors.Is(err, feed.ErrClosing) {
		t.Fatalf("watch a closed hub: %v", err)
	}
}

func TestWatchersAreBounded(t *testing.T) {
	h := newHub(2)
	watch(t, h, "a", 1)
	watch(t, h, "b", 1)
	if _, err := h.Watch(t.Context(), "c", 1, message{}); !errors.Is(err, feed.ErrFull) {
		t.Fatalf("a third watcher: %v", err)
	}
}
