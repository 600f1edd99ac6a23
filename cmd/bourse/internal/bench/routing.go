package bench

import (
	"context"
	"fmt"
	"time"

	"bourse/cmd/bourse/internal/bench/gateway"
)

// ServePart are the arguments with which this program serves what is measured as a process of its own; see gateway.ServePart.
var ServePart = []string{"bench-part"}

func (o Options) gateway() gateway.Options {
	return gateway.Options{Round: o.Round, Rounds: o.Rounds, Progress: o.Progress, Serve: ServePart}
}

// Routing is what a query costs a router in a process of its own, beside the floor: a program that does only the HTTP work.
type Routing struct {
	Big       Routed `json:"big"`       // equal queries are not shared
	Shared    Routed `json:"bigShared"` // equal queries under way are
	BigAuth   Routed `json:"bigAuth"`   // each request has a token of its own, so that nothing may be shared
	SmallAuth Routed `json:"smallAuth"`
}

// Routed is one workload.
type Routed struct {
	CPUMicros   Milli         `json:"cpuMicros"` // of a request
	FloorMicros Milli         `json:"floorMicros"`
	OfFloor     Milli         `json:"ofFloor"` // the median of the rounds' own quotients
	PerSecond   int64         `json:"perSecond"`
	P50         time.Duration `json:"p50Nanos"`
	P99         time.Duration `json:"p99Nanos"`
	PeakMB      Milli         `json:"peakMB"`
	FloorPeakMB Milli         `json:"floorPeakMB"`
	Calls       Milli         `json:"subgraphCalls"`
}

// MeasureRouting takes the router's table.
func MeasureRouting(ctx context.Context, o Options) (Routing, error) {
	rounds, err := gateway.Measure(ctx, o.gateway())
	if err != nil {
		return Routing{}, err
	}
	type pick = func(gateway.Round) (mine, floor gateway.Load)
	routed := func(of pick) Routed {
		mine := func(take func(gateway.Load) int64) int64 {
			return median(rounds, func(r gateway.Round) int64 { l, _ := of(r); return take(l) })
		}
		floor := func(take func(gateway.Load) int64) int64 {
			return median(rounds, func(r gateway.Round) int64 { _, l := of(r); return take(l) })
		}
		cpu := func(l gateway.Load) int64 { return int64(l.CPU) }
		peak := func(l gateway.Load) int64 { return l.Peak }
		return Routed{
			CPUMicros: Milli(mine(cpu)), FloorMicros: Milli(floor(cpu)),
			OfFloor:   median(rounds, func(r gateway.Round) Milli { l, f := of(r); return MilliOf(int64(l.CPU), int64(f.CPU)) }),
			PerSecond: mine(func(l gateway.Load) int64 { return l.PerSecond }),
			P50:       time.Duration(mine(func(l gateway.Load) int64 { return int64(l.P50) })),
			P99:       time.Duration(mine(func(l gateway.Load) int64 { return int64(l.P99) })),
			PeakMB:    MilliOf(mine(peak), 1<<20), FloorPeakMB: MilliOf(floor(peak), 1<<20),
			Calls: Milli(mine(func(l gateway.Load) int64 { return l.Calls })),
		}
	}
	return Routing{
		Big:       routed(func(r gateway.Round) (mine, floor gateway.Load) { return r.Big, r.FloorBig }),
		Shared:    routed(func(r gateway.Round) (mine, floor gateway.Load) { return r.Shared, r.FloorBig }),
		BigAuth:   routed(func(r gateway.Round) (mine, floor gateway.Load) { return r.BigAuth, r.FloorBigAuth }),
		SmallAuth: routed(func(r gateway.Round) (mine, floor gateway.Load) { return r.SmallAuth, r.FloorSmallAuth }),
	}, nil
}

// Lines are the figures for people.
func (r *Routing) Lines() []Line {
	const bigReach, smallReach, peakReach, callsReach = 2500, 2000, 60_000, 7000 // thousandths
	cost := func(what string, w Routed, reach Milli) Line {
		line := Line{
			What: what, Figure: fmt.Sprintf("%s µs, %s × the floor", tenths(w.CPUMicros), hundredths(w.OfFloor)),
			Note: fmt.Sprintf("floor %s µs; %s; p50 %s, p99 %s", tenths(w.FloorMicros), perSecond(w.PerSecond), took(w.P50), took(w.P99)),
		}
		if reach > 0 {
			line.Reach, line.Missed = "≤ "+reach.String()+" ×", w.OfFloor > reach
		}
		return line
	}
	return []Line{
		cost("processor time of a big query, sharing off", r.Big, bigReach),
		cost("… each with a token of its own, sharing on", r.BigAuth, bigReach),
		cost("… all equal, sharing on", r.Shared, 0),
		cost("processor time of a small query with a token of its own", r.SmallAuth, smallReach),
		atMost("memory at most, big query, sharing off", r.Big.PeakMB, peakReach, func(m Milli) string { return tenths(m) + " MB" }, "floor "+tenths(r.Big.FloorPeakMB)+" MB"),
		atMost("subgraph calls of a big query", r.Big.Calls, callsReach, hundredths, ""),
	}
}

// tenths and hundredths print fewer digits than Milli does.
func tenths(m Milli) string     { return fmt.Sprintf("%d.%d", m/1000, m%1000/100) }
func hundredths(m Milli) string { return fmt.Sprintf("%d.%02d", m/1000, m%1000/10) }

// Fanouts are what streams to many subscribers cost a router.
type Fanouts struct {
	Runs []Fanned `json:"runs"`
}

// Fanned is one stream.
type Fanned struct {
	Subscribers int           `json:"subscribers"`
	Entity      bool          `json:"entity"` // events have fields of two other subgraphs
	CPUMicros   Milli         `json:"cpuMicrosPerDelivery"`
	FloorMicros Milli         `json:"floorMicrosPerDelivery"`
	ConnKB      Milli         `json:"kBPerConnection"`
	P50         time.Duration `json:"p50Nanos"`
	P99         time.Duration `json:"p99Nanos"`
	FloorP99    time.Duration `json:"floorP99Nanos"`
	Delivered   Milli         `json:"delivered"` // of 1
	Upstreams   int64         `json:"upstreams"`
}

// MeasureFanouts measures one stream with 10,000 subscribers, without and with fields of other subgraphs, beside the floor: a program that
// only writes each event to each connection.
func MeasureFanouts(ctx context.Context, o Options) (Fanouts, error) {
	var all Fanouts
	const subscribers = 10_000
	floor, err := gateway.MeasureFanout(ctx, o.gateway(), gateway.Stream{Subscribers: subscribers, Floor: true})
	if err != nil {
		return all, fmt.Errorf("the floor: %w", err)
	}
	for _, entity := range []bool{false, true} {
		f, err := gateway.MeasureFanout(ctx, o.gateway(), gateway.Stream{Subscribers: subscribers, Entity: entity})
		if err != nil {
			return all, err
		}
		all.Runs = append(all.Runs, Fanned{
			Subscribers: subscribers, Entity: entity, CPUMicros: Milli(f.CPU), FloorMicros: Milli(floor.CPU), ConnKB: MilliOf(f.Memory, 1<<10),
			P50: f.P50, P99: f.P99, FloorP99: floor.P99, Delivered: Milli(f.Delivered), Upstreams: f.Upstreams,
		})
	}
	return all, nil
}

// Lines are the figures for people.
func (f *Fanouts) Lines() []Line {
	var lines []Line
	for _, r := range f.Runs {
		what, cpu, memory := fmt.Sprintf("one stream to %s subscribers", grouped(int64(r.Subscribers))), Milli(12_000), Milli(16_000)
		if r.Entity {
			what, cpu, memory = what+", fields of two other subgraphs", 15_000, 24_000
		}
		lines = append(lines,
			atMost(what, r.CPUMicros, cpu, func(m Milli) string { return tenths(m) + " µs a delivery" },
				fmt.Sprintf("floor %s µs; p50 %s, p99 %s (floor %s), %s delivered, %d upstream",
					tenths(r.FloorMicros), took(r.P50), took(r.P99), took(r.FloorP99), r.Delivered, r.Upstreams)),
			atMost("… its memory", r.ConnKB, memory, func(m Milli) string { return tenths(m) + " kB a connection" }, ""),
		)
	}
	return lines
}
