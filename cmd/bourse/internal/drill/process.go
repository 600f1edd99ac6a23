package drill

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a serving house, a child of the drill.
type process struct {
	cmd      *exec.Cmd
	address  string
	database string        // its embedded database's pid file
	done     chan struct{} // closed when it has ended
}

// startLimit bounds how long a house may take to serve.
const startLimit = 60 * time.Second

// startProcess starts a house on the data directory and returns when it serves.
func startProcess(ctx context.Context, program, dataDir string) (*process, error) {
	return launch(ctx, program, dataDir, nil)
}

// launch is startProcess with more arguments and environment.
func launch(ctx context.Context, program, dataDir string, more []string, environment ...string) (*process, error) {
	ready := filepath.Join(dataDir, "ready")
	if err := os.Remove(ready); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("clear the ready file: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dataDir, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the house's log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(program, "serve", "--demo", "--simulate", "0",
		"--data", filepath.Join(dataDir, "house"), "--listen", "127.0.0.1:0", "--ready-file", ready)
	cmd.Args = append(cmd.Args, more...)
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	p := &process{cmd: cmd, database: filepath.Join(dataDir, "house", "postgres", "pgdata", "postmaster.pid"), done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // that it was killed is what we want
		close(p.done)
	}()
	if p.address, err = p.awaitReady(ctx, ready); err != nil {
		p.kill()
		return nil, fmt.Errorf("%w; see %s", err, log.Name())
	}
	return p, nil
}

// awaitReady returns the address that the house writes once it serves.
func (p *process) awaitReady(ctx context.Context, file string) (string, error) {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if text, err := os.ReadFile(file); err == nil && strings.HasPrefix(string(text), "http") {
				return string(text), nil
			}
		case <-p.done:
			return "", fmt.Errorf("the house ended before it served")
		case <-limit.C:
			return "", fmt.Errorf("the house did not serve within %s", startLimit)
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// kill ends the house as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended already
	<-p.done
}

// killDatabase ends the house's own database as a power cut would: what it had not forced to
// disk is gone. The house dies right after it.
func (p *process) killDatabase() error {
	text, err := os.ReadFile(p.database)
	if err != nil {
		return fmt.Errorf("find the database: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 1 {
		return fmt.Errorf("find the database: %s names no process", p.database)
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// stop ends the house in good order.
func (p *process) stop(ctx context.Context) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
