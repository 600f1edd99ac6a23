package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// Moment is a place in history. The zero Moment is before everything.
type Moment struct {
	column string
	value  int64
}

// AtSequence is the moment after the command with this sequence.
func AtSequence(sequence venue.Sequence) Moment {
	return Moment{"sequence", int64(min(sequence, math.MaxInt64))}
}

// AtTime is the moment after the last command with at most this stamp.
func AtTime(time venue.Time) Moment { return Moment{"at", int64(time)} }

// upTo is a condition on postings that happened until the moment, with the value as $n.
func (m Moment) upTo(n int) string {
	if m.column == "" {
		return fmt.Sprintf("$%d::bigint IS NOT NULL", n)
	}
	return fmt.Sprintf("%s <= $%d", m.column, n)
}

// StatementPlace is the last posting of a line; the next page begins behind it. The zero place is
// before the first.
type StatementPlace struct {
	Time     venue.Time
	Sequence venue.Sequence
	Line     int32
}

// StatementLine is what one event did to what an owner has of an asset.
type StatementLine struct {
	StatementPlace
	Reason    venue.Kind
	Reference uint64
	Change    ledger.Balance
	After     ledger.Balance
}

// StatementQuery asks for the lines of an account after From up to and including To, oldest first.
type StatementQuery struct {
	Owner    account.ID
	Asset    ledger.AssetID
	From, To Moment
	Behind   StatementPlace
	Limit    int
}

// Statement is what came of it, all of one instant.
type Statement struct {
	Opening, Closing ledger.Balance // at From and at To
	Lines            []StatementLine
}

// Statement returns the balances at both ends and the lines between them.
func (s *Store) Statement(ctx context.Context, viewer account.ID, q StatementQuery) (st Statement, err error) {
	err = s.snapshotAs(ctx, viewer, func(tx pgx.Tx) error {
		if st.Opening, err = balanceAt(ctx, tx, q.Owner, q.Asset, q.From); err != nil {
			return err
		}
		if st.Closing, err = balanceAt(ctx, tx, q.Owner, q.Asset, q.To); err != nil {
			return err
		}
		st.Lines, err = statementLines(ctx, tx, &q, st.Opening)
		return err
	})
	if err != nil {
		return Statement{}, fmt.Errorf("postgres: statement: %w", err)
	}
	return st, nil
}

// BalanceAt returns what an owner had of an asset at a moment.
func (s *Store) BalanceAt(ctx context.Context, viewer, owner account.ID, asset ledger.AssetID, at Moment) (b ledger.Balance, err error) {
	err = s.snapshotAs(ctx, viewer, func(tx pgx.Tx) error {
		b, err = balanceAt(ctx, tx, owner, asset, at)
		return err
	})
	if err != nil {
		return b, fmt.Errorf("postgres: balance as of: %w", err)
	}
	return b, nil
}

// snapshotAs reads one instant of the database with the eyes of viewer.
func (s *Store) snapshotAs(ctx context.Context, viewer account.ID, do func(pgx.Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return s.inTx(ctx, options, func(tx pgx.Tx) error {
		if viewer != 0 {
			if err := becomeReader(ctx, tx, viewer); err != nil {
				return err
			}
		}
		return do(tx)
	})
}

const sumOfKinds = `
	SELECT coalesce(sum(amount) FILTER (WHERE kind = $3), 0)::bigint, coalesce(sum(amount) FILTER (WHERE kind = $4), 0)::bigint
	FROM postings WHERE owner_id = $1 AND asset_id = $2 AND `

// balanceAt adds up postings from whichever end is nearer: forward from the beginning to the moment,
// or back from the balance that stands.
func balanceAt(ctx context.Context, tx pgx.Tx, owner account.ID, asset ledger.AssetID, m Moment) (b ledger.Balance, err error) {
	if m.column == "" {
		return b, nil
	}
	args := []any{int64(owner), int64(asset), int16(ledger.Available), int16(ledger.Held), m.value}
	var middle int64
	err = tx.QueryRow(ctx, `
		SELECT first.v + (last.v - first.v) / 2 FROM
			(SELECT `+m.column+` AS v FROM postings WHERE owner_id = $1 AND asset_id = $2 ORDER BY at LIMIT 1) first,
			(SELECT `+m.column+` AS v FROM postings WHERE owner_id = $1 AND asset_id = $2 ORDER BY at DESC LIMIT 1) last`,
		args[:2]...).Scan(&middle)
	if noRows(err) {
		return b, nil // never had any
	}
	if err != nil {
		return b, err
	}
	if m.value < middle {
		err = tx.QueryRow(ctx, sumOfKinds+m.column+` <= $5`, args...).Scan(&b.Available, &b.Held)
		return b, err
	}
	var since ledger.Balance
	if err = tx.QueryRow(ctx, sumOfKinds+m.column+` > $5`, args...).Scan(&since.Available, &since.Held); err != nil {
		return b, err
	}
	err = tx.QueryRow(ctx, `
		SELECT coalesce(max(amount) FILTER (WHERE kind = $3), 0), coalesce(max(amount) FILTER (WHERE kind = $4), 0)
		FROM balances WHERE owner_id = $1 AND asset_id = $2`, args[:4]...).Scan(&b.Available, &b.Held)
	b.Available, b.Held = b.Available-since.Available, b.Held-since.Held
	return b, err
}

// postingsALine is the most postings that one event has for what one owner has of one asset: both
// sides of a trade with oneself, and what its hold gives back.
const postingsALine = 6

func statementLines(ctx context.Context, tx pgx.Tx, q *StatementQuery, balance ledger.Balance) ([]StatementLine, error) {
	args := []any{
		int64(q.Owner), int64(q.Asset), int16(ledger.Available), int16(ledger.Held),
		int64(q.Behind.Time), int64(q.Behind.Sequence), q.Behind.Line,
	}
	if q.Behind != (StatementPlace{}) {
		err := tx.QueryRow(ctx, sumOfKinds+`(at, sequence, line) <= ($5, $6, $7)`, args...).Scan(&balance.Available, &balance.Held)
		if err != nil {
			return nil, err
		}
	}
	from := any(nil)
	if q.From.column != "" {
		from = q.From.value
	}
	rows, err := tx.Query(ctx, `
		SELECT at, sequence, line, reason, ref, kind, amount FROM postings
		WHERE owner_id = $1 AND asset_id = $2 AND kind IN ($3, $4) AND (at, sequence, line) > ($5, $6, $7)
			AND (`+q.From.upTo(8)+`) IS NOT TRUE AND `+q.To.upTo(9)+`
		ORDER BY at, sequence, line LIMIT $10`, append(args, from, q.To.value, (q.Limit+1)*postingsALine)...)
	if err != nil {
		return nil, err
	}
	return foldLines(rows, q.Limit, balance)
}

// foldLines gathers the postings of each event into one line, up to a number of lines.
func foldLines(rows pgx.Rows, limit int, balance ledger.Balance) (lines []StatementLine, err error) {
	defer rows.Close()
	for rows.Next() {
		var next StatementLine
		var kind ledger.Kind
		var amount money.Amount
		if err := rows.Scan(&next.Time, &next.Sequence, &next.Line, &next.Reason, &next.Reference, &kind, &amount); err != nil {
			return nil, err
		}
		last := len(lines) - 1
		if last < 0 || next.Sequence != lines[last].Sequence || next.Reason != lines[last].Reason || next.Reference != lines[last].Reference {
			if len(lines) == limit {
				return lines, nil
			}
			lines = append(lines, next)
			last++
		}
		line := &lines[last]
		if kind == ledger.Held {
			line.Change.Held += amount
			balance.Held += amount
		} else {
			line.Change.Available += amount
			balance.Available += amount
		}
		line.Line, line.After = next.Line, balance
	}
	return lines, rows.Err()
}
