package house

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"bourse/engine"
	"bourse/frontends"
	"bourse/graph"
	"bourse/router"
	"bourse/router/fetch"
	"bourse/router/identity"
	"bourse/subgraphs/admin"
	"bourse/subgraphs/agent"
	"bourse/subgraphs/member"
)

// The headers that reach a subgraph beside Authorization. The first two prove that a request passed
// the router, and tell whence it came.
const (
	secretHeader  = "Bourse-Router-Secret"
	addressHeader = "Bourse-Client-Address"
	// minSequenceHeader lets a client read its own writes: answers show at least this sequence.
	minSequenceHeader = "Bourse-Min-Sequence"
)

// newRouter puts the router before the three subgraphs, which it calls without a socket.
func newRouter(x *engine.Exchange, queues *asynq.Inspector, logger *slog.Logger) (*router.Router, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("make the router's secret: %w", err)
	}
	secret := hex.EncodeToString(raw)
	subgraphs := fetch.NewLocal(map[string]http.Handler{
		"member": member.Handler(member.Options{Exchange: x, RouterSecret: secret, Logger: logger}),
		"agent":  agent.Handler(agent.Options{Exchange: x, RouterSecret: secret, Logger: logger}),
		"admin":  admin.Handler(admin.Options{Exchange: x, RouterSecret: secret, Logger: logger, Queues: queues}),
	})
	r, err := router.New(graph.Supergraph, router.Options{
		Fetcher:         subgraphs,
		ForwardHeaders:  []string{"Authorization", addressHeader, minSequenceHeader},
		SubgraphHeaders: http.Header{secretHeader: {secret}},
		Introspection:   true,
		StateFirst:      []string{"*"}, // every stream of ours begins with a snapshot
		Logger:          logger,
	})
	if err != nil {
		return nil, fmt.Errorf("start the router: %w", err)
	}
	return r, nil
}

// routes is the address space of the house.
func (h *House) routes(c Config, gateway http.Handler) http.Handler {
	clients := &identity.Addresses{Proxies: c.Proxies}
	mux := http.NewServeMux()
	mux.Handle("/graphql", withClientAddress(clients, gateway))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", h.serveReady)
	mux.Handle("GET /metrics", guardMetrics(c, promhttp.Handler()))
	mux.HandleFunc("GET /demo.json", h.serveDemo)
	mux.Handle("/", frontends.Handler())
	return mux
}

// withClientAddress writes down who is calling; whatever the caller claimed is dropped.
func withClientAddress(clients *identity.Addresses, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := r.RemoteAddr
		if at := clients.Client(r); at.IsValid() {
			address = at.String()
		}
		r.Header.Set(addressHeader, address)
		next.ServeHTTP(w, r)
	})
}

// guardMetrics shows metrics, on the address that everyone calls, to some alone. What came through a proxy that nobody vouches for is
// from anywhere, though the proxy be on this machine.
func guardMetrics(c Config, metrics http.Handler) http.Handler {
	from := c.MetricsFrom
	if len(from) == 0 {
		from = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	allowed := &identity.Addresses{Proxies: c.Proxies, Allow: from}
	guarded := allowed.Guard(metrics)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forwarded := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != ""
		if forwarded && allowed.Client(r) == identity.Peer(r) {
			http.Error(w, "metrics are not shown to proxies: name them with --trusted-proxy", http.StatusForbidden)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func (h *House) serveReady(w http.ResponseWriter, r *http.Request) {
	if err := h.ready(r.Context()); err != nil {
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// serveDemo tells the pages whether this is a demonstration, and then how to sign in.
func (h *House) serveDemo(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	demo := h.Demo
	if demo == nil {
		demo = &Demo{SignIns: []SignIn{}}
	}
	_ = json.NewEncoder(w).Encode(demo)
}
