package house

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"

	"bourse/cmd/embedded/postgres"
	"bourse/engine"
)

// Leave has load balancers send nothing new here: the house is not ready from now on. All else goes on.
func (h *House) Leave() { h.leaving.Store(true) }

// Drain tells every stream that the house is closing, so that clients come back later
// instead of waiting. Requests under way go on.
func (h *House) Drain(ctx context.Context) {
	h.Leave()
	if h.drain != nil {
		h.drain(ctx)
	}
}

// Migrate brings the database of a house to this version's schema.
func Migrate(ctx context.Context, c Config) error {
	return withDatabase(ctx, c, func(pool *pgxpool.Pool) error { return engine.Migrate(ctx, pool) })
}

// VerifyAudit walks the audit's hash chain.
func VerifyAudit(ctx context.Context, c Config) (engine.AuditReport, error) {
	var report engine.AuditReport
	err := withDatabase(ctx, c, func(pool *pgxpool.Pool) (err error) {
		report, err = engine.VerifyAudit(ctx, engine.Options{DB: pool})
		return err
	})
	return report, err
}

// CreateAdmin adds an admin to a house; the first one too.
func CreateAdmin(ctx context.Context, c Config, username, password, displayName string) error {
	return withDatabase(ctx, c, func(pool *pgxpool.Pool) error {
		if err := engine.Migrate(ctx, pool); err != nil {
			return fmt.Errorf("migrate the database: %w", err)
		}
		return engine.CreateAdmin(ctx, engine.Options{DB: pool, Argon: c.Argon}, username, password, displayName)
	})
}

// withDatabase calls do with the database of a house: the one configured, the one that a
// serving house runs on this data directory, or one started for the moment.
func withDatabase(ctx context.Context, c Config, do func(*pgxpool.Pool) error) error {
	o := postgres.Options{URL: c.DatabaseURL, DataDir: filepath.Join(c.DataDir, "postgres"), Logger: c.Logger, Progress: c.Progress}
	server, notAttached := postgres.Attach(ctx, o)
	if notAttached != nil { // not running, or on its way down after its house was killed
		var err error
		if server, err = postgres.Start(ctx, o); err != nil {
			return fmt.Errorf("reach the database: %w", errors.Join(notAttached, err))
		}
	}
	pool, err := pgxpool.New(ctx, server.URL())
	if err == nil {
		err = do(pool)
		pool.Close()
	}
	return errors.Join(err, server.Stop(context.WithoutCancel(ctx)))
}
