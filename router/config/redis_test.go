package config_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"bourse/router"
	"bourse/router/compose"
	"bourse/router/config"
)

// redisProcess is a real Redis, with a password, that can hang, be killed and come back at the same address.
type redisProcess struct {
	t       *testing.T
	program string
	port    int
	process *exec.Cmd
}

func startRedis(t *testing.T) *redisProcess {
	t.Helper()
	s := &redisProcess{t: t}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil && s.program == "" {
			s.program = path
		}
	}
	if s.program == "" {
		t.Skip("neither redis-server nor valkey-server is installed here: what only a real server shows is not tried, the rest runs on miniredis")
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *redisProcess) url(db int) string {
	return fmt.Sprintf("redis://:hunter2@127.0.0.1:%d/%d", s.port, db)
}

func (s *redisProcess) start() {
	s.t.Helper()
	s.process = exec.Command(s.program, "--port", fmt.Sprint(s.port), "--bind", "127.0.0.1", "--requirepass", "hunter2", "--save", "", "--dir", s.t.TempDir())
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", s.port), Password: "hunter2", MaxRetries: -1})
	defer client.Close() //nolint:errcheck // it has said what it was asked
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := client.Ping(context.Background()).Err()
		if err == nil {
			return
		}
		if time.Now().After(until) {
			s.t.Fatal(err)
		}
	}
}

func (s *redisProcess) signal(what syscall.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(what); err != nil {
		s.t.Fatal(err)
	}
}

func (s *redisProcess) kill() {
	_ = s.process.Process.Kill() // it keeps nothing that matters, and may be dead
	_ = s.process.Wait()
}

// lines is a log that counts.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) with(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// sharing are two routers with one Redis, before one subgraph.
type sharing struct {
	t       *testing.T
	log     lines
	asked   atomic.Int64 // requests that reached the subgraph
	routers [2]*httptest.Server
	admins  [2]http.Handler
}

func shareRedis(t *testing.T, server *redisProcess) *sharing {
	t.Helper()
	s := &sharing{t: t}
	subgraph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"data":{"asked":%d}}`, s.asked.Add(1))
	}))
	t.Cleanup(subgraph.Close)
	graph, err := compose.Compose([]compose.Subgraph{{Name: "counter", URL: subgraph.URL, SDL: "type Query { asked: Int }"}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf(`
redis: { url: %q, timeout: 200ms, pause: 500ms }
rate: { rules: [{ name: three, operations: [Three], limit: 3, per: 24h }, { name: many, limit: 1000000 }] }
cache: { enabled: true, ttl: 1h, redis: { url: %q, timeout: 200ms }, invalidation: { secret: a-secret-of-some-length } }
`, server.url(0), server.url(1))
	for i := range s.routers {
		c, err := config.Read("router.yaml", []byte(file), environment(nil))
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.Build(slog.New(slog.NewTextHandler(&s.log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		r, err := router.New(graph.SupergraphSDL, b.Options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close(context.Background()) })
		s.routers[i], s.admins[i] = httptest.NewServer(r), b.Admin["/cache/invalidate"]
		t.Cleanup(s.routers[i].Close)
	}
	return s
}

func (s *sharing) ask(which int, body string) string {
	s.t.Helper()
	res, err := http.Post(s.routers[which].URL, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it is read to its end
	answer, _ := io.ReadAll(res.Body)
	return string(answer)
}

func (s *sharing) want(which int, body, part string) {
	s.t.Helper()
	if got := s.ask(which, body); !strings.Contains(got, part) {
		s.t.Errorf("%s got %s, want %s", body, got, part)
	}
}

func (s *sharing) invalidate(which, status int) {
	s.t.Helper()
	r, w := httptest.NewRequest("POST", "/", strings.NewReader(`[{"kind":"subgraph","subgraph":"counter"}]`)), httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer a-secret-of-some-length")
	if s.admins[which].ServeHTTP(w, r); w.Code != status {
		s.t.Errorf("an invalidation is answered with %d %s", w.Code, w.Body)
	}
}

// awaits asks until the log tells of all three that use Redis.
func (s *sharing) awaits(what string, so int) {
	s.t.Helper()
	for n, until := 0, time.Now().Add(time.Minute); s.log.with(what) < so; n++ {
		hash := fmt.Sprintf("%064x", n)
		s.ask(0, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"`+hash+`"}}}`)
		s.want(0, `{"query":"{ asked }"}`, `"data"`)
		if time.Now().After(until) {
			s.t.Fatalf("the log does not tell %d times that %s:\n%s", so, what, s.log.text.String())
		}
	}
}

const (
	hash    = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38" // of { __typename }, below
	byHash  = `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}}`
	byText  = `{"query":"{__typename}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}}`
	three   = `{"query":"query Three { __typename }"}`
	counter = `{"query":"{ asked }"}`
)

func TestRoutersShareARealRedis(t *testing.T) {
	server := startRedis(t)
	s := shareRedis(t, server)
	s.want(0, byHash, "PERSISTED_QUERY_NOT_FOUND")
	s.want(0, byText, "Query")
	s.want(1, byHash, "Query")
	for i, part := range []string{"Query", "Query", "Query", "RATE_LIMITED", "RATE_LIMITED"} {
		s.want(i%2, three, part)
	}
	s.want(0, counter, `"asked":1`)
	s.want(1, counter, `"asked":1`)
	s.invalidate(1, http.StatusOK)
	s.want(0, counter, `"asked":2`)
	s.want(1, counter, `"asked":2`)
	if n := s.log.with("Redis"); n != 0 {
		t.Errorf("%d lines about a Redis that is well:\n%s", n, s.log.text.String())
	}
}

// Whatever becomes of Redis, requests are answered, and the log tells it once for each use instead of with every request.
func TestRequestsGoOnWhateverBecomesOfRedis(t *testing.T) {
	server := startRedis(t)
	s := shareRedis(t, server)
	s.want(0, counter, `"asked":1`)
	for _, c := range []struct{ goes, comes func() }{
		{func() { server.signal(syscall.SIGSTOP) }, func() { server.signal(syscall.SIGCONT) }},
		{server.kill, server.start},
	} {
		went, came := s.log.with("Redis does not answer"), s.log.with("Redis answers again")
		c.goes()
		s.awaits("Redis does not answer", went+3)
		for range 100 {
			s.want(0, counter, `"data"`)
		}
		s.invalidate(0, http.StatusServiceUnavailable)
		c.comes()
		s.awaits("Redis answers again", came+3)
		if told := s.log.with("Redis does not answer") - went; told > 20 { // 3, but for a machine so busy that Redis is late
			t.Errorf("it was told %d times:\n%s", told, s.log.text.String())
		}
	}
	if s.log.with("hunter2") != 0 {
		t.Error("the password is in the log")
	}
	s.want(1, counter, s.ask(0, counter))
}
