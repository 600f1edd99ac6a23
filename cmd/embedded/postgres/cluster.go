//go:build unix

package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bourse/cmd/embedded/internal/child"
)

// cluster is a data directory that this process holds the lock of.
type cluster struct {
	Options
	home string // absolute DataDir
	data string // home/pgdata
	lock *lock
}

func openCluster(ctx context.Context, o Options) (*cluster, error) {
	if o.DataDir == "" {
		return nil, errors.New("embedded PostgreSQL: no data directory was given")
	}
	home, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, fmt.Errorf("embedded PostgreSQL: resolve %s: %w", o.DataDir, err)
	}
	// Others may search it: the server often runs as another user. What it holds is closed to them.
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, fmt.Errorf("embedded PostgreSQL: make the data directory: %w", err)
	}
	// PostgreSQL reports its directory with links resolved, and so must we to recognise it.
	if home, err = filepath.EvalSymlinks(home); err != nil {
		return nil, fmt.Errorf("embedded PostgreSQL: resolve %s: %w", o.DataDir, err)
	}
	l, err := acquireLock(ctx, home)
	if err != nil {
		return nil, err
	}
	return &cluster{Options: o, home: home, data: pgdata(home), lock: l}, nil
}

func (c *cluster) start(ctx context.Context) (*Server, error) {
	major, files, err := c.existing()
	if err != nil {
		return nil, err
	}
	b, err := findBinaries(ctx, major)
	if err != nil {
		return nil, err
	}
	id, err := chooseIdentity(ctx, c.home, b, files)
	if err != nil {
		return nil, err
	}
	if major == 0 {
		c.Progress(fmt.Sprintf("creating a database with PostgreSQL %s", b.version))
		if err := c.initialise(ctx, b, id); err != nil {
			return nil, err
		}
	}
	if err := c.stopOrphan(ctx); err != nil {
		return nil, err
	}
	process, url, err := c.launch(ctx, b, id)
	if err != nil {
		return nil, err
	}
	return &Server{
		url:     url,
		source:  fmt.Sprintf("PostgreSQL %s from %s, as %s", b.version, b.dir, id.name),
		log:     c.Logger,
		process: process,
		lock:    c.lock,
	}, nil
}

// existing reads the major version and the owner of the cluster that is there; 0 and nil when there is none.
func (c *cluster) existing() (major int, files *owner, err error) {
	raw, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(c.data); err == nil {
			return 0, nil, fmt.Errorf("%s is there but is no PostgreSQL data: move it away", c.data)
		}
		return 0, nil, nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return 0, nil, fmt.Errorf("the data belongs to another user: run this as that user, or choose another data directory: %w", err)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read the version of the data: %w", err)
	}
	major, err = strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0, nil, fmt.Errorf("read the version of the data: %w", err)
	}
	info, err := os.Stat(c.data)
	if err != nil {
		return 0, nil, fmt.Errorf("read the owner of the data: %w", err)
	}
	st := info.Sys().(*syscall.Stat_t)
	return major, &owner{uid: int(st.Uid), gid: int(st.Gid)}, nil
}

// initialise makes a new cluster beside its final place and renames it there, so that a cluster is there whole or not at all.
func (c *cluster) initialise(ctx context.Context, b binaries, id identity) error {
	unfinished := c.data + ".tmp"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("remove an unfinished cluster: %w", err)
	}
	if err := c.writePassword(id); err != nil {
		return err
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return fmt.Errorf("make the cluster's directory: %w", err)
	}
	if err := giveTo(id, unfinished); err != nil {
		return err
	}
	cmd := id.command(b.tool("initdb"),
		"-D", unfinished, "-U", Owner, "-A", "scram-sha-256", "--pwfile", passwordFile(c.home),
		"-E", "UTF8", "--locale=C", "--data-checksums")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := child.Run(ctx, cmd); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, tail(output.Bytes()))
	}
	if err := os.Rename(unfinished, c.data); err != nil {
		return fmt.Errorf("put the new cluster in place: %w", err)
	}
	return syncDir(c.home)
}

// writePassword draws a password and writes it where only the server's user (and root) can read it. initdb opens the file itself:
// a pipe would not survive the change of user.
func (c *cluster) writePassword(id identity) error {
	var secret [24]byte
	rand.Read(secret[:]) // never fails
	path := passwordFile(c.home)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace the password file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the password file: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(secret[:]))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the password file: %w", err)
	}
	return giveTo(id, path)
}

func giveTo(id identity, path string) error {
	if id.uid == os.Geteuid() {
		return nil
	}
	if err := os.Chown(path, id.uid, id.gid); err != nil {
		return fmt.Errorf("give %s to %s: %w", filepath.Base(path), id.name, err)
	}
	return nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

// launch starts the server and waits until it answers. A start is repeated when what is in its way goes by itself: the last
// processes of a killed server, or a port that somebody took first.
func (c *cluster) launch(ctx context.Context, b binaries, id identity) (*child.Process, string, error) {
	password, err := readPassword(c.home)
	if err != nil {
		return nil, "", err
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		at, err := chooseAddress(c.data)
		if err != nil {
			return nil, "", err
		}
		process, err := c.spawn(b, id, at)
		if err != nil {
			return nil, "", err
		}
		url := at.url(password, Owner)
		err = c.awaitReady(ctx, process, at, password)
		if err == nil {
			return process, url, nil
		}
		_ = process.Stop(ctx, child.Step{Signal: syscall.SIGINT, Patience: quitPatience}, child.Step{Signal: syscall.SIGQUIT, Patience: quitPatience})
		if !errors.Is(err, errPassing) || time.Now().After(deadline) {
			return nil, "", err
		}
		c.Logger.Info("embedded PostgreSQL will be started again", "because", err)
		select {
		case <-ctx.Done():
			return nil, "", fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// spawn starts the server process at an address.
func (c *cluster) spawn(b binaries, id identity, at address) (*child.Process, error) {
	log, err := openLog(c.home)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own copy
	cmd := id.command(b.tool("postgres"), "-D", c.data)
	for _, setting := range append(at.settings(), settings...) {
		cmd.Args = append(cmd.Args, "-c", setting)
	}
	cmd.Stdout, cmd.Stderr = log, log
	return child.Start(cmd, syscall.SIGINT)
}

// settings of every embedded server. The first three are why an acknowledged order survives; they are PostgreSQL's defaults and stand
// here because the command line overrules every file.
var settings = []string{
	"fsync=on",
	"synchronous_commit=on",
	"full_page_writes=on",
	"dynamic_shared_memory_type=mmap", // containers often have 64 MB of /dev/shm
	"shared_buffers=256MB",
	"max_wal_size=2GB",
	"jit=off", // compiling costs more than our short queries
	"timezone=UTC",
	"log_timezone=UTC",
}

const logLimit = 10 << 20 // bytes; a longer log is begun anew at the next start

func openLog(home string) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(logFile(home)); err == nil && info.Size() > logLimit {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(logFile(home), flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	return f, nil
}

// tail keeps the last lines of a program's output, enough to see why it failed.
func tail(output []byte) string {
	const most = 1200
	if len(output) > most {
		output = output[len(output)-most:]
	}
	return strings.TrimSpace(string(output))
}
