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
	// CatchUp is how long history took after the last order.
	CatchUp time.Duration `json:"catchUpNanos"`
}

// Sustained measures placing orders at the façade for a long while, and how far history
// fell behind.
func Sustained(ctx context.Context, o Options) (SustainedRate, error) {
	s, err := open(ctx, o)
	if err != nil {
		return SustainedRate{}, err
	}
	defer s.teardown()
	o.Progress(fmt.Sprintf("placing orders at the façade for %s", o.Round))
	began := time.Now()
	rate, err := s.placeAtFacade(ctx, o, 0)
	if err != nil {
		return SustainedRate{}, err
	}
	placed := time.Since(began)
	if err := s.awaitHistory(ctx); err != nil {
		return SustainedRate{}, err
	}
	all := time.Since(began)
	return SustainedRate{
		Rate: rate, CatchUp: all - placed,
		Projected: rate.PerSecond * placed.Milliseconds() / max(1, all.Milliseconds()),
	}, nil
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
