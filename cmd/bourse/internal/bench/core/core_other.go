//go:build !linux

package core

import (
	"runtime"
	"time"
)

// Measured is no core here.
func Measured() int { return -1 }

// Aside does nothing here.
func Aside() (restore func()) { return func() {} }

// One runs a function with one processor for Go.
func One(do func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	do()
}

// On starts a process on any core here.
func On(_ int, start func() error) error { return start() }

// Spent is not known here.
func Spent(int) (cpu time.Duration, peak int64, err error) { return 0, 0, nil }

// Resident is not known here.
func Resident(int) (int64, error) { return 0, nil }

// Time is not known here.
func Time() time.Duration { return 0 }
