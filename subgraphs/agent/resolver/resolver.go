// Package resolver answers the agent subgraph: the agent, its downline and invites, the deposits that
// wait for it, and what members are worth.
//
// Everything is mapped by hand from the exchange's types. It deliberately decides nothing: who stands
// in whose downline is said by the views of the exchange.
package resolver

import (
	"context"
	"errors"

	"bourse/engine"
	"bourse/engine/fault"
	"bourse/subgraphs/agent/internal/gen"
	"bourse/subgraphs/internal/viewer"
)

// Root is the root of all resolvers of the subgraph.
type Root struct {
	Exchange *engine.Exchange
	// ReferenceAsset is the code of the asset in which members' balances are valued.
	ReferenceAsset string
}

var _ gen.ResolverRoot = Root{}

// Agent resolves fields of agents.
func (r Root) Agent() gen.AgentResolver { return agentResolver{r} }

// Deposit resolves fields of deposits.
func (r Root) Deposit() gen.DepositResolver { return depositResolver{r} }

// Entity resolves what other subgraphs refer to.
func (r Root) Entity() gen.EntityResolver { return entityResolver{r} }

// Market resolves fields of markets.
func (r Root) Market() gen.MarketResolver { return marketResolver{r} }

// Member resolves fields of members.
func (r Root) Member() gen.MemberResolver { return memberResolver{r} }

// Mutation resolves mutations.
func (r Root) Mutation() gen.MutationResolver { return mutationResolver{r} }

// Query resolves queries.
func (r Root) Query() gen.QueryResolver { return queryResolver{r} }

type (
	agentResolver    struct{ Root }
	depositResolver  struct{ Root }
	entityResolver   struct{ Root }
	marketResolver   struct{ Root }
	memberResolver   struct{ Root }
	mutationResolver struct{ Root }
	queryResolver    struct{ Root }
)

// agent is the view of the signed-in agent; anyone else is refused.
func (r Root) agent(ctx context.Context) (*engine.Agent, error) {
	actor, err := viewer.Actor(ctx)
	if err != nil {
		return nil, err
	}
	return r.Exchange.Agent(actor)
}

func isFault(err error, code fault.Code) bool {
	var refusal *fault.Error
	return errors.As(err, &refusal) && refusal.Code == code
}

var errNoMember = fault.New(fault.NotFound, "there is no such member")
