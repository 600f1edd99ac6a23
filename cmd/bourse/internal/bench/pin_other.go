//go:build !linux

package bench

import (
	"runtime"
	"time"
)

// onOneCore runs a function with one processor for Go.
func onOneCore(do func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	do()
}

// cpuTime is not known here.
func cpuTime() time.Duration { return 0 }
