package redis

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	embedded "bourse/cmd/embedded/redis"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("bourse/cmd/embedded/internal/child.Start.func1"))
}

func start(t *testing.T) *embedded.Server {
	t.Helper()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("bourse-link-%d", time.Now().UnixNano()))
	server, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Stop(context.Background())
		_ = os.RemoveAll(dir)
	})
	return server
}

func link(t *testing.T, url string) *Link {
	t.Helper()
	o, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(o)
	l := New(client, "house")
	t.Cleanup(func() {
		_ = l.Close()
		_ = client.Close()
	})
	return l
}

// inbox collects what a reader is handed.
type inbox struct {
	mu   sync.Mutex
	got  []string
	some chan struct{}
}

func (i *inbox) take(s Stream, data []byte) {
	i.mu.Lock()
	i.got = append(i.got, s.name+"="+string(data))
	i.mu.Unlock()
	select {
	case i.some <- struct{}{}:
	default:
	}
}

// await waits until so many came.
func (i *inbox) await(t *testing.T, n int) []string {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		i.mu.Lock()
		got := i.got
		i.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-i.some:
		case <-limit:
			t.Fatalf("%d of %d messages came: %v", len(got), n, got)
		}
	}
}

func (l *Link) listen(t *testing.T, streams ...Stream) *inbox {
	t.Helper()
	box := &inbox{some: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	begun := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() { l.Follow(ctx, func() { close(begun) }, box.take, streams...) })
	t.Cleanup(func() { cancel(); done.Wait() })
	<-begun
	return box
}

func send(t *testing.T, l *Link, to Stream, texts ...string) {
	t.Helper()
	var parcels []Parcel
	for _, text := range texts {
		parcels = append(parcels, Parcel{to, []byte(text)})
	}
	for _, err := range l.Send(t.Context(), parcels) {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestMessagesComeInOrderFromTheEndOn(t *testing.T) {
	server := start(t)
	a, b := link(t, server.URL()), link(t, server.URL())
	send(t, a, a.Events(), "before")
	box := b.listen(t, b.Events(), b.Answers("b"))
	send(t, a, a.Events(), "1", "2")
	send(t, a, a.Answers("c"), "for another")
	send(t, a, a.Answers("b"), "3\x00\xff")
	want := []string{"{house}:events=1", "{house}:events=2", "{house}:answers:b=3\x00\xff"}
	if got := box.await(t, 3); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %q", got)
	}
	if !b.Up() || !a.Up() {
		t.Error("says that it is down")
	}
}

// A Redis that dies takes what it held along; when one is back at the same address, everything goes
// on, whatever the numbers of its messages.
func TestRedisDiesAndComesBack(t *testing.T) {
	if os.Getenv("REDIS_URL") != "" {
		t.Skip("stops a server of its own, which a given one does not allow for")
	}
	server := start(t)
	o, err := goredis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	// What is dialled can change, as when a server moves behind its name.
	var mu sync.Mutex
	address := o.Addr
	o.Dialer = func(ctx context.Context, network, _ string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
	o.CredentialsProvider = func() (string, string) {
		mu.Lock()
		defer mu.Unlock()
		return o.Username, o.Password
	}
	client := goredis.NewClient(o)
	l := New(client, "house")
	t.Cleanup(func() { _ = l.Close(); _ = client.Close() })
	box := l.listen(t, l.Commands())
	send(t, l, l.Commands(), "1")
	box.await(t, 1)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		errs := l.Send(t.Context(), []Parcel{{l.Commands(), []byte("lost")}})
		if errs[0] == nil {
			t.Fatal("sent to nobody")
		}
		if Undelivered(errs[0]) {
			break // a connection that was open before may fail otherwise
		}
	}
	if l.Up() {
		t.Error("says that it is up")
	}
	again := start(t)
	next, err := goredis.ParseURL(again.URL())
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	address, o.Username, o.Password = next.Addr, next.Username, next.Password
	mu.Unlock()
	for l.Send(t.Context(), []Parcel{{l.Commands(), []byte("2")}})[0] != nil {
		time.Sleep(10 * time.Millisecond) // the back-off of a sender
	}
	if got := box.await(t, 2); got[1] != "{house}:commands=2" {
		t.Fatalf("got %q", got)
	}
}

func TestStreamsAreShort(t *testing.T) {
	server := start(t)
	l := link(t, server.URL())
	texts := make([]string, 500)
	for range 8 {
		send(t, l, l.Events(), texts...)
	}
	if n := l.client.XLen(t.Context(), l.Events().name).Val(); n > 2*l.Events().most {
		t.Fatalf("%d messages are kept", n)
	}
	send(t, l, l.Answers("a"), "1")
	if ttl := l.client.TTL(t.Context(), l.Answers("a").name).Val(); ttl <= 0 || ttl > time.Minute {
		t.Fatalf("the answers to one node live for %s", ttl)
	}
}
