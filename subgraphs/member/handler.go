// Package member is the subgraph of those who trade: it owns markets, orders, trades, balances and
// the way to sign in. Visitors see what is public.
//
// It deliberately does not know the other subgraphs nor the router; they meet in the composed
// schema.
package member

import (
	"log/slog"
	"net/http"

	"bourse/engine"
	"bourse/subgraphs/internal/endpoint"
	"bourse/subgraphs/member/internal/gen"
	"bourse/subgraphs/member/resolver"
)

// Options is what the subgraph needs.
type Options struct {
	Exchange *engine.Exchange
	// RouterSecret must come with every request in the header Bourse-Router-Secret; it may not be
	// empty.
	RouterSecret string
	// Logger takes failures; slog.Default when nil.
	Logger *slog.Logger
}

// Handler serves the subgraph to the router.
func Handler(o Options) http.Handler {
	schema := gen.NewExecutableSchema(gen.Config{Resolvers: resolver.Root{Exchange: o.Exchange}})
	return endpoint.New(schema, endpoint.Options{
		RouterSecret: o.RouterSecret,
		Auth:         o.Exchange.Visitor(),
		Logger:       o.Logger,
		// How a client that holds an expired token gets a good one.
		Open: []string{"register", "signIn", "refreshSession", "signOut"},
	})
}
