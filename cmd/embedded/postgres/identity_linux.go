package postgres

import (
	"fmt"
	"syscall"
)

// namespaced runs the programs in a user namespace with a single user: seen from outside it is uid, seen from inside it is somebody
// ordinary with a name. Files keep their owner and nothing needs chown, so this reaches data under /root, and gives a name to a
// process that a container runs under a bare number.
func namespaced(uid, gid int) []identity {
	inside, ok := ordinaryUser()
	if !ok {
		return nil
	}
	return []identity{{
		name: userName(uid) + " in a user namespace", uid: uid, gid: gid,
		dress: func(a *syscall.SysProcAttr) {
			a.Cloneflags |= syscall.CLONE_NEWUSER
			a.UidMappings = []syscall.SysProcIDMap{{ContainerID: inside.uid, HostID: uid, Size: 1}}
			a.GidMappings = []syscall.SysProcIDMap{{ContainerID: inside.gid, HostID: gid, Size: 1}}
		},
	}}
}

// ordinaryUser finds any user with a name who is not root.
func ordinaryUser() (identity, bool) {
	for _, id := range known("postgres", "nobody", "daemon") {
		return id, true
	}
	return identity{}, false
}

// Two capabilities let a user pass directories that are closed to it. Containers usually leave root the stronger one and not the other.
const (
	capDACOverride   = 1
	capDACReadSearch = 2
)

// searching gives, for each identity, the same with the right to pass closed directories, by the weaker capability first.
func searching(plain []identity) []identity {
	var ids []identity
	for _, capability := range []uintptr{capDACReadSearch, capDACOverride} {
		for _, id := range plain {
			able := id
			able.name = fmt.Sprintf("%s with capability %d", id.name, capability)
			able.dress = func(a *syscall.SysProcAttr) {
				id.dress(a)
				a.AmbientCaps = []uintptr{capability}
			}
			ids = append(ids, able)
		}
	}
	return ids
}
