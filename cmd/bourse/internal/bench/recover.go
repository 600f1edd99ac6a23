package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/cmd/embedded/postgres"
	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/journal"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// Recovery is how long a start takes.
type Recovery struct {
	// OpenOrders rest in the books, Records of one command each stand behind the newest snapshot.
	OpenOrders int `json:"openOrders"`
	Records    int `json:"records"`
	// Start is from the call to the moment when commands are accepted, the median of the rounds;
	// FirstOrder is when the first order after it was durable.
	Start      time.Duration `json:"startNanos"`
	FirstOrder time.Duration `json:"firstOrderNanos"`
	// Digest is that of the venue that was generated and of each that was restored.
	Digest string `json:"digest"`
}

// Lines are the figures with what they should reach.
func (r *Recovery) Lines() []Line {
	return []Line{
		atMost("a start until commands are accepted", r.Start, 5*time.Second, took,
			fmt.Sprintf("%s open orders, %s records behind the snapshot", grouped(int64(r.OpenOrders)), grouped(int64(r.Records)))),
		{What: "  until the first order was durable", Figure: took(r.FirstOrder)},
	}
}

// RecoverOptions says what is started from.
type RecoverOptions struct {
	OpenOrders, Records, Rounds int
	Progress                    func(string)
}

// Recover writes a log with a snapshot and many records behind it into a database of its own, brings
// history up to its end, and measures starting the exchange from there.
func Recover(ctx context.Context, o RecoverOptions) (Recovery, error) {
	dir, err := os.MkdirTemp("", "bourse-bench-")
	if err != nil {
		return Recovery{}, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // the database may run as another user
		return Recovery{}, err
	}
	server, err := postgres.Start(ctx, postgres.Options{DataDir: filepath.Join(dir, "postgres")})
	if err != nil {
		return Recovery{}, fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() { _ = server.Stop(context.WithoutCancel(ctx)) }()
	db, err := pgxpool.New(ctx, server.URL())
	if err != nil {
		return Recovery{}, err
	}
	defer db.Close()
	if err := engine.Migrate(ctx, db); err != nil {
		return Recovery{}, err
	}
	p := newPast(o)
	o.Progress(fmt.Sprintf("writing %d records behind a snapshot with %d open orders", o.Records, o.OpenOrders))
	if err := p.write(ctx, db); err != nil {
		return Recovery{}, err
	}
	o.Progress("bringing history up to the end of the log")
	if _, err := engine.RebuildProjections(ctx, engine.Options{DB: db}); err != nil {
		return Recovery{}, err
	}
	r := Recovery{OpenOrders: p.state.OpenOrderCount(), Records: o.Records, Digest: fmt.Sprintf("%x", p.digest)}
	var starts, firsts []time.Duration
	for round := range o.Rounds {
		o.Progress(fmt.Sprintf("round %d of %d: starting", round+1, o.Rounds))
		start, first, err := p.start(ctx, db, round)
		if err != nil {
			return r, err
		}
		starts, firsts = append(starts, start), append(firsts, first)
	}
	slices.Sort(starts)
	slices.Sort(firsts)
	r.Start, r.FirstOrder = starts[len(starts)/2], firsts[len(firsts)/2]
	return r, nil
}

const (
	pastMembers = 1000
	pastSymbol  = "BTC-USD"
	pastMiddle  = market.Price(500_000)
)

// past is a house's log up to now: what happened is drawn, what it leads to the venue decides.
type past struct {
	RecoverOptions
	state  *venue.State
	head   journal.Head
	dice   *rand.Rand
	now    venue.Time
	asked  int
	events venue.Events

	resting  [][]market.OrderID // of each member, oldest first
	snapshot journal.Snapshot
	digest   [32]byte
}

func newPast(o RecoverOptions) *past {
	return &past{
		RecoverOptions: o, state: venue.New(), dice: rand.New(rand.NewPCG(1, 2)),
		now: venue.Time(1_700_000_000_000_000_000), resting: make([][]market.OrderID, pastMembers),
	}
}

// write imports the log and its snapshot.
func (p *past) write(ctx context.Context, db *pgxpool.Pool) error {
	// Import reads the whole log before it takes the snapshot, which is there only then.
	end, err := engine.ImportJournal(ctx, db, p.batches)
	if err != nil {
		return err
	}
	if uint64(end) != p.head.Sequence {
		return fmt.Errorf("the log ends at %d, not %d", end, p.head.Sequence)
	}
	p.digest = p.state.Digest()
	return engine.KeepSnapshot(ctx, db, p.snapshot)
}

// batches yields the log: the furnishing and the resting orders in large batches, then the records
// behind the snapshot with one command each.
func (p *past) batches(yield func(journal.Batch, error) bool) {
	err := p.furnish(yield)
	for n := 0; err == nil && n < p.OpenOrders; n += 1000 {
		err = p.batch(yield, min(1000, p.OpenOrders-n), p.rest)
	}
	if err != nil {
		p.fail(yield, err)
		return
	}
	p.snapshot = journal.Snapshot{Head: p.head, Payload: p.state.AppendSnapshot(nil)}
	for n := 0; n < p.Records; n++ {
		step := [...]func() (venue.Receipt, error){p.rest, p.cancel, p.offer, p.take}[n%4]
		if err := p.batch(yield, 1, step); err != nil {
			p.fail(yield, err)
			return
		}
	}
}

var errEnough = errors.New("the receiver wants no more")

func (p *past) fail(yield func(journal.Batch, error) bool, err error) {
	if !errors.Is(err, errEnough) {
		yield(journal.Batch{}, err)
	}
}

// batch applies some commands and yields what they came to.
func (p *past) batch(yield func(journal.Batch, error) bool, commands int, step func() (venue.Receipt, error)) error {
	p.events = p.events[:0]
	for range commands {
		if _, err := step(); err != nil {
			return err
		}
	}
	e := journal.Entry{First: p.head.Sequence + 1, Last: uint64(p.state.Sequence()), Time: int64(p.now)}
	for i := range p.events {
		e.Payload = venue.AppendEvent(e.Payload, &p.events[i])
	}
	b := journal.Seal(e, 1, p.head)
	p.head = b.Head()
	if !yield(b, nil) {
		return errEnough
	}
	return nil
}

func (p *past) apply(cmd venue.Command) (venue.Receipt, error) {
	p.now += venue.Time(time.Millisecond)
	receipt, err := p.state.Apply(cmd, p.now, &p.events)
	if err != nil {
		return receipt, fmt.Errorf("%+v: %w", cmd, err)
	}
	return receipt, nil
}

func (p *past) key() string {
	p.asked++
	return fmt.Sprintf("order-%d", p.asked)
}

func (p *past) furnish(yield func(journal.Batch, error) bool) error {
	btc, usd := money.Asset{Code: "BTC", Scale: 8}, money.Asset{Code: "USD", Scale: 2}
	commands := []venue.Command{
		&venue.AddAsset{Key: "btc", Asset: btc}, &venue.AddAsset{Key: "usd", Asset: usd},
		&venue.CreateMarket{Key: "market", Definition: market.Definition{
			Symbol: pastSymbol, Base: btc, Quote: usd, TickSize: money.MustDecimal("0.1"), LotSize: money.MustDecimal("0.1"),
			MakerFee: 800, TakerFee: 1000,
		}},
	}
	for i := range pastMembers {
		for k, a := range []money.Asset{btc, usd} {
			n := uint64(2*i + k + 1)
			commands = append(commands, &venue.CreditDeposit{
				Key: fmt.Sprint("deposit:", n), Deposit: n, Member: trader(i), Asset: a.Code, Amount: 1_000_000_000_000_000,
			})
		}
	}
	for _, cmd := range commands {
		if err := p.batch(yield, 1, func() (venue.Receipt, error) { return p.apply(cmd) }); err != nil {
			return err
		}
	}
	return nil
}

func trader(i int) account.ID { return account.ID(1001 + i) }

// place places an order of the next member at a price.
func (p *past) place(i int, side market.Side, price market.Price) (venue.Receipt, error) {
	return p.apply(&venue.PlaceOrder{
		Actor: trader(i), Key: p.key(), Symbol: pastSymbol, Side: side, Type: market.Limit, TimeInForce: market.GTC,
		Price: price, Quantity: 1,
	})
}

// rest places an order far from where trading is.
func (p *past) rest() (venue.Receipt, error) {
	i, away := p.asked%pastMembers, market.Price(1000+p.dice.IntN(20_000))
	side, price := market.Buy, pastMiddle-away
	if p.dice.IntN(2) == 0 {
		side, price = market.Sell, pastMiddle+away
	}
	receipt, err := p.place(i, side, price)
	p.resting[i] = append(p.resting[i], receipt.Order)
	return receipt, err
}

// cancel takes away the oldest order of the member who placed the last one.
func (p *past) cancel() (venue.Receipt, error) {
	i := (p.asked - 1) % pastMembers
	oldest := p.resting[i][0]
	p.resting[i] = p.resting[i][1:]
	return p.apply(&venue.CancelOrder{Actor: trader(i), Key: p.key(), Order: oldest})
}

// offer and take are the two sides of a trade.
func (p *past) offer() (venue.Receipt, error) {
	return p.place(p.asked%pastMembers, market.Sell, pastMiddle)
}

func (p *past) take() (venue.Receipt, error) {
	return p.place(p.asked%pastMembers, market.Buy, pastMiddle)
}

// start opens the exchange, places an order and closes it. The snapshot that closing takes goes, so
// that the next start has the whole way again, and one command more.
func (p *past) start(ctx context.Context, db *pgxpool.Pool, round int) (start, first time.Duration, err error) {
	began := time.Now()
	x, err := engine.Open(ctx, engine.Options{DB: db, Rand: zeros{}, TokenSecret: make([]byte, 32)})
	if err != nil {
		return 0, 0, err
	}
	start = time.Since(began)
	m, err := x.Member(account.Actor{ID: trader(0), Role: account.RoleMember})
	if err == nil {
		var sequence engine.Sequence
		_, sequence, err = m.PlaceOrder(ctx, engine.PlaceOrder{
			Key: fmt.Sprint("round-", round), Symbol: pastSymbol, Side: market.Buy, Type: market.Limit, TimeInForce: market.GTC,
			Price: "1000.0", Quantity: "0.1",
		})
		if want := p.head.Sequence + uint64(round) + 1; err == nil && uint64(sequence) != want {
			err = fmt.Errorf("the first order is at %d, not %d", sequence, want)
		}
	}
	first = time.Since(began)
	err = errors.Join(err, x.Close(ctx))
	_, failed := db.Exec(ctx, `DELETE FROM journal_snapshot WHERE sequence > $1`, int64(p.snapshot.Head.Sequence))
	return start, first, errors.Join(err, failed)
}

// zeros stands in for chance: nothing secret is made here.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

var _ io.Reader = zeros{}
