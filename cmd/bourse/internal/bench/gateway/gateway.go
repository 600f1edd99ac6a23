package gateway

import (
	"context"
	"fmt"
	"time"

	"bourse/cmd/bourse/internal/bench/core"
)

// Options say how to measure.
type Options struct {
	Round    time.Duration // measured time of one workload in one process
	Rounds   int
	Every    time.Duration // between two events of a stream; 0: a second
	Progress func(string)
	// Serve are the arguments with which this program runs ServePart.
	Serve []string
}

// Load is what one workload cost one process in one round.
type Load struct {
	CPU       time.Duration // of the process, for one request; 0 where the system does not tell
	PerSecond int64
	P50, P99  time.Duration
	Peak      int64 // memory of the process so far, in bytes
	Calls     int64 // of subgraphs, in thousandths for one request
}

// Round is one round: a Load for each workload of the router, and of the floor.
type Round struct {
	Big, Shared, BigAuth, SmallAuth        Load
	FloorBig, FloorBigAuth, FloorSmallAuth Load
}

// Measure takes the rounds. What is compared within a round runs in turn, on the same core.
func Measure(ctx context.Context, o Options) ([]Round, error) {
	b, err := newBench(ctx, o)
	if err != nil {
		return nil, err
	}
	defer b.close()
	var rounds []Round
	for n := range o.Rounds {
		o.Progress(fmt.Sprintf("round %d of %d", n+1, o.Rounds))
		r, err := b.round(ctx)
		if err != nil {
			return nil, err
		}
		rounds = append(rounds, r)
	}
	return rounds, nil
}

// bench is what all rounds share.
type bench struct {
	o          Options
	subgraphs  *subgraphs
	supergraph string
	answers    map[string][]byte // right ones, by operation
	core       int
	restore    func()
}

func newBench(_ context.Context, o Options) (*bench, error) {
	if o.Every <= 0 {
		o.Every = time.Second
	}
	b := &bench{o: o, core: core.Measured(), answers: map[string][]byte{}}
	for _, operation := range []string{bigOperation, smallOperation} {
		answer, err := newShop().answer(operation, nil)
		if err != nil {
			return nil, err
		}
		b.answers[operation] = answer
	}
	b.restore = core.Aside()
	var err error
	if b.subgraphs, err = serveSubgraphs(o.Every); err != nil {
		b.restore()
		return nil, err
	}
	if b.supergraph, err = supergraph(b.subgraphs.address); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) close() {
	b.subgraphs.close()
	b.restore()
}

func (b *bench) start(ctx context.Context, p part) (*process, error) {
	p.Supergraph, p.Subgraphs = b.supergraph, b.subgraphs.address
	p.Big, p.Small = b.answers[bigOperation], b.answers[smallOperation]
	return start(ctx, b.o.Serve, p, b.core)
}

func (b *bench) round(ctx context.Context) (Round, error) {
	alone, err := b.start(ctx, part{})
	if err != nil {
		return Round{}, err
	}
	defer alone.stop()
	sharing, err := b.start(ctx, part{Share: true})
	if err != nil {
		return Round{}, err
	}
	defer sharing.stop()
	floor, err := b.start(ctx, part{Floor: true})
	if err != nil {
		return Round{}, err
	}
	defer floor.stop()
	var r Round
	for _, w := range []struct {
		into      *Load
		of        *process
		operation string
		auth      bool
	}{
		{&r.Big, alone, bigOperation, false},
		{&r.FloorBig, floor, bigOperation, false},
		{&r.Shared, sharing, bigOperation, false},
		{&r.BigAuth, sharing, bigOperation, true},
		{&r.FloorBigAuth, floor, bigOperation, true},
		{&r.SmallAuth, sharing, smallOperation, true},
		{&r.FloorSmallAuth, floor, smallOperation, true},
	} {
		if *w.into, err = b.load(ctx, w.of, w.operation, w.auth); err != nil {
			return Round{}, err
		}
	}
	return r, nil
}

// load warms a process up and measures it under one workload.
func (b *bench) load(ctx context.Context, p *process, operation string, auth bool) (Load, error) {
	a, err := newAsker(p.url, operation, auth)
	if err != nil {
		return Load{}, err
	}
	defer a.client.Close()
	if err := a.learn(ctx, b.answers[operation]); err != nil {
		return Load{}, err
	}
	if _, err := a.run(ctx, b.o.Round/4); err != nil {
		return Load{}, err
	}
	calls := b.subgraphs.calls.Load()
	before, _, err := core.Spent(p.cmd.Process.Pid)
	if err != nil {
		return Load{}, err
	}
	took, err := a.run(ctx, b.o.Round)
	if err != nil {
		return Load{}, err
	}
	after, peak, err := core.Spent(p.cmd.Process.Pid)
	if err != nil || len(took) == 0 {
		return Load{}, fmt.Errorf("nothing was answered: %w", err)
	}
	n := int64(len(took))
	return Load{
		CPU: (after - before) / time.Duration(n), PerSecond: int64(time.Duration(n) * time.Second / b.o.Round),
		P50: took[n/2], P99: took[(n-1)*99/100], Peak: peak, Calls: (b.subgraphs.calls.Load() - calls) * 1000 / n,
	}, nil
}
