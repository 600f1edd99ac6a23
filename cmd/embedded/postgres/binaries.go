//go:build unix

package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// binaries is a directory with at least postgres and initdb of one version.
type binaries struct {
	dir     string
	version string // as PostgreSQL prints it: "15.18", "18beta1"
	major   int
}

func (b binaries) tool(name string) string { return filepath.Join(b.dir, name) }

// NotFoundError says that no usable binaries were found.
type NotFoundError struct {
	Major   int      // the major version that existing data needs; 0 for any
	Refused []string // what was found and why it will not do
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	wanted := fmt.Sprintf("PostgreSQL %d or newer", OldestMajor)
	apt, brew := "postgresql", "postgresql"
	if e.Major > 0 {
		wanted = fmt.Sprintf("PostgreSQL %d, which wrote this data,", e.Major)
		apt, brew = fmt.Sprintf("postgresql-%d", e.Major), fmt.Sprintf("postgresql@%d", e.Major)
	}
	fmt.Fprintf(&b, "%s was not found. Install it with one of\n", wanted)
	fmt.Fprintf(&b, "  apt-get install %s\n  brew install %s\n", apt, brew)
	if e.Major == 0 {
		fmt.Fprintf(&b, "  npm install --prefix frontends %s\n", npmPackage())
	}
	b.WriteString("or set PG_BIN_DIR to the directory of its binaries, or DATABASE_URL to a running server")
	for _, r := range e.Refused {
		b.WriteString("\n  looked at " + r)
	}
	return b.String()
}

// findBinaries returns the first usable binaries in the order PG_BIN_DIR, newest of the system, npm package.
// With major > 0 only that major version will do.
func findBinaries(ctx context.Context, major int) (binaries, error) {
	missing := &NotFoundError{Major: major}
	for _, source := range []func(context.Context) ([]binaries, []string){fromEnvironment, fromSystem, fromNPM} {
		found, refused := source(ctx)
		missing.Refused = append(missing.Refused, refused...)
		for _, b := range found {
			switch {
			case b.major < OldestMajor:
				missing.Refused = append(missing.Refused, fmt.Sprintf("%s: version %s is too old", b.dir, b.version))
			case major > 0 && b.major != major:
				missing.Refused = append(missing.Refused, fmt.Sprintf("%s: version %s", b.dir, b.version))
			default:
				return b, nil
			}
		}
	}
	return binaries{}, missing
}

func fromEnvironment(ctx context.Context) ([]binaries, []string) {
	dir := os.Getenv("PG_BIN_DIR")
	if dir == "" {
		return nil, nil
	}
	b, err := inspect(ctx, dir)
	if err != nil {
		return nil, []string{fmt.Sprintf("PG_BIN_DIR=%s: %v", dir, err)}
	}
	return []binaries{b}, nil
}

// systemPlaces are where packages put PostgreSQL: Debian, Red Hat, Homebrew on both kinds of Mac, Postgres.app.
var systemPlaces = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// fromSystem lists installed versions, newest first.
func fromSystem(ctx context.Context) ([]binaries, []string) {
	var dirs []string
	for _, pattern := range systemPlaces {
		matches, _ := filepath.Glob(pattern) // fails only on a malformed pattern, and ours are constants
		dirs = append(dirs, matches...)
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if path, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres")); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	slices.Sort(dirs)
	var found []binaries
	var refused []string
	for _, dir := range slices.Compact(dirs) {
		b, err := inspect(ctx, dir)
		if err != nil {
			// A directory that holds only the client tools is no finding at all.
			if !errors.Is(err, os.ErrNotExist) {
				refused = append(refused, fmt.Sprintf("%s: %v", dir, err))
			}
			continue
		}
		found = append(found, b)
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return cmp.Compare(b.major, a.major) })
	return found, refused
}

var versionText = regexp.MustCompile(`\(PostgreSQL\) ((\d+)\S*)`)

// inspect asks the binaries of dir for their version.
func inspect(ctx context.Context, dir string) (binaries, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return binaries{}, fmt.Errorf("resolve path: %w", err)
	}
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return binaries{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version")
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return binaries{}, fmt.Errorf("postgres --version: %w: %s", err, strings.TrimSpace(string(out)))
	}
	m := versionText.FindStringSubmatch(string(out))
	if m == nil {
		return binaries{}, fmt.Errorf("postgres --version printed %q", strings.TrimSpace(string(out)))
	}
	major, err := strconv.Atoi(m[2])
	if err != nil {
		return binaries{}, fmt.Errorf("postgres --version: %w", err)
	}
	return binaries{dir: dir, version: m[1], major: major}, nil
}

// environment is what PostgreSQL's programs see: none of the PG* variables of the person's shell, and no locale or time zone to guess.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// npmPackage names the npm package with binaries for this platform.
func npmPackage() string {
	arch := map[string]string{"amd64": "x64", "386": "ia32"}
	return fmt.Sprintf("@embedded-postgres/%s-%s", runtime.GOOS, cmp.Or(arch[runtime.GOARCH], runtime.GOARCH))
}
