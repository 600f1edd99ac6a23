//go:build unix

package redis

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Every way to have a Redis must serve what the house uses of it.
func TestEveryWayServes(t *testing.T) {
	ways := map[string]func(*testing.T){
		"child of PATH": func(t *testing.T) {
			if !installed("redis-server") && !installed("valkey-server") {
				t.Skip("neither redis-server nor valkey-server is installed here")
			}
		},
		"inside the process": func(t *testing.T) { t.Setenv("PATH", "") },
		"by URL": func(t *testing.T) {
			elsewhere := start(t, Options{})
			t.Setenv("REDIS_URL", elsewhere.URL())
		},
	}
	for name, arrange := range ways {
		t.Run(name, func(t *testing.T) {
			t.Setenv("REDIS_URL", "")
			arrange(t)
			s := start(t, Options{DataDir: t.TempDir()})
			t.Log(s.Source())
			client := connect(t, s)
			valuesExpire(t, client)
			messagesArrive(t, client)
		})
	}
}

func valuesExpire(t *testing.T, client *goredis.Client) {
	t.Helper()
	ctx := context.Background()
	if err := client.Set(ctx, "short", "lived", 300*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Get(ctx, "short").Err(); err != nil {
		t.Fatalf("the value is not there: %v", err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for client.Get(ctx, "short").Err() != goredis.Nil {
		if time.Now().After(deadline) {
			t.Fatal("a value with 300 ms to live is still there after 10 s")
		}
		time.Sleep(20 * time.Millisecond) // expiry gives no signal to wait on
	}
}

func messagesArrive(t *testing.T, client *goredis.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	sub := client.Subscribe(ctx, "channel")
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	if err := client.Publish(ctx, "channel", "hello").Err(); err != nil {
		t.Fatal(err)
	}
	got, err := sub.ReceiveMessage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got.Payload != "hello" {
		t.Fatalf("received %q", got.Payload)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	t.Setenv("REDIS_URL", "")
	for name, path := range map[string]string{"first choice": "keep", "inside the process": ""} {
		t.Run(name, func(t *testing.T) {
			if path == "" {
				t.Setenv("PATH", "")
			}
			s := start(t, Options{})
			o, err := goredis.ParseURL(s.URL())
			if err != nil {
				t.Fatal(err)
			}
			if host, _, _ := net.SplitHostPort(o.Addr); host != "127.0.0.1" {
				t.Errorf("it listens on %s", host)
			}
			o.Password = ""
			stranger := goredis.NewClient(o)
			defer stranger.Close()
			if err := stranger.Get(context.Background(), "x").Err(); err == nil || !strings.Contains(err.Error(), "NOAUTH") {
				t.Fatalf("without the password: %v", err)
			}
		})
	}
}

func TestASilentURLIsAnError(t *testing.T) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	secret := "do-not-show-me"
	s, err := Start(context.Background(), Options{URL: localURL(port, secret)})
	if err == nil {
		_ = s.Stop(context.Background())
		t.Fatal("a server was started although a URL was given")
	}
	if strings.Contains(err.Error(), secret) {
		t.Fatalf("the error shows the password: %v", err)
	}
}

func TestStopEndsTheServerAndMayBeRepeated(t *testing.T) {
	t.Setenv("REDIS_URL", "")
	s := start(t, Options{})
	for range 2 {
		if err := s.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if err := ping(context.Background(), s.URL()); err == nil {
		t.Fatal("it still answers")
	}
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func connect(t *testing.T, s *Server) *goredis.Client {
	t.Helper()
	o, err := goredis.ParseURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}
