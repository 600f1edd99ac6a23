// Package soak lets a router serve for a long time as it would in production, and holds that nothing fails and nothing grows.
//
//	visits ──▶ router (a process, all of its features on) ──▶ subgraphs, some of which fail now and then
//	             ▲ supergraph and configuration change every few seconds
//	             └ at rests, in which nobody asks: goroutines, file descriptors, heap, memory
//
// Visits are of all kinds: queries, mutations, persisted queries, bad tokens, operations that are refused, subscribers that come and go, clients
// that are slow or leave. Each knows what it has to be answered. Between loads there are rests, because only then what is still held is
// what was never let go.
package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bourse/cmd/bourse/internal/pause"
)

// Options says how long and how hard.
type Options struct {
	Program, Dir string // the bourse binary, and an empty directory
	For          time.Duration
	Clients      int
	Seed         uint64
	Progress     func(string)
}

// Report is what came of it. There must be no findings.
type Report struct {
	Seed     uint64           `json:"seed"`
	Visits   map[string]int64 `json:"visits"`
	Requests int64            `json:"requests"` // by the router's own count
	Reloads  int64            `json:"reloads"`
	Refused  int64            `json:"reloadsRefused"` // of configurations that are wrong on purpose
	Faults   int64            `json:"faults"`
	Rests    int              `json:"rests"`
	First    State            `json:"first"` // the first third of the rests after warming up
	Last     State            `json:"last"`
	Findings []string         `json:"findings"`
}

// maxFindings bounds the sentences of a report.
const maxFindings = 50

// soak is one run.
type soak struct {
	o     Options
	graph *graph
	files *files
	at    *process

	// busy is held by whatever asks, fails or reloads, and taken away from all of them for a rest.
	busy   sync.RWMutex
	visits []atomic.Int64
	faults atomic.Int64

	mu       sync.Mutex
	findings []string
}

func (s *soak) find(format string, arguments ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.findings) < maxFindings {
		s.findings = append(s.findings, fmt.Sprintf(format, arguments...))
		s.o.Progress("! " + s.findings[len(s.findings)-1])
	}
}

// Run soaks. The error is for what kept it from being done.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	s := &soak{o: o, visits: make([]atomic.Int64, len(visits))}
	var err error
	if s.graph, err = openGraph(200 * time.Millisecond); err != nil {
		return Report{}, err
	}
	defer s.graph.close()
	s.files = &files{dir: o.Dir}
	if s.files.supergraphs, err = s.graph.supergraphs(); err != nil {
		return Report{}, err
	}
	if err := s.files.next(); err != nil {
		return Report{}, err
	}
	if s.at, err = start(ctx, o.Program, s.files); err != nil {
		return Report{}, err
	}
	defer s.at.kill()
	return s.run(ctx)
}

func (s *soak) run(ctx context.Context) (Report, error) {
	clients, err := s.clients()
	if err != nil {
		return Report{}, err
	}
	loading, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { s.visit(loading, c) })
	}
	all.Go(func() { s.fail(loading) })
	all.Go(func() { s.reload(loading) })
	rests, err := s.watch(ctx, clients)
	stop()
	all.Wait()
	if err != nil {
		return Report{}, err
	}
	return s.judge(ctx, rests)
}

func (s *soak) clients() ([]*client, error) {
	var all []*client
	for i := range s.o.Clients {
		c, err := newClient(i, s.at.url, s.graph, s.o.Seed)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// visit lets one client do one thing after the other.
func (s *soak) visit(ctx context.Context, c *client) {
	var lots []int
	for i, v := range visits {
		for range v.weight {
			lots = append(lots, i)
		}
	}
	defer c.http.CloseIdleConnections()
	for pause.For(ctx, time.Duration(c.random.IntN(20))*time.Millisecond) == nil {
		i := lots[c.random.IntN(len(lots))]
		s.busy.RLock()
		// What has begun is done, because what a cancelled visit found would say nothing.
		err := visits[i].do(c, context.WithoutCancel(ctx))
		s.busy.RUnlock()
		s.visits[i].Add(1)
		if err != nil {
			s.find("%s: %v", visits[i].name, err)
		}
	}
}

// fail lets a subgraph fail now and then.
func (s *soak) fail(ctx context.Context) {
	random := rand.New(rand.NewPCG(s.o.Seed, 1<<32))
	for pause.For(ctx, time.Second+recovery+time.Duration(random.IntN(1000))*time.Millisecond) == nil {
		s.busy.RLock()
		what, end := s.graph.fail(random)
		s.o.Progress(what)
		_ = pause.For(ctx, time.Duration(200+random.IntN(1000))*time.Millisecond) // the fault ends in any case
		end()
		s.busy.RUnlock()
		s.faults.Add(1)
	}
}

// reloadEvery is how often the router is given other files.
const reloadEvery = 2 * time.Second

func (s *soak) reload(ctx context.Context) {
	for n := 1; pause.For(ctx, reloadEvery) == nil; n++ {
		s.busy.RLock()
		err := s.files.next()
		if err == nil && n%5 == 3 {
			err = s.files.spoil()
		}
		s.busy.RUnlock()
		if err != nil {
			s.find("reload: %v", err)
		}
	}
}

// watch takes the rests.
func (s *soak) watch(ctx context.Context, clients []*client) ([]State, error) {
	phases := min(max(int(s.o.For/(30*time.Second)), 6), 120)
	phase := s.o.For / time.Duration(phases)
	resting := min(phase/3, 2*time.Second)
	var rests []State
	for n := range phases {
		select {
		case <-s.at.done:
			return nil, fmt.Errorf("the router has ended: %w; see %s", s.at.err, s.at.log)
		default:
		}
		if err := pause.For(ctx, phase-resting); err != nil {
			return nil, err
		}
		s.busy.Lock()
		for _, c := range clients {
			c.http.CloseIdleConnections()
		}
		state, err := rest(ctx, s.at.admin, resting)
		s.busy.Unlock()
		if err != nil {
			return nil, err
		}
		rests = append(rests, state)
		s.o.Progress(fmt.Sprintf("rest %d of %d: %d visits, %d goroutines, %d file descriptors, heap %d MB, memory %d MB",
			n+1, phases, s.visited(), state.Goroutines, state.Descriptors, state.Heap>>20, state.Resident>>20))
	}
	return rests, nil
}

func (s *soak) visited() int64 {
	var n int64
	for i := range s.visits {
		n += s.visits[i].Load()
	}
	return n
}

// judge ends the router and says what came of it.
func (s *soak) judge(ctx context.Context, rests []State) (Report, error) {
	m, err := sample(ctx, s.at.admin)
	if err != nil {
		return Report{}, err
	}
	r := Report{Seed: s.o.Seed, Visits: map[string]int64{}, Faults: s.faults.Load(), Rests: len(rests)}
	for i, v := range visits {
		if r.Visits[v.name] = s.visits[i].Load(); r.Visits[v.name] == 0 && s.o.For >= time.Minute {
			s.find("%s: there were none", v.name)
		}
	}
	for series, value := range m {
		switch name, _, _ := strings.Cut(series, "{"); {
		case name == "bourse_router_requests_total":
			r.Requests += int64(value)
			if strings.Contains(series, "INTERNAL_SERVER_ERROR") && value > 0 {
				s.find("%s %v", series, value)
			}
		case name != "bourse_router_reloads_total":
		case strings.Contains(series, "ok"):
			r.Reloads = int64(value)
		default:
			r.Refused += int64(value)
		}
	}
	if planned := int64(s.o.For/reloadEvery) / 4; r.Reloads < planned {
		s.find("only %d reloads, where there should have been %d or more", r.Reloads, planned)
	}
	if r.Refused == 0 && r.Reloads > 5 {
		s.find("no reload was refused, and some should have been")
	}
	var grown []string
	r.First, r.Last, grown = flat(rests)
	for _, what := range grown {
		s.find("%s", what)
	}
	if err := s.at.stop(); err != nil {
		s.find("the end: %v", err)
	}
	if err := s.searchLogs(); err != nil {
		return Report{}, err
	}
	r.Findings = s.findings
	return r, nil
}

// searchLogs looks for what no log may have.
func (s *soak) searchLogs() error {
	for _, name := range []string{"router.log", "access.log", "slow.log"} {
		text, err := os.ReadFile(s.files.path(name))
		if errors.Is(err, os.ErrNotExist) && name == "slow.log" {
			continue // nothing was slow
		}
		if err != nil {
			return err
		}
		if name == "access.log" && bytes.Count(text, []byte("\n")) == 0 {
			s.find("%s is empty", name)
		}
		for _, never := range []string{"eyJ", "Bearer ", secret, "panic", "DATA RACE"} {
			if at := bytes.Index(text, []byte(never)); at >= 0 {
				s.find("%s has %q: %.200s", name, never, text[max(0, at-100):])
			}
		}
	}
	return nil
}
