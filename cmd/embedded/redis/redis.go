//go:build unix

// Package redis finds a Redis for this process: a real one by URL, a server program as a child, or one inside the process.
//
// Nothing that must last may live in the latter two: they keep everything in memory and forget it with the process. The house is built
// for that (job requests wait in PostgreSQL's outbox until done), so there is no file to find again and no orphan to fear.
//
// It knows nothing of who uses it. The one inside the process lacks some commands (SSUBSCRIBE, FUNCTION, CONFIG) and runs Lua slowly.
package redis

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"

	"bourse/cmd/embedded/internal/child"
)

// Options say where Redis is. The zero value is enough.
type Options struct {
	// URL of a real server; nothing is started then. Empty means the environment's REDIS_URL, and if that is empty too, what is here.
	URL string
	// DataDir is the child's working directory and log directory, created if need be. Empty means a temporary one, removed by Stop.
	DataDir string
	// Logger hears what is unusual. Nil is silent.
	Logger *slog.Logger
}

// Server is a Redis that answers. Close it with Stop.
type Server struct {
	url, source string

	process *child.Process // a server program, or nil
	inside  *insideProcess // a server in this process, or nil
	cleanup func() error

	stop sync.Once
	err  error
}

// Start returns a Redis that answers: the one at the URL, else redis-server or valkey-server of PATH as a child that ends with this
// process, else one inside the process. ctx bounds the start only. A given URL that does not answer is an error, never a reason to
// take another server.
func Start(ctx context.Context, o Options) (*Server, error) {
	o.URL = cmp.Or(o.URL, os.Getenv("REDIS_URL"))
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.URL != "" {
		return external(ctx, o.URL)
	}
	for _, program := range []string{"redis-server", "valkey-server"} {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		s, err := startChild(ctx, path, o.DataDir)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		o.Logger.Warn("a Redis server on PATH does not start; trying the next way", "program", path, "error", err)
	}
	return startInside()
}

// URL is the connection string, password included: do not log it. Its form is redis://:password@host:port/0, which go-redis and asynq
// both read.
func (s *Server) URL() string { return s.url }

// Source says in words which server this is.
func (s *Server) Source() string { return s.source }

// Done is closed when a child server has ended, by Stop or by itself. For the others it is nil and never ready.
func (s *Server) Done() <-chan struct{} {
	if s.process == nil {
		return nil
	}
	return s.process.Done()
}

// Stop ends a server that is ours and leaves any other alone. It may be called again: the answer is the same.
func (s *Server) Stop(ctx context.Context) error {
	s.stop.Do(func() {
		if s.process != nil {
			s.err = s.process.Stop(ctx, child.Step{Signal: syscall.SIGTERM, Patience: 5 * time.Second})
		}
		if s.inside != nil {
			s.inside.close()
		}
		if s.cleanup != nil {
			s.err = errors.Join(s.err, s.cleanup())
		}
	})
	return s.err
}

func external(ctx context.Context, address string) (*Server, error) {
	if err := ping(ctx, address); err != nil {
		return nil, fmt.Errorf("the Redis at REDIS_URL: %w", err)
	}
	return &Server{url: address, source: "Redis at REDIS_URL"}, nil
}

// startChild runs a server program on a free port of this machine. A socket would be more private, but its URL has another form for
// each library; a password serves as well.
func startChild(ctx context.Context, program, dir string) (*Server, error) {
	var cleanup func() error
	if dir == "" {
		temporary, err := os.MkdirTemp("", "bourse-redis-")
		if err != nil {
			return nil, fmt.Errorf("make a temporary directory: %w", err)
		}
		dir, cleanup = temporary, func() error { return os.RemoveAll(temporary) }
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the Redis directory: %w", err)
	}
	s, err := spawn(ctx, program, dir)
	if err != nil {
		if cleanup != nil {
			err = errors.Join(err, cleanup())
		}
		return nil, err
	}
	s.cleanup = cleanup
	return s, nil
}

func spawn(ctx context.Context, program, dir string) (*Server, error) {
	const attempts = 3 // the port is free when we look and may be taken when the server does
	var failed error
	for range attempts {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		secret := newSecret()
		log, err := os.OpenFile(filepath.Join(dir, "redis.log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open the Redis log: %w", err)
		}
		// The configuration goes in by standard input, where the process list does not show the password.
		cmd := exec.Command(program, "-")
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
		cmd.Stdin = strings.NewReader(fmt.Sprintf(
			"bind 127.0.0.1\nport %d\nrequirepass %s\nsave \"\"\nappendonly no\ndaemonize no\n", port, secret))
		cmd.Stdout, cmd.Stderr = log, log
		process, err := child.Start(cmd, syscall.SIGTERM)
		_ = log.Close() // the child has its own copy
		if err != nil {
			return nil, err
		}
		s := &Server{url: localURL(port, secret), source: program + " as a child process", process: process}
		if failed = s.awaitReady(ctx, port); failed == nil {
			return s, nil
		}
		_ = process.Stop(ctx, child.Step{Signal: syscall.SIGTERM, Patience: time.Second})
		output, _ := os.ReadFile(log.Name()) // may add nothing to the error; the error stands without it
		failed = fmt.Errorf("%s: %w\n%s", program, failed, bytes.TrimSpace(output))
	}
	return nil, failed
}

// awaitReady waits until the child answers with our password, for 10 s at most.
func (s *Server) awaitReady(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		err := s.answers(ctx, port)
		if err == nil {
			return nil
		}
		select {
		case <-s.process.Done():
			return fmt.Errorf("the server ended while starting: %w", cmp.Or(s.process.Err(), err))
		case <-ctx.Done():
			return fmt.Errorf("wait for the server: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// answers knocks before it pings: the client library writes every refused connection to standard error.
func (s *Server) answers(ctx context.Context, port int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	_ = conn.Close()
	return ping(ctx, s.url)
}

// tick is how often keys in the process's own Redis grow older: nothing there expires by itself.
const tick = 250 * time.Millisecond

type insideProcess struct {
	server *miniredis.Miniredis
	quit   chan struct{}
	ended  chan struct{}
}

func startInside() (*Server, error) {
	secret := newSecret()
	m := miniredis.NewMiniRedis()
	m.RequireAuth(secret)
	if err := m.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start Redis inside the process: %w", err)
	}
	in := &insideProcess{server: m, quit: make(chan struct{}), ended: make(chan struct{})}
	go in.age()
	address := url.URL{Scheme: "redis", User: url.UserPassword("", secret), Host: m.Addr(), Path: "/0"}
	return &Server{url: address.String(), source: "miniredis inside the process (memory only)", inside: in}, nil
}

func (in *insideProcess) age() {
	defer close(in.ended)
	clock := time.NewTicker(tick)
	defer clock.Stop()
	last := time.Now()
	for {
		select {
		case <-in.quit:
			return
		case now := <-clock.C:
			in.server.FastForward(now.Sub(last)) // not tick: a busy machine drops ticks
			last = now
		}
	}
}

func (in *insideProcess) close() {
	close(in.quit)
	<-in.ended
	in.server.Close()
}

func ping(ctx context.Context, address string) error {
	options, err := goredis.ParseURL(address)
	if err != nil {
		return fmt.Errorf("read the URL: %w", err)
	}
	options.MaxRetries = -1
	options.DialTimeout = 2 * time.Second
	options.DialerRetries = 1
	client := goredis.NewClient(options)
	defer client.Close()
	if err := client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func localURL(port int, secret string) string {
	address := url.URL{Scheme: "redis", User: url.UserPassword("", secret), Host: fmt.Sprintf("127.0.0.1:%d", port), Path: "/0"}
	return address.String()
}

func newSecret() string {
	var secret [16]byte
	rand.Read(secret[:]) // never fails
	return hex.EncodeToString(secret[:])
}
