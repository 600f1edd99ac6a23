//go:build unix

// Package postgres finds a PostgreSQL for this process: a real server by URL, or one of its own on a directory of files.
//
// It knows where PostgreSQL's binaries may be, how to run them as any user (PostgreSQL itself refuses root), and how to come back
// after anything was killed. It knows nothing of Bourse: no schema, no role but the owner, no query. Durability is not negotiable
// here: fsync, synchronous_commit and full_page_writes are on, on the command line, where no file can turn them off.
//
// A directory and what lies in it:
//
//	DataDir/            any owner; one process at a time holds the lock
//	  lock              flock; the text is the holder's process id
//	  pgdata/           PostgreSQL's own, 0700; its owner tells how the server is run
//	  pgdata.tmp/       an initdb that has not finished; removed by the next start
//	  password          the owner role's password, 0600
//	  postgres.log      what the server wrote to standard error
//
// The life of a server:
//
//	URL given ───────────────────────────────────────────────────────────► connected
//	lock ─► binaries ─► identity ─► initdb (once) ─► orphan stopped ─► started ─► ready ─► Stop: SIGINT, 20 s, SIGQUIT
package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"bourse/cmd/embedded/internal/child"
)

// OldestMajor is the oldest PostgreSQL that is accepted, by URL or by binaries.
const OldestMajor = 14

// Owner is the role that owns an embedded cluster and its database, and the name of that database.
const Owner = "bourse"

// Options say where the database is. The zero value with DataDir set is enough.
type Options struct {
	// URL of a real server; nothing is started then. Empty means the environment's DATABASE_URL, and if that is empty too, DataDir.
	URL string
	// DataDir is the directory of an embedded server, see the package's comment. It is created if need be; Start is its only user.
	DataDir string
	// Logger hears what is unusual: an orphan, a recovery, a forced stop. Nil is silent.
	Logger *slog.Logger
	// Progress hears, in one short sentence each, the steps that take long. May be nil; called from Start's goroutine.
	Progress func(string)
}

func (o Options) withDefaults() Options {
	o.URL = cmp.Or(o.URL, os.Getenv("DATABASE_URL"))
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o
}

// Server is a database that answers. Close it with Stop.
type Server struct {
	url, source string
	log         *slog.Logger

	process *child.Process // nil: the server is not ours to stop
	lock    io.Closer

	stop sync.Once
	err  error
}

// Start returns a PostgreSQL that accepts connections, starting one if no URL is given. ctx bounds the start only, not the server's
// life. Without a deadline in ctx a start may take a minute, and ten more while PostgreSQL recovers from a crash.
//
// A caller can act on *InUseError (another process runs on DataDir) and *NotFoundError (no binaries: its text names the commands
// that install them).
func Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	if o.URL != "" {
		return external(ctx, o)
	}
	c, err := openCluster(ctx, o)
	if err != nil {
		return nil, err
	}
	s, err := c.start(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("embedded PostgreSQL in %s: %w", c.home, err), c.lock.Close())
	}
	return s, nil
}

// external checks that a given server answers and is young enough.
func external(ctx context.Context, o Options) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	version, err := serverVersion(ctx, o.URL)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL at DATABASE_URL: %w", err)
	}
	if version/10000 < OldestMajor {
		return nil, fmt.Errorf("PostgreSQL at DATABASE_URL: version %d.%d is too old, %d or newer is needed",
			version/10000, version%10000, OldestMajor)
	}
	return &Server{
		url:    o.URL,
		source: fmt.Sprintf("PostgreSQL %d.%d at DATABASE_URL", version/10000, version%10000),
		log:    o.Logger,
	}, nil
}

// Attach connects to the embedded server that another process runs on o.DataDir, or to o.URL; commands that inspect a living house
// use it. Stop then leaves the server alone. It starts nothing: without a server there the error is ErrNotRunning.
func Attach(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	if o.URL != "" {
		return external(ctx, o)
	}
	url, err := runningURL(o.DataDir)
	if err != nil {
		return nil, err
	}
	version, err := serverVersion(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("attach to PostgreSQL in %s: %w", o.DataDir, err)
	}
	return &Server{
		url:    url,
		source: fmt.Sprintf("PostgreSQL %d.%d, already running in %s", version/10000, version%10000, o.DataDir),
		log:    o.Logger,
	}, nil
}

// ErrNotRunning is what Attach returns when no server runs on the directory.
var ErrNotRunning = errors.New("no embedded PostgreSQL is running here")

// InUseError says that another living process holds the data directory.
type InUseError struct {
	Dir string
	PID int // 0 when the holder did not say
}

func (e *InUseError) Error() string {
	holder := "another process"
	if e.PID > 0 {
		holder = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("%s is in use by %s: stop it, choose another data directory, or set DATABASE_URL", e.Dir, holder)
}

// URL is the connection string of the database, password included: do not log it. Over a socket it carries host=<directory>.
func (s *Server) URL() string { return s.url }

// Source says in words which server this is: version, binaries and the user it runs as.
func (s *Server) Source() string { return s.source }

// Done is closed when an embedded server has ended, by Stop or by itself. For a server that is not ours it is nil and never ready.
func (s *Server) Done() <-chan struct{} {
	if s.process == nil {
		return nil
	}
	return s.process.Done()
}

// Stop shuts an embedded server down: connections are ended and everything is written. After 20 s, or at the end of ctx, it is told
// to quit at once and recovers at its next start; nothing committed is lost either way. Stop may be called again: the answer is the
// same. A server that is not ours is left alone.
func (s *Server) Stop(ctx context.Context) error {
	s.stop.Do(func() {
		if s.process == nil {
			return
		}
		err := s.process.Stop(ctx, child.Step{Signal: syscall.SIGINT, Patience: stopPatience}, child.Step{Signal: syscall.SIGQUIT, Patience: quitPatience})
		if err != nil {
			s.log.Warn("embedded PostgreSQL did not stop cleanly; it will recover at its next start", "error", err)
		}
		s.err = errors.Join(err, s.lock.Close())
	})
	return s.err
}

const (
	stopPatience = 20 * time.Second
	quitPatience = 10 * time.Second
)

// pgdata and the others name what lies in a data directory.
func pgdata(home string) string       { return filepath.Join(home, "pgdata") }
func passwordFile(home string) string { return filepath.Join(home, "password") }
func logFile(home string) string      { return filepath.Join(home, "postgres.log") }
