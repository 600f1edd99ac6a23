package house

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/engine"
)

// onLog calls do with the log of a house, serving or stopped, and the archive before it.
func onLog[T any](ctx context.Context, c Config, do func(engine.Options) (T, error)) (T, error) {
	var result T
	err := withDatabase(ctx, c, func(pool *pgxpool.Pool) (err error) {
		result, err = do(engine.Options{DB: pool, ArchiveDir: c.ArchiveDir, Logger: c.Logger})
		return err
	})
	return result, err
}

// Verify reads the log of a house, serving or stopped, replays it and checks every
// invariant after it. What it finds wrong stands in the verification; the error is for
// what kept it from looking.
func Verify(ctx context.Context, c Config) (engine.Verification, error) {
	return onLog(ctx, c, func(o engine.Options) (engine.Verification, error) { return engine.VerifyJournal(ctx, o) })
}

// Replay reads the log of a house up to the command at a sequence.
func Replay(ctx context.Context, c Config, to uint64) (engine.Verification, error) {
	return onLog(ctx, c, func(o engine.Options) (engine.Verification, error) {
		return engine.ReplayJournal(ctx, o, engine.Sequence(to))
	})
}

// ReplayAt reads the log of a house up to the last command at or before a time.
func ReplayAt(ctx context.Context, c Config, at time.Time) (engine.Verification, error) {
	return onLog(ctx, c, func(o engine.Options) (engine.Verification, error) {
		return engine.ReplayJournalAt(ctx, o, at)
	})
}

// RebuildProjections fills the history of a house anew from its log and returns how far it came.
func RebuildProjections(ctx context.Context, c Config) (uint64, error) {
	reached, err := onLog(ctx, c, func(o engine.Options) (engine.Sequence, error) { return engine.RebuildProjections(ctx, o) })
	return uint64(reached), err
}

// Archive moves the oldest part of the log of a house, serving or stopped, into the files of
// its archive directory.
func Archive(ctx context.Context, c Config, r engine.Retention) (engine.Archived, error) {
	r.Dir, c.ArchiveDir = c.ArchiveDir, "" // it need not exist yet
	return onLog(ctx, c, func(o engine.Options) (engine.Archived, error) { return engine.ArchiveJournal(ctx, o, r) })
}

// ListJournal says what the log of a house consists of.
func ListJournal(ctx context.Context, c Config) (engine.JournalReport, error) {
	return onLog(ctx, c, func(o engine.Options) (engine.JournalReport, error) { return engine.ListJournal(ctx, o) })
}

// VerifyChain reads every record of the log and its archive, without replaying them.
func VerifyChain(ctx context.Context, c Config) (engine.JournalReport, error) {
	return onLog(ctx, c, func(o engine.Options) (engine.JournalReport, error) { return engine.VerifyChain(ctx, o) })
}
