package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"bourse/cmd/bourse/internal/bench/core"
	"bourse/router"
	"bourse/router/traffic"
)

// part is what a measured process serves; it reads it from its standard input.
type part struct {
	Floor      bool   `json:"floor"`
	Share      bool   `json:"share"` // equal queries under way
	Supergraph string `json:"supergraph"`
	Subgraphs  string `json:"subgraphs"` // address
	Big        []byte `json:"big"`       // answers of the floor
	Small      []byte `json:"small"`
}

// ServePart is the measured process: it serves what it reads from in, tells the address on out, and ends when in does.
func ServePart(ctx context.Context, in io.Reader, out io.Writer) error {
	input := bufio.NewReader(in)
	var p part
	line, err := input.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read what to serve: %w", err)
	}
	if err := json.Unmarshal(line, &p); err != nil {
		return fmt.Errorf("read what to serve: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, input) // until the measuring process has gone, however it went
		cancel()
	}()
	ready := func(address string) { fmt.Fprintln(out, address) }
	if p.Floor {
		return serveUntil(ctx, newFloor(p.Subgraphs, p.Big, p.Small), ready)
	}
	r, err := router.New(p.Supergraph, router.Options{
		ForwardHeaders: []string{"Authorization"}, Traffic: traffic.Options{ShareOperations: p.Share},
		MaxSockets: 100_000,
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/graphql", r)
	err = serveUntil(ctx, mux, ready)
	ending, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	return errors.Join(err, r.Close(ending))
}

// process is a measured process.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	url   string
}

// start starts this program again, with the given arguments, to serve a part on the given core.
func start(ctx context.Context, arguments []string, p part, cpu int) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, arguments...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := core.On(cpu, cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", self, err)
	}
	started := &process{cmd: cmd, stdin: stdin}
	text, err := json.Marshal(p)
	if err == nil {
		_, err = stdin.Write(append(text, '\n'))
	}
	var address string
	if err == nil {
		_, err = fmt.Fscanln(stdout, &address)
	}
	if err != nil {
		started.stop()
		return nil, fmt.Errorf("a measured process did not start: %w", err)
	}
	started.url = "http://" + address + "/graphql"
	return started, nil
}

func (p *process) stop() {
	_ = p.stdin.Close() // which tells it to end
	done := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer done.Stop()
	_ = p.cmd.Wait() // how it ended tells nothing of what was measured
}
