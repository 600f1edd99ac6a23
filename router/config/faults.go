package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Fault is something wrong with a configuration, at its place. Line and Column begin at 1; 0: the whole file.
type Fault struct {
	File         string
	Line, Column int
	Message      string
}

func (f *Fault) Error() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
}

// Faults is everything wrong with one file, in its order.
type Faults []*Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// keyError is a fault of one key of a section.
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.key + ": " + e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

// badKey is what a Check says of one of its struct's keys.
func badKey(key, format string, args ...any) error {
	return &keyError{key, fmt.Errorf(format, args...)}
}

// under says that err is about what stands at key, or further below if err says so itself. nil stays nil.
func under(key string, err error) error {
	if err == nil {
		return nil
	}
	return &keyError{key, err}
}

// maxListed bounds how many allowed names a fault lists.
const maxListed = 30

// instead says what could have been meant by name, and what is allowed.
func instead(name string, allowed []string) string {
	if len(allowed) == 0 {
		return "none is known"
	}
	nearest, distance := "", 1+max(2, len(name)/3)
	for _, a := range allowed {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(a)); d < distance {
			nearest, distance = a, d
		}
	}
	listed := slices.Sorted(slices.Values(allowed))
	if len(listed) > maxListed {
		listed = append(listed[:maxListed], "…")
	}
	all := "allowed: " + strings.Join(listed, ", ")
	if nearest != "" {
		return fmt.Sprintf("did you mean %q? %s", nearest, all)
	}
	return all
}
