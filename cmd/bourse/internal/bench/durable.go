package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/cmd/bourse/internal/client"
	"bourse/engine"
	"bourse/engine/fault"
	"bourse/engine/market"
)

// DurableRate is orders at the engine's façade that are answered after the commit, by callers who
// wait for the answer before they send the next. Each round is followed by one of an exchange whose
// log is a bare file, and by the round's batches written again, in turn to a journal of their own
// and to a bare file, by one who does nothing else.
type DurableRate struct {
	Rate
	// Batches is how many commits a round took, of BatchOrders commands and BatchBytes of events;
	// Commit is how long one took from within the house.
	Batches     int64         `json:"batches"`
	BatchOrders int64         `json:"ordersPerBatch"`
	BatchBytes  int64         `json:"bytesPerBatch"`
	Commit      time.Duration `json:"commitNanos"`
	// OnFile is the orders a second of the same façade when its log is a preallocated file and there
	// is no history; ToOnFile is PerSecond by it.
	OnFile   int64 `json:"onBareFilePerSecond"`
	ToOnFile Milli `json:"toOnBareFile"`
	// Journal and File are how many orders a second a journal and a preallocated file take in the
	// round's batches, each with an fsync, when nobody trades; JournalToFile is one by the other.
	Journal       int64 `json:"journalAlonePerSecond"`
	File          int64 `json:"bareFileAlonePerSecond"`
	JournalToFile Milli `json:"journalToBareFile"`
}

// Durable measures placing orders at the engine's façade. fsync and synchronous_commit are on.
func Durable(ctx context.Context, o Options) (DurableRate, error) {
	s, err := open(ctx, o)
	if err != nil {
		return DurableRate{}, err
	}
	defer s.teardown()
	logs, err := s.newLogs(ctx)
	if err != nil {
		return DurableRate{}, err
	}
	defer logs.close()
	onFile, err := s.newOnFile(ctx, o)
	if err != nil {
		return DurableRate{}, err
	}
	defer onFile.close(ctx)
	if _, err := s.placeAtFacade(ctx, o, min(o.Round, time.Second), o.Rounds); err != nil { // warms up
		return DurableRate{}, err
	}
	var rounds []DurableRate
	for round := range o.Rounds {
		r, err := s.durableRound(ctx, o, round, logs, onFile)
		if err != nil {
			return DurableRate{}, err
		}
		o.Progress(fmt.Sprintf("round %d of %d: %s in batches of %d; on a bare file %s; the batches alone: journal %s, bare file %s",
			round+1, o.Rounds, perSecond(r.PerSecond), r.BatchOrders, perSecond(r.OnFile), perSecond(r.Journal), perSecond(r.File)))
		rounds = append(rounds, r)
	}
	r := medianOf(rounds, func(r DurableRate) int64 { return r.PerSecond })
	r.ToOnFile = median(rounds, func(r DurableRate) Milli { return r.ToOnFile })
	r.JournalToFile = median(rounds, func(r DurableRate) Milli { return r.JournalToFile })
	return r, nil
}

func (s *stage) durableRound(ctx context.Context, o Options, round int, logs *logs, onFile *onFile) (DurableRate, error) {
	if err := s.awaitHistory(ctx); err != nil { // each round begins alike
		return DurableRate{}, err
	}
	before := s.house.Exchange.Health(ctx)
	rate, err := s.placeAtFacade(ctx, o, o.Round, round)
	if err != nil {
		return DurableRate{}, err
	}
	after := s.house.Exchange.Health(ctx)
	sizes, err := s.batchSizes(ctx, before.Committed)
	if err != nil {
		return DurableRate{}, err
	}
	if err := s.awaitHistory(ctx); err != nil { // nothing else writes beside the logs
		return DurableRate{}, err
	}
	inJournal, inFile, err := logs.write(ctx, sizes)
	if err != nil {
		return DurableRate{}, err
	}
	beside, err := onFile.place(ctx, o, round)
	if err != nil {
		return DurableRate{}, err
	}
	n, orders := int64(len(sizes)), int64(after.Committed-before.Committed)
	bytes := 0
	for _, size := range sizes {
		bytes += size
	}
	commits := max(1, int64(after.Commits-before.Commits))
	r := DurableRate{
		Rate: rate, Batches: n, BatchOrders: orders / max(1, n), BatchBytes: int64(bytes) / max(1, n),
		Commit:  (after.CommitTime - before.CommitTime) / time.Duration(commits),
		OnFile:  beside.PerSecond,
		Journal: orders * int64(time.Second) / max(1, int64(inJournal)),
		File:    orders * int64(time.Second) / max(1, int64(inFile)),
	}
	r.ToOnFile, r.JournalToFile = MilliOf(r.PerSecond, r.OnFile), MilliOf(r.Journal, r.File)
	return r, nil
}

// batchSizes are the sizes of the journal's batches after a sequence, in bytes.
func (s *stage) batchSizes(ctx context.Context, after engine.Sequence) ([]int, error) {
	db, err := pgxpool.New(ctx, s.house.DatabaseURL())
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	defer db.Close()
	rows, err := db.Query(ctx, `SELECT octet_length(payload) FROM journal_batch WHERE first_seq > $1 ORDER BY first_seq`, int64(after))
	if err != nil {
		return nil, fmt.Errorf("read the sizes of batches: %w", err)
	}
	sizes, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return nil, fmt.Errorf("read the sizes of batches: %w", err)
	}
	return sizes, nil
}

// Lines are the figures with what they should reach.
func (r *DurableRate) Lines() []Line {
	return []Line{
		atLeast("durable orders at the façade, all waiting", r.PerSecond, 100_000, perSecond, r.note()),
		atLeast("  by the same on a bare fsync'd file", r.ToOnFile, 500, Milli.String, perSecond(r.OnFile)+" there, without history"),
		{
			What: "  its batches alone, journal by bare file", Figure: r.JournalToFile.String(),
			Note: fmt.Sprintf("%s by %s, in batches of %d orders and %s", perSecond(r.Journal), perSecond(r.File), r.BatchOrders, kilobytes(r.BatchBytes)),
		},
	}
}

func kilobytes(n int64) string { return fmt.Sprintf("%d.%d kB", n/1000, n%1000/100) }

// Endpoint measures placing orders through /graphql over HTTP.
func Endpoint(ctx context.Context, o Options) (EndpointRate, error) {
	s, err := open(ctx, o)
	if err != nil {
		return EndpointRate{}, err
	}
	defer s.teardown()
	var rounds []Rate
	for round := range o.Rounds {
		r, err := s.placeAtEndpoint(ctx, o, round)
		if err != nil {
			return EndpointRate{}, err
		}
		o.Progress(fmt.Sprintf("round %d of %d: %s", round+1, o.Rounds, perSecond(r.PerSecond)))
		rounds = append(rounds, r)
	}
	return EndpointRate{medianOf(rounds, func(r Rate) int64 { return r.PerSecond })}, nil
}

// EndpointRate is durable orders through the public endpoint.
type EndpointRate struct{ Rate }

// Lines are the figures; there is nothing that they must reach.
func (r *EndpointRate) Lines() []Line {
	return []Line{{What: "durable orders through /graphql, 64 waiting", Figure: perSecond(r.PerSecond), Note: r.note()}}
}

// Half of the callers buy and half sell, all at one price, and no member does both: every
// order trades at once or waits for the next of the other side, and nobody meets its own.
const price = "64000.0"

func side(caller int) market.Side {
	if caller%2 == 1 {
		return market.Sell
	}
	return market.Buy
}

// placeOne places an order of the member whose turn it is, and says whether it was refused.
func (s *stage) placeOne(ctx context.Context, key string, turn int) (refused bool, err error) {
	return refusedOrFailed(s.members[turn%len(s.members)].PlaceOrder(ctx, engine.PlaceOrder{
		Key: key, Symbol: "BTC-USDT", Side: side(turn),
		Type: market.Limit, TimeInForce: market.GTC, Price: price, Quantity: "0.001",
	}))
}

// refusedOrFailed tells a refusal, which is counted, from a failure, which ends the round.
func refusedOrFailed(_ engine.Order, _ engine.Sequence, err error) (refused bool, _ error) {
	var refusal *fault.Error
	if errors.As(err, &refusal) && refusal.Code != fault.Unavailable && refusal.Code != fault.OutcomeUnknown {
		return true, nil
	}
	return false, err
}

func (s *stage) placeAtFacade(ctx context.Context, o Options, d time.Duration, round int) (Rate, error) {
	return closedLoop(ctx, o.Waiting, d, func(ctx context.Context, caller, n int) (bool, error) {
		return s.placeOne(ctx, fmt.Sprintf("f%d-%d-%d", round, caller, n), caller)
	})
}

const placeOperation = `mutation Place($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id status } } }`

func (s *stage) placeAtEndpoint(ctx context.Context, o Options, round int) (Rate, error) {
	return closedLoop(ctx, min(o.Waiting, 64), o.Round, func(ctx context.Context, caller, n int) (bool, error) {
		err := s.traders[caller%len(s.traders)].Do(ctx, placeOperation, map[string]any{"input": map[string]any{
			"clientKey": fmt.Sprintf("e%d-%d-%d", round, caller, n), "market": "BTC-USDT", "side": side(caller).String(),
			"price": price, "quantity": "0.001",
		}}, nil)
		if client.Code(err) != "" {
			return true, nil
		}
		return false, err
	})
}
