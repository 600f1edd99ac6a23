package bench

import (
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// onOneCore runs a function with one processor for Go, and all threads of the process on one core.
// Where the system does not allow the latter, it does without.
func onOneCore(do func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err == nil && before.Count() > 1 {
		var one unix.CPUSet
		for cpu := range 1024 {
			if before.IsSet(cpu) {
				one.Zero()
				one.Set(cpu) // the last: the first is busier with interrupts
			}
		}
		pinThreads(&one)
		defer pinThreads(&before)
	}
	do()
}

func pinThreads(to *unix.CPUSet) {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, task := range tasks {
		if id, err := strconv.Atoi(task.Name()); err == nil {
			_ = unix.SchedSetaffinity(id, to) // a thread may have ended
		}
	}
}

// cpuTime is what the process has spent of all processors so far.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
