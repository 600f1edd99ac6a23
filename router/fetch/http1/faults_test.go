package http1

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func expect(t *testing.T, to *Target, r Request, want string) {
	t.Helper()
	if a, err := post(t.Context(), to, r); err != nil || string(a.Body) != want {
		t.Fatalf("%q %v, want %q", a.Body, err, want)
	}
}

// A server that has closed a kept connection is asked on another one, mutations as well: it was seen before they were sent.
func TestAClosedConnectionIsReplaced(t *testing.T) {
	for _, repeatable := range []bool{true, false} {
		closed := make(chan struct{}, 2)
		url := script(t, func(_ int, c net.Conn, r *bufio.Reader) {
			hears(t, r)
			_, _ = io.WriteString(c, ok)
			c.Close()
			closed <- struct{}{}
		})
		to := target(t, Options{}, url)
		expect(t, to, Request{}, "ok")
		<-closed
		expect(t, to, Request{Repeatable: repeatable}, "ok")
	}
}

// A connection that breaks while it carries a request: a query is sent again, once; a mutation may have happened.
func TestOnlyWhatIsRepeatableIsSentTwice(t *testing.T) {
	for _, repeatable := range []bool{true, false} {
		var heard atomic.Int32
		url := script(t, func(n int, c net.Conn, r *bufio.Reader) {
			defer c.Close()
			for range 2 {
				if req, _ := hears(t, r); req == nil {
					return
				}
				if heard.Add(1) == 2 {
					return // without an answer
				}
				_, _ = io.WriteString(c, ok)
			}
		})
		to := target(t, Options{}, url)
		expect(t, to, Request{}, "ok")
		a, err := post(t.Context(), to, Request{Repeatable: repeatable, Body: []byte("x")})
		if repeatable && (err != nil || string(a.Body) != "ok" || heard.Load() != 3) {
			t.Errorf("a query: %q %v, heard %d times", a.Body, err, heard.Load())
		}
		if !repeatable && (err == nil || heard.Load() != 2) {
			t.Errorf("a mutation: %q %v, heard %d times", a.Body, err, heard.Load())
		}
	}
}

// A request that has been answered in part is not sent again, and neither is one on a new connection.
func TestBrokenAnswersAreErrors(t *testing.T) {
	for _, first := range []bool{true, false} {
		var heard atomic.Int32
		url := script(t, func(_ int, c net.Conn, r *bufio.Reader) {
			defer c.Close()
			if !first {
				hears(t, r)
				_, _ = io.WriteString(c, ok)
			}
			if req, _ := hears(t, r); req != nil {
				heard.Add(1)
				_, _ = io.WriteString(c, ok[:len(ok)-1])
			}
		})
		to := target(t, Options{}, url)
		if !first {
			expect(t, to, Request{}, "ok")
		}
		if _, err := post(t.Context(), to, Request{Repeatable: true}); !errors.Is(err, io.ErrUnexpectedEOF) || heard.Load() != 1 {
			t.Errorf("%v, heard %d times", err, heard.Load())
		}
	}
}

// What a server says when it tires of waiting is nobody's answer.
func TestAnUnaskedAnswerIsNotTaken(t *testing.T) {
	said := make(chan struct{})
	url := script(t, func(n int, c net.Conn, r *bufio.Reader) {
		defer c.Close()
		hears(t, r)
		_, _ = io.WriteString(c, ok)
		if n == 0 {
			_, _ = io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")
			close(said)
			return
		}
	})
	to := target(t, Options{}, url)
	expect(t, to, Request{}, "ok")
	<-said
	expect(t, to, Request{Repeatable: true}, "ok")
}

// The time of the request before, which is over, is not that of the next one.
func TestAConnectionOutlivesTheTimeOfItsRequests(t *testing.T) {
	dialled := 0
	url := script(t, func(_ int, c net.Conn, r *bufio.Reader) {
		defer c.Close()
		dialled++
		for range 2 {
			hears(t, r)
			_, _ = io.WriteString(c, ok)
		}
	})
	to := target(t, Options{}, url)
	expect(t, to, Request{Deadline: time.Now().Add(time.Minute)}, "ok")
	if err := to.pool.idle[0].net.SetDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	expect(t, to, Request{Deadline: time.Now().Add(time.Minute)}, "ok")
	if dialled != 1 {
		t.Errorf("%d connections", dialled)
	}
}

func TestTimeAndCancellationEndIt(t *testing.T) {
	for name, halfway := range map[string]string{"silent": "", "half a head": ok[:10], "half a body": ok[:len(ok)-1]} {
		for _, cancelled := range []bool{true, false} {
			heard, hungUp := make(chan struct{}), make(chan struct{})
			url := script(t, func(_ int, c net.Conn, r *bufio.Reader) {
				defer c.Close()
				hears(t, r)
				_, _ = io.WriteString(c, halfway)
				close(heard)
				_, _ = io.Copy(io.Discard, r)
				close(hungUp)
			})
			to := target(t, Options{}, url)
			ctx, cancel := context.WithCancel(t.Context())
			r, want := Request{Repeatable: true}, context.Canceled
			if cancelled {
				go func() { <-heard; cancel() }()
			} else {
				r.Deadline, want = time.Now().Add(20*time.Millisecond), context.DeadlineExceeded
			}
			if _, err := post(ctx, to, r); !errors.Is(err, want) {
				t.Errorf("%s, cancelled %v: %v", name, cancelled, err)
			}
			<-hungUp
			cancel()
		}
	}
}

func TestTimeBoundsDialling(t *testing.T) {
	to := target(t, Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}, "http://a/")
	if _, err := post(t.Context(), to, Request{Deadline: time.Now().Add(time.Millisecond)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := post(ctx, to, Request{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// A refusal reaches the caller even when the server did not care for the rest of the request.
func TestAnEarlyRefusalIsHeard(t *testing.T) {
	url := script(t, func(_ int, c net.Conn, r *bufio.Reader) {
		_, _ = r.ReadString('\n')
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, r)
		c.Close()
	})
	a, err := post(t.Context(), target(t, Options{}, url), Request{Body: []byte(strings.Repeat("x", 4<<20))})
	if err != nil || a.Status != http.StatusRequestEntityTooLarge || string(a.Body) != "large" {
		t.Errorf("%d %q %v", a.Status, a.Body, err)
	}
}

// Connections that are idle for too long are closed by themselves, and so are all of them with the client.
func TestIdleConnectionsGo(t *testing.T) {
	gone := make(chan int, 2)
	url := script(t, func(n int, c net.Conn, r *bufio.Reader) {
		for {
			if req, _ := hears(t, r); req == nil {
				c.Close()
				gone <- n
				return
			}
			_, _ = io.WriteString(c, ok)
		}
	})
	to := target(t, Options{IdleTimeout: 10 * time.Millisecond}, url)
	expect(t, to, Request{}, "ok")
	if n := <-gone; n != 0 {
		t.Errorf("connection %d went", n)
	}
	to = target(t, Options{}, url)
	expect(t, to, Request{}, "ok")
	to.pool.c.Close()
	if n := <-gone; n != 1 {
		t.Errorf("connection %d went", n)
	}
	expect(t, to, Request{}, "ok") // still works, and keeps nothing
	<-gone
}

func BenchmarkPost(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	to := target(b, Options{}, "http://"+l.Addr().String()+"/graphql")
	header := http.Header{"Authorization": {"Bearer x"}}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		a, err := to.Post(ctx, &Request{Header: header, Body: []byte(`{"query":"{a}"}`), Deadline: time.Now().Add(time.Second), Repeatable: true})
		if err != nil {
			b.Fatal(err)
		}
		a.Release()
	}
}

// eager is a connection on which the whole answer is there at once, and whose reader's context ends while it is read.
type eager struct {
	net.Conn
	left   string
	cancel context.CancelFunc
	cut    chan struct{} // closed when the connection is broken off
}

func (e *eager) Write(b []byte) (int, error) { return len(b), nil }
func (e *eager) Close() error                { return nil }

func (e *eager) SetDeadline(at time.Time) error {
	if at.Equal(longAgo) {
		close(e.cut)
	}
	return nil
}

func (e *eager) Read(b []byte) (int, error) {
	e.cancel()
	<-e.cut
	n := copy(b, e.left)
	e.left = e.left[n:]
	return n, nil
}

// A connection whose request was cancelled is not kept, even when the answer came all the same: its deadline belongs to that request.
func TestACancelledConnectionIsNotKept(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	to := target(t, Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		return &eager{left: ok, cancel: cancel, cut: make(chan struct{})}, nil
	}}, "http://a/")
	if a, err := post(ctx, to, Request{}); err != nil || string(a.Body) != "ok" {
		t.Fatalf("%q %v", a.Body, err)
	}
	if n := len(to.pool.idle); n != 0 {
		t.Errorf("%d connections are kept", n)
	}
}

// A request whose own connection is refused or broken, whose time is over or whose caller has gone is not sent a second time.
func TestNothingIsRepeatedInVain(t *testing.T) {
	for name, c := range map[string]struct {
		reused, sent, answered bool
		mutation               bool
		err                    error
		repeats                bool
	}{
		"broken when kept":          {reused: true, sent: true, err: io.ErrUnexpectedEOF, repeats: true},
		"broken when new":           {sent: true, err: io.ErrUnexpectedEOF},
		"broken in the answer":      {reused: true, sent: true, answered: true, err: io.ErrUnexpectedEOF},
		"a mutation that was sent":  {reused: true, sent: true, mutation: true, err: io.ErrUnexpectedEOF},
		"a mutation that was not":   {reused: true, mutation: true, err: io.ErrClosedPipe, repeats: true},
		"a mutation on a new one":   {mutation: true, err: io.ErrClosedPipe},
		"out of time":               {reused: true, sent: true, err: context.DeadlineExceeded},
		"cancelled before anything": {reused: true, err: context.Canceled},
	} {
		k := &conn{reused: c.reused, sent: c.sent, answered: c.answered}
		if got := k.mayRepeat(&Request{Repeatable: !c.mutation}, c.err); got != c.repeats {
			t.Errorf("%s: repeated %v", name, got)
		}
	}
}

// What has been idle for too long is not used, even before the reaper comes by.
func TestAnAgedConnectionIsNotUsed(t *testing.T) {
	var dialled atomic.Int32
	url := script(t, func(_ int, c net.Conn, r *bufio.Reader) {
		dialled.Add(1)
		hears(t, r)
		_, _ = io.WriteString(c, ok)
		_, _ = io.Copy(io.Discard, r)
		c.Close()
	})
	to := target(t, Options{IdleTimeout: time.Hour}, url)
	expect(t, to, Request{}, "ok")
	for _, c := range to.pool.idle {
		c.since = c.since.Add(-2 * time.Hour)
	}
	expect(t, to, Request{Repeatable: true}, "ok")
	if n := dialled.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}
