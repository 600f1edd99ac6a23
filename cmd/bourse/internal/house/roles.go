package house

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"bourse/engine"
	"bourse/subgraphs/admin"
	"bourse/subgraphs/agent"
	"bourse/subgraphs/member"
	"bourse/worker"
)

// Role is the part of a house that a process plays alone, beside others on the same servers.
type Role string

// The roles. Engine decides commands, or stands by for the process that does; the others only ever
// bring them there.
const (
	Engine         Role = "engine"
	Worker         Role = "worker"
	MemberSubgraph Role = "member"
	AgentSubgraph  Role = "agent"
	AdminSubgraph  Role = "admin"
)

// ErrNotShared refuses a role to a process that would be alone with it.
var ErrNotShared = errors.New("one role of a house needs the servers that its other processes use: give --database-url and --redis-url (DATABASE_URL, REDIS_URL)")

// shared reports whether other processes can use the same servers.
func (c Config) shared() bool {
	return cmp.Or(c.DatabaseURL, os.Getenv("DATABASE_URL")) != "" && cmp.Or(c.RedisURL, os.Getenv("REDIS_URL")) != ""
}

// process is what a whole house is to others on its servers.
func (c Config) process() engine.Process {
	if c.shared() {
		return engine.Candidate
	}
	return engine.Alone
}

// StartRole brings up a process that plays one role. Its handler serves health and metrics, and a
// subgraph at /graphql to a router that sends the router's secret.
func StartRole(ctx context.Context, c Config, role Role) (*House, error) {
	c = c.withDefaults()
	if !c.shared() {
		return nil, ErrNotShared
	}
	h := &House{}
	if err := h.startRole(ctx, c, role); err != nil {
		return nil, errors.Join(err, h.Stop(context.WithoutCancel(ctx)))
	}
	return h, nil
}

func (h *House) startRole(ctx context.Context, c Config, role Role) error {
	process := engine.Follower
	if role == Engine {
		process = engine.Candidate
	}
	client, err := h.openExchange(ctx, c, process)
	if err != nil {
		return err
	}
	if !c.Demo {
		if err := refuseDemoSignIns(ctx, h.Exchange); err != nil {
			return err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", h.serveReady)
	mux.Handle("GET /metrics", guardMetrics(c, promhttp.Handler()))
	h.handler = mux
	var subgraph http.Handler
	switch role {
	case Engine:
		return nil
	case Worker:
		work, err := worker.Start(ctx, worker.Options{Exchange: h.Exchange, Redis: client, Logger: c.Logger})
		if err != nil {
			return fmt.Errorf("start the worker: %w", err)
		}
		h.later("worker", work.Stop)
		return nil
	case MemberSubgraph:
		subgraph = member.Handler(member.Options{Exchange: h.Exchange, RouterSecret: c.RouterSecret, Logger: c.Logger})
	case AgentSubgraph:
		subgraph = agent.Handler(agent.Options{Exchange: h.Exchange, RouterSecret: c.RouterSecret, Logger: c.Logger})
	case AdminSubgraph:
		subgraph = admin.Handler(admin.Options{
			Exchange: h.Exchange, RouterSecret: c.RouterSecret, Logger: c.Logger, Queues: asynq.NewInspectorFromRedisClient(client),
		})
	default:
		return fmt.Errorf("there is no role %q", role)
	}
	if len(c.RouterSecret) < minSecret {
		return fmt.Errorf("a subgraph answers its router alone: set BOURSE_ROUTER_SECRET to at least %d random bytes, for both", minSecret)
	}
	mux.Handle("/graphql", subgraph)
	return nil
}
