package postgres

import (
	"os/user"
	"strconv"
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
func ordinaryUser() (found struct{ uid, gid int }, ok bool) {
	for _, name := range []string{"postgres", "nobody", "daemon"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(u.Uid)
		gid, errGID := strconv.Atoi(u.Gid)
		if errUID == nil && errGID == nil && uid > 0 {
			found.uid, found.gid = uid, gid
			return found, true
		}
	}
	return found, false
}

const (
	capDACOverride   = 1
	capDACReadSearch = 2
)

// searching lets a user keep one capability of root's: to pass directories that are closed to it. Two variants, because containers
// usually leave root the stronger of the two capabilities and not the weaker.
func searching(id identity) []identity {
	var ids []identity
	for _, capability := range []uintptr{capDACReadSearch, capDACOverride} {
		able := id
		able.name += searchingSuffix
		able.dress = func(a *syscall.SysProcAttr) {
			id.dress(a)
			a.AmbientCaps = []uintptr{capability}
		}
		ids = append(ids, able)
	}
	return ids
}
