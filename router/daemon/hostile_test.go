package daemon

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fortress is a configuration whose times are short, so that attackers need not be waited for.
const fortress = `
listen: {address: "127.0.0.1:0", header_timeout: 300ms, idle_timeout: 300ms, max_header: 16KiB}
http: {read_timeout: 2s, write_timeout: 1s, keep_alive: 300ms, compressed_bodies: true, max_batch: 10}
websocket: {init_timeout: 300ms}
limits: {body: 256KiB}
supergraph: {file: graph.graphql, watch: false}
`

// attack is what a client does on one connection until the router has had enough. It returns how much the router, or the kernel for it, took,
// and what was answered.
type attack struct {
	name      string
	strike    func(c net.Conn) (sent int64, answer string)
	answer    string // what must stand in the answer, where there must be one; of a WebSocket's close frame, the code
	allocated uint64 // what a connection may cost in memory that is ever asked for, the attacker's part with it
}

const (
	post    = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: application/graphql-response+json\r\nConnection: close\r\n"
	upgrade = "GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YW55IHNpeHRlZW4gYnl0ZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
	asked   = `{"query":"{ a }"}`
	endless = 256 << 20 // more than anything may take
	most    = 16 << 20  // that may be taken of it; most of that the kernel's buffers take
	open    = "the connection stays open"
)

// hear reads until the connection ends, for an attacker that has done with sending.
func hear(c net.Conn) string {
	text, err := io.ReadAll(io.LimitReader(c, 64<<10))
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return open
	}
	return string(text)
}

// say sends a text and hears.
func say(text string) func(net.Conn) (int64, string) {
	raw := []byte(text) // once: the attacker's own memory is none of the figure
	return func(c net.Conn) (int64, string) {
		n, _ := c.Write(raw) // the other end may close before all is sent
		return int64(n), hear(c)
	}
}

// drip sends a text and then a byte at a time.
func drip(text string) func(net.Conn) (int64, string) {
	return func(c net.Conn) (int64, string) {
		n, err := io.WriteString(c, text)
		ended := make(chan string, 1)
		go func() { ended <- hear(c) }()
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case answer := <-ended:
				tick.Stop()
				return int64(n), answer
			case <-tick.C:
				if err == nil {
					_, err = io.WriteString(c, "x")
					n++
				}
			}
		}
	}
}

// flood sends a text and then another without end, and reads nothing meanwhile.
func flood(text, piece string) func(net.Conn) (int64, string) {
	raw := []byte(piece)
	return func(c net.Conn) (int64, string) {
		n, err := io.WriteString(c, text)
		sent := int64(n)
		for err == nil && sent < endless {
			n, err = c.Write(raw)
			sent += int64(n)
		}
		return sent, ""
	}
}

// frame is one of a WebSocket's client; the mask is of zeros.
func frame(first byte, payload string) string {
	if len(payload) < 126 {
		return string([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
	}
	return string([]byte{first, 0x80 | 126, byte(len(payload) >> 8), byte(len(payload)), 0, 0, 0, 0}) + payload
}

// zeros inflates to 200 MB: members of one stream, each a megabyte of nothing.
func zeros() string {
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	_, _ = io.WriteString(w, strings.Repeat(" ", 1<<20)) // into memory
	_ = w.Close()
	return strings.Repeat(member.String(), 200) // as many as a body of 256 KiB may have
}

func attacks() []attack {
	compressed := zeros()
	list := "[" + strings.Repeat(asked+",", 10_000) + asked + "]"
	body := func(head, text string) string {
		return fmt.Sprintf("%s%sContent-Length: %d\r\n\r\n%s", post, head, len(text), text)
	}
	greeting := upgrade + frame(0x81, `{"type":"connection_init"}`)
	return []attack{
		{"silence", say(""), "", 64 << 10},
		{"slow headers", drip("POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: "), "", 64 << 10},
		{"endless headers", flood("POST /graphql HTTP/1.1\r\nHost: x\r\n", "X-More: "+strings.Repeat("x", 1<<10)+"\r\n"), "", 256 << 10},
		{"headers of 64 KiB", say("GET /graphql HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 64<<10) + "\r\n\r\n"), "431", 512 << 10},
		{"slow body", drip(post + "Content-Length: 1000\r\n\r\n{"), "408", 128 << 10},
		{"body of 10 MB", say(body("", strings.Repeat(" ", 10<<20))), "413", 4 << 20},
		{"endless body", flood(post+"Transfer-Encoding: chunked\r\n\r\n", "10000\r\n"+strings.Repeat(" ", 1<<16)+"\r\n"), "", 4 << 20},
		{"compressed bomb of 200 MB", say(body("Content-Encoding: gzip\r\n", compressed)), "413", 4 << 20},
		{"list of 10,000", say(body("", list)), "BATCH_LIMIT_EXCEEDED", 4 << 20},
		{"WebSocket without a greeting", say(upgrade), "\x11\x38", 64 << 10},
		{"WebSocket that never answers", say(greeting), "", 64 << 10},
		{"WebSocket that announces a terabyte", say(greeting + string([]byte{0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})), "\x03\xf1", 64 << 10},
		{"WebSocket with a message without end", flood(greeting+frame(0x01, "{"), frame(0x00, strings.Repeat(" ", 60_000))), "", 4 << 20},
		{"WebSocket that pings and does not read", flood(greeting, strings.Repeat(frame(0x89, strings.Repeat("p", 125)), 100)), "", 8 << 20},
		{"WebSocket that asks and does not read", flood(greeting, strings.Repeat(frame(0x81, `{"type":"ping","payload":{"a":"`+strings.Repeat("x", 1000)+`"}}`), 100)), "", 8 << 20},
	}
}

// assault lets many connections strike at once.
func (r *running) assault(a attack, connections int) {
	at := strings.TrimSuffix(strings.TrimPrefix(r.Endpoint, "http://"), "/graphql")
	var all sync.WaitGroup
	for range connections {
		c, err := net.Dial("tcp", at)
		if err != nil {
			r.t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		all.Go(func() {
			sent, got := a.strike(c)
			_ = c.Close() // by then it is closed from the other end
			if got == open || !strings.Contains(got, a.answer) {
				r.t.Errorf("%s: %.300q", a.name, got)
			}
			if sent > most {
				r.t.Errorf("%s: %d bytes were taken", a.name, sent)
			}
		})
	}
	all.Wait()
}

// Whatever clients do on their connections, the router ends it by itself, takes no more bytes than it must and no more memory than it may;
// afterwards there is not a goroutine more, and it answers as before.
func TestHostileConnections(t *testing.T) {
	subgraph := httptest.NewServer(numbers{})
	defer subgraph.Close()
	r := start(t, fortress, graph(t, subgraph.URL, "a"))
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			const connections = 20
			r.ask(`{ a }`)
			var before, after runtime.MemStats
			goroutines := runtime.NumGoroutine()
			runtime.ReadMemStats(&before)
			r.assault(a, connections)
			runtime.ReadMemStats(&after)
			if each := (after.TotalAlloc - before.TotalAlloc) / connections; each > a.allocated {
				t.Errorf("a connection took %d bytes, which may be %d", each, a.allocated)
			}
			for ends := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > goroutines+2; runtime.Gosched() {
				if time.Now().After(ends) {
					t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
				}
			}
			if status, got := r.ask(`{ a }`); status != 200 || got != `{"data":{"a":7}}` {
				t.Errorf("afterwards: %d %s", status, got)
			}
		})
	}
}

// Thousands of connections that have asked once and then say nothing take little memory, and are gone after their time.
func TestThousandsOfIdleConnections(t *testing.T) {
	const connections = 2000
	subgraph := httptest.NewServer(numbers{})
	defer subgraph.Close()
	r := start(t, strings.Replace(fortress, "idle_timeout: 300ms", "idle_timeout: 5s", 1), graph(t, subgraph.URL, "a"))
	r.ask(`{ a }`)
	at := strings.TrimSuffix(strings.TrimPrefix(r.Endpoint, "http://"), "/graphql")
	goroutines := runtime.NumGoroutine()
	before := inUse()
	all := make([]net.Conn, connections)
	for i := range all {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // the router has closed it as a rule
		all[i] = c
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1024)); err != nil { // the answer is shorter and comes in one piece
			t.Fatal(err)
		}
	}
	each := (inUse() - before) / connections
	t.Logf("an idle connection takes %d bytes, the client's part with it", each)
	if each > 32<<10 {
		t.Errorf("an idle connection takes %d bytes", each)
	}
	for _, c := range all {
		if got := hear(c); got == open {
			t.Fatal(got)
		}
	}
	for ends := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > goroutines+2; runtime.Gosched() {
		if time.Now().After(ends) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
	}
}

// inUse is the memory of heap and stacks after a collection.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// BenchmarkHostileConnections says what a connection of each kind costs: CPU and memory of router and attacker together.
func BenchmarkHostileConnections(b *testing.B) {
	subgraph := httptest.NewServer(numbers{})
	defer subgraph.Close()
	r := start(b, fortress, graph(b, subgraph.URL, "a"))
	for _, a := range attacks() {
		b.Run(strings.ReplaceAll(a.name, " ", "-"), func(b *testing.B) {
			const connections = 50
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			spent := processTime()
			n := 0
			for b.Loop() {
				r.assault(a, connections)
				n += connections
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(processTime()-spent)/float64(n)/1e3, "cpu-µs/conn")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(n)/1e3, "kB/conn")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// processTime is the processor time of this process in nanoseconds.
func processTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
