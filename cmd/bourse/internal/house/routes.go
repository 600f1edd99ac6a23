package house

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"

	"bourse/frontends"
	"bourse/router/identity"
)

// routes is the address space of the house.
func (h *House) routes(c Config, gateway, metrics http.Handler) http.Handler {
	clients := &identity.Addresses{Proxies: c.Proxies}
	mux := http.NewServeMux()
	mux.Handle("/graphql", withClientAddress(clients, gateway))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", h.serveReady)
	mux.Handle("GET /metrics", guardMetrics(c, metrics))
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
	if h.leaving.Load() {
		http.Error(w, "not ready: shutting down", http.StatusServiceUnavailable)
		return
	}
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
