// Package bench takes the figures of BENCHMARKS.md on this machine, each beside the floor
// that it is held against. Every figure is a median of rounds; what is compared runs
// in turn, so that a machine whose speed drifts hurts both alike.
package bench

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"bourse/cmd/bourse/internal/client"
	"bourse/cmd/bourse/internal/house"
	"bourse/cmd/bourse/internal/simulate"
	"bourse/engine"
)

// Options says how long to measure.
type Options struct {
	// Round is the length of one measured round, where a round has one; Rounds how many, the median
	// counts.
	Round  time.Duration
	Rounds int
	// Members trade; Waiting of their commands are under way at once.
	Members, Waiting int
	Progress         func(string)
}

// Machine says where the figures were taken.
type Machine struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

// ThisMachine describes the machine.
func ThisMachine() Machine {
	return Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()}
}

// Rate is how many commands a second were answered, and how long one took.
type Rate struct {
	PerSecond int64         `json:"perSecond"`
	P50       time.Duration `json:"p50Nanos"`
	P99       time.Duration `json:"p99Nanos"`
	Refused   int64         `json:"refused"`
}

// stage is a demonstration house in a temporary directory with funded members.
type stage struct {
	dir      string
	house    *house.House
	server   *httptest.Server
	traders  []simulate.Trader
	members  []*engine.Member
	teardown func()
}

// open starts the stage on an embedded database with every durability setting on.
func open(ctx context.Context, o Options) (*stage, error) {
	dir, err := os.MkdirTemp("", "bourse-bench-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the database may run as another user
		return nil, err
	}
	o.Progress("starting a house in " + dir)
	h, err := house.Start(ctx, house.Config{DataDir: dir, Demo: true})
	if err != nil {
		return nil, fmt.Errorf("start a house: %w", err)
	}
	s := &stage{dir: dir, house: h, server: httptest.NewServer(h.Handler())}
	s.teardown = func() {
		ending, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		h.Drain(ending)
		s.server.Close()
		_ = h.Stop(ending) // the figures are taken; the directory goes anyway
		os.RemoveAll(dir)
	}
	if err := s.enrol(ctx, o); err != nil {
		s.teardown()
		return nil, err
	}
	return s, nil
}

func (s *stage) enrol(ctx context.Context, o Options) error {
	o.Progress(fmt.Sprintf("enrolling %d members", o.Members))
	agent := house.DemoAgent()
	var err error
	s.traders, err = simulate.Enrol(ctx, simulate.Enrolment{
		Endpoint: s.server.URL + "/graphql", Transport: client.Transport(o.Waiting),
		AgentUsername: agent.Username, AgentPassword: agent.Password,
		Seed: 1, Traders: o.Members, Funds: map[string]string{"USDT": "1000000000", "BTC": "100000"},
	})
	if err != nil {
		return err
	}
	for _, t := range s.traders {
		actor, err := s.house.Exchange.Visitor().Authenticate(ctx, t.Session().AccessToken)
		if err != nil {
			return fmt.Errorf("authenticate %s: %w", t.Name, err)
		}
		member, err := s.house.Exchange.Member(actor)
		if err != nil {
			return fmt.Errorf("view of %s: %w", t.Name, err)
		}
		s.members = append(s.members, member)
	}
	return nil
}

// closedLoop lets callers send one command after the other for a while; send gets the
// caller's number and a count of its own, and says whether the command was refused.
func closedLoop(ctx context.Context, callers int, d time.Duration, send func(ctx context.Context, caller, n int) (refused bool, err error)) (Rate, error) {
	running, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	took := make([][]time.Duration, callers)
	refusals := make([]int64, callers)
	failures := make([]error, callers)
	began := time.Now()
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for n := 0; running.Err() == nil; n++ {
				at := time.Now()
				refused, err := send(ctx, i, n)
				if err != nil {
					failures[i] = err
					return
				}
				if refused {
					refusals[i]++
				}
				took[i] = append(took[i], time.Since(at))
			}
		})
	}
	all.Wait()
	elapsed := time.Since(began)
	for _, err := range failures {
		if err != nil {
			return Rate{}, err
		}
	}
	return rateOf(slices.Concat(took...), refusals, elapsed), ctx.Err()
}

func rateOf(took []time.Duration, refusals []int64, elapsed time.Duration) Rate {
	if len(took) == 0 {
		return Rate{}
	}
	slices.Sort(took)
	r := Rate{
		PerSecond: int64(time.Duration(len(took)) * time.Second / elapsed),
		P50:       took[len(took)/2], P99: took[(len(took)-1)*99/100],
	}
	for _, n := range refusals {
		r.Refused += n
	}
	return r
}

func (r *Rate) note() string {
	return fmt.Sprintf("p50 %s, p99 %s, %d refused", took(r.P50), took(r.P99), r.Refused)
}
