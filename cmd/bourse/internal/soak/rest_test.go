package soak

import (
	"strings"
	"testing"
)

// What grows from rest to rest is found, each figure by itself; what differs once, or only while it warms up, is not.
func TestFlat(t *testing.T) {
	steady := State{Goroutines: 12, Descriptors: 20, Heap: 8 << 20, Resident: 50 << 20}
	series := func(n int, change func(i int, s *State)) []State {
		var all []State
		for i := range n {
			s := steady
			change(i, &s)
			all = append(all, s)
		}
		return all
	}
	for name, c := range map[string]struct {
		rests []State
		grown string // empty: nothing
	}{
		"steady":          {series(60, func(int, *State) {}), ""},
		"one outlier":     {series(60, func(i int, s *State) { s.Goroutines += int64(i / 59 * 1000) }), ""},
		"warming up":      {series(60, func(i int, s *State) { s.Heap += int64(min(i, 10)) << 20 }), ""},
		"goroutines":      {series(60, func(i int, s *State) { s.Goroutines += int64(i) }), "goroutines"},
		"descriptors":     {series(60, func(i int, s *State) { s.Descriptors += int64(i) }), "file descriptors"},
		"heap":            {series(60, func(i int, s *State) { s.Heap += int64(i) << 19 }), "bytes of heap"},
		"memory":          {series(60, func(i int, s *State) { s.Resident += int64(i) << 21 }), "bytes of memory"},
		"in a short run":  {series(6, func(i int, s *State) { s.Goroutines += int64(i) * 20 }), "goroutines"},
		"too few to tell": {series(1, func(int, *State) {}), "too few"},
	} {
		_, _, grown := flat(c.rests)
		if got := strings.Join(grown, "; "); c.grown == "" && got != "" || !strings.Contains(got, c.grown) || len(grown) > 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestReadMetrics(t *testing.T) {
	got, err := readMetrics(strings.NewReader("# HELP a b\n# TYPE a gauge\ngo_goroutines 12\nrequests{code=\"a b\",kind=\"q\"} 1.5e+03\n"))
	if err != nil || got["go_goroutines"] != 12 || got[`requests{code="a b",kind="q"}`] != 1500 {
		t.Errorf("%v %v", got, err)
	}
	if _, err := readMetrics(strings.NewReader("a b\n")); err == nil {
		t.Error("what is no number is taken")
	}
}
