//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
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

// command prepares a program of PostgreSQL to run in dir under the identity.
func (id identity) command(dir, path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if id.dress != nil {
		id.dress(cmd.SysProcAttr)
	}
	return cmd
}

// chooseIdentity tries the candidates for files of the given owner (-1: no files yet) and returns the first under which the binaries
// run with home as their directory. That one trial answers every question of permission at once: may we change to this user, may
// it reach the binaries and the data.
func chooseIdentity(ctx context.Context, home string, b binaries, owner int) (identity, error) {
	var refused []string
	for _, id := range candidates(os.Geteuid(), owner) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := child.Run(ctx, id.command(home, b.tool("postgres"), "--version"))
		cancel()
		if err == nil {
			return id, nil
		}
		refused = append(refused, fmt.Sprintf("%s: %v", id.name, err))
	}
	if owner >= 0 && os.Geteuid() != 0 && owner != os.Geteuid() {
		return identity{}, fmt.Errorf("the data belongs to %s and this process runs as %s: run it as that user, or choose another data directory",
			userName(owner), userName(os.Geteuid()))
	}
	return identity{}, fmt.Errorf("PostgreSQL does not run as root, and no other way to run it worked here (%s): run this as an ordinary user, or set DATABASE_URL",
		strings.Join(refused, "; "))
}

// candidates lists the identities for a process of user euid and files of owner (-1: none yet), the plainest first.
func candidates(euid, owner int) []identity {
	if euid != 0 {
		if owner >= 0 && owner != euid {
			return nil
		}
		own := identity{name: userName(euid), uid: euid, gid: os.Getegid()}
		// initdb looks its user up by name. A container may run us as a number only; inside a namespace the number gets one.
		if _, err := user.LookupId(strconv.Itoa(euid)); err != nil {
			return append(namespaced(euid, os.Getegid()), own)
		}
		return []identity{own}
	}
	switch {
	case owner == 0: // made inside a namespace, where root's files carry another number
		return namespaced(0, os.Getegid())
	case owner > 0:
		return credentials(strconv.Itoa(owner))
	}
	// Plain credentials first; then a namespace, which reaches whatever root reaches; then, where a container forbids namespaces,
	// credentials with the one capability that lets them pass closed directories.
	plain, capable := split(credentials("postgres", "nobody"))
	return append(append(plain, namespaced(0, os.Getegid())...), capable...)
}

// credentials gives, for each user by name or number that exists, the identity of that user, and that of the user able to pass closed
// directories where the system has such a thing.
func credentials(names ...string) []identity {
	var ids []identity
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			if u, err = user.LookupId(name); err != nil {
				continue
			}
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 31)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 31)
		if errors.Join(errUID, errGID) != nil {
			continue
		}
		plain := identity{
			name: "user " + u.Username, uid: int(uid), gid: int(gid),
			dress: func(a *syscall.SysProcAttr) {
				a.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			},
		}
		ids = append(ids, plain)
		ids = append(ids, searching(plain)...)
	}
	return ids
}

func split(ids []identity) (plain, capable []identity) {
	for _, id := range ids {
		if strings.HasSuffix(id.name, searchingSuffix) {
			capable = append(capable, id)
		} else {
			plain = append(plain, id)
		}
	}
	return plain, capable
}

const searchingSuffix = " with the right to search directories"

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return "user " + u.Username
	}
	return fmt.Sprintf("user id %d", uid)
}
