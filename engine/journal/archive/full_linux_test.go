package archive

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// On a disk that is full nothing is lost, and nothing half written stays; when there is room again,
// archiving goes on.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	path := t.TempDir()
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	defer func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) }()
	j, all := past(t, 400) // about 50 kB
	ballast := filepath.Join(path, "ballast")
	must[struct{}](t)(struct{}{}, os.WriteFile(ballast, make([]byte, 32<<10), 0o600))
	d := must[*Dir](t)(Open(path))
	moved, err := Move(t.Context(), j, d, all[398].Last, 8<<10)
	if !errors.Is(err, syscall.ENOSPC) || len(moved) == 0 {
		t.Fatalf("%d files, %v", len(moved), err)
	}
	wantAll(t, "on a full disk", j, path, all)
	if left, _ := filepath.Glob(filepath.Join(path, writing+"*")); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
	must[struct{}](t)(struct{}{}, os.Remove(ballast))
	must[[]File](t)(Move(t.Context(), j, d, all[398].Last, 8<<10))
	wantAll(t, "with room again", j, path, all)
}
