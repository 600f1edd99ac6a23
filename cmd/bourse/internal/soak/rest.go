package soak

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"bourse/cmd/bourse/internal/pause"
)

// State is what the router holds while nobody asks it anything.
type State struct {
	Goroutines  int64 `json:"goroutines"`
	Descriptors int64 `json:"fileDescriptors"`
	Heap        int64 `json:"heapBytes"` // that lived at the last collection
	Resident    int64 `json:"residentBytes"`
}

// sample reads the router's metrics.
func sample(ctx context.Context, admin string) (map[string]float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	r.Close = true // so that asking leaves nothing behind
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask for metrics: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for metrics: status %d", res.StatusCode)
	}
	return readMetrics(res.Body)
}

// readMetrics reads the text format, as far as the router writes it: a series and its value on each line.
func readMetrics(in io.Reader) (map[string]float64, error) {
	all := map[string]float64{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("metrics: %q", line)
		}
		all[line[:at]] = value
	}
	return all, lines.Err()
}

// rest looks at a router that is left alone for a while, and takes the least of each figure: what has not ended by then is not what is looked for.
func rest(ctx context.Context, admin string, d time.Duration) (State, error) {
	var least State
	for ends := time.Now().Add(d); ; {
		m, err := sample(ctx, admin)
		if err != nil {
			return State{}, err
		}
		now := State{
			Goroutines: int64(m["go_goroutines"]), Descriptors: int64(m["process_open_fds"]), Resident: int64(m["process_resident_memory_bytes"]),
			// The next collection is due when the heap is twice what lived after the last one (GOGC=100).
			Heap: int64(m["go_memstats_next_gc_bytes"]) / 2,
		}
		if least == (State{}) {
			least = now
		}
		least = State{min(least.Goroutines, now.Goroutines), min(least.Descriptors, now.Descriptors), min(least.Heap, now.Heap), min(least.Resident, now.Resident)}
		if !time.Now().Before(ends) {
			return least, nil
		}
		if err := pause.For(ctx, d/10); err != nil {
			return State{}, err
		}
	}
}

// Bounds on what may have grown between the first third of the rests and the last one. A leak grows with the number of requests, which are
// hundreds a second: in half an hour a goroutine lost in ten thousand requests is beyond its bound, and so are 30 bytes lost by each.
const (
	// Connections to subgraphs that happen to be kept, and timers of theirs. A leak of one for each reload or fault is far beyond it.
	moreGoroutines, moreDescriptors = 24, 24
	// Caches fill up to their bounds, and what was under way at the last collection counts as well.
	moreHeap = 12 << 20
	// The memory that the process got for its worst moment stays with it for a while.
	moreResident = 48 << 20
)

// flat says what has grown. The first quarter of the rests is for warming up.
func flat(rests []State) (first, last State, grown []string) {
	rests = rests[len(rests)/4:]
	third := max(1, len(rests)/3)
	if len(rests) < 2 {
		return first, last, []string{"there were too few rests to say whether anything grows"}
	}
	first, last = middle(rests[:third]), middle(rests[len(rests)-third:])
	for _, f := range []struct {
		what              string
		first, last, more int64
	}{
		{"goroutines", first.Goroutines, last.Goroutines, moreGoroutines},
		{"file descriptors", first.Descriptors, last.Descriptors, moreDescriptors},
		{"bytes of heap", first.Heap, last.Heap, moreHeap},
		{"bytes of memory", first.Resident, last.Resident, moreResident},
	} {
		if f.last > f.first+f.more {
			grown = append(grown, fmt.Sprintf("%s have grown from %d to %d at rest, which may be %d", f.what, f.first, f.last, f.first+f.more))
		}
	}
	return first, last, grown
}

// middle is the median of each figure.
func middle(states []State) State {
	of := func(figure func(State) int64) int64 {
		var all []int64
		for _, s := range states {
			all = append(all, figure(s))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return State{
		Goroutines: of(func(s State) int64 { return s.Goroutines }), Descriptors: of(func(s State) int64 { return s.Descriptors }),
		Heap: of(func(s State) int64 { return s.Heap }), Resident: of(func(s State) int64 { return s.Resident }),
	}
}
