package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// process is the router, a child of the soak.
type process struct {
	cmd         *exec.Cmd
	log         string // name of the file that it logs to
	url, admin  string
	done        chan struct{} // closed when it has ended
	err         error         // how; after done
	startedTime time.Time
}

// startLimit bounds how long a router may take to serve.
const startLimit = time.Minute

var (
	servesAt = regexp.MustCompile(`(?m)^router on (\S+)$`)
	adminAt  = regexp.MustCompile(`(?m)^admin on (\S+)$`)
)

// start starts the router on its files and returns when it serves.
func start(ctx context.Context, program string, f *files) (*process, error) {
	log, err := os.Create(f.path("router.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, "router", "--config", f.path("router.yaml"))
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "SOAK_SECRET="+secret)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	p := &process{cmd: cmd, log: log.Name(), done: make(chan struct{}), startedTime: time.Now()}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := p.awaitServing(ctx); err != nil {
		p.kill()
		return nil, fmt.Errorf("%w; see %s", err, p.log)
	}
	return p, nil
}

func (p *process) awaitServing(ctx context.Context) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			text, err := os.ReadFile(p.log)
			if err != nil {
				return err
			}
			clients, admin := servesAt.FindSubmatch(text), adminAt.FindSubmatch(text)
			if clients != nil && admin != nil {
				p.url, p.admin = string(clients[1]), string(admin[1])
				return nil
			}
			if time.Since(p.startedTime) > startLimit {
				return fmt.Errorf("the router did not serve within %s", startLimit)
			}
		case <-p.done:
			return errors.New("the router ended before it served")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended already
	<-p.done
}

// stop ends the router in good order, and says what was not in order about it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the router had ended: %w", err)
	}
	select {
	case <-p.done:
		return p.err
	case <-time.After(30 * time.Second):
		p.kill()
		return errors.New("the router did not drain in time")
	}
}
