// Package postgres keeps what the exchange must not forget: the journal, what is projected from it,
// and the ordinary rows (accounts, sessions, invites, deposits, audit, outbox).
//
//	journal ──────▶ projections        written only by the projector, dropped and rebuilt at will
//	                                   (orders, trades, fills, postings, balances, candles)
//	accounts, deposits, audit, ...     ordinary rows in ordinary transactions
//
// It deliberately does not decide anything: no rule of trading, of money or of who may see what
// stands here, but for the second wall of row-level security.
package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store answers for the database. It is safe for concurrent use and does not own the pool.
type Store struct {
	pool *pgxpool.Pool
}

// NewStore returns a store over a pool that the caller opened and closes.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("postgres: ping: %w", err)
	}
	return nil
}

// inTx runs do in a transaction and commits it when do returns nil.
func (s *Store) inTx(ctx context.Context, options pgx.TxOptions, do func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, s.pool, options, do)
}

// noRows reports whether a query found nothing.
func noRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// sqlState returns the SQLSTATE of an answer of the server; empty when the error is of another kind.
func sqlState(err error) string {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return ""
}
