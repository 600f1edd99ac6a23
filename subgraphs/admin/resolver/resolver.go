// Package resolver answers the admin subgraph: assets and markets and their phases, the people of the
// house, the audit, and how the house is doing.
//
// Everything is mapped by hand from the exchange's types. It deliberately decides nothing: which
// admin may do what is said by the views of the exchange.
package resolver

import (
	"context"
	"log/slog"

	"github.com/hibiken/asynq"

	"bourse/engine"
	"bourse/subgraphs/admin/internal/gen"
	"bourse/subgraphs/internal/viewer"
)

// Root is the root of all resolvers of the subgraph.
type Root struct {
	Exchange *engine.Exchange
	// Inspector tells how the job queues are; nil where this process cannot know.
	Inspector Queues
	Log       *slog.Logger
}

// Queues is what an asynq.Inspector knows of queues.
type Queues interface {
	Queues() ([]string, error)
	GetQueueInfo(queue string) (*asynq.QueueInfo, error)
}

var (
	_ gen.ResolverRoot = Root{}
	_ Queues           = (*asynq.Inspector)(nil)
)

// Entity resolves what other subgraphs refer to.
func (r Root) Entity() gen.EntityResolver { return entityResolver{r} }

// Health resolves fields of the house's health.
func (r Root) Health() gen.HealthResolver { return healthResolver{r} }

// Market resolves fields of markets.
func (r Root) Market() gen.MarketResolver { return marketResolver{r} }

// Mutation resolves mutations.
func (r Root) Mutation() gen.MutationResolver { return mutationResolver{r} }

// Order resolves fields of orders.
func (r Root) Order() gen.OrderResolver { return orderResolver{r} }

// Query resolves queries.
func (r Root) Query() gen.QueryResolver { return queryResolver{r} }

type (
	entityResolver   struct{ Root }
	healthResolver   struct{ Root }
	marketResolver   struct{ Root }
	mutationResolver struct{ Root }
	orderResolver    struct{ Root }
	queryResolver    struct{ Root }
)

// admin is the view of the signed-in admin; anyone else is refused.
func (r Root) admin(ctx context.Context) (*engine.Admin, error) {
	actor, err := viewer.Actor(ctx)
	if err != nil {
		return nil, err
	}
	return r.Exchange.Admin(actor)
}
