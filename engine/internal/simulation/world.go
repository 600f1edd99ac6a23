package simulation

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// Options say what to simulate. The zero value of each takes the default named here.
type Options struct {
	Seed uint64
	// Steps is how many events happen before faults stop; 5,000 by default.
	Steps int
	// Trace is how many of the last lines are kept; 200 by default.
	Trace int
	// Log, when given, is handed every line.
	Log func(line string)
}

// Result is what became of a run.
type Result struct {
	Seed  uint64
	Steps int
	// Hash is that of every line of the trace.
	Hash uint64
	// Counts tells what happened how often.
	Counts map[string]int
	// Failure is nil when everything held.
	Failure *Failure
}

// Failure is an invariant that did not hold.
type Failure struct {
	Seed  uint64
	Step  int
	Err   error
	Trace []string // the last lines, the one that failed at the end
}

func (f *Failure) Error() string {
	text := fmt.Sprintf("seed %d, step %d: %v\n", f.Seed, f.Step, f.Err)
	for _, line := range f.Trace {
		text += "  " + line + "\n"
	}
	return text
}

// event is something that will happen.
type event struct {
	at     int64
	serial uint64 // of two at the same time, the one that was planned first happens first
	do     func()
}

type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, k int) bool {
	return a[i].at < a[k].at || a[i].at == a[k].at && a[i].serial < a[k].serial
}
func (a agenda) Swap(i, k int) { a[i], a[k] = a[k], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(event)) }
func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	old[len(old)-1] = event{}
	*a = old[:len(old)-1]
	return last
}

// world owns everything: what time it is, what happens next, and all chance.
type world struct {
	opts   Options
	dice   *rand.Rand
	now    int64 // nanoseconds since the beginning
	agenda agenda
	serial uint64
	steps  int
	calm   bool // faults have stopped

	lines  []string // a ring
	line   int
	sum    interface{ Write([]byte) (int, error) }
	hash   func() uint64
	counts map[string]int

	store     *store
	processes []*process
	clients   []*client
	oracle    *oracle
}

// epoch is when the world begins, in Unix nanoseconds.
const epoch = 1_800_000_000_000_000_000

// Run simulates a seed.
func Run(opts Options) (result Result) {
	if opts.Steps == 0 {
		opts.Steps = 5000
	}
	if opts.Trace == 0 {
		opts.Trace = 200
	}
	sum := fnv.New64a()
	w := &world{
		opts: opts, dice: rand.New(rand.NewPCG(opts.Seed, 0x626f75727365)), sum: sum, hash: sum.Sum64,
		lines: make([]string, opts.Trace), counts: map[string]int{},
	}
	defer func() {
		result = Result{Seed: opts.Seed, Steps: w.steps, Hash: w.hash(), Counts: w.counts}
		if broken := recover(); broken != nil {
			result.Failure = w.failure(broken)
		}
	}()
	w.furnish()
	for w.steps < opts.Steps {
		w.step()
	}
	w.settle()
	return
}

func (w *world) failure(broken any) *Failure {
	f := &Failure{Seed: w.opts.Seed, Step: w.steps}
	if v, ok := broken.(violation); ok {
		f.Err = v
	} else {
		f.Err = fmt.Errorf("%v\n%s", broken, debug.Stack())
	}
	for i := range w.lines {
		if line := w.lines[(w.line+i)%len(w.lines)]; line != "" {
			f.Trace = append(f.Trace, line)
		}
	}
	return f
}

// step lets the next thing happen and looks whether everything still holds.
func (w *world) step() {
	next := heap.Pop(&w.agenda).(event)
	w.now = next.at
	w.steps++
	next.do()
	w.check()
}

// after plans something.
func (w *world) after(delay time.Duration, do func()) {
	w.serial++
	heap.Push(&w.agenda, event{at: w.now + int64(max(delay, 0)), serial: w.serial, do: do})
}

// logf writes a line of the trace.
func (w *world) logf(format string, args ...any) {
	line := fmt.Sprintf("%6d %9.4fs ", w.steps, time.Duration(w.now).Seconds()) + fmt.Sprintf(format, args...)
	_, _ = w.sum.Write([]byte(line))
	w.lines[w.line] = line
	w.line = (w.line + 1) % len(w.lines)
	if w.opts.Log != nil {
		w.opts.Log(line)
	}
}

func (w *world) count(what string) { w.counts[what]++ }

// violation is what a run fails with.
type violation struct{ error }

// mustf fails the run unless it holds.
func (w *world) mustf(holds bool, format string, args ...any) {
	if !holds {
		err := fmt.Errorf(format, args...)
		w.logf("VIOLATION %v", err)
		panic(violation{err})
	}
}

// chance is true so many times in a thousand, and never once faults have stopped.
func (w *world) chance(perMille int) bool { return w.dice.IntN(1000) < perMille && !w.calm }

// often is true so many times in a thousand.
func (w *world) often(perMille int) bool { return w.dice.IntN(1000) < perMille }

// between is a duration of a range.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.dice.Int64N(int64(most-least)+1))
}

// pick is one of a list.
func pick[T any](w *world, list []T) T { return list[w.dice.IntN(len(list))] }
