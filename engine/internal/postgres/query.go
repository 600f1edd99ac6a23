package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
	"bourse/engine/feed"
	"bourse/engine/journal"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// A viewer is the account with whose eyes row-level security lets a query look; 0 is the house.

const selectOrder = `
	SELECT o.id, o.member_id, market_id, side, type, time_in_force, status, reason, price, quantity, filled,
		notional, fee, sequence, placed_at, updated_at,
		coalesce(self_trade, 1), coalesce(post_only, 0) = 1, coalesce(trigger_price, 0), coalesce(trail, 0),
		coalesce(display, 0), coalesce(expires_at, 0), coalesce(sibling_id, 0), coalesce(parent_id, 0), coalesce(child_id, 0)
	FROM orders o LEFT JOIN order_conditions c ON c.order_id = o.id `

func scanOrder(row pgx.CollectableRow) (o venue.Order, err error) {
	err = row.Scan(&o.ID, &o.Member, &o.Market, &o.Side, &o.Type, &o.TimeInForce, &o.Status, &o.Reason, &o.Price,
		&o.Quantity, &o.Filled, &o.Notional, &o.Fee, &o.Sequence, &o.PlacedAt, &o.UpdatedAt,
		&o.SelfTrade, &o.PostOnly, &o.Trigger, &o.Trail, &o.Display, &o.ExpiresAt, &o.Sibling, &o.Parent, &o.Child)
	return o, err
}

// OrderQuery asks for a member's orders, newest first.
type OrderQuery struct {
	Member account.ID
	Market venue.MarketID // 0: of all markets
	Before market.OrderID // 0: from the newest
	Limit  int
}

// Orders returns projected orders. Symbols and holds are not set: the venue knows them.
func (s *Store) Orders(ctx context.Context, viewer account.ID, q OrderQuery) (orders []venue.Order, err error) {
	err = s.read(ctx, viewer, func(r reader) error {
		rows, err := r.Query(ctx, selectOrder+`
			WHERE o.member_id = $1 AND o.id < $2 AND ($3 = 0 OR market_id = $3) ORDER BY o.id DESC LIMIT $4`,
			int64(q.Member), before(uint64(q.Before)), int32(q.Market), q.Limit)
		if err == nil {
			orders, err = pgx.CollectRows(rows, scanOrder)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: orders: %w", err)
	}
	return orders, nil
}

// OrdersByID returns those of the orders that are projected and that the viewer may see.
func (s *Store) OrdersByID(ctx context.Context, viewer account.ID, ids []market.OrderID) (orders []venue.Order, err error) {
	keys := make([]int64, len(ids))
	for i, id := range ids {
		keys[i] = int64(id)
	}
	err = s.read(ctx, viewer, func(r reader) error {
		rows, err := r.Query(ctx, selectOrder+`WHERE o.id = ANY ($1)`, keys)
		if err == nil {
			orders, err = pgx.CollectRows(rows, scanOrder)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: orders by id: %w", err)
	}
	return orders, nil
}

// Fill is one party's side of a trade.
type Fill struct {
	Trade     market.TradeID
	Member    account.ID
	Order     market.OrderID
	Market    venue.MarketID
	Side      market.Side
	Liquidity Liquidity
	Price     market.Price
	Quantity  market.Quantity
	Notional  money.Amount
	Fee       money.Amount
	Sequence  venue.Sequence
	Time      venue.Time
}

// FillQuery asks for a member's fills, newest first.
type FillQuery struct {
	Member account.ID
	Market venue.MarketID // 0: of all markets
	Order  market.OrderID // 0: of all orders
	Before uint64         // FillKey of the last that was seen; 0: from the newest
	Limit  int
}

// FillKey orders fills: by trade, and of one trade the buying side last, so that lists, newest first,
// begin with it.
func FillKey(trade market.TradeID, side market.Side) uint64 {
	return 2*uint64(trade) + uint64(market.Sell-side)
}

// Fills returns projected fills.
func (s *Store) Fills(ctx context.Context, viewer account.ID, q FillQuery) (fills []Fill, err error) {
	err = s.read(ctx, viewer, func(r reader) error {
		rows, err := r.Query(ctx, `
			SELECT trade_id, member_id, order_id, market_id, side, liquidity, price, quantity, notional, fee, sequence, executed_at
			FROM fills
			WHERE member_id = $1 AND trade_id <= $2::bigint / 2 AND 2 * trade_id + (2 - side) < $2
				AND ($3 = 0 OR market_id = $3) AND ($4 = 0 OR order_id = $4)
			ORDER BY trade_id DESC, side LIMIT $5`,
			int64(q.Member), before(q.Before), int32(q.Market), int64(q.Order), q.Limit)
		if err != nil {
			return err
		}
		fills, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (f Fill, err error) {
			err = row.Scan(&f.Trade, &f.Member, &f.Order, &f.Market, &f.Side, &f.Liquidity, &f.Price, &f.Quantity, &f.Notional,
				&f.Fee, &f.Sequence, &f.Time)
			return f, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: fills: %w", err)
	}
	return fills, nil
}

// TradedAtOnce is what an order of a member came to in the command of a sequence, which must be
// projected: the quote amount of its fills and the fees on them.
func (s *Store) TradedAtOnce(ctx context.Context, member account.ID, order market.OrderID, at venue.Sequence) (notional, fee money.Amount, err error) {
	err = s.read(ctx, member, func(r reader) error {
		return r.QueryRow(ctx, `
			SELECT coalesce(sum(notional), 0)::bigint, coalesce(sum(fee), 0)::bigint FROM fills
			WHERE member_id = $1 AND order_id = $2 AND sequence = $3`,
			int64(member), int64(order), int64(at)).Scan(&notional, &fee)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("postgres: traded at once: %w", err)
	}
	return notional, fee, nil
}

// before turns the last key that was seen into an upper bound.
func before(key uint64) int64 {
	if key == 0 || key > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(key)
}

// TradeRow is a trade with the orders that met.
type TradeRow struct {
	feed.Trade
	Market       venue.MarketID
	Taker, Maker market.OrderID
}

const tradeColumns = `id, market_id, price, quantity, notional, taker_side, taker_order_id, maker_order_id, sequence, executed_at`

func scanTrade(row pgx.CollectableRow) (t TradeRow, err error) {
	err = row.Scan(&t.ID, &t.Market, &t.Price, &t.Quantity, &t.Notional, &t.Side, &t.Taker, &t.Maker, &t.Sequence, &t.Time)
	return t, err
}

// Trade returns a projected trade, or false.
func (s *Store) Trade(ctx context.Context, id market.TradeID) (TradeRow, bool, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+tradeColumns+` FROM trades WHERE id = $1`, before(uint64(id)))
	if err == nil {
		var trade TradeRow
		if trade, err = pgx.CollectExactlyOneRow(rows, scanTrade); err == nil {
			return trade, true, nil
		}
	}
	if noRows(err) {
		return TradeRow{}, false, nil
	}
	return TradeRow{}, false, fmt.Errorf("postgres: trade: %w", err)
}

// Candles returns the newest limit candles of an interval that opened in [from, to), in seconds,
// oldest first.
func (s *Store) Candles(ctx context.Context, id venue.MarketID, seconds int32, from, to int64, limit int) ([]feed.Candle, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT * FROM (
			SELECT opened_at, open, high, low, close, volume, quote_volume, trades FROM candles
			WHERE market_id = $1 AND seconds = $2 AND opened_at >= $3 AND opened_at < $4
			ORDER BY opened_at DESC LIMIT $5) newest
		ORDER BY opened_at`, int32(id), seconds, from, to, limit)
	if err == nil {
		var candles []feed.Candle
		if candles, err = pgx.CollectRows(rows, scanCandle); err == nil {
			return candles, nil
		}
	}
	return nil, fmt.Errorf("postgres: candles: %w", err)
}

func scanCandle(row pgx.CollectableRow) (c feed.Candle, err error) {
	err = row.Scan(&c.OpenedAt, &c.Open, &c.High, &c.Low, &c.Close, &c.Volume, &c.QuoteVolume, &c.Trades)
	return c, err
}

// DownlineVolume is what the members below an agent traded in a market since an hour that began at
// a time, in seconds: the quote amounts of their fills, in minor units.
func (s *Store) DownlineVolume(ctx context.Context, agent account.ID, id venue.MarketID, since int64) (money.Amount, error) {
	var volume int64
	err := s.asActor(ctx, agent, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `
			SELECT least(coalesce(sum(quote_volume), 0), $3)::bigint FROM volumes
			WHERE member_id IN (SELECT id FROM members) AND market_id = $1 AND hour >= $2`,
			int32(id), since, int64(maxBigint)).Scan(&volume)
	})
	if err != nil {
		return 0, fmt.Errorf("postgres: downline volume: %w", err)
	}
	return money.Amount(volume), nil
}

// LoadTapes fills the tapes of markets from the projections, and returns up to where: trades after
// that head are not in them. now is in nanoseconds.
func (s *Store) LoadTapes(ctx context.Context, markets []venue.MarketID, now int64) (map[venue.MarketID]*feed.Tape, journal.Head, error) {
	tapes := make(map[venue.MarketID]*feed.Tape, len(markets))
	var head journal.Head
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := s.inTx(ctx, options, func(tx pgx.Tx) (err error) {
		if head, err = projected(ctx, tx, ""); err != nil {
			return err
		}
		for _, id := range markets {
			if tapes[id], err = loadTape(ctx, tx, id, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, head, fmt.Errorf("postgres: load recent trades: %w", err)
	}
	return tapes, head, nil
}

func loadTape(ctx context.Context, tx pgx.Tx, id venue.MarketID, now int64) (*feed.Tape, error) {
	tape := &feed.Tape{}
	rows, err := tx.Query(ctx, `
		SELECT `+tradeColumns+` FROM (SELECT * FROM trades WHERE market_id = $1 ORDER BY id DESC LIMIT $2) newest ORDER BY id`,
		int32(id), feed.TapeLength)
	if err != nil {
		return nil, err
	}
	trades, err := pgx.CollectRows(rows, scanTrade)
	if err != nil {
		return nil, err
	}
	for i := range trades {
		tape.Remember(trades[i].Trade)
	}
	rows, err = tx.Query(ctx, `
		SELECT opened_at, open, high, low, close, volume, quote_volume, trades FROM candles
		WHERE market_id = $1 AND seconds = 60 AND opened_at > $2 ORDER BY opened_at`,
		int32(id), feed.OpenedAt(now, 60)-24*3600)
	if err != nil {
		return nil, err
	}
	minutes, err := pgx.CollectRows(rows, scanCandle)
	if err != nil {
		return nil, err
	}
	for i := range minutes {
		tape.LoadMinute(minutes[i])
	}
	return tape, nil
}
