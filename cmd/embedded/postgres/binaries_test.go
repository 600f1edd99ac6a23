//go:build unix

package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeBinaries makes a directory with a postgres that claims a version.
func fakeBinaries(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"postgres", "initdb"} {
		script := "#!/bin/sh\necho '" + name + " (PostgreSQL) " + version + "'\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheOrderOfBinaries(t *testing.T) {
	ctx := context.Background()
	given, newer := fakeBinaries(t, "16.3"), fakeBinaries(t, "97.1 (Debian 97.1-1)")

	t.Setenv("PATH", newer+":"+os.Getenv("PATH"))
	if b, err := findBinaries(ctx, 0); err != nil || b.dir != newer || b.version != "97.1" {
		t.Errorf("the newest of the system: %+v, %v", b, err)
	}
	t.Setenv("PG_BIN_DIR", given)
	if b, err := findBinaries(ctx, 0); err != nil || b.dir != given {
		t.Errorf("PG_BIN_DIR: %+v, %v", b, err)
	}
	if b, err := findBinaries(ctx, 97); err != nil || b.dir != newer {
		t.Errorf("the major of existing data goes first: %+v, %v", b, err)
	}
	t.Setenv("PG_BIN_DIR", fakeBinaries(t, "98beta2"))
	if b, err := findBinaries(ctx, 98); err != nil || b.major != 98 || b.version != "98beta2" {
		t.Errorf("a beta: %+v, %v", b, err)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Setenv("PG_BIN_DIR", fakeBinaries(t, "13.9"))
	_, err := findBinaries(context.Background(), 77)
	var missing *NotFoundError
	if !errors.As(err, &missing) || missing.Major != 77 {
		t.Fatalf("findBinaries = %v", err)
	}
	for _, part := range []string{"apt-get install postgresql-77", "brew install postgresql@77", "DATABASE_URL", "13.9 is too old"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q:\n%v", part, err)
		}
	}
	if text := (&NotFoundError{}).Error(); !strings.Contains(text, "npm install") {
		t.Errorf("without data the npm package would do as well:\n%s", text)
	}
	t.Setenv("PG_BIN_DIR", "/nonexistent")
	if _, err := findBinaries(context.Background(), 77); !strings.Contains(err.Error(), "PG_BIN_DIR=/nonexistent") {
		t.Errorf("a wrong PG_BIN_DIR goes unmentioned:\n%v", err)
	}
}

func TestLinksOfTheNPMPackage(t *testing.T) {
	pkg := t.TempDir()
	lib := filepath.Join(pkg, "native", "lib")
	if err := os.MkdirAll(lib, 0o755); err != nil {
		t.Fatal(err)
	}
	list := func(text string) {
		if err := os.WriteFile(filepath.Join(pkg, "native", "pg-symlinks.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(lib, "libx.so.6.1"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	list(`[{"source":"native/lib/libx.so.6.1","target":"native/lib/libx.so"}]`)
	for range 2 { // the second time the link is there
		if err := restoreSymlinks(pkg); err != nil {
			t.Fatal(err)
		}
	}
	if raw, err := os.ReadFile(filepath.Join(lib, "libx.so")); err != nil || string(raw) != "x" {
		t.Errorf("through the link: %q, %v", raw, err)
	}
	for _, outside := range []string{
		`[{"source":"native/lib/libx.so.6.1","target":"../../outside"}]`,
		`[{"source":"/etc/passwd","target":"native/lib/p"}]`,
	} {
		list(outside)
		if err := restoreSymlinks(pkg); err == nil {
			t.Errorf("a link that leaves the package was made: %s", outside)
		}
	}
}

// TestTheNPMPackageServes runs the real package where it is installed, with its links removed first.
func TestTheNPMPackageServes(t *testing.T) {
	ctx := context.Background()
	found, refused := fromNPM(ctx)
	if len(found) == 0 {
		t.Skipf("%s is not installed in frontends/node_modules %v", npmPackage(), refused)
	}
	t.Setenv("PG_BIN_DIR", found[0].dir)
	dir := openDir(t)
	s := start(t, dir)
	t.Log(s.Source())
	if !strings.Contains(s.Source(), "node_modules") {
		t.Fatalf("the server is %s", s.Source())
	}
	write(t, s.URL(), "CREATE COLLATION zh (provider = icu, locale = 'zh')") // needs the library behind the links
	stop(t, s)

	// Without PG_BIN_DIR the data asks for its own major, whatever the system has.
	t.Setenv("PG_BIN_DIR", "")
	s = start(t, dir)
	t.Log(s.Source())
	stop(t, s)
}
