// Package agent is the subgraph of those who bring members and look after them: the agent tree,
// invites, deposits that wait for a decision, and what a member's balances are worth.
//
// It deliberately does not know the other subgraphs nor the router; they meet in the composed
// schema.
package agent

import (
	"log/slog"
	"net/http"

	"bourse/engine"
	"bourse/subgraphs/agent/internal/gen"
	"bourse/subgraphs/agent/resolver"
	"bourse/subgraphs/internal/endpoint"
)

// DefaultReferenceAsset is the asset in which balances are valued where nothing else is said.
const DefaultReferenceAsset = "USDT"

// Options is what the subgraph needs.
type Options struct {
	Exchange *engine.Exchange
	// RouterSecret must come with every request in the header Bourse-Router-Secret; it may not be
	// empty.
	RouterSecret string
	// ReferenceAsset is the code of the asset in which balances are valued; DefaultReferenceAsset
	// when empty.
	ReferenceAsset string
	// Logger takes failures; slog.Default when nil.
	Logger *slog.Logger
}

// Handler serves the subgraph to the router.
func Handler(o Options) http.Handler {
	if o.ReferenceAsset == "" {
		o.ReferenceAsset = DefaultReferenceAsset
	}
	root := resolver.Root{Exchange: o.Exchange, ReferenceAsset: o.ReferenceAsset}
	schema := gen.NewExecutableSchema(gen.Config{Resolvers: root})
	return endpoint.New(schema, endpoint.Options{
		RouterSecret: o.RouterSecret,
		Auth:         o.Exchange.Visitor(),
		Logger:       o.Logger,
	})
}
