package resolver

import (
	"context"

	"bourse/engine/account"
	"bourse/engine/money"
	"bourse/graph/scalar"
	"bourse/subgraphs/agent/internal/gen"
	"bourse/subgraphs/internal/viewer"
)

// Agent gives each member the agent who looks after it, as far as the caller may know.
func (r memberResolver) Agent(ctx context.Context, members []*gen.Member) ([]*gen.Agent, error) {
	return r.agentsOf(ctx, idsOf(members, func(m *gen.Member) account.ID { return m.AgentID }))
}

// Balances belong to the member subgraph, which the router asks; here they stand for who asks this
// subgraph directly.
func (r memberResolver) Balances(ctx context.Context, members []*gen.Member) ([][]*gen.Balance, error) {
	look, err := viewer.Look(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	ids := idsOf(members, func(m *gen.Member) account.ID {
		id, _ := scalar.DecodeID(scalar.Member, m.ID)
		return account.ID(id)
	})
	found, err := look.Balances(ctx, distinct(ids))
	if err != nil {
		return nil, err
	}
	out := make([][]*gen.Balance, len(members))
	for i, id := range ids {
		out[i] = balancesOf(found[id])
	}
	return out, nil
}

// Equity values the balances that the router brings along from the member subgraph, so that the sum
// fits the balances that stand beside it in the answer.
func (r memberResolver) Equity(ctx context.Context, _ *gen.Member, requires map[string]any) (*money.Decimal, error) {
	holdings, err := readHoldings(requires)
	if err != nil {
		return nil, err
	}
	prices, err := r.prices(ctx, holdings)
	if err != nil {
		return nil, err
	}
	worth, err := prices.value(holdings)
	return &worth, err
}
