package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Latency is how long durable orders take that come at a fixed rate, whether or not those before
// were answered. It is counted from the moment at which an order was to be sent, so that an order
// that had to wait for the sender counts its wait.
type Latency struct {
	// Offered is the rate, Answered what was answered, a second.
	Offered  int64         `json:"offeredPerSecond"`
	Answered int64         `json:"answeredPerSecond"`
	P50      time.Duration `json:"p50Nanos"`
	P90      time.Duration `json:"p90Nanos"`
	P99      time.Duration `json:"p99Nanos"`
	P999     time.Duration `json:"p999Nanos"`
	Worst    time.Duration `json:"worstNanos"`
	Refused  int64         `json:"refused"`
}

const (
	// offered is how many orders a second come, and senders how many may be under way: far more
	// than ever are, unless the exchange stands still.
	offered = 5000
	senders = 2000
)

// Latencies measures orders at the façade that come at a fixed rate. The median of the rounds
// counts, for each figure.
func Latencies(ctx context.Context, o Options) (Latency, error) {
	s, err := open(ctx, o)
	if err != nil {
		return Latency{}, err
	}
	defer s.teardown()
	if _, err := s.openLoop(ctx, min(o.Round, time.Second), o.Rounds); err != nil { // warms up
		return Latency{}, err
	}
	var rounds []Latency
	for round := range o.Rounds {
		r, err := s.openLoop(ctx, o.Round, round)
		if err != nil {
			return Latency{}, err
		}
		o.Progress(fmt.Sprintf("round %d of %d: p50 %s, p99 %s", round+1, o.Rounds, took(r.P50), took(r.P99)))
		rounds = append(rounds, r)
	}
	return Latency{
		Offered:  offered,
		Answered: median(rounds, func(l Latency) int64 { return l.Answered }),
		P50:      median(rounds, func(l Latency) time.Duration { return l.P50 }),
		P90:      median(rounds, func(l Latency) time.Duration { return l.P90 }),
		P99:      median(rounds, func(l Latency) time.Duration { return l.P99 }),
		P999:     median(rounds, func(l Latency) time.Duration { return l.P999 }),
		Worst:    median(rounds, func(l Latency) time.Duration { return l.Worst }),
		Refused:  median(rounds, func(l Latency) int64 { return l.Refused }),
	}, nil
}

// openLoop sends orders at their times for a while and waits for the answers.
func (s *stage) openLoop(ctx context.Context, d time.Duration, round int) (Latency, error) {
	const every = time.Second / offered
	count := int(d / every)
	took := make([]time.Duration, count)
	due := make(chan int, count) // a send never waits
	refusals := make([]int64, senders)
	failures := make([]error, senders)
	began := time.Now()
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for n := range due {
				refused, err := s.placeOne(ctx, fmt.Sprintf("l%d-%d", round, n), n)
				if err != nil {
					failures[sender] = err
					return
				}
				took[n] = time.Since(began) - time.Duration(n)*every
				if refused {
					refusals[sender]++
				}
			}
		})
	}
	for n := 0; n < count && ctx.Err() == nil; {
		for now := time.Since(began); n < count && time.Duration(n)*every <= now; n++ {
			due <- n
		}
		time.Sleep(every / 2)
	}
	close(due)
	all.Wait()
	elapsed := time.Since(began)
	for _, err := range failures {
		if err != nil {
			return Latency{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return Latency{}, err
	}
	slices.Sort(took)
	at := func(perMille int) time.Duration { return took[(count-1)*perMille/1000] }
	l := Latency{
		Offered: offered, Answered: int64(time.Duration(count) * time.Second / elapsed),
		P50: at(500), P90: at(900), P99: at(990), P999: at(999), Worst: at(1000),
	}
	for _, n := range refusals {
		l.Refused += n
	}
	return l, nil
}

// Lines are the figures with what they should reach.
func (l *Latency) Lines() []Line {
	note := fmt.Sprintf("p90 %s, p99.9 %s, worst %s", took(l.P90), took(l.P999), took(l.Worst))
	return []Line{
		atMost("durable orders at 5,000 /s: p50", l.P50, 2*time.Millisecond, took, perSecond(l.Answered)+" answered"),
		atMost("  p99", l.P99, 10*time.Millisecond, took, note),
	}
}
