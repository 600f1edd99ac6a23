//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bourse/cmd/embedded/internal/child"
)

// address is where an embedded server listens: a socket in its data directory, or a port of this machine.
type address struct {
	socketDir string // "" for TCP
	port      int
}

const (
	socketPort = 5432 // part of the socket's file name; nothing listens on such a port
	// longestSocket bounds the socket's path in bytes. The kernel takes 107 (103 on macOS); tools that append to it want some room.
	longestSocket = 90
)

// chooseAddress prefers a socket, which no other user or machine can reach, and falls back to 127.0.0.1 and a free port where the
// path is too long or odd, or the file system (some shared folders) knows no sockets.
func chooseAddress(data string) (address, error) {
	// A comma separates hosts in a connection string, and no client unquotes it.
	if len(socketPath(data)) <= longestSocket && !strings.Contains(data, ",") && socketsWork(data) {
		return address{socketDir: data, port: socketPort}, nil
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return address{}, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	// Between this Close and PostgreSQL's bind somebody may take the port; launch then tries another.
	return address{port: port}, l.Close()
}

func socketPath(data string) string {
	return filepath.Join(data, fmt.Sprintf(".s.PGSQL.%d", socketPort))
}

func socketsWork(dir string) bool {
	path := filepath.Join(dir, ".s.probe")
	_ = os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		return false
	}
	return l.Close() == nil // removes the file
}

func (a address) settings() []string {
	if a.socketDir == "" {
		return []string{"listen_addresses=127.0.0.1", "unix_socket_directories=", "port=" + strconv.Itoa(a.port)}
	}
	// The value is a list of names; quoted, odd characters stay part of the one.
	quoted := `"` + strings.ReplaceAll(a.socketDir, `"`, `""`) + `"`
	return []string{
		"listen_addresses=", "unix_socket_directories=" + quoted, "unix_socket_permissions=0700",
		"port=" + strconv.Itoa(a.port),
	}
}

func (a address) url(password, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(Owner, password), Path: "/" + database}
	query := url.Values{"sslmode": {"disable"}}
	if a.socketDir == "" {
		u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(a.port))
	} else {
		query.Set("host", a.socketDir)
		query.Set("port", strconv.Itoa(a.port))
	}
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // connection strings know no + for a space
	return u.String()
}

func readPassword(home string) (string, error) {
	raw, err := os.ReadFile(passwordFile(home))
	if err != nil {
		return "", fmt.Errorf("read the password of the data: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

const (
	readyPatience    = time.Minute      // for a server that does not answer at all
	recoveryPatience = 10 * time.Minute // for one that says it is still starting
	readyPoll        = 10 * time.Millisecond
)

// errPassing marks a failed start whose cause goes by itself.
var errPassing = errors.New("passing")

// awaitReady waits until the server takes connections and its database exists.
func (c *cluster) awaitReady(ctx context.Context, process *child.Process, at address, password string) error {
	began := time.Now()
	said := false
	for {
		err := openDatabase(ctx, at.url(password, Owner), at.url(password, "postgres"))
		if err == nil {
			return nil
		}
		patience := readyPatience
		if code := sqlState(err); code == "57P03" { // cannot_connect_now: starting up or recovering
			patience = recoveryPatience
			if !said && time.Since(began) > 2*time.Second {
				said = true
				c.Progress("PostgreSQL is recovering from an unclean stop")
			}
		} else if code != "" {
			return fmt.Errorf("open the database: %w", err)
		}
		if time.Since(began) > patience {
			return fmt.Errorf("the server was not ready after %s: %w\n%s", patience, err, c.logTail())
		}
		select {
		case <-process.Done():
			return c.earlyEnd(process)
		case <-ctx.Done():
			return fmt.Errorf("wait for the server: %w", context.Cause(ctx))
		case <-time.After(readyPoll):
		}
	}
}

// earlyEnd explains a server that ended before it was ready.
func (c *cluster) earlyEnd(process *child.Process) error {
	log := c.logTail()
	err := fmt.Errorf("the server ended while starting: %w\n%s", process.Err(), log)
	for _, passing := range []string{
		"is still in use",                      // shared memory of a killed server, whose last processes are about to notice
		"could not bind IPv4 address",          // the port was taken first
		"lock file \"postmaster.pid\" already", // an orphan between our look and its end
	} {
		if strings.Contains(log, passing) {
			return fmt.Errorf("%w: %w", errPassing, err)
		}
	}
	return err
}

func (c *cluster) logTail() string {
	f, err := os.Open(logFile(c.home))
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 4096 {
		_, _ = f.Seek(-4096, io.SeekEnd)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return tail(raw)
}

// openDatabase connects once, making the database on the way if the cluster is new.
func openDatabase(ctx context.Context, url, maintenance string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err == nil {
		return conn.Close(ctx)
	}
	if sqlState(err) != "3D000" { // invalid_catalog_name: the cluster is there, its database is not
		return err
	}
	conn, err = pgx.Connect(ctx, maintenance)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE DATABASE "+Owner)
	return err
}

func sqlState(err error) string {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// serverVersion asks a running server for its version number: 150018 is 15.18.
func serverVersion(ctx context.Context, url string) (int, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	var version int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return 0, fmt.Errorf("ask for its version: %w", err)
	}
	return version, nil
}
