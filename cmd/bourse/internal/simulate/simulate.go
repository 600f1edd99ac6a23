// Package simulate lives in the house as its members do: seeded market makers and takers
// that trade through the public GraphQL endpoint, never around it.
//
//	enrol ──▶ traders ──▶ one limiter ──▶ maker: quote around a wandering mid, cancel the oldest
//	                                      taker: cross the spread, or buy and sell at market
//
// It knows the endpoint and nothing behind it.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"bourse/cmd/bourse/internal/client"
	"bourse/cmd/bourse/internal/pause"
)

// Options says how lively the simulated house is.
type Options struct {
	Enrolment
	// Rate is how many commands a second all traders send together; at least 1.
	Rate int
	// For ends the run; 0 runs until the context ends.
	For time.Duration
	// Prices are where a market without a trade begins, in quote per base by symbol.
	Prices map[string]string
}

// Report counts what the traders did. Latencies are those of one command through the
// endpoint, in microseconds.
type Report struct {
	Seed      uint64           `json:"seed"`
	Seconds   int64            `json:"seconds"`
	Placed    int64            `json:"placed"`
	Cancelled int64            `json:"cancelled"`
	Refused   map[string]int64 `json:"refused"`
	Failed    int64            `json:"failed"`
	PerSecond int64            `json:"perSecond"`
	P50       int64            `json:"p50Micros"`
	P99       int64            `json:"p99Micros"`
}

// maxSamples bounds the latencies that are kept for the percentiles.
const maxSamples = 1 << 20

// simulation is one run.
type simulation struct {
	markets []*lattice
	limiter *rate.Limiter
	run     uint64

	placed, cancelled, failed atomic.Int64

	mu      sync.Mutex
	refused map[string]int64
	samples []int64
}

// Run enrols the traders and lets them trade until the time is up or ctx ends; both
// are a good end.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Rate < 1 || o.Traders < 2 {
		return Report{}, fmt.Errorf("a simulation needs a rate of at least 1 and at least 2 traders")
	}
	if o.Transport == nil {
		o.Transport = client.Transport(o.Traders)
	}
	traders, err := Enrol(ctx, o.Enrolment)
	if err != nil {
		return Report{}, err
	}
	s := &simulation{
		limiter: rate.NewLimiter(rate.Limit(o.Rate), max(1, o.Rate/50)),
		run:     uint64(time.Now().UnixNano()),
		refused: map[string]int64{},
	}
	if s.markets, err = loadMarkets(ctx, traders[0].Client, o.Prices); err != nil {
		return Report{}, err
	}
	began := time.Now()
	trading, cancel := ctx, context.CancelFunc(func() {})
	if o.For > 0 {
		trading, cancel = context.WithTimeout(ctx, o.For)
	}
	defer cancel()
	var all sync.WaitGroup
	for i, t := range traders {
		all.Go(func() {
			chance := rand.New(rand.NewPCG(o.Seed, uint64(i)))
			s.trade(trading, &actor{Trader: t, chance: chance, maker: i%3 != 0, run: s.run})
		})
	}
	all.Wait()
	return s.report(o.Seed, time.Since(began)), nil
}

// actor is a trader at work.
type actor struct {
	Trader
	chance *rand.Rand
	maker  bool
	run    uint64
	sent   int
	// open are the ids of the actor's resting orders, oldest first.
	open []string
}

// key is a new client key; it differs from those of other runs of the same seed.
func (a *actor) key() string {
	a.sent++
	return fmt.Sprintf("%x-%d", a.run, a.sent)
}

// maxQuotes is how many resting orders a maker keeps before it cancels the oldest.
const maxQuotes = 30

// trade acts as often as the limiter lets it, until ctx ends. A command under way then is
// not cut off.
func (s *simulation) trade(ctx context.Context, a *actor) {
	sending := context.WithoutCancel(ctx)
	for s.limiter.Wait(ctx) == nil {
		began := time.Now()
		var err error
		if len(a.open) >= maxQuotes {
			err = s.cancel(sending, a)
		} else {
			err = s.place(sending, a, s.markets[a.chance.IntN(len(s.markets))])
		}
		s.note(err, time.Since(began))
		if err != nil && client.Code(err) == "" {
			_ = pause.For(ctx, time.Second) // the endpoint is away: do not hammer it
		}
	}
}

const placeOperation = `mutation Place($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id status } } }`

func (s *simulation) place(ctx context.Context, a *actor, m *lattice) error {
	var answer struct {
		PlaceOrder struct{ Order struct{ ID, Status string } }
	}
	order := m.quote(a)
	order["clientKey"] = a.key()
	if err := a.Do(ctx, placeOperation, map[string]any{"input": order}, &answer); err != nil {
		if client.Code(err) == "INSUFFICIENT_BALANCE" {
			return errors.Join(err, s.cancelAll(ctx, a))
		}
		return err
	}
	s.placed.Add(1)
	if status := answer.PlaceOrder.Order.Status; status == "OPEN" || status == "PARTIALLY_FILLED" {
		a.open = append(a.open, answer.PlaceOrder.Order.ID)
	}
	return nil
}

// cancel ends the oldest quote. That it was filled meanwhile is no failure.
func (s *simulation) cancel(ctx context.Context, a *actor) error {
	id := a.open[0]
	a.open = slices.Delete(a.open, 0, 1)
	err := a.Do(ctx, `mutation Cancel($input: CancelOrderInput!) { cancelOrder(input: $input) { sequence } }`,
		map[string]any{"input": map[string]any{"clientKey": a.key(), "orderId": id}}, nil)
	switch client.Code(err) {
	case "ORDER_NOT_OPEN":
		return nil
	case "":
		if err == nil {
			s.cancelled.Add(1)
		}
	}
	return err
}

// cancelAll frees what a trader's quotes hold, so that it can go on.
func (s *simulation) cancelAll(ctx context.Context, a *actor) error {
	a.open = a.open[:0]
	var answer struct{ CancelAllOrders struct{ Cancelled int64 } }
	err := a.Do(ctx, `mutation CancelAll($input: CancelAllOrdersInput!) { cancelAllOrders(input: $input) { cancelled } }`,
		map[string]any{"input": map[string]any{"clientKey": a.key()}}, &answer)
	s.cancelled.Add(answer.CancelAllOrders.Cancelled)
	return err
}

func (s *simulation) note(err error, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.samples) < maxSamples {
		s.samples = append(s.samples, took.Microseconds())
	}
	if err == nil {
		return
	}
	if code := client.Code(err); code != "" {
		s.refused[code]++
	} else {
		s.failed.Add(1)
	}
}

func (s *simulation) report(seed uint64, took time.Duration) Report {
	slices.Sort(s.samples)
	at := func(percent int) int64 {
		if len(s.samples) == 0 {
			return 0
		}
		return s.samples[(len(s.samples)-1)*percent/100]
	}
	r := Report{
		Seed: seed, Seconds: int64(took / time.Second),
		Placed: s.placed.Load(), Cancelled: s.cancelled.Load(), Failed: s.failed.Load(),
		Refused: s.refused, P50: at(50), P99: at(99),
	}
	if took > 0 {
		r.PerSecond = int64(time.Duration(r.Placed+r.Cancelled) * time.Second / took)
	}
	return r
}
