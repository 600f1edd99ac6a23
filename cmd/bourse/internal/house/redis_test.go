package house_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"bourse/cmd/bourse/internal/house"
	"bourse/cmd/embedded/postgres/postgrestest"
	"bourse/engine"
	"bourse/engine/auth"
)

// redisServer is a Redis that can be stopped and started again at the same address.
type redisServer struct {
	t       *testing.T
	program string
	port    int
	process *exec.Cmd
	inside  *miniredis.Miniredis // where no program is installed
}

func ownRedis(t *testing.T) *redisServer {
	t.Helper()
	s := &redisServer{t: t}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	s.port = listener.Addr().(*net.TCPAddr).Port
	must(t, listener.Close())
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			s.program = path
			break
		}
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *redisServer) url() string { return fmt.Sprintf("redis://127.0.0.1:%d", s.port) }

func (s *redisServer) start() {
	s.t.Helper()
	if s.program == "" {
		s.inside = miniredis.NewMiniRedis()
		must(s.t, s.inside.StartAddr(fmt.Sprintf("127.0.0.1:%d", s.port)))
		return
	}
	s.process = exec.Command(s.program, "--port", fmt.Sprint(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.t.TempDir())
	must(s.t, s.process.Start())
	client := goredis.NewClient(&goredis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", s.port), MaxRetries: -1})
	defer func() { _ = client.Close() }()
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

func (s *redisServer) stop() {
	if s.inside != nil {
		s.inside.Close()
		s.inside = nil
	}
	if s.process != nil {
		_ = s.process.Process.Kill() // it keeps nothing that matters
		_ = s.process.Wait()
		s.process = nil
	}
}

// Redis goes away and comes back empty: people trade as if nothing were, and jobs that were asked for
// meanwhile are done afterwards.
func TestRedisGoesAwayAndComesBack(t *testing.T) {
	redis := ownRedis(t)
	h, endpoint := openWith(t, house.Config{
		DataDir: t.TempDir(), DatabaseURL: postgrestest.New(t), RedisURL: redis.url(), Demo: true,
		Argon: auth.Params{Time: 1, Memory: 1024, Threads: 1},
	})
	alice, bob := signIn(t, h, endpoint, "alice"), signIn(t, h, endpoint, "bob")
	ask[any](t, alice, placeOrder, vars("input", btc("before", "BUY", "1000", "0.02")))

	redis.stop()
	if health := h.Exchange.Health(t.Context()); health.Redis || health.OK || !health.Writable {
		t.Fatalf("health without Redis: %+v", health)
	}
	for i := range 20 {
		began := time.Now()
		ask[any](t, bob, placeOrder, vars("input", btc(fmt.Sprint("during-", i), "SELL", "1000", "0.01")))
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("an order without Redis took %v", took)
		}
	}
	everything(t, alice)
	system := h.Exchange.System()
	for i := range 3 {
		must(t, system.RequestJob(t.Context(), engine.JobReconcile, fmt.Sprint("during-", i), nil))
	}

	redis.start()
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		jobs, err := system.Jobs(t.Context())
		must(t, err)
		if jobs.Waiting+jobs.Handed == 0 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("jobs that are left after Redis came back: %+v", jobs)
		}
	}
	ask[any](t, alice, placeOrder, vars("input", btc("after", "BUY", "1000", "0.02")))
	if health := h.Exchange.Health(t.Context()); !health.Redis || !health.OK {
		t.Fatalf("health with Redis again: %+v", health)
	}
	zeroSum(t, h)
}
