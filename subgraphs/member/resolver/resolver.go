// Package resolver answers the member subgraph: signing in, markets, orders, balances and deposits,
// and what happens to them as it happens.
//
// Everything is mapped by hand from the exchange's types, so that a field of the engine never
// appears in the API by accident. It deliberately decides nothing: who may see or do what is said by
// the views of the exchange, and which code a refusal is shown with by package present.
package resolver

import (
	"context"

	"bourse/engine"
	"bourse/subgraphs/internal/viewer"
	"bourse/subgraphs/member/internal/gen"
)

// Root is the root of all resolvers of the subgraph.
type Root struct {
	Exchange *engine.Exchange
}

var _ gen.ResolverRoot = Root{}

// Entity resolves what other subgraphs refer to.
func (r Root) Entity() gen.EntityResolver { return entityResolver{r} }

// Fill resolves fields of fills.
func (r Root) Fill() gen.FillResolver { return fillResolver{r} }

// Market resolves fields of markets.
func (r Root) Market() gen.MarketResolver { return marketResolver{r} }

// Member resolves fields of members.
func (r Root) Member() gen.MemberResolver { return memberResolver{r} }

// Mutation resolves mutations.
func (r Root) Mutation() gen.MutationResolver { return mutationResolver{r} }

// Query resolves queries.
func (r Root) Query() gen.QueryResolver { return queryResolver{r} }

// Subscription resolves subscriptions.
func (r Root) Subscription() gen.SubscriptionResolver { return subscriptionResolver{r} }

type (
	entityResolver       struct{ Root }
	fillResolver         struct{ Root }
	marketResolver       struct{ Root }
	memberResolver       struct{ Root }
	mutationResolver     struct{ Root }
	queryResolver        struct{ Root }
	subscriptionResolver struct{ Root }
)

// member is the view of the signed-in member; anyone else is refused.
func (r Root) member(ctx context.Context) (*engine.Member, error) {
	actor, err := viewer.Actor(ctx)
	if err != nil {
		return nil, err
	}
	return r.Exchange.Member(actor)
}
