// Package house puts the whole exchange into one process: the servers it needs, the
// engine, the three subgraphs, the router before them, the worker behind them and the
// pages in front.
//
//	browser ──▶ / ............ frontends
//	        └─▶ /graphql ..... router ──▶ member, agent, admin ──▶ engine ──▶ PostgreSQL
//	                                                          worker ──▶ Redis
//
// Start brings the parts up in the order in which they need each other, Stop takes them
// down in the reverse order. It decides nothing about trading.
package house

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"

	"bourse/cmd/embedded/postgres"
	"bourse/cmd/embedded/redis"
	"bourse/engine"
	"bourse/engine/auth"
	"bourse/worker"
)

// Config says which house. The zero value with DataDir set is a production house on
// embedded servers, which Start refuses for want of a secret.
type Config struct {
	// DataDir holds the embedded servers' data and, in a demonstration, the secret.
	DataDir string
	// DatabaseURL and RedisURL point at real servers; empty means embedded ones.
	DatabaseURL, RedisURL string
	// ArchiveDir holds what was archived of the log, for tools that read that far back; empty for none.
	ArchiveDir string
	// Secret signs access tokens, at least 32 bytes. A demonstration makes its own.
	Secret []byte
	// RouterSecret is what a subgraph in a process of its own expects of its router, at least 32
	// bytes. A whole house makes its own.
	RouterSecret string
	// Demo seeds a demonstration house with well-known sign-ins.
	Demo bool
	// Proxies are those whose word about their client's address counts (X-Forwarded-For); the throttle of sign-ins goes by it.
	Proxies []netip.Prefix
	// MetricsFrom are where /metrics may be asked from; empty: this machine.
	MetricsFrom []netip.Prefix
	// Version of this build, for metrics.
	Version string
	// Argon is the cost of a password hash; auth.DefaultParams where it is zero.
	Argon auth.Params
	// Logger hears what an operator should; nil is silent.
	Logger *slog.Logger
	// Progress hears, in a sentence each, the steps that take long. May be nil.
	Progress func(string)
}

// House is a running exchange.
type House struct {
	Exchange *engine.Exchange
	Demo     *Demo // nil in production

	handler  http.Handler
	database string
	ready    func(context.Context) error
	drain    func(context.Context)
	leaving  atomic.Bool
	closers  []closer // in the order of starting
}

type closer struct {
	name string
	stop func(context.Context) error
}

// Start brings a house up. What it has started when a step fails is stopped again.
func Start(ctx context.Context, c Config) (*House, error) {
	c = c.withDefaults()
	h := &House{}
	if err := h.start(ctx, c); err != nil {
		return nil, errors.Join(err, h.Stop(context.WithoutCancel(ctx)))
	}
	return h, nil
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	return c
}

// Handler serves everything: pages, /graphql, health and metrics.
func (h *House) Handler() http.Handler { return h.handler }

// DatabaseURL is where the house keeps its log, for tools that look beside it.
func (h *House) DatabaseURL() string { return h.database }

// Stop takes the house down, newest part first. Requests should have ended before.
func (h *House) Stop(ctx context.Context) error {
	var failed error
	for i := len(h.closers) - 1; i >= 0; i-- {
		if err := h.closers[i].stop(ctx); err != nil {
			failed = errors.Join(failed, fmt.Errorf("stop the %s: %w", h.closers[i].name, err))
		}
	}
	h.closers = nil
	return failed
}

func (h *House) later(name string, stop func(context.Context) error) {
	h.closers = append(h.closers, closer{name: name, stop: stop})
}

func (h *House) start(ctx context.Context, c Config) error {
	client, err := h.openExchange(ctx, c, c.process())
	if err != nil {
		return err
	}
	if err := h.seed(ctx, c); err != nil {
		return err
	}
	work, err := worker.Start(ctx, worker.Options{Exchange: h.Exchange, Redis: client, Logger: c.Logger})
	if err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	h.later("worker", work.Stop)
	gateway, metrics, err := h.startRouter(c, asynq.NewInspectorFromRedisClient(client))
	if err != nil {
		return err
	}
	h.drain = func(ctx context.Context) { _ = gateway.Close(ctx) } // closing twice is no error
	h.handler = h.routes(c, gateway, metrics)
	return nil
}

// openExchange brings up what every process of a house has: the servers, and the exchange on them.
func (h *House) openExchange(ctx context.Context, c Config, process engine.Process) (goredis.UniversalClient, error) {
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	pool, err := h.openDatabase(ctx, c)
	if err != nil {
		return nil, err
	}
	client, err := h.openRedis(ctx, c)
	if err != nil {
		return nil, err
	}
	c.Progress("restoring the exchange from its log")
	h.Exchange, err = engine.Open(ctx, engine.Options{
		DB: pool, Redis: client, Process: process, Logger: c.Logger, TokenSecret: secret, Argon: c.Argon,
	})
	if err != nil {
		return nil, fmt.Errorf("open the exchange: %w", err)
	}
	h.later("exchange", h.Exchange.Close)
	if !h.Exchange.Leads() {
		c.Progress("another process leads; this one follows")
	}
	h.ready = readiness(pool, client)
	return client, nil
}

// seed fills a demonstration, and keeps a production house from opening on its sign-ins.
func (h *House) seed(ctx context.Context, c Config) error {
	if !c.Demo {
		return refuseDemoSignIns(ctx, h.Exchange)
	}
	c.Progress("seeding the demonstration house")
	demo, err := seedDemo(ctx, h.Exchange)
	if err != nil {
		return fmt.Errorf("seed the demonstration house: %w", err)
	}
	h.Demo = demo
	return nil
}

func (h *House) openDatabase(ctx context.Context, c Config) (*pgxpool.Pool, error) {
	server, err := postgres.Start(ctx, postgres.Options{
		URL: c.DatabaseURL, DataDir: filepath.Join(c.DataDir, "postgres"), Logger: c.Logger, Progress: c.Progress,
	})
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	h.later("database", server.Stop)
	h.database = server.URL()
	pool, err := pgxpool.New(ctx, h.database)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	h.later("connections", func(context.Context) error { pool.Close(); return nil })
	c.Progress("migrating the database")
	if err := engine.Migrate(ctx, pool); err != nil {
		return nil, fmt.Errorf("migrate the database: %w", err)
	}
	return pool, nil
}

func (h *House) openRedis(ctx context.Context, c Config) (goredis.UniversalClient, error) {
	server, err := redis.Start(ctx, redis.Options{URL: c.RedisURL, DataDir: filepath.Join(c.DataDir, "redis"), Logger: c.Logger})
	if err != nil {
		return nil, fmt.Errorf("start Redis: %w", err)
	}
	h.later("redis", server.Stop)
	options, err := goredis.ParseURL(server.URL())
	if err != nil {
		return nil, fmt.Errorf("read the address of Redis: %w", err)
	}
	client := goredis.NewClient(options)
	h.later("redis connections", func(context.Context) error { return client.Close() })
	return client, nil
}

// readiness asks the servers that a request needs.
func readiness(pool *pgxpool.Pool, client goredis.UniversalClient) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if err := pool.Ping(ctx); err != nil {
			return fmt.Errorf("database: %w", err)
		}
		if err := client.Ping(ctx).Err(); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		return nil
	}
}
