//go:build unix

package child_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"bourse/cmd/embedded/internal/child"
)

// TestMain lets the test program play a parent that starts a child and then waits to be killed.
func TestMain(m *testing.M) {
	if os.Getenv("CHILD_TEST_PARENT") != "" {
		parent()
		return
	}
	os.Exit(m.Run())
}

func parent() {
	cmd := exec.Command("/bin/sh", "-c", `trap 'echo told; exit' INT; echo ready; while :; do sleep 0.05; done`)
	cmd.Stdout = os.Stdout
	if _, err := child.Start(cmd, syscall.SIGINT); err != nil {
		panic(err)
	}
	select {}
}

func TestAKilledParentTakesItsChildAlong(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child of its parent's death")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CHILD_TEST_PARENT=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The pipe ends when both have ended.
	untold := time.AfterFunc(20*time.Second, func() { _ = out.Close() })
	defer untold.Stop()
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatalf("the child was not told of its parent's death: %v", err)
	}
	if strings.TrimSpace(string(rest)) != "told" {
		t.Fatalf("after its parent's death the child said %q", rest)
	}
	_ = cmd.Wait()
}

func TestStopClimbsTheLadder(t *testing.T) {
	for _, c := range []struct {
		name, script string
		steps        []child.Step
		clean        bool
	}{
		{"obedient", `trap 'exit 0' INT; echo ready; while :; do sleep 0.05; done`, []child.Step{{Signal: syscall.SIGINT, Patience: 10 * time.Second}}, true},
		{
			"second signal", `trap '' INT; echo ready; while :; do sleep 0.05; done`,
			[]child.Step{{Signal: syscall.SIGINT, Patience: 50 * time.Millisecond}, {Signal: syscall.SIGQUIT, Patience: 10 * time.Second}},
			false,
		},
		{"only kill", `trap '' INT; echo ready; while :; do sleep 0.05; done`, []child.Step{{Signal: syscall.SIGINT, Patience: 50 * time.Millisecond}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := started(t, c.script)
			err := p.Stop(context.Background(), c.steps...)
			if (err == nil) != c.clean {
				t.Errorf("Stop = %v", err)
			}
			select {
			case <-p.Done():
			default:
				t.Error("Stop returned before the end")
			}
		})
	}
}

func TestTheEndOfTheContextHurriesStop(t *testing.T) {
	p := started(t, `trap '' INT; echo ready; while :; do sleep 0.05; done`)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	began := time.Now()
	_ = p.Stop(ctx, child.Step{Signal: syscall.SIGINT, Patience: time.Minute}, child.Step{Signal: syscall.SIGQUIT, Patience: time.Minute})
	if took := time.Since(began); took > 30*time.Second {
		t.Fatalf("it took %s", took)
	}
}

func TestRunIsCutShort(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := child.Run(ctx, exec.Command("/bin/sh", "-c", "sleep 60")); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Run = %v", err)
	}
	if err := child.Run(context.Background(), exec.Command("/bin/sh", "-c", "exit 3")); err == nil {
		t.Fatal("a failure went unnoticed")
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	if _, err := child.Start(exec.Command("/nonexistent/program"), syscall.SIGINT); err == nil {
		t.Fatal("no error")
	}
}

// started runs a script that prints "ready" once its traps stand.
func started(t *testing.T, script string) *child.Process {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Stdout = w
	p, err := child.Start(cmd, syscall.SIGKILL)
	_ = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(r).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the script said %q, %v", line, err)
	}
	return p
}
