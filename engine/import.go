package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
	"bourse/engine/journal"
)

// ImportJournal writes a log that was read elsewhere, from its first batch on, into a migrated
// database whose log is empty. Every batch is verified, and either all of them are written or none.
// Refusal: INVALID_ARGUMENT, the database has a log already.
func ImportJournal(ctx context.Context, db *pgxpool.Pool, batches iter.Seq2[journal.Batch, error]) (Sequence, error) {
	head, err := postgres.NewStore(db).Journal().Import(ctx, batches)
	if errors.Is(err, postgres.ErrNotEmpty) {
		return 0, fault.New(fault.InvalidArgument, "the database has a log already")
	}
	if err != nil {
		return 0, fmt.Errorf("engine: %w", err)
	}
	return Sequence(head.Sequence), nil
}

// KeepSnapshot keeps a snapshot that was taken elsewhere from the same log. A start uses the newest.
func KeepSnapshot(ctx context.Context, db *pgxpool.Pool, s journal.Snapshot) error {
	return postgres.NewStore(db).Journal().SaveSnapshot(ctx, s)
}

// Journal is the log that is kept in a migrated database, for tools that look at it or measure it.
// Whoever leads it keeps an exchange from starting on the database.
func Journal(db *pgxpool.Pool) journal.Journal { return postgres.NewStore(db).Journal() }

// OnJournal has an exchange keep its log in j and not in DB, to measure what a log costs. History is
// projected from DB all the same, so such an exchange has none.
func OnJournal(opts Options, j journal.Journal) Options {
	opts.journal, opts.unpaced = j, true
	return opts
}
