package drill

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/cmd/bourse/internal/client"
	"bourse/cmd/bourse/internal/pause"
	"bourse/cmd/embedded/postgres"
	"bourse/cmd/embedded/redis"
)

// street is the second drill: several processes serve one house on one database and one Redis, and
// each time the one that decides commands is killed. The clients are spread over all of them, go
// elsewhere when they get no answer, and ask again with the same key.
//
//	load on all ──▶ SIGKILL the leader ──▶ a probe through another: how long until it is answered
//	  ▲                                          │ load goes on
//	  └── compare, check the log ◀── start it again, settle what is unknown
type street struct {
	*drill
	database, redis string
	pool            *pgxpool.Pool
	processes       []*process
	takeovers       []time.Duration
}

// settlePause is how long a client waits before it asks another process.
const settlePause = 20 * time.Millisecond

// runStreet does the drill with several processes.
func (d *drill) runStreet(ctx context.Context) (err error) {
	s := &street{drill: d}
	closing, err := s.open(ctx)
	defer func() { err = errors.Join(err, closing()) }()
	if err != nil {
		return err
	}
	d.o.Clients++ // the last one is the probe
	if err := d.enrol(ctx, s.processes[0].address); err != nil {
		return err
	}
	for d.report.Kills < d.o.Kills {
		if err := s.round(ctx); err != nil {
			return fmt.Errorf("kill %d: %w", d.report.Kills+1, err)
		}
		d.o.Progress(fmt.Sprintf("kill %d of %d: taken over after %d ms; %d acknowledged, %d settled, %d lost, %d doubled, %d violations",
			d.report.Kills, d.o.Kills, s.takeovers[len(s.takeovers)-1].Milliseconds(), d.report.Acked, d.report.Settled,
			d.report.Lost, d.report.Doubled, d.report.Violations))
	}
	d.report.TakeoverP50, d.report.TakeoverMax = middleAndMost(s.takeovers)
	return nil
}

// open starts the servers and the processes. What it returns ends them again.
func (s *street) open(ctx context.Context) (closing func() error, err error) {
	var closers []func() error
	closing = func() error {
		var failed error
		for _, c := range slices.Backward(closers) {
			failed = errors.Join(failed, c())
		}
		return failed
	}
	database, err := postgres.Start(ctx, postgres.Options{DataDir: filepath.Join(s.o.DataDir, "postgres"), Progress: s.o.Progress})
	if err != nil {
		return closing, err
	}
	closers = append(closers, func() error { return database.Stop(context.WithoutCancel(ctx)) })
	streams, err := redis.Start(ctx, redis.Options{DataDir: filepath.Join(s.o.DataDir, "redis")})
	if err != nil {
		return closing, err
	}
	closers = append(closers, func() error { return streams.Stop(context.WithoutCancel(ctx)) })
	s.database, s.redis = database.URL(), streams.URL()
	if s.pool, err = pgxpool.New(ctx, s.database); err != nil {
		return closing, err
	}
	closers = append(closers, func() error { s.pool.Close(); return nil })
	s.processes = make([]*process, s.o.Processes)
	closers = append(closers, func() error {
		for _, p := range s.processes {
			if p != nil {
				p.kill()
			}
		}
		return nil
	})
	for i := range s.processes {
		if err := s.start(ctx, i); err != nil {
			return closing, err
		}
	}
	return closing, nil
}

// start starts one of the processes, which takes its place beside the others.
func (s *street) start(ctx context.Context, i int) (err error) {
	dir := filepath.Join(s.o.DataDir, "process-"+strconv.Itoa(i))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s.processes[i], err = launch(ctx, s.o.Program, dir, []string{"--database-url", s.database, "--redis-url", s.redis},
		"BOURSE_SECRET="+strings.Repeat("drill-", 8), "GOMAXPROCS=2")
	return err
}

// leader is the process whose number stands in the lease.
func (s *street) leader(ctx context.Context) (int, error) {
	var holder string
	if err := s.pool.QueryRow(ctx, `SELECT holder FROM journal_lease`).Scan(&holder); err != nil {
		return 0, fmt.Errorf("read who leads: %w", err)
	}
	_, pid, _ := strings.Cut(holder, "/")
	for i, p := range s.processes {
		if strconv.Itoa(p.cmd.Process.Pid) == pid {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the lease is with %q, which is none of ours", holder)
}

// round lets everybody trade, kills the leader in the midst of it and sees what became of everything.
func (s *street) round(ctx context.Context) error {
	loading, cancel := context.WithCancel(ctx)
	defer cancel()
	transport := client.Transport(2 * len(s.clients))
	defer transport.CloseIdleConnections()
	addresses := make([]string, len(s.processes))
	for i, p := range s.processes {
		addresses[i] = p.address + "/graphql"
	}
	traders, probe := s.clients[:len(s.clients)-1], s.clients[len(s.clients)-1]
	var load sync.WaitGroup
	defer load.Wait()
	defer cancel()
	for i, t := range traders {
		load.Go(func() { t.loadAnywhere(loading, addresses, i, transport) })
	}
	if err := pause.For(ctx, time.Duration(150+s.chance.IntN(500))*time.Millisecond); err != nil {
		return err
	}
	victim, err := s.leader(ctx)
	if err != nil {
		return err
	}
	s.processes[victim].kill()
	s.report.Kills++
	if err := s.probe(ctx, probe, addresses, victim, transport); err != nil {
		return err
	}
	if err := pause.For(ctx, time.Duration(50+s.chance.IntN(200))*time.Millisecond); err != nil {
		return err
	}
	began := time.Now()
	if err := s.start(ctx, victim); err != nil {
		return err
	}
	s.restarts = append(s.restarts, time.Since(began))
	cancel()
	load.Wait()
	for _, t := range s.clients {
		s.report.Settled += t.failedOver
		t.failedOver = 0
	}
	if err := s.compare(ctx, s.processes[s.chance.IntN(len(s.processes))].address); err != nil {
		return err
	}
	return s.verifyAt(ctx, s.database)
}

// probe measures a take-over: from the moment in which the leader is known to be dead to the first
// command that was sent afterwards and acknowledged through another process.
func (s *street) probe(ctx context.Context, t *trader, addresses []string, victim int, transport http.RoundTripper) error {
	died := time.Now()
	c := t.order()
	for i := 0; ; i++ {
		if i%len(addresses) == victim {
			continue
		}
		t.Client = t.On(addresses[i%len(addresses)], transport)
		err := t.send(ctx, c)
		if err == nil {
			s.takeovers = append(s.takeovers, time.Since(died))
			return nil
		}
		if !open(err) && client.Code(err) != "UNAVAILABLE" {
			return fmt.Errorf("the probe was refused: %w", err)
		}
		if time.Since(died) > startLimit {
			return fmt.Errorf("no process took over within %s: %w", startLimit, err)
		}
		if err := pause.For(ctx, settlePause); err != nil {
			return err
		}
	}
}

// loadAnywhere sends commands until ctx ends. A command without an answer is asked for again at the
// next process, with the same key, until there is one.
func (t *trader) loadAnywhere(ctx context.Context, addresses []string, at int, transport http.RoundTripper) {
	t.Client = t.On(addresses[at%len(addresses)], transport)
	for ctx.Err() == nil {
		c := t.next()
		err := t.send(ctx, c)
		if !open(err) {
			if client.Code(err) == "UNAVAILABLE" {
				_ = pause.For(ctx, settlePause) // nothing happened; the client does something else
			}
			continue
		}
		for open(err) {
			at++
			t.Client = t.On(addresses[at%len(addresses)], transport)
			if pause.For(ctx, settlePause) != nil {
				t.unknown = append(t.unknown, c) // settled when all stand still
				return
			}
			err = t.send(ctx, c)
		}
		if client.Code(err) == "UNAVAILABLE" {
			// Nothing happened this time; what happened the first time is not known yet.
			t.unknown = append(t.unknown, c)
			continue
		}
		t.failedOver++
	}
}

// order makes a new order.
func (t *trader) order() command {
	for {
		if c := t.next(); c.cancel == "" {
			return c
		}
	}
}

func (s *street) verifyAt(ctx context.Context, url string) error {
	wrong, err := s.o.VerifyAt(ctx, url)
	if err != nil {
		return fmt.Errorf("check the log: %w", err)
	}
	for _, w := range wrong {
		s.report.find(&s.report.Violations, "after kill %d: %s", s.report.Kills, w)
	}
	return nil
}

func middleAndMost(ds []time.Duration) (p50, most int64) {
	if len(ds) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(ds))
	return sorted[len(sorted)/2].Milliseconds(), sorted[len(sorted)-1].Milliseconds()
}
