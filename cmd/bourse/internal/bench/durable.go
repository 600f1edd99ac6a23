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
// wait for the answer before they send the next. Each round is followed by its own batches written
// to a bare file.
type DurableRate struct {
	Rate
	// Batches is how many commits a round took, of BatchOrders commands and BatchBytes of events.
	Batches     int64 `json:"batches"`
	BatchOrders int64 `json:"ordersPerBatch"`
	BatchBytes  int64 `json:"bytesPerBatch"`
	// Commit is how long the journal took for a batch, BareFile how long a preallocated file took
	// for a write and an fsync of the same bytes; ToFile is their ratio, the file's time by the
	// journal's.
	Commit   time.Duration `json:"commitNanos"`
	BareFile time.Duration `json:"bareFileNanos"`
	ToFile   Milli         `json:"journalToBareFile"`
	// FilePerSecond is how many orders a second the file takes in these batches when nothing is
	// done but write and fsync them.
	FilePerSecond int64 `json:"bareFilePerSecond"`
}

// Durable measures placing orders at the engine's façade. fsync and synchronous_commit are on.
func Durable(ctx context.Context, o Options) (DurableRate, error) {
	s, err := open(ctx, o)
	if err != nil {
		return DurableRate{}, err
	}
	defer s.teardown()
	file, err := newBareFile(s.dir, 256<<20)
	if err != nil {
		return DurableRate{}, err
	}
	defer file.close()
	if _, err := s.placeAtFacade(ctx, o, min(o.Round, time.Second), o.Rounds); err != nil { // warms up
		return DurableRate{}, err
	}
	var rounds []DurableRate
	for round := range o.Rounds {
		r, err := s.durableRound(ctx, o, round, file)
		if err != nil {
			return DurableRate{}, err
		}
		o.Progress(fmt.Sprintf("round %d of %d: %s; a batch of %d orders takes the journal %s, a bare file %s",
			round+1, o.Rounds, perSecond(r.PerSecond), r.BatchOrders, took(r.Commit), took(r.BareFile)))
		rounds = append(rounds, r)
	}
	r := medianOf(rounds, func(r DurableRate) int64 { return r.PerSecond })
	r.ToFile = median(rounds, func(r DurableRate) Milli { return r.ToFile })
	return r, nil
}

func (s *stage) durableRound(ctx context.Context, o Options, round int, file *bareFile) (DurableRate, error) {
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
	if err := s.awaitHistory(ctx); err != nil { // nothing else writes beside the file
		return DurableRate{}, err
	}
	onFile, err := file.write(sizes)
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
		Commit:   (after.CommitTime - before.CommitTime) / time.Duration(commits),
		BareFile: onFile / time.Duration(max(1, n)),
	}
	r.ToFile = MilliOf(int64(r.BareFile), int64(r.Commit))
	r.FilePerSecond = orders * int64(time.Second) / max(1, int64(onFile))
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
		atLeast("  the journal beside a bare file", r.ToFile, 500, Milli.String,
			fmt.Sprintf("%d orders in %s a batch: %s, file %s", r.BatchOrders, kilobytes(r.BatchBytes), took(r.Commit), took(r.BareFile))),
		{What: "  the file when nothing else is done", Figure: perSecond(r.FilePerSecond)},
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
	_, _, err = s.members[turn%len(s.members)].PlaceOrder(ctx, engine.PlaceOrder{
		Key: key, Symbol: "BTC-USDT", Side: side(turn),
		Type: market.Limit, TimeInForce: market.GTC, Price: price, Quantity: "0.001",
	})
	var refusal *fault.Error
	if errors.As(err, &refusal) && refusal.Code != fault.Unavailable {
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
