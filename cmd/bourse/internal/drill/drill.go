// Package drill kills a serving house with SIGKILL, again and again, while clients trade
// through its public endpoint, and then holds what the clients were told against what the
// house knows. Every second time its database is killed along with it, in the same way, so
// that what was not forced to disk is lost.
//
//	start ──▶ load ──▶ SIGKILL ──▶ check the log ──▶ start ──▶ settle what was unknown ──▶ compare
//	  ▲                                                                                      │
//	  └──────────────────────────── until all kills are done ◀────────────────────────────────┘
//
// The clients keep their own book of acknowledgements; nothing of the house's memory is
// used to judge it.
package drill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"bourse/cmd/bourse/internal/client"
	"bourse/cmd/bourse/internal/simulate"
)

// Options says how hard to try.
type Options struct {
	// Program is the bourse binary; DataDir an empty directory for its data.
	Program, DataDir string
	Kills            int
	Seed             uint64
	// Clients trade at once, each as a member of its own; at least 2.
	Clients int
	// Processes serve the house at once; 2 or more are the second drill, which kills the one that
	// decides commands.
	Processes int
	// Enrolment brings the members in; its endpoint, seed, count and transport are the drill's.
	Enrolment simulate.Enrolment
	Prices    map[string]string
	// Verify replays the stopped house's log, checks every invariant of the venue after it,
	// and says what it found wrong.
	Verify func(ctx context.Context, dataDir string) ([]string, error)
	// VerifyAt does the same in the second drill, at the address of a database.
	VerifyAt func(ctx context.Context, databaseURL string) ([]string, error)
	Progress func(string)
}

// Report is what the drill found. Lost, Doubled and Violations must be 0.
type Report struct {
	Seed       uint64   `json:"seed"`
	Kills      int      `json:"kills"`
	Acked      int      `json:"acked"`
	Settled    int      `json:"settled"` // commands whose answer the kill cut off, settled by sending them again
	Lost       int      `json:"lost"`
	Doubled    int      `json:"doubled"`
	Violations int      `json:"violations"`
	Findings   []string `json:"findings"`
	RestartP50 int64    `json:"restartP50Millis"`
	RestartMax int64    `json:"restartMaxMillis"`
	// Processes is how many served the house at once. A take-over is from the moment in which the
	// leader is known to be dead to the first command sent since then that another acknowledges; zero
	// where only one served.
	Processes   int   `json:"processes"`
	TakeoverP50 int64 `json:"takeoverP50Millis"`
	TakeoverMax int64 `json:"takeoverMaxMillis"`
}

// maxFindings bounds the sentences of a report; the counts go on.
const maxFindings = 50

func (r *Report) find(counter *int, format string, args ...any) {
	*counter++
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
	}
}

// Run does the drill. The error is for what kept it from being done; what it found wrong
// stands in the report.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	d := &drill{o: o, chance: rand.New(rand.NewPCG(o.Seed, 0)), report: Report{Seed: o.Seed, Processes: max(o.Processes, 1), Findings: []string{}}}
	run := d.run
	if o.Processes > 1 {
		run = d.runStreet
	}
	err := run(ctx)
	d.report.RestartP50, d.report.RestartMax = middleAndMost(d.restarts)
	return d.report, err
}

type drill struct {
	o        Options
	chance   *rand.Rand
	report   Report
	clients  []*trader
	restarts []time.Duration
}

func (d *drill) run(ctx context.Context) error {
	running, err := d.start(ctx)
	if err != nil {
		return err
	}
	defer func() { running.kill() }()
	if err := d.enrol(ctx, running.address); err != nil {
		return err
	}
	for d.report.Kills < d.o.Kills {
		if err := d.loadAndKill(ctx, running); err != nil {
			return err
		}
		d.report.Kills++
		if err := d.verify(ctx); err != nil {
			return err
		}
		if running, err = d.start(ctx); err != nil {
			return fmt.Errorf("after kill %d: %w", d.report.Kills, err)
		}
		if err := d.compare(ctx, running.address); err != nil {
			return fmt.Errorf("after kill %d: %w", d.report.Kills, err)
		}
		d.o.Progress(fmt.Sprintf("kill %d of %d: %d acknowledged, %d lost, %d doubled, %d violations",
			d.report.Kills, d.o.Kills, d.report.Acked, d.report.Lost, d.report.Doubled, d.report.Violations))
	}
	return running.stop(ctx)
}

func (d *drill) start(ctx context.Context) (*process, error) {
	began := time.Now()
	p, err := startProcess(ctx, d.o.Program, d.o.DataDir)
	if err == nil {
		d.restarts = append(d.restarts, time.Since(began))
	}
	return p, err
}

func (d *drill) enrol(ctx context.Context, address string) error {
	e := d.o.Enrolment
	e.Endpoint, e.Seed, e.Traders, e.Progress = address+"/graphql", d.o.Seed, d.o.Clients, d.o.Progress
	enrolled, err := simulate.Enrol(ctx, e)
	if err != nil {
		return err
	}
	for i, t := range enrolled {
		d.clients = append(d.clients, &trader{
			Trader: t, chance: rand.New(rand.NewPCG(d.o.Seed, uint64(i)+1)), prices: d.o.Prices,
			password: e.Password(t.Name), orders: map[string]*order{},
		})
	}
	return nil
}

// loadAndKill lets every client trade, and kills the house at a moment that the seed
// chooses: some while after the first acknowledgement, in the midst of the others.
func (d *drill) loadAndKill(ctx context.Context, p *process) (err error) {
	loading, cancel := context.WithCancel(ctx)
	defer cancel()
	first := make(chan struct{}, len(d.clients))
	done := make(chan struct{}, len(d.clients))
	transport := client.Transport(len(d.clients))
	defer transport.CloseIdleConnections()
	for _, t := range d.clients {
		t.Client = t.On(p.address+"/graphql", transport)
		go func() {
			t.load(loading, first)
			done <- struct{}{}
		}()
	}
	select {
	case <-first:
	case <-p.done:
	case <-ctx.Done():
	}
	moment := time.NewTimer(time.Duration(100+d.chance.IntN(1400)) * time.Millisecond)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-ctx.Done():
	}
	if d.report.Kills%2 == 1 {
		err = p.killDatabase()
	}
	p.kill()
	cancel()
	for range d.clients {
		<-done
	}
	return err
}

func (d *drill) verify(ctx context.Context) error {
	wrong, err := d.o.Verify(ctx, d.o.DataDir)
	if err != nil {
		return fmt.Errorf("check the log after kill %d: %w", d.report.Kills, err)
	}
	for _, w := range wrong {
		d.report.find(&d.report.Violations, "after kill %d: %s", d.report.Kills, w)
	}
	return nil
}

// compare settles every unanswered command by sending it again, then holds each client's
// book of acknowledgements against the house.
func (d *drill) compare(ctx context.Context, address string) error {
	transport := client.Transport(len(d.clients))
	defer transport.CloseIdleConnections()
	d.report.Acked = 0
	for _, t := range d.clients {
		t.Client = t.On(address+"/graphql", transport)
		if err := t.SignIn(ctx, t.Name, t.password); err != nil {
			return fmt.Errorf("sign in again as %s: %w", t.Name, err)
		}
		settled, err := t.settle(ctx)
		d.report.Settled += settled
		if err != nil {
			return err
		}
		if err := t.compare(ctx, &d.report); err != nil {
			return err
		}
		d.report.Acked += t.acked
	}
	return nil
}
