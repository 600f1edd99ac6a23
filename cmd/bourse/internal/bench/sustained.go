package bench

import (
	"context"
	"fmt"
	"time"
)

// SustainedRate is a rate that history keeps up with.
type SustainedRate struct {
	Rate
	// Projected counts orders a second until the last of them stood in history, too.
	Projected int64 `json:"projectedPerSecond"`
	// CatchUp is how long history took after the last order; Lag how many commands it was behind
	// then, and MostLag at any time.
	CatchUp time.Duration `json:"catchUpNanos"`
	Lag     int64         `json:"lag"`
	MostLag int64         `json:"mostLag"`
}

// Sustained measures placing orders at the façade for a long while, and how far history fell behind.
func Sustained(ctx context.Context, o Options) (SustainedRate, error) {
	s, err := open(ctx, o)
	if err != nil {
		return SustainedRate{}, err
	}
	defer s.teardown()
	o.Progress(fmt.Sprintf("placing orders at the façade for %s", o.Round))
	r, began := SustainedRate{}, time.Now()
	placing, placed := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		r.MostLag = s.watchLag(placing, o)
	}()
	r.Rate, err = s.placeAtFacade(ctx, o, o.Round, 0)
	end := time.Since(began)
	r.Lag = int64(s.house.Exchange.Health(ctx).Lag)
	placed()
	<-watched
	if err != nil {
		return SustainedRate{}, err
	}
	if err := s.awaitHistory(ctx); err != nil {
		return SustainedRate{}, err
	}
	all := time.Since(began)
	r.CatchUp = all - end
	r.Projected = r.PerSecond * end.Milliseconds() / max(1, all.Milliseconds())
	return r, nil
}

// watchLag looks every second how far history is behind, until ctx ends, and returns the most.
func (s *stage) watchLag(ctx context.Context, o Options) (most int64) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for seconds := 1; ; seconds++ {
		select {
		case <-ctx.Done():
			return most
		case <-tick.C:
		}
		h := s.house.Exchange.Health(ctx)
		most = max(most, int64(h.Lag))
		if seconds%10 == 0 {
			o.Progress(fmt.Sprintf("after %d s: %s commands committed, history %s behind", seconds, grouped(int64(h.Committed)), grouped(int64(h.Lag))))
		}
	}
}

// awaitHistory waits until the projections have come to what is committed.
func (s *stage) awaitHistory(ctx context.Context) error {
	end := s.house.Exchange.Health(ctx).Committed
	for {
		err := s.house.Exchange.AwaitProjected(ctx, end)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Lines are the figures with what they should reach.
func (r *SustainedRate) Lines() []Line {
	return []Line{
		atLeast("durable orders, history keeping up", r.Projected, 25_000, perSecond,
			fmt.Sprintf("%s answered; history came %s after, at most %s commands behind", perSecond(r.PerSecond), took(r.CatchUp), grouped(r.MostLag))),
		{What: "  answered", Figure: perSecond(r.PerSecond), Note: r.note()},
	}
}
