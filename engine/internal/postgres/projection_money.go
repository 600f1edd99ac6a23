package postgres

import (
	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
	"bourse/engine/feed"
	"bourse/engine/market"
	"bourse/engine/venue"
)

// bustRow is a trade that was taken back.
type bustRow struct {
	trade    market.TradeID
	sequence venue.Sequence
}

// transferRow is a step of a transfer.
type transferRow struct {
	kind     venue.Kind
	sequence venue.Sequence
	at       venue.Time
	expired  bool // it was voided by itself
	transfer venue.Transfer
}

// Where a transfer stands.
const (
	transferPending = 1
	transferPosted  = 2
	transferVoided  = 3
	transferExpired = 4
)

func (r *rows) commission(ev *venue.Event) {
	t := r.commissions
	t.row(10)
	t.bigint(int64(ev.Trade))
	t.bigint(int64(ev.Order))
	t.bigint(int64(ev.Agent))
	t.bigint(int64(ev.Member))
	t.integer(int32(ev.Market))
	t.integer(int32(ev.Asset))
	t.bigint(int64(ev.Amount))
	t.bigint(int64(ev.Sequence))
	t.bigint(int64(ev.Time))
	t.integer(r.line) // the posting before: it grows along the command
}

// bust marks the trade and takes its amount out of what its parties traded in its hour. Candles stay:
// they say what the tape said.
func (r *rows) bust(ev *venue.Event) {
	r.busts = append(r.busts, bustRow{ev.Trade, ev.Sequence})
	hour := feed.OpenedAt(int64(ev.Detail.TradedAt), 3600)
	for _, member := range [...]account.ID{ev.Member, ev.MakerMember} {
		r.unwound[volumeKey{member, ev.Market, hour}] += ev.Notional
	}
}

func (r *rows) queueBusts(batch *pgx.Batch) {
	for _, b := range r.busts {
		batch.Queue(`UPDATE trades SET busted_sequence = $2 WHERE id = $1`, int64(b.trade), int64(b.sequence))
	}
	for _, key := range sortedKeys(r.unwound, compareVolumeKeys) {
		batch.Queue(`
			UPDATE volumes SET quote_volume = greatest(quote_volume - $4, 0)
			WHERE member_id = $1 AND market_id = $2 AND hour = $3`,
			int64(key.member), int32(key.market), key.hour, int64(r.unwound[key]))
	}
}

func (r *rows) queueTransfers(batch *pgx.Batch) {
	for i := range r.transfers {
		row := &r.transfers[i]
		t := &row.transfer
		status := transferPending
		switch {
		case row.kind == venue.TransferPosted || row.kind == venue.TransferMade:
			status = transferPosted
		case row.expired:
			status = transferExpired
		case row.kind == venue.TransferVoided:
			status = transferVoided
		}
		if row.kind == venue.TransferPosted || row.kind == venue.TransferVoided {
			batch.Queue(`UPDATE transfers SET status = $2, ended_sequence = $3, ended_at = $4 WHERE id = $1`,
				int64(t.ID), status, int64(row.sequence), int64(row.at))
			continue
		}
		var endedSequence, endedAt int64
		if status != transferPending {
			endedSequence, endedAt = int64(row.sequence), int64(row.at)
		}
		batch.Queue(`
			INSERT INTO transfers (id, from_owner_id, from_kind, to_owner_id, to_kind, asset_id, amount, status,
				begun_sequence, begun_at, expires_at, ended_sequence, ended_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			int64(t.ID), int64(t.From.Owner), int16(t.From.Kind), int64(t.To.Owner), int16(t.To.Kind), int32(t.Asset),
			int64(t.Amount), status, int64(row.sequence), int64(row.at), int64(t.ExpiresAt), endedSequence, endedAt)
	}
}
