package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"bourse/cmd/bourse/internal/bench/core"
	"bourse/engine/book/w1"
	venuew1 "bourse/engine/venue/w1"
)

// Speed is how fast something plays workload W1 on one core. The stream's checksum and the totals
// that it must come to are verified in every round.
type Speed struct {
	PerSecond int64 `json:"perSecond"`
	// Nanos, CPU, Allocs and Bytes are for one operation. CPU is the processor's part of Nanos: they
	// differ where others use the core as well. It is 0 where the system does not tell.
	Nanos  Milli `json:"nanosPerOperation"`
	CPU    Milli `json:"cpuNanosPerOperation"`
	Allocs Milli `json:"allocsPerOperation"`
	Bytes  Milli `json:"bytesPerOperation"`
	// Rounds is what each round made, a second.
	Rounds []int64 `json:"roundsPerSecond"`
}

// BookSpeed is the book alone.
type BookSpeed struct{ Speed }

// VenueSpeed is the whole venue: client keys, risk, holds, fees, postings and events.
type VenueSpeed struct {
	Speed
	// OpenOrderBytes is what the venue keeps for one open order, its client key and receipt
	// included, with OpenOrders of them.
	OpenOrderBytes int64 `json:"bytesPerOpenOrder"`
	OpenOrders     int   `json:"openOrders"`
}

// Book plays W1 into the book.
func Book(ctx context.Context, o Options) (BookSpeed, error) {
	stream, err := standard(o)
	if err != nil {
		return BookSpeed{}, err
	}
	speed, err := o.play(ctx, len(stream.Operations), func() (timed func(), check func() error, err error) {
		p := w1.NewPlayer(stream)
		return func() { p.Play(stream.Operations) }, func() error { return verify(p.Totals(), p.Rejects) }, nil
	})
	return BookSpeed{speed}, err
}

// Venue plays W1 into a venue, and then measures what it keeps for an open order.
func Venue(ctx context.Context, o Options) (VenueSpeed, error) {
	stream, err := standard(o)
	if err != nil {
		return VenueSpeed{}, err
	}
	preload, operations := venuew1.Convert(stream.Preload, 'p'), venuew1.Convert(stream.Operations, 'o')
	speed, err := o.play(ctx, operations.Len(), func() (timed func(), check func() error, err error) {
		p, err := venuew1.NewPlayer()
		if err != nil {
			return nil, nil, err
		}
		p.Play(&preload)
		return func() { p.Play(&operations) }, func() error { return verify(p.Totals(), p.Rejects) }, nil
	})
	if err != nil {
		return VenueSpeed{}, err
	}
	v := VenueSpeed{Speed: speed, OpenOrders: memoryOrders}
	o.Progress(fmt.Sprintf("resting %d orders", v.OpenOrders))
	v.OpenOrderBytes, err = openOrderBytes(v.OpenOrders)
	return v, err
}

// memoryOrders is how many orders rest when memory is measured: a number at which no table happens
// to be nearly full or nearly empty.
const memoryOrders = 700_000

func openOrderBytes(n int) (int64, error) {
	p, err := venuew1.NewPlayer()
	if err != nil {
		return 0, err
	}
	orders := venuew1.Resting(n)
	before := heap()
	p.Play(&orders)
	after := heap()
	if open := p.State.OpenOrderCount(); open != n || p.Rejects != 0 {
		return 0, fmt.Errorf("%d of %d orders rest, %d were refused", open, n, p.Rejects)
	}
	runtime.KeepAlive(orders)
	return (after - before) / int64(n), nil
}

// heap is what is in use after a collection, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func standard(o Options) (*w1.Stream, error) {
	o.Progress("generating workload W1")
	stream := w1.Standard()
	if sum := fmt.Sprintf("%x", stream.Sum()); sum != w1.Digest {
		return nil, fmt.Errorf("workload W1 has the digest %s, not %s", sum, w1.Digest)
	}
	return stream, nil
}

func verify(totals w1.Totals, rejects int) error {
	if totals != w1.StandardTotals || rejects != 0 {
		return fmt.Errorf("W1 came to %+v with %d rejects, not to %+v", totals, rejects, w1.StandardTotals)
	}
	return nil
}

// play times rounds of something that is prepared anew for each and checked after it.
func (o Options) play(ctx context.Context, operations int, prepare func() (timed func(), check func() error, err error)) (Speed, error) {
	type round struct{ nanos, cpu, allocs, bytes int64 }
	var rounds []round
	for i := range o.Rounds {
		if err := ctx.Err(); err != nil {
			return Speed{}, err
		}
		timed, check, err := prepare()
		if err != nil {
			return Speed{}, err
		}
		var r round
		core.One(func() {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			cpu, began := core.Time(), time.Now()
			timed()
			r.nanos, r.cpu = time.Since(began).Nanoseconds(), int64(core.Time()-cpu)
			runtime.ReadMemStats(&after)
			r.allocs, r.bytes = int64(after.Mallocs-before.Mallocs), int64(after.TotalAlloc-before.TotalAlloc)
		})
		if err := check(); err != nil {
			return Speed{}, err
		}
		rounds = append(rounds, r)
		o.Progress(fmt.Sprintf("round %d of %d: %s ns an operation, %s of the processor",
			i+1, o.Rounds, MilliOf(r.nanos, int64(operations)), MilliOf(r.cpu, int64(operations))))
	}
	n := int64(operations)
	rate := func(r round) int64 { return n * int64(time.Second) / r.nanos }
	s := Speed{
		PerSecond: median(rounds, rate),
		Nanos:     MilliOf(median(rounds, func(r round) int64 { return r.nanos }), n),
		CPU:       MilliOf(median(rounds, func(r round) int64 { return r.cpu }), n),
		Allocs:    MilliOf(median(rounds, func(r round) int64 { return r.allocs }), n),
		Bytes:     MilliOf(median(rounds, func(r round) int64 { return r.bytes }), n),
	}
	for _, r := range rounds {
		s.Rounds = append(s.Rounds, rate(r))
	}
	return s, nil
}

func (s *Speed) note() string {
	return fmt.Sprintf("%s ns, %s ns of the processor", s.Nanos, s.CPU)
}

// Lines are the figures with what they should reach.
func (b *BookSpeed) Lines() []Line {
	return []Line{
		atLeast("the book alone, workload W1, one core", b.PerSecond, 12_000_000, perSecond, b.note()),
		atMost("  allocations an operation", b.Allocs, 0, Milli.String, ""),
	}
}

// Lines are the figures with what they should reach.
func (v *VenueSpeed) Lines() []Line {
	return []Line{
		atLeast("the whole venue, workload W1, one core", v.PerSecond, 2_000_000, perSecond, v.note()+", "+v.Bytes.String()+" B"),
		atMost("  allocations a command", v.Allocs, 1000, Milli.String, ""),
		atMost("  bytes an open order", v.OpenOrderBytes, 300, grouped, "with "+grouped(int64(v.OpenOrders))+" open"),
	}
}
