package core

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cores are those that this process may use: one for what is measured, the others for the load. There may be only one.
func cores() (measured int, others unix.CPUSet) {
	var all unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil {
		return -1, all
	}
	measured = -1
	for cpu := range 1024 {
		if all.IsSet(cpu) {
			measured = cpu // the last: the first is busier with interrupts
		}
	}
	others = all
	if all.Count() > 1 {
		others.Clear(measured)
	}
	return measured, others
}

// Measured is the core for measured processes.
func Measured() int {
	core, _ := cores()
	return core
}

// Aside keeps all threads of this process away from the measured core, until restore.
func Aside() (restore func()) {
	var before unix.CPUSet
	if unix.SchedGetaffinity(0, &before) != nil {
		return func() {}
	}
	_, others := cores()
	pinThreads(&others)
	return func() { pinThreads(&before) }
}

// One runs a function with one processor for Go, and all threads of the process on one core.
// Where the system does not allow the latter, it does without.
func One(do func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err == nil && before.Count() > 1 {
		var one unix.CPUSet
		one.Set(Measured())
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

// On starts a process on one core: it inherits that from the thread that starts it.
func On(core int, start func() error) error {
	if core < 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	one.Set(core)
	if unix.SchedGetaffinity(0, &before) == nil && unix.SchedSetaffinity(0, &one) == nil {
		defer func() { _ = unix.SchedSetaffinity(0, &before) }() // as it was
	}
	return start()
}

// ticksPerSecond is the unit of the system's account of processor time (USER_HZ): 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// Spent is the processor time that a process has taken, and the most memory that it has had, in bytes.
func Spent(pid int) (cpu time.Duration, peak int64, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	for _, i := range []int{11, 12} { // user and system time: fields 14 and 15 of proc(5)
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(n) * time.Second / ticksPerSecond
	}
	peak, err = status(pid, "VmHWM:")
	return cpu, peak, err
}

// Resident is the memory that a process has now, in bytes.
func Resident(pid int) (int64, error) { return status(pid, "VmRSS:") }

func status(pid int, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(text, []byte(name))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("/proc/%d/status has no %s", pid, name)
	}
	kB, err := strconv.ParseInt(string(fields[0]), 10, 64)
	return kB << 10, err
}

// Time is what the process has spent of all processors so far.
func Time() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
