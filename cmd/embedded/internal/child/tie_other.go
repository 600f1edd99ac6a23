//go:build unix && !linux

package child

import "syscall"

// tieToParent does nothing: only Linux tells a child of its parent's death.
func tieToParent(*syscall.SysProcAttr, syscall.Signal) {}
