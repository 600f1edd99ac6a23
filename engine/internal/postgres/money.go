package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// TradeRecord is a trade with everything that it moved. The symbol is not set: the venue knows it.
type TradeRecord struct {
	Market venue.MarketID
	venue.TradeRecord
}

// TradeRecord returns what is projected of a trade, or false.
func (s *Store) TradeRecord(ctx context.Context, id market.TradeID) (r TradeRecord, found bool, err error) {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = s.inTx(ctx, options, func(tx pgx.Tx) error {
		r.Trade = id
		err := tx.QueryRow(ctx, `
			SELECT t.market_id, t.executed_at, t.taker_side, t.price, t.quantity, t.taker_order_id, t.maker_order_id,
				taker.member_id, maker.member_id, taker.fee, maker.fee
			FROM trades t
			JOIN orders taken ON taken.id = t.taker_order_id
			JOIN orders made ON made.id = t.maker_order_id
			JOIN fills taker ON taker.trade_id = t.id AND taker.member_id = taken.member_id AND taker.order_id = t.taker_order_id
			JOIN fills maker ON maker.trade_id = t.id AND maker.member_id = made.member_id AND maker.order_id = t.maker_order_id
			WHERE t.id = $1`, before(uint64(id))).
			Scan(&r.Market, &r.Time, &r.Side, &r.Price, &r.Quantity, &r.Order, &r.Maker, &r.Member, &r.MakerMember, &r.TakerFee, &r.MakerFee)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
			SELECT order_id, agent_id, amount FROM commissions WHERE trade_id = $1 ORDER BY sequence, order_id <> $2, line`,
			int64(id), int64(r.Order))
		if err != nil {
			return err
		}
		r.Shares, err = pgx.CollectRows(rows, pgx.RowToStructByPos[venue.FeeShare])
		return err
	})
	if noRows(err) {
		return TradeRecord{}, false, nil
	}
	return r, err == nil, readError("trade", err)
}

// MadeTransfer returns the amount of a transfer that has arrived and the sequence at which it did, or
// false.
func (s *Store) MadeTransfer(ctx context.Context, id uint64) (amount money.Amount, at venue.Sequence, found bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT amount, ended_sequence FROM transfers WHERE id = $1 AND status = $2`, int64(id), transferPosted).
		Scan(&amount, &at)
	if noRows(err) {
		return 0, 0, false, nil
	}
	return amount, at, err == nil, readError("transfer", err)
}
