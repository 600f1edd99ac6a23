// Package admin is the subgraph of those who run the house: markets and their phases, people, the
// audit, and how the house is doing.
//
// It deliberately does not know the other subgraphs nor the router; they meet in the composed
// schema.
package admin

import (
	"log/slog"
	"net/http"

	"bourse/engine"
	"bourse/subgraphs/admin/internal/gen"
	"bourse/subgraphs/admin/resolver"
	"bourse/subgraphs/internal/endpoint"
)

// Options is what the subgraph needs.
type Options struct {
	Exchange *engine.Exchange
	// RouterSecret must come with every request in the header Bourse-Router-Secret; it may not be
	// empty.
	RouterSecret string
	// Queues tells how the job queues are; an asynq.Inspector is one. May be nil: then the house's
	// health lists no queues.
	Queues resolver.Queues
	// Logger takes failures; slog.Default when nil.
	Logger *slog.Logger
}

// Handler serves the subgraph to the router.
func Handler(o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	root := resolver.Root{Exchange: o.Exchange, Inspector: o.Queues, Log: o.Logger}
	schema := gen.NewExecutableSchema(gen.Config{Resolvers: root})
	return endpoint.New(schema, endpoint.Options{
		RouterSecret: o.RouterSecret,
		Auth:         o.Exchange.Visitor(),
		Logger:       o.Logger,
	})
}
