//go:build unix

package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMain lets the test program play a process with an embedded server: it starts one on the directory it is given, says so, and
// stops it when its input ends. Being another process it can be killed, and it can be another user.
func TestMain(m *testing.M) {
	if dir := os.Getenv("POSTGRES_TEST_OWNER_OF"); dir != "" {
		os.Exit(ownerProcess(dir))
	}
	// The tests are about what is found without these.
	for _, name := range []string{"DATABASE_URL", "PG_BIN_DIR"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func ownerProcess(dir string) int {
	ctx := context.Background()
	s, err := Start(ctx, Options{DataDir: dir})
	if err != nil {
		fmt.Println("failed:", strings.ReplaceAll(err.Error(), "\n", " | "))
		return 1
	}
	fmt.Printf("%s\t%s\n", s.URL(), s.Source())
	_, _ = io.Copy(io.Discard, os.Stdin) // its end is the signal, whatever the reason
	if err := s.Stop(ctx); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	return 0
}

// TestTheLifeOfACluster leads one data directory through what happens to it in a year.
func TestTheLifeOfACluster(t *testing.T) {
	dir := openDir(t)

	t.Run("first start", func(t *testing.T) {
		s := start(t, dir)
		write(t, s.URL(), "CREATE TABLE notes (n int PRIMARY KEY)")
		write(t, s.URL(), "INSERT INTO notes VALUES (1)")
		stop(t, s)
		select {
		case <-s.Done():
		default:
			t.Error("Done is open after Stop")
		}
	})
	t.Run("second start", func(t *testing.T) {
		began := time.Now()
		s := start(t, dir)
		t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))
		expectNotes(t, s.URL(), 1)
		stop(t, s)
	})
	t.Run("only one process may have it", func(t *testing.T) {
		s := start(t, dir)
		_, err := Start(context.Background(), Options{DataDir: dir})
		var inUse *InUseError
		if !errors.As(err, &inUse) || inUse.PID != os.Getpid() {
			t.Errorf("a second Start: %v", err)
		}
		stop(t, s)
	})
	t.Run("others may look on", func(t *testing.T) {
		s := start(t, dir)
		guest, err := Attach(context.Background(), Options{DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		expectNotes(t, guest.URL(), 1)
		stop(t, guest)
		expectNotes(t, s.URL(), 1)
		stop(t, s)
		if _, err := Attach(context.Background(), Options{DataDir: dir}); !errors.Is(err, ErrNotRunning) {
			t.Errorf("Attach after the stop: %v", err)
		}
	})
	t.Run("the server is killed", func(t *testing.T) {
		s := start(t, dir)
		write(t, s.URL(), "INSERT INTO notes VALUES (2)")
		kill(t, s.process.Pid())
		<-s.Done()
		_ = s.Stop(context.Background()) // lets the lock go; says that the end was not clean
		s = start(t, dir)
		expectNotes(t, s.URL(), 2)
		stop(t, s)
	})
	t.Run("its process is killed", func(t *testing.T) {
		for n := 3; n <= 5; n++ {
			owner := startOwner(t, dir, nil)
			write(t, owner.url, fmt.Sprintf("INSERT INTO notes VALUES (%d)", n))
			kill(t, owner.cmd.Process.Pid)
			// No waiting: the next start has to cope with a server that is still on its way out.
			s := start(t, dir)
			expectNotes(t, s.URL(), n)
			stop(t, s)
			_ = owner.cmd.Wait()
		}
	})
	t.Run("both are killed", func(t *testing.T) {
		owner := startOwner(t, dir, nil)
		write(t, owner.url, "INSERT INTO notes VALUES (6)")
		pid := serverPID(t, dir)
		kill(t, pid)
		kill(t, owner.cmd.Process.Pid)
		s := start(t, dir)
		expectNotes(t, s.URL(), 6)
		stop(t, s)
		_ = owner.cmd.Wait()
	})
	t.Run("an orphan that nobody told", func(t *testing.T) {
		pid := startOrphan(t, dir)
		s := start(t, dir)
		if isServerOf(pid, pgdata(dir)) {
			t.Error("the orphan still runs beside the new server")
		}
		expectNotes(t, s.URL(), 6)
		stop(t, s)
	})
	t.Run("a stale pid file with somebody else's number", func(t *testing.T) {
		somebody := startSomebody(t, dir)
		stalePIDFile(t, dir, somebody)
		s := start(t, dir)
		expectNotes(t, s.URL(), 6)
		stop(t, s)
		if !processExists(somebody) {
			t.Error("an innocent process was stopped")
		}
	})
	t.Run("an empty pid file", func(t *testing.T) {
		stalePIDFile(t, dir, 0)
		s := start(t, dir)
		expectNotes(t, s.URL(), 6)
		stop(t, s)
	})
	t.Run("a new process after a clean stop", func(t *testing.T) {
		owner := startOwner(t, dir, nil)
		expectNotes(t, owner.url, 6)
		owner.stop(t)
	})
}

func TestAnUnfinishedClusterIsBegunAnew(t *testing.T) {
	dir := openDir(t)
	half := pgdata(dir) + ".tmp"
	if err := os.MkdirAll(filepath.Join(half, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(passwordFile(dir), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, dir)
	stop(t, s)
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished cluster is still there: %v", err)
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	dir := openDir(t)
	precious := filepath.Join(pgdata(dir), "precious")
	if err := os.MkdirAll(pgdata(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(precious, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Start(context.Background(), Options{DataDir: dir}); err == nil {
		stop(t, s)
		t.Error("a directory with other files was taken for a cluster")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestALongPathMeansAPort(t *testing.T) {
	dir := filepath.Join(openDir(t), strings.Repeat("a-rather-long-name-", 5))
	s := start(t, dir)
	if !strings.Contains(s.URL(), "@127.0.0.1:") {
		t.Error("no port of this machine in the URL")
	}
	write(t, s.URL(), "SELECT 1")
	stop(t, s)
}

func TestACommaInThePathMeansAPort(t *testing.T) {
	s := start(t, filepath.Join(openDir(t), "one, two"))
	write(t, s.URL(), "SELECT 1")
	stop(t, s)
}

func TestAnOddPathStillHasASocket(t *testing.T) {
	s := start(t, filepath.Join(openDir(t), `it's 100% "odd" & more+`))
	if !strings.Contains(s.URL(), "@/") {
		t.Error("no socket in the URL")
	}
	write(t, s.URL(), "SELECT 1")
	stop(t, s)
}

func TestAGivenServerIsUsedAndLeftAlone(t *testing.T) {
	own := start(t, openDir(t))
	t.Setenv("DATABASE_URL", own.URL())
	s, err := Start(context.Background(), Options{DataDir: openDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	if s.URL() != own.URL() || !strings.Contains(s.Source(), "DATABASE_URL") {
		t.Errorf("the server is %s", s.Source())
	}
	stop(t, s)
	write(t, own.URL(), "SELECT 1")
	stop(t, own)

	_, err = Start(context.Background(), Options{})
	if err == nil {
		t.Fatal("a given server that is gone was replaced")
	}
	if password := own.url[strings.Index(own.url, ":")+1:]; strings.Contains(err.Error(), password) {
		t.Errorf("the error shows the password: %v", err)
	}
}

// openDir is a temporary directory that other users may enter, which t.TempDir is not.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bourse-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t *testing.T, dir string) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s, err := Start(ctx, Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// process is a process of the test program that holds a server.
type process struct {
	cmd         *exec.Cmd
	input       io.Closer
	url, source string
}

// startOwner runs this program as another process; as may make it another user.
func startOwner(t *testing.T, dir string, as *syscall.SysProcAttr) process {
	t.Helper()
	cmd := exec.Command(testProgram(t, as != nil))
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "POSTGRES_TEST_OWNER_OF="+dir, "HOME=/")
	cmd.SysProcAttr = as
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the other process said %q and %v", line, err)
	}
	url, source, ok := strings.Cut(strings.TrimSpace(line), "\t")
	if !ok {
		t.Fatalf("the other process said %q", line)
	}
	return process{cmd: cmd, input: input, url: url, source: source}
}

func (o process) stop(t *testing.T) {
	t.Helper()
	_ = o.input.Close()
	if err := o.cmd.Wait(); err != nil {
		t.Errorf("the other process ended with %v", err)
	}
}

// testProgram is this program; open makes it a copy that other users can reach.
func testProgram(t *testing.T, open bool) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if !open {
		return self
	}
	raw, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	reachable := filepath.Join(openDir(t), "postgres.test")
	if err := os.WriteFile(reachable, raw, 0o755); err != nil {
		t.Fatal(err)
	}
	return reachable
}

func serverPID(t *testing.T, dir string) int {
	t.Helper()
	f, err := readPIDFile(pgdata(dir))
	if err != nil {
		t.Fatal(err)
	}
	return f.pid()
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// startOrphan runs a server as a careless process would have left it: not tied to anyone.
func startOrphan(t *testing.T, dir string) int {
	t.Helper()
	c, b, id := parts(t, dir)
	cmd := id.command(b.tool("postgres"), "-D", c.data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+c.data)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait() }() // reaps it, whoever stops it
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	password, err := readPassword(dir)
	if err != nil {
		t.Fatal(err)
	}
	url := address{socketDir: c.data, port: socketPort}.url(password, Owner)
	for deadline := time.Now().Add(30 * time.Second); ; {
		if _, err := serverVersion(context.Background(), url); err == nil {
			return cmd.Process.Pid
		}
		if time.Now().After(deadline) {
			t.Fatal("the orphan does not answer")
		}
		time.Sleep(10 * time.Millisecond) // a server gives no signal when it is ready
	}
}

// startSomebody runs an innocent process as the server's user: the only kind that PostgreSQL mistakes for a server.
func startSomebody(t *testing.T, dir string) int {
	t.Helper()
	_, _, id := parts(t, dir)
	cmd := id.command("/bin/sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

// parts finds what Start finds for an existing directory.
func parts(t *testing.T, dir string) (*cluster, binaries, identity) {
	t.Helper()
	c := &cluster{home: dir, data: pgdata(dir)}
	major, files, err := c.existing()
	if err != nil {
		t.Fatal(err)
	}
	b, err := findBinaries(context.Background(), major)
	if err != nil {
		t.Fatal(err)
	}
	id, err := chooseIdentity(context.Background(), dir, b, files)
	if err != nil {
		t.Fatal(err)
	}
	return c, b, id
}

func stalePIDFile(t *testing.T, dir string, pid int) {
	t.Helper()
	path := filepath.Join(pgdata(dir), "postmaster.pid")
	var text string
	if pid > 0 {
		text = strings.Join([]string{strconv.Itoa(pid), pgdata(dir), "1700000000", "5432", pgdata(dir), "", "  5432001         7", "ready   "}, "\n") + "\n"
	}
	// The socket's lock file goes by the same number.
	paths := []string{path, socketPath(pgdata(dir)) + ".lock"}
	for _, p := range paths {
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(pgdata(dir))
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		owner := info.Sys().(*syscall.Stat_t)
		for _, p := range paths {
			if err := os.Chown(p, int(owner.Uid), int(owner.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func write(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), statement); err != nil {
		t.Fatal(err)
	}
}

// expectNotes checks that everything acknowledged so far is there.
func expectNotes(t *testing.T, url string, last int) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var count, highest int
	if err := conn.QueryRow(context.Background(), "SELECT count(*), max(n) FROM notes").Scan(&count, &highest); err != nil {
		t.Fatal(err)
	}
	if count != last || highest != last {
		t.Errorf("%d notes, the last is %d; expected %d", count, highest, last)
	}
}

func needLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("namespaces and capabilities are Linux's own")
	}
}
