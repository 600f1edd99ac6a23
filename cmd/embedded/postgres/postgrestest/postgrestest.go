//go:build unix

// Package postgrestest gives tests a real PostgreSQL.
//
// The first call in a test process starts one server for the whole process, on a temporary directory; each call makes a database of
// its own in it, empty, gone when the test ends. Nobody has to stop the server: it ends with the process, however that ends, and a
// small watcher then removes the directory. With BOURSE_TEST_DATABASE_URL set to a running server (a role that may create databases)
// nothing is started.
package postgrestest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bourse/cmd/embedded/postgres"
)

// New returns the URL of an empty database that is the test's own. It fails the test when no PostgreSQL can be had: a suite that
// quietly tests nothing is worse than one that is red.
func New(t testing.TB) string {
	t.Helper()
	f, err := shared()
	if err != nil {
		t.Fatalf("a test needs PostgreSQL: %v", err)
	}
	server := f.url
	name := databaseName(t)
	if err := execute(server, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create the test's database: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	own, err := url.Parse(server)
	if err != nil {
		t.Fatalf("parse the server's URL: %v", err)
	}
	own.Path = "/" + name
	return own.String()
}

// fixture is what lives as long as the process. It holds on to the server's lock and to the watcher's pipe: collected as garbage they
// would be closed.
type fixture struct {
	url     string
	server  *postgres.Server
	watcher io.Closer
}

var shared = sync.OnceValues(func() (fixture, error) {
	if given := os.Getenv("BOURSE_TEST_DATABASE_URL"); given != "" {
		return fixture{url: given}, nil
	}
	dir, err := os.MkdirTemp("", "bourse-test-")
	if err != nil {
		return fixture{}, fmt.Errorf("make a temporary directory: %w", err)
	}
	// Open to search, so that root can run the server as another user; what lies inside is closed.
	if err := os.Chmod(dir, 0o755); err != nil {
		return fixture{}, fmt.Errorf("open the temporary directory: %w", err)
	}
	watcher, err := removeAfterwards(dir)
	if err != nil {
		return fixture{}, err
	}
	// A test must never touch the database that DATABASE_URL names, so the variable is not honoured here.
	if err := os.Unsetenv("DATABASE_URL"); err != nil {
		return fixture{}, fmt.Errorf("forget DATABASE_URL: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s, err := postgres.Start(ctx, postgres.Options{DataDir: dir})
	if err != nil {
		return fixture{}, err
	}
	return fixture{url: s.URL(), server: s, watcher: watcher}, nil
})

// removeAfterwards starts a shell that waits for our end, which it sees as the end of its input, stops the server if the kernel did
// not, and removes the directory.
func removeAfterwards(dir string) (io.Closer, error) {
	const script = `
read -r _
if pid=$(head -n 1 "$1/pgdata/postmaster.pid" 2>/dev/null); then
	kill -INT "$pid" 2>/dev/null
	i=0
	while kill -0 "$pid" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
	kill -QUIT "$pid" 2>/dev/null
fi
rm -rf "$1"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C at the terminal must not end it before us
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the watcher: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watcher: %w", err)
	}
	return input, nil
}

func databaseName(t testing.TB) string {
	t.Helper()
	var random [6]byte
	rand.Read(random[:]) // never fails
	return "test_" + strconv.Itoa(os.Getpid()) + "_" + hex.EncodeToString(random[:])
}

func execute(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return err
	}
	return nil
}
