package http1

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// canned is a connection to a server that answers each request with the same, whole or in part.
type canned struct {
	net.Conn
	answer    string
	takes     int // bytes of a request; 0: all of them
	left      string
	deadlines []time.Time
	closed    atomic.Bool
}

func (c *canned) Write(b []byte) (int, error) {
	c.left = c.answer
	if c.takes > 0 && len(b) > c.takes {
		return c.takes, syscall.EPIPE
	}
	return len(b), nil
}

func (c *canned) Read(b []byte) (int, error) {
	if c.left == "" {
		return 0, io.EOF
	}
	n := copy(b, c.left)
	c.left = c.left[n:]
	return n, nil
}

func (c *canned) SetDeadline(at time.Time) error {
	c.deadlines = append(c.deadlines, at)
	return nil
}

func (c *canned) Close() error {
	c.closed.Store(true)
	return nil
}

// toCanned is a target whose connections are made by the function.
func toCanned(t *testing.T, o Options, dial func() *canned) *Target {
	t.Helper()
	o.Dial = func(context.Context, string, string) (net.Conn, error) { return dial(), nil }
	return target(t, o, "http://a/")
}

// A server that refuses a request before it has read it is heard, and what is left of that request is nobody's.
func TestARefusalInTheMiddleOfARequestEndsTheConnection(t *testing.T) {
	c := &canned{answer: "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge", takes: 100}
	to := toCanned(t, Options{}, func() *canned { return c })
	a, err := post(t.Context(), to, Request{Body: make([]byte, 1000)})
	if err != nil || a.Status != http.StatusRequestEntityTooLarge || string(a.Body) != "large" {
		t.Errorf("%d %q %v", a.Status, a.Body, err)
	}
	if len(to.pool.idle) != 0 || !c.closed.Load() {
		t.Error("the connection is kept")
	}
}

// Each request has its own time, also on a connection that was another's.
func TestADeadlineIsOfOneRequest(t *testing.T) {
	c := &canned{answer: ok}
	to := toCanned(t, Options{}, func() *canned { return c })
	for _, at := range []time.Time{time.Now().Add(time.Hour), time.Now().Add(2 * time.Hour), {}} {
		if _, err := post(t.Context(), to, Request{Repeatable: true, Deadline: at}); err != nil || !c.deadlines[len(c.deadlines)-1].Equal(at) {
			t.Errorf("deadlines %v, want %s; %v", c.deadlines, at, err)
		}
	}
}

// Connections are kept up to the bound, and the one that was used last is used next: the others may grow old.
func TestWhatIsKept(t *testing.T) {
	to := toCanned(t, Options{MaxIdle: 2}, nil)
	var all []*canned
	for range 3 {
		c := &canned{answer: ok}
		all = append(all, c)
		to.pool.put(newConn(c, &to.pool.c.o))
	}
	if len(to.pool.idle) != 2 || !all[2].closed.Load() || all[0].closed.Load() {
		t.Errorf("%d are kept", len(to.pool.idle))
	}
	if c := to.pool.take(&Request{Repeatable: true}); c == nil || c.net != net.Conn(all[1]) {
		t.Error("another than the last is used")
	}
}

// When a kept connection turns out closed, the server may have gone: those that have been idle for longer are not tried one by one.
func TestOneClosedConnectionSpeaksForTheOthers(t *testing.T) {
	dialled := 0
	to := toCanned(t, Options{}, func() *canned { dialled++; return &canned{answer: ok} })
	var old []*canned
	for range 3 {
		c := &canned{}
		old = append(old, c)
		to.pool.put(newConn(c, &to.pool.c.o))
	}
	expect(t, to, Request{Repeatable: true}, "ok")
	for i, c := range old {
		if !c.closed.Load() {
			t.Errorf("connection %d is kept", i)
		}
	}
	if dialled != 1 || len(to.pool.idle) != 1 {
		t.Errorf("%d new connections, %d are kept", dialled, len(to.pool.idle))
	}
}

// The reaper goes on as long as there is something for it.
func TestTheReaperComesForTheYoungerOnesToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := toCanned(t, Options{IdleTimeout: time.Minute}, nil)
		older, younger := &canned{}, &canned{}
		to.pool.put(newConn(older, &to.pool.c.o))
		time.Sleep(30 * time.Second)
		to.pool.put(newConn(younger, &to.pool.c.o))
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if !older.closed.Load() || younger.closed.Load() {
			t.Errorf("after a minute the older is closed: %v, the younger: %v", older.closed.Load(), younger.closed.Load())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !younger.closed.Load() {
			t.Error("the younger stays for ever")
		}
		to.pool.c.Close()
	})
}

func TestWhereTargetsAre(t *testing.T) {
	for text, want := range map[string]string{
		"http://a/": "a:80", "http://a": "a:80", "http://a:4001/graphql": "a:4001", "http://[::1]/": "[::1]:80", "http://[::1]:4000/": "[::1]:4000", "http://a:/": "a:80",
	} {
		dialled, nobody := "", errors.New("nobody there")
		c := New(Options{Dial: func(_ context.Context, _, address string) (net.Conn, error) { dialled = address; return nil, nobody }})
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		to, reached := c.NewTarget(u, nil)
		if !reached {
			t.Fatalf("%s is not reached", text)
		}
		if _, err := post(t.Context(), to, Request{}); !errors.Is(err, nobody) || dialled != want {
			t.Errorf("%s is dialled at %q, want %q; %v", text, dialled, want, err)
		}
		c.Close()
	}
}

// A length that is announced costs little before the bytes come.
func TestAnnouncedBytesCostNothing(t *testing.T) {
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3000000\r\nx",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, _, err := readAll(raw, []int{len(raw)}, Options{})
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, io.ErrUnexpectedEOF) || spent > 8<<20 {
			t.Errorf("%.60q: %d bytes, %v", strings.TrimSpace(raw), spent, err)
		}
	}
}
