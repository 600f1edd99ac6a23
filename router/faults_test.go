package router_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bourse/router"
	"bourse/router/fetch"
	"bourse/router/internal/await"
	"bourse/router/traffic"
)

// faulty is a subgraph that behaves badly once it has heard a request. behave returns when the connection may be closed.
type faulty struct {
	url   string
	wrote atomic.Int64 // bytes that the router took
	asked atomic.Int64
}

func newFaulty(t *testing.T, behave func(f *faulty, c net.Conn)) *faulty {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{url: "http://" + l.Addr().String()}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close() //nolint:errcheck // test
				if behave == nil {
					_, _ = io.Copy(io.Discard, c)
					return
				}
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				f.asked.Add(1)
				behave(f, c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return f
}

// send writes until the router closes the connection.
func (f *faulty) send(c net.Conn, parts ...string) {
	for _, part := range parts {
		n, err := io.WriteString(c, part)
		f.wrote.Add(int64(n))
		if err != nil {
			return
		}
	}
}

func (f *faulty) sendForever(c net.Conn, part string) {
	for {
		n, err := io.WriteString(c, part)
		f.wrote.Add(int64(n))
		if err != nil {
			return
		}
	}
}

const (
	okHead    = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	maxAnswer = 1 << 20
)

var faults = map[string]func(f *faulty, c net.Conn){
	"slow":            func(_ *faulty, c net.Conn) { _, _ = io.Copy(io.Discard, c) },
	"half-open":       nil, // hears nothing, says nothing
	"hangs up":        func(*faulty, net.Conn) {},
	"hangs up midway": func(f *faulty, c net.Conn) { f.send(c, okHead+"Content-Length: 100\r\n\r\n{\"data\":{\"busi") },
	"stops midway": func(f *faulty, c net.Conn) {
		f.send(c, okHead+"Content-Length: 100\r\n\r\n{\"data\":{\"busi")
		_, _ = io.Copy(io.Discard, c)
	},
	"no HTTP":           func(f *faulty, c net.Conn) { f.send(c, "SSH-2.0-OpenSSH_9.9\r\n") },
	"garbled":           func(f *faulty, c net.Conn) { f.send(c, okHead+"Content-Length: 10\r\n\r\n{\"data\":{\x00") },
	"not JSON":          func(f *faulty, c net.Conn) { f.send(c, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nsorry") },
	"claims to be huge": func(f *faulty, c net.Conn) { f.send(c, okHead+"Content-Length: 1099511627776\r\n\r\n{") },
	"huge": func(f *faulty, c net.Conn) {
		f.send(c, okHead+"Content-Length: 1073741824\r\n\r\n{\"data\":{\"x\":\"")
		f.sendForever(c, strings.Repeat("x", 64<<10))
	},
	"endless": func(f *faulty, c net.Conn) {
		f.send(c, okHead+"Transfer-Encoding: chunked\r\n\r\ne\r\n{\"data\":{\"x\":\"\r\n")
		f.sendForever(c, "10000\r\n"+strings.Repeat("x", 1<<16)+"\r\n")
	},
	"endless head": func(f *faulty, c net.Conn) {
		f.send(c, okHead)
		f.sendForever(c, "X-More: "+strings.Repeat("x", 1<<10)+"\r\n")
	},
	"deep": func(f *faulty, c net.Conn) {
		f.send(c, okHead+"Content-Length: 1000009\r\n\r\n{\"data\":", strings.Repeat("[", 1_000_000), "}")
	},
}

// Whatever a subgraph does, each request gets its answer with what the others have, in bounded time and memory, and nothing stays behind
// (goleak looks after all tests).
func TestABadSubgraphCostsLittle(t *testing.T) {
	for name, behave := range faults {
		for _, client := range []string{"own client", "net/http"} {
			t.Run(name+", "+client, func(t *testing.T) {
				costsLittle(t, newFaulty(t, behave), client == "net/http")
			})
		}
	}
	t.Run("dead", func(t *testing.T) {
		f := newFaulty(t, nil)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f.url = "http://" + l.Addr().String()
		_ = l.Close() // nobody listens there now
		costsLittle(t, f, false)
	})
}

func costsLittle(t *testing.T, f *faulty, netHTTP bool) {
	markets, _ := newSubgraphs()
	m := httptest.NewServer(markets)
	defer m.Close()
	r, err := router.New(composed(t, m.URL, f.url), router.Options{
		Subgraphs: router.Subgraphs{HTTP: fetch.HTTPOptions{MaxResponseBytes: maxAnswer, NetHTTP: netHTTP}},
		Traffic: traffic.Options{Subgraphs: map[string]traffic.Rules{"stats": {
			Timeout: 200 * time.Millisecond, MaxConcurrent: 8, MaxQueue: 64, QueueTimeout: 10 * time.Second,
			Retry: traffic.RetryOptions{Attempts: 1, MinBackoff: time.Millisecond}, Breaker: traffic.BreakerOptions{FailureRatio: 0.5, MinRequests: 8, Cooldown: time.Hour},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context()) //nolint:errcheck // nothing runs any more
	const asked = 32
	codes := make(chan string, asked)
	for i := range asked {
		go func() {
			got := ask(r, query(fmt.Sprintf(`{ list: markets { symbol } busiest { volume } alias%d: __typename }`, i))).Body.String()
			if !strings.HasPrefix(got, `{"data":{"list":[{"symbol":"BTC"},{"symbol":"ETH"}],"busiest":null`) {
				t.Errorf("got %s", got)
			}
			_, code, _ := strings.Cut(got, `"code":"`)
			code, _, _ = strings.Cut(code, `"`)
			codes <- code
		}()
	}
	seen := map[string]int{}
	for range asked {
		seen[await.One(t, codes)]++
	}
	for code, n := range seen {
		switch code {
		case "SUBREQUEST_HTTP_ERROR", "SUBREQUEST_MALFORMED_RESPONSE", "SUBGRAPH_UNAVAILABLE":
		default:
			t.Errorf("%d got the code %q", n, code)
		}
	}
	// Of what it sends the router takes no more than the bound, and what stands in the buffers of a connection meanwhile.
	if asked := f.asked.Load(); f.wrote.Load() > (asked+1)*(maxAnswer+16<<20) {
		t.Errorf("%d bytes were taken in %d requests", f.wrote.Load(), asked)
	}
	var m2 runtime.MemStats
	runtime.GC()
	if runtime.ReadMemStats(&m2); m2.HeapAlloc > 512<<20 {
		t.Errorf("%d MiB are in use", m2.HeapAlloc>>20)
	}
	// A subgraph without a usable answer is left alone; one that answers, but nonsense, is not down.
	if seen["SUBREQUEST_HTTP_ERROR"] > 0 {
		got := ask(r, query(`{ busiest { volume } }`)).Body.String()
		if !strings.Contains(got, `"code":"SUBGRAPH_UNAVAILABLE"`) {
			t.Errorf("after %v: %s", seen, got)
		}
	}
}
