//go:build unix

package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// fromNPM looks for the npm package of this platform in frontends/node_modules, upwards from the working directory (tests run in
// their package's folder) and from the executable (bin/ stands beside frontends/).
func fromNPM(ctx context.Context) ([]binaries, []string) {
	var found []binaries
	var refused []string
	seen := map[string]bool{}
	for _, start := range npmStarts() {
		for dir := start; ; dir = filepath.Dir(dir) {
			pkg := filepath.Join(dir, "frontends", "node_modules", filepath.FromSlash(npmPackage()))
			if !seen[pkg] {
				seen[pkg] = true
				if b, err := inspectNPM(ctx, pkg); err == nil {
					found = append(found, b)
				} else if !errors.Is(err, fs.ErrNotExist) {
					refused = append(refused, fmt.Sprintf("%s: %v", pkg, err))
				}
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return found, refused
}

func npmStarts() []string {
	var starts []string
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	return starts
}

func inspectNPM(ctx context.Context, pkg string) (binaries, error) {
	if _, err := os.Stat(filepath.Join(pkg, "native", "bin", "postgres")); err != nil {
		return binaries{}, err
	}
	if err := restoreSymlinks(pkg); err != nil {
		return binaries{}, err
	}
	return inspect(ctx, filepath.Join(pkg, "native", "bin"))
}

// restoreSymlinks makes the links that an npm tarball cannot carry. The package lists them and has an install script for it, but
// scripts may be switched off, so we do not depend on it. Links that stand are left alone.
func restoreSymlinks(pkg string) error {
	raw, err := os.ReadFile(filepath.Join(pkg, "native", "pg-symlinks.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the list of links: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(raw, &links); err != nil {
		return fmt.Errorf("read the list of links: %w", err)
	}
	for _, l := range links {
		if !filepath.IsLocal(l.Source) || !filepath.IsLocal(l.Target) {
			return fmt.Errorf("the list of links leaves the package: %q -> %q", l.Target, l.Source)
		}
		target := filepath.Join(pkg, l.Target)
		if _, err := os.Lstat(target); err == nil {
			continue
		}
		source, err := filepath.Rel(filepath.Dir(target), filepath.Join(pkg, l.Source))
		if err != nil {
			return fmt.Errorf("link %s: %w", l.Target, err)
		}
		// Two processes may do this at once; who comes second finds the work done.
		if err := os.Symlink(source, target); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make a link of the package: %w", err)
		}
	}
	return nil
}
