//go:build !linux

package gateway

import "time"

// Elsewhere nothing is pinned, and the system's account of a running process is not read: cost and memory are zero.
func measuredCore() int { return -1 }

func asideOf() (restore func()) { return func() {} }

func onCore(_ int, start func() error) error { return start() }

func spent(int) (cpu time.Duration, peak int64, err error) { return 0, 0, nil }

func resident(int) (int64, error) { return 0, nil }
