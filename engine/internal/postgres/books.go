package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
	"bourse/engine/journal"
	"bourse/engine/ledger"
	"bourse/engine/money"
)

// Account is the place of a balance.
type Account struct {
	Owner account.ID
	Kind  ledger.Kind
	Asset ledger.AssetID
}

// Entry is what the books say of an account: its balance, and the sum of all its postings.
type Entry struct {
	Balance, Postings money.Amount
}

// Books reads every account of the projections and adds up every posting there ever was, in one
// snapshot of the database. The head says where that stands.
func (s *Store) Books(ctx context.Context) (map[Account]Entry, journal.Head, error) {
	books := map[Account]Entry{}
	var head journal.Head
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := s.inTx(ctx, options, func(tx pgx.Tx) (err error) {
		if head, err = projected(ctx, tx, ""); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
			SELECT owner_id, kind, asset_id, coalesce(b.amount, 0), coalesce(p.amount, 0)::bigint
			FROM balances b FULL JOIN (
				SELECT owner_id, kind, asset_id, sum(amount) AS amount FROM postings GROUP BY owner_id, kind, asset_id) p
			USING (owner_id, kind, asset_id)`)
		if err != nil {
			return err
		}
		var owner, kind, asset, balance, posted int64
		_, err = pgx.ForEachRow(rows, []any{&owner, &kind, &asset, &balance, &posted}, func() error {
			books[Account{account.ID(owner), ledger.Kind(kind), ledger.AssetID(asset)}] = Entry{money.Amount(balance), money.Amount(posted)}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, head, fmt.Errorf("postgres: books: %w", err)
	}
	return books, head, nil
}
