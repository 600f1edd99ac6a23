package simulation_test

import (
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"bourse/engine/internal/simulation"
	"bourse/engine/venue"
)

var (
	seed  = flag.Uint64("seed", 0, "simulate this seed alone, and print every line")
	first = flag.Uint64("first", 1, "the first of the seeds")
	seeds = flag.Int("seeds", 300, "how many seeds to simulate")
	steps = flag.Int("steps", 0, "how many steps before faults stop; 0 for the default")
	lasts = flag.Duration("for", 0, "simulate seeds for so long, however many they are")
)

// Whatever goes wrong, and in whatever order, every invariant holds after every step.
func TestSeeds(t *testing.T) {
	if *seed != 0 {
		return // one is replayed
	}
	if testing.Short() && *seeds == 300 {
		*seeds = 30
	}
	began, counts, total, n := time.Now(), map[string]int{}, 0, 0
	for s := *first; n < *seeds && *lasts == 0 || time.Since(began) < *lasts; s++ {
		r := simulation.Run(simulation.Options{Seed: s, Steps: *steps})
		if r.Failure != nil {
			t.Fatalf("%v\nreplay it: make sim SEED=%d", r.Failure, s)
		}
		for what, times := range r.Counts {
			counts[what] += times
		}
		total += r.Steps
		n++
	}
	t.Logf("seeds %d to %d, %d steps in %v", *first, *first+uint64(n)-1, total, time.Since(began).Round(time.Millisecond))
	for name, cmd := range venue.Commands() {
		if kind := reflect.TypeOf(cmd).Elem().Name(); n >= 100 && counts["ask "+kind] == 0 {
			t.Errorf("nobody asked for a %s", name)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%9d %s", counts[what], what)
	}
}

// The same seed is the same story, line for line.
func TestSameSeedSameTrace(t *testing.T) {
	for s := range uint64(5) {
		var lines [2][]string
		var results [2]simulation.Result
		for i := range lines {
			results[i] = simulation.Run(simulation.Options{Seed: s, Steps: 2000, Log: func(line string) { lines[i] = append(lines[i], line) }})
		}
		if results[0].Hash != results[1].Hash || results[0].Steps != results[1].Steps || !slices.Equal(lines[0], lines[1]) {
			for i := range min(len(lines[0]), len(lines[1])) {
				if lines[0][i] != lines[1][i] {
					t.Fatalf("seed %d, line %d:\n%s\n%s", s, i, lines[0][i], lines[1][i])
				}
			}
			t.Fatalf("seed %d: %x and %x", s, results[0].Hash, results[1].Hash)
		}
	}
}

// Replay prints what happens in one seed.
func TestReplay(t *testing.T) {
	if *seed == 0 {
		return // none is asked for: make sim SEED=...
	}
	r := simulation.Run(simulation.Options{Seed: *seed, Steps: *steps, Log: func(line string) { fmt.Println(line) }})
	fmt.Printf("seed %d: %d steps, trace %016x\n", r.Seed, r.Steps, r.Hash)
	if r.Failure != nil {
		t.Fatal(r.Failure)
	}
}
