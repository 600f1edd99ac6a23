//go:build unix

package postgres

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestRootRunsAServer tries each way that root has, not only the first that works.
func TestRootRunsAServer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this test must be run as root")
	}
	b, err := findBinaries(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, id := range candidates(0, 0, nil) {
		t.Run(id.name, func(t *testing.T) {
			// A directory that only root may enter, unless the identity needs an open one.
			dir := openDir(t)
			if strings.Contains(id.name, "namespace") || strings.Contains(id.name, "capability") {
				if err := os.Chmod(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := try(context.Background(), id, dir, b); err != nil {
				t.Skipf("this machine does not allow it: %v", err)
			}
			tried++
			c, err := openCluster(context.Background(), Options{DataDir: dir}.withDefaults())
			if err != nil {
				t.Fatal(err)
			}
			if err := c.initialise(context.Background(), b, id); err != nil {
				t.Fatal(err)
			}
			process, url, err := c.launch(context.Background(), b, id)
			if err != nil {
				t.Fatal(err)
			}
			s := &Server{url: url, process: process, lock: c.lock, log: c.Logger}
			write(t, s.URL(), "CREATE TABLE notes AS SELECT 1 AS n")
			stop(t, s)

			// The next start has only the directory to go by.
			s = start(t, dir)
			t.Log(s.Source())
			expectNotes(t, s.URL(), 1)
			stop(t, s)

			// And it dies with its process, in every guise.
			owner := startOwner(t, dir, nil)
			kill(t, owner.cmd.Process.Pid)
			s = start(t, dir)
			expectNotes(t, s.URL(), 1)
			stop(t, s)
			_ = owner.cmd.Wait()
		})
	}
	if tried == 0 {
		t.Error("root has no way at all to run a server here")
	}
}

func TestAnOrdinaryUserRunsAServer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user; run as one, every other test shows this")
	}
	needLinux(t)
	for name, uid := range map[string]uint32{"nobody": 65534, "a number without a name": 54321} {
		t.Run(name, func(t *testing.T) {
			dir := openDir(t)
			if err := os.Chown(dir, int(uid), int(uid)); err != nil {
				t.Fatal(err)
			}
			as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
			owner := startOwner(t, dir, as)
			t.Log(owner.source)
			write(t, owner.url, "CREATE TABLE notes AS SELECT 1 AS n")
			owner.stop(t)

			owner = startOwner(t, dir, as)
			expectNotes(t, owner.url, 1)
			kill(t, owner.cmd.Process.Pid)
			_ = owner.cmd.Wait()

			owner = startOwner(t, dir, as)
			expectNotes(t, owner.url, 1)
			owner.stop(t)

			// Root comes along later and takes over what another user began.
			s := start(t, dir)
			t.Log(s.Source())
			expectNotes(t, s.URL(), 1)
			stop(t, s)
		})
	}
}

func TestSomebodyElsesDataIsRefusedClearly(t *testing.T) {
	if os.Geteuid() == 0 {
		_, err := chooseIdentity(context.Background(), "/", binaries{dir: "/nonexistent"}, nil)
		if err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
			t.Errorf("no way to run: %v", err)
		}
		return
	}
	_, err := chooseIdentity(context.Background(), "/", binaries{}, &owner{0, 0})
	if err == nil || !strings.Contains(err.Error(), "belongs to") {
		t.Errorf("data of root: %v", err)
	}
}

func TestCandidates(t *testing.T) {
	names := func(ids []identity) string {
		var all []string
		for _, id := range ids {
			all = append(all, id.name)
		}
		return strings.Join(all, ", ")
	}
	if got := candidates(1234, 1234, &owner{99, 99}); got != nil {
		t.Errorf("a user with data of another: %s", names(got))
	}
	for _, id := range candidates(0, 0, nil) {
		if id.uid == 0 && !strings.Contains(id.name, "namespace") {
			t.Errorf("root as root: %s", id.name)
		}
	}
	for _, id := range candidates(0, 0, &owner{0, 0}) {
		if id.uid != 0 || id.dress == nil {
			t.Errorf("data of root is run by %s", id.name)
		}
	}
}
