//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bourse/cmd/embedded/internal/child"
)

// identity is one way to run PostgreSQL's programs, which refuse to be root and want a user with a name.
type identity struct {
	name     string // for people: "user postgres"
	uid, gid int    // who must own the files, as this process sees it
	dress    func(*syscall.SysProcAttr)
}

// owner is who owns files; nil where there are none yet.
type owner struct{ uid, gid int }

// command prepares a program to run under the identity. It starts in the root directory: ours may be closed to it, and whatever right
// the identity has to pass closed directories only begins with the program.
func (id identity) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if id.dress != nil {
		id.dress(cmd.SysProcAttr)
	}
	return cmd
}

// chooseIdentity tries the candidates for files of an owner and returns the first under which the binaries run with home as their
// directory. That one trial answers every question of permission at once: may we change to this user, may it reach the binaries and
// the data.
func chooseIdentity(ctx context.Context, home string, b binaries, files *owner) (identity, error) {
	var refused []string
	for _, id := range candidates(os.Geteuid(), os.Getegid(), files) {
		err := try(ctx, id, home, b)
		if err == nil {
			return id, nil
		}
		refused = append(refused, fmt.Sprintf("%s: %v", id.name, err))
	}
	if euid := os.Geteuid(); files != nil && euid != 0 && files.uid != euid {
		return identity{}, fmt.Errorf("the data belongs to %s and this process runs as %s: run it as that user, or choose another data directory",
			userName(files.uid), userName(euid))
	}
	return identity{}, fmt.Errorf("PostgreSQL cannot be run by %s here (%s): run this as an ordinary user whose home it is, or set DATABASE_URL",
		userName(os.Geteuid()), strings.Join(refused, "; "))
}

func try(ctx context.Context, id identity, home string, b binaries) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return child.Run(ctx, id.command("/bin/sh", "-c", `cd "$1" && exec "$2" --version`, "sh", home, b.tool("postgres")))
}

// candidates lists the identities for a process of a user and files of an owner, the plainest first.
func candidates(euid, egid int, files *owner) []identity {
	switch {
	case euid != 0 && files != nil && files.uid != euid:
		return nil
	case euid != 0:
		own := identity{name: userName(euid), uid: euid, gid: egid}
		// initdb looks its user up by name. A container may run us as a number only; inside a namespace the number gets one.
		if _, err := user.LookupId(strconv.Itoa(euid)); err != nil {
			return append(namespaced(euid, egid), own)
		}
		return []identity{own}
	case files == nil:
		// Plain credentials first; then a namespace, which reaches whatever root reaches; then, where a container forbids
		// namespaces, credentials with the one capability that passes closed directories.
		plain := known("postgres", "nobody")
		return slices.Concat(plain, namespaced(0, egid), searching(plain))
	case files.uid == 0: // made inside a namespace, where root's files carry another number
		return namespaced(0, egid)
	}
	plain := []identity{credential(*files)}
	return append(plain, searching(plain)...)
}

// known gives the identities of those users by name that exist.
func known(names ...string) []identity {
	var ids []identity
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 31)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 31)
		if errors.Join(errUID, errGID) == nil && uid > 0 {
			ids = append(ids, credential(owner{int(uid), int(gid)}))
		}
	}
	return ids
}

// credential is the identity of a user that root changes to.
func credential(o owner) identity {
	return identity{
		name: userName(o.uid), uid: o.uid, gid: o.gid,
		dress: func(a *syscall.SysProcAttr) {
			a.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)} // both come from the system and fit
		},
	}
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return "user " + u.Username
	}
	return fmt.Sprintf("user id %d", uid)
}
