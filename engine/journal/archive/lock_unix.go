//go:build unix

package archive

import (
	"fmt"
	"os"
	"syscall"
)

// lock keeps other processes from writing into the directory; the kernel lets go of it when we end,
// however we do.
func lock(path string) (unlock func(), err error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = dir.Close()
		return nil, fmt.Errorf("archive: another process writes into %s: %w", path, err)
	}
	return func() { _ = dir.Close() }, nil
}
