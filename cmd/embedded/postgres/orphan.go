//go:build unix

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lock is held by the one process that may start a server on a data directory. The kernel lets it go when the process ends, however
// it ends, which a file with a process id cannot promise.
type lock struct{ file *os.File }

// lockPatience is how long a process that was killed may take to be gone: the kernel closes its files after it has freed its memory.
const lockPatience = 3 * time.Second

func acquireLock(ctx context.Context, home string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(home, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("the data directory belongs to another user: run this as that user, or choose another data directory: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data directory: %w", err)
	}
	if err := waitForLock(ctx, f); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		return nil, &InUseError{Dir: home, PID: lockHolder(f)}
	}
	// The text only helps an error message; the lock is the lock.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &lock{file: f}, nil
}

func waitForLock(ctx context.Context, f *os.File) error {
	for deadline := time.Now().Add(lockPatience); ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// lockHolder is the process id that the holder left in the file; 0 if it did not.
func lockHolder(f *os.File) int {
	var text [32]byte
	n, _ := f.ReadAt(text[:], 0)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	return pid
}

func (l *lock) Close() error { return l.file.Close() }

// pidFile is what a server writes to postmaster.pid, by line: process id, data directory, start time, port, socket directory, ...
type pidFile struct {
	path  string
	lines [][]byte
}

func readPIDFile(data string) (pidFile, error) {
	f := pidFile{path: filepath.Join(data, "postmaster.pid")}
	raw, err := os.ReadFile(f.path)
	if err != nil {
		return f, err
	}
	f.lines = bytes.Split(raw, []byte("\n"))
	return f, nil
}

func (f pidFile) line(n int) string {
	if n >= len(f.lines) {
		return ""
	}
	return strings.TrimSpace(string(f.lines[n]))
}

func (f pidFile) pid() int {
	pid, _ := strconv.Atoi(f.line(0)) // 0 for a file that was cut short
	return pid
}

// stopOrphan waits until no server runs on the directory. We hold the lock, so a server that runs was left behind by a process that
// died; on Linux it has been told to stop already.
func (c *cluster) stopOrphan(ctx context.Context) error {
	f, err := readPIDFile(c.data)
	if errors.Is(err, fs.ErrNotExist) {
		return c.clearSocket()
	}
	if err != nil {
		return fmt.Errorf("look for an earlier server: %w", err)
	}
	if err := c.stopServer(ctx, f); err != nil {
		return err
	}
	return c.clearSocket()
}

// clearSocket removes a socket and its lock file, which holds a process id of its own. No server runs, so both are stale.
func (c *cluster) clearSocket() error {
	for _, name := range []string{socketPath(c.data), socketPath(c.data) + ".lock"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a stale socket: %w", err)
		}
	}
	return nil
}

// stopServer ends the server that a pid file speaks of, or makes the file harmless when there is none.
func (c *cluster) stopServer(ctx context.Context, f pidFile) error {
	pid := f.pid()
	if pid <= 0 {
		// A server died before it had written the file, which PostgreSQL asks a person to remove. We hold the lock and know.
		if err := os.Remove(f.path); err != nil {
			return fmt.Errorf("remove an empty pid file: %w", err)
		}
		return nil
	}
	if !processExists(pid) {
		return nil // PostgreSQL sees for itself that such a file is stale
	}
	if !isServerOf(pid, c.data) {
		return c.disarm(f)
	}
	c.Progress("waiting for the database server of an earlier run to stop")
	c.Logger.Info("a PostgreSQL of an earlier run is still there; stopping it", "pid", pid)
	for _, step := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{syscall.SIGINT, stopPatience}, {syscall.SIGQUIT, quitPatience}} {
		if err := syscall.Kill(pid, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the server of an earlier run (process %d): %w", pid, err)
		}
		for deadline := time.Now().Add(step.patience); time.Now().Before(deadline); {
			if !isServerOf(pid, c.data) {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for the server of an earlier run: %w", context.Cause(ctx))
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return fmt.Errorf("the server of an earlier run (process %d) does not stop: end it by hand", pid)
}

// disarm makes a stale pid file harmless whose number now belongs to some other program. PostgreSQL would take that program for a
// server and refuse to start. Removing the file would also remove PostgreSQL's own guard against the last processes of a killed
// server (the shared memory key in line 7), so only the number changes: to ours, its parent's, which it knows to ignore.
func (c *cluster) disarm(f pidFile) error {
	c.Logger.Info("the PostgreSQL pid file is stale and its number belongs to another program now", "pid", f.pid())
	f.lines[0] = []byte(strconv.Itoa(os.Getpid()))
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_TRUNC, 0) // keeps the owner
	if err != nil {
		return fmt.Errorf("disarm the stale pid file: %w", err)
	}
	_, err = file.Write(bytes.Join(f.lines, []byte("\n")))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("disarm the stale pid file: %w", err)
	}
	return nil
}

// runningURL is the connection string of the server that runs on a data directory.
func runningURL(home string) (string, error) {
	home, err := filepath.Abs(home)
	if err != nil {
		return "", fmt.Errorf("resolve the data directory: %w", err)
	}
	if resolved, err := filepath.EvalSymlinks(home); err == nil {
		home = resolved
	}
	f, err := readPIDFile(pgdata(home))
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNotRunning
	}
	if err != nil {
		return "", fmt.Errorf("look for a running server: %w", err)
	}
	if pid := f.pid(); pid <= 0 || !isServerOf(pid, pgdata(home)) {
		return "", ErrNotRunning
	}
	port, err := strconv.Atoi(f.line(3))
	if err != nil {
		return "", ErrNotRunning // it has not come so far yet
	}
	password, err := readPassword(home)
	if err != nil {
		return "", err
	}
	return address{socketDir: f.line(4), port: port}.url(password, Owner), nil
}

func processExists(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// servesData decides from a process's arguments whether it is the server of a data directory.
func servesData(args []string, data string) bool {
	if len(args) == 0 || !strings.HasPrefix(filepath.Base(args[0]), "postgres") {
		return false
	}
	for i, arg := range args[1:] {
		if arg == "-D" && i+2 < len(args) && args[i+2] == data {
			return true
		}
	}
	return false
}
