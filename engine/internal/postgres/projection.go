package postgres

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bourse/engine/journal"
	"bourse/engine/market"
	"bourse/engine/venue"
)

// Projected is how far the projections have come.
func (s *Store) Projected(ctx context.Context) (journal.Head, error) {
	return projected(ctx, s.pool, "")
}

func projected(ctx context.Context, q querier, lock string) (journal.Head, error) {
	head, err := scanHead(q.QueryRow(ctx, `SELECT sequence, hash, stamped_at, epoch FROM projection `+lock))
	if err != nil {
		return head, fmt.Errorf("projection: read the watermark: %w", err)
	}
	return head, nil
}

// writeRows brings the projections from one head to another in one transaction. It need not be
// durable at once: what is lost in a crash is projected again, from the watermark that is lost
// along with it.
func (s *Store) writeRows(ctx context.Context, r *rows, from, to journal.Head) error {
	r.finish()
	return s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return fmt.Errorf("projection: %w", err)
		}
		at, err := projected(ctx, tx, "FOR UPDATE")
		if err != nil {
			return err
		}
		if at != from {
			return ErrMoved
		}
		for _, t := range r.each() {
			if err := t.send(ctx, tx); err != nil {
				return fmt.Errorf("projection: %w", err)
			}
		}
		batch := &pgx.Batch{}
		r.queueChanges(batch)
		batch.Queue(`UPDATE projection SET sequence = $1, hash = $2, stamped_at = $3, epoch = $4`,
			int64(to.Sequence), to.Hash[:], to.Time, int64(to.Epoch))
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("projection: %w", err)
		}
		return nil
	})
}

// queueChanges queues what cannot be copied, because rows may be there already.
func (r *rows) queueChanges(batch *pgx.Batch) {
	for _, a := range r.assets {
		batch.Queue(`INSERT INTO assets (id, code, scale) VALUES ($1, $2, $3)`, a.id, a.asset.Code, int16(a.asset.Scale))
	}
	for _, m := range r.markets {
		d := &m.definition
		batch.Queue(`INSERT INTO markets (id, symbol, base_id, quote_id, tick_size, lot_size) VALUES ($1, $2, $3, $4, $5, $6)`,
			m.id, string(d.Symbol), m.base, m.quote, d.TickSize.String(), d.LotSize.String())
	}
	r.queueOrders(batch)
	r.queueBalances(batch)
	r.queueCandles(batch)
	r.queueVolumes(batch)
	r.queueBusts(batch)
	r.queueTransfers(batch)
}

func (r *rows) queueOrders(batch *pgx.Batch) {
	if len(r.changed) == 0 {
		return
	}
	ids := sortedKeys(r.changed, cmp.Compare[market.OrderID])
	columns := make([][]int64, 10)
	for i := range columns {
		columns[i] = make([]int64, len(ids))
	}
	for i, id := range ids {
		c := r.changed[id]
		acts := int64(0)
		if c.acts {
			acts = 1
		}
		for k, v := range [...]int64{
			int64(id), int64(c.filled), int64(c.notional), int64(c.fee), int64(c.reason), int64(c.at),
			int64(c.price), int64(c.quantity), int64(c.cut), acts,
		} {
			columns[k][i] = v
		}
	}
	args := make([]any, len(columns))
	for i := range columns {
		args[i] = columns[i]
	}
	const whole = `(CASE WHEN c.quantity <> 0 THEN c.quantity ELSE o.quantity END - c.cut)`
	batch.Queue(`
		UPDATE orders o SET
			price = CASE WHEN c.price <> 0 THEN c.price ELSE o.price END, quantity = `+whole+`,
			filled = o.filled + c.filled, notional = o.notional + c.notional, fee = o.fee + c.fee,
			reason = c.reason, updated_at = c.at,
			status = CASE
				WHEN c.reason <> 0 THEN 4 WHEN o.filled + c.filled = `+whole+` THEN 3 WHEN o.filled + c.filled > 0 THEN 2
				WHEN c.acts = 1 THEN 1 ELSE o.status END
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
			$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
			AS c (id, filled, notional, fee, reason, at, price, quantity, cut, acts)
		WHERE o.id = c.id`, args...)
}

func (r *rows) queueBalances(batch *pgx.Batch) {
	if len(r.moved) == 0 {
		return
	}
	keys := sortedKeys(r.moved, func(a, b balanceKey) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.kind, b.kind), cmp.Compare(a.asset, b.asset))
	})
	columns := make([][]int64, 4)
	for _, key := range keys {
		for k, v := range [...]int64{int64(key.owner), int64(key.kind), int64(key.asset), int64(r.moved[key])} {
			columns[k] = append(columns[k], v)
		}
	}
	batch.Queue(`
		INSERT INTO balances AS b (owner_id, kind, asset_id, amount)
		SELECT owner_id, kind, asset_id, amount
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS c (owner_id, kind, asset_id, amount)
		ON CONFLICT (owner_id, kind, asset_id) DO UPDATE SET amount = b.amount + excluded.amount`,
		columns[0], columns[1], columns[2], columns[3])
}

func (r *rows) queueCandles(batch *pgx.Batch) {
	if len(r.candles) == 0 {
		return
	}
	keys := sortedKeys(r.candles, func(a, b candleKey) int {
		return cmp.Or(cmp.Compare(a.market, b.market), cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.opened, b.opened))
	})
	columns := make([][]int64, 10)
	for _, key := range keys {
		c := r.candles[key]
		for k, v := range [...]int64{
			int64(key.market), int64(key.seconds), key.opened, int64(c.Open), int64(c.High), int64(c.Low), int64(c.Close),
			int64(c.Volume), int64(c.QuoteVolume), c.Trades,
		} {
			columns[k] = append(columns[k], v)
		}
	}
	args := make([]any, len(columns), len(columns)+1)
	for i := range columns {
		args[i] = columns[i]
	}
	batch.Queue(`
		INSERT INTO candles AS k (market_id, seconds, opened_at, open, high, low, close, volume, quote_volume, trades)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
			$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
		ON CONFLICT (market_id, seconds, opened_at) DO UPDATE SET
			high = greatest(k.high, excluded.high), low = least(k.low, excluded.low), close = excluded.close,
			volume = least(k.volume::numeric + excluded.volume, $11::bigint),
			quote_volume = least(k.quote_volume::numeric + excluded.quote_volume, $11::bigint),
			trades = k.trades + excluded.trades`, append(args, int64(maxBigint))...)
}

func compareVolumeKeys(a, b volumeKey) int {
	return cmp.Or(cmp.Compare(a.member, b.member), cmp.Compare(a.market, b.market), cmp.Compare(a.hour, b.hour))
}

func (r *rows) queueVolumes(batch *pgx.Batch) {
	if len(r.volumes) == 0 {
		return
	}
	keys := sortedKeys(r.volumes, compareVolumeKeys)
	columns := make([][]int64, 4)
	for _, key := range keys {
		for k, v := range [...]int64{int64(key.member), int64(key.market), key.hour, int64(r.volumes[key])} {
			columns[k] = append(columns[k], v)
		}
	}
	batch.Queue(`
		INSERT INTO volumes AS v (member_id, market_id, hour, quote_volume)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
		ON CONFLICT (member_id, market_id, hour) DO UPDATE SET
			quote_volume = least(v.quote_volume::numeric + excluded.quote_volume, $5::bigint)`,
		columns[0], columns[1], columns[2], columns[3], int64(maxBigint))
}

// clearProjections empties them all and sets the watermark to the beginning, which the journal must
// be able to tell: an *journal.ArchivedError otherwise. Readers lock tables in whatever order they
// name them, so clearing may be the one that a deadlock costs its turn: it tries again.
func (s *Store) clearProjections(ctx context.Context, j journal.Journal) error {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error { return clearIn(ctx, tx, j) })
		if err == nil {
			return nil
		}
		if attempt == attempts || sqlState(err) != deadlockDetected {
			return fmt.Errorf("projection: clear: %w", err)
		}
	}
}

// deadlockDetected is what PostgreSQL says to the one whose turn it takes (appendix "Error Codes").
const deadlockDetected = "40P01"

func clearIn(ctx context.Context, tx pgx.Tx, j journal.Journal) error {
	// Nothing is archived between the look and the end of the transaction.
	if _, err := origin(ctx, tx, "FOR SHARE"); err != nil {
		return err
	}
	for _, err := range j.Read(ctx, journal.Head{}) {
		if err != nil {
			return err
		}
		break
	}
	for _, statement := range []string{
		// The order of locks is that of writeRows and of the reconciliation: their own row first.
		`UPDATE projection SET sequence = 0, hash = decode(repeat('00', 32), 'hex'), stamped_at = 0, epoch = 0`,
		`UPDATE reconciliation SET sequence = 0`, // what is folded from postings begins anew with them
		`TRUNCATE assets, markets, orders, order_conditions, trades, fills, postings, balances, candles, volumes,
			commissions, transfers, reconciled_balances`,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// EachEvent runs a function on every event after a head. The event is its only until it returns.
func EachEvent(ctx context.Context, j journal.Journal, after journal.Head, do func(*venue.Event) error) error {
	for b, err := range j.Read(ctx, after) {
		if err != nil {
			return err
		}
		if err := eachEvent(&b, do); err != nil {
			return err
		}
	}
	return nil
}

func eachEvent(b *journal.Batch, do func(*venue.Event) error) error {
	decoder := venue.NewDecoder(b.Payload)
	var event venue.Event
	for {
		more, err := decoder.Next(&event)
		if err != nil {
			return &journal.BrokenError{Sequence: b.First, Reason: fmt.Sprintf("its events cannot be read: %v", err)}
		}
		if !more {
			return nil
		}
		if err := do(&event); err != nil {
			return err
		}
	}
}
