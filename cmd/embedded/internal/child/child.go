//go:build unix

// Package child runs a server program that must not outlive this process.
//
// It knows nothing of the program: no readiness, no restart, no logging. What it adds to os/exec is the tie of lives. On Linux
// the kernel sends the child a signal when its parent dies, whatever killed the parent; that signal is bound to the thread that
// forked, so the child is started from a locked thread which then waits for it and does nothing else. Other systems have no such
// tie: there the caller finds the orphan at the next start.
//
// The child gets a process group of its own, so that Ctrl-C at the terminal reaches only us and we stop it in our order.
package child

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Process is a running or finished child. Its methods may be called from any goroutine.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // written once, before done is closed
}

// Start runs cmd and ties its life to ours: when this process dies the child receives onDeath (Linux only).
// cmd must not have been started; Start owns it from here on.
func Start(cmd *exec.Cmd, onDeath syscall.Signal) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	tieToParent(cmd.SysProcAttr, onDeath)

	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	return p, nil
}

// Run starts cmd and waits for its end. When ctx ends first, the child is killed and the cause of ctx is returned.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	p, err := Start(cmd, syscall.SIGKILL)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		_ = syscall.Kill(-p.Pid(), syscall.SIGKILL) // the whole group: the program may have children of its own
		<-p.done
		return context.Cause(ctx)
	}
}

// Pid is the child's process id, as this process sees it.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the child ended; nil while it runs and after exit status 0.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Step is one rung of Stop's ladder: a signal, and how long the child may take to obey it.
type Step struct {
	Signal   os.Signal
	Patience time.Duration
}

// Stop sends the signals of steps, gentlest first, until the child has ended, and kills it after the last.
// The end of ctx cuts short the patience of the first step only: the harsher ones are bounded already and still save the child's data.
// The error tells that the first signal was not enough; the child has ended in any case.
func (p *Process) Stop(ctx context.Context, steps ...Step) error {
	hurry := ctx.Done()
	for i, s := range steps {
		_ = p.cmd.Process.Signal(s.Signal) // fails only when it has already ended
		patience := time.NewTimer(s.Patience)
		select {
		case <-p.done:
			patience.Stop()
			if i > 0 {
				return fmt.Errorf("stop %s: it obeyed only %v", filepath.Base(p.cmd.Path), s.Signal)
			}
			return nil
		case <-patience.C:
		case <-hurry:
			hurry = nil
		}
		patience.Stop()
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	return fmt.Errorf("stop %s: killed, it obeyed no other signal", filepath.Base(p.cmd.Path))
}
