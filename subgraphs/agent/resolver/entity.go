package resolver

import (
	"context"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/graph/scalar"
	"bourse/subgraphs/agent/internal/gen"
	"bourse/subgraphs/internal/viewer"
)

// An entity that is not the viewer's to see is null without an error: the subgraph that named it has
// already said what there is to say.

func (r entityResolver) FindManyAgentByIDs(ctx context.Context, reps []*gen.AgentByIDsInput) ([]*gen.Agent, error) {
	ids := make([]account.ID, len(reps))
	for i, rep := range reps {
		id, _ := scalar.DecodeID(scalar.Agent, rep.ID)
		ids[i] = account.ID(id)
	}
	return r.agentsOf(ctx, ids)
}

func (r entityResolver) FindManyMemberByIDs(ctx context.Context, reps []*gen.MemberByIDsInput) ([]*gen.Member, error) {
	return viewer.MemberEntities(ctx, r.Exchange, reps, func(rep *gen.MemberByIDsInput) string { return rep.ID }, memberOf)
}

func (r entityResolver) FindManyDepositByIDs(ctx context.Context, reps []*gen.DepositByIDsInput) ([]*gen.Deposit, error) {
	look, err := viewer.Look(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	out := make([]*gen.Deposit, len(reps))
	for i, rep := range reps {
		id, ok := scalar.DecodeID(scalar.Deposit, rep.ID)
		if !ok {
			continue
		}
		deposit, err := look.Deposit(ctx, account.DepositID(id))
		if isFault(err, fault.DepositNotFound) || isFault(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[i] = depositOf(&deposit)
	}
	return out, nil
}

// FindManyMarketBySymbols takes the router's word that the markets are there: this subgraph only adds
// to them.
func (r entityResolver) FindManyMarketBySymbols(_ context.Context, reps []*gen.MarketBySymbolsInput) ([]*gen.Market, error) {
	out := make([]*gen.Market, len(reps))
	for i, rep := range reps {
		out[i] = &gen.Market{Symbol: rep.Symbol}
	}
	return out, nil
}

// DownlineVolume is null for all but agents.
func (r marketResolver) DownlineVolume(ctx context.Context, obj *gen.Market) (*money.Decimal, error) {
	if !viewer.Is(ctx, account.RoleAgent) {
		return nil, nil
	}
	view, err := r.agent(ctx)
	if err != nil {
		return nil, err
	}
	volume, err := view.DownlineVolume(ctx, market.Symbol(obj.Symbol))
	if err != nil {
		return nil, err
	}
	return &volume, nil
}

// FindManyOrderByIDs adds the member to orders of the downline, and nothing to others.
func (r entityResolver) FindManyOrderByIDs(ctx context.Context, reps []*gen.OrderByIDsInput) ([]*gen.Order, error) {
	out := make([]*gen.Order, len(reps))
	for i, rep := range reps {
		out[i] = &gen.Order{ID: rep.ID}
	}
	if !viewer.Is(ctx, account.RoleAgent) {
		return out, nil
	}
	view, err := r.agent(ctx)
	if err != nil {
		return nil, err
	}
	placedBy := make([]account.ID, len(reps))
	for i, rep := range reps {
		id, ok := scalar.DecodeID(scalar.Order, rep.ID)
		if !ok {
			continue
		}
		order, err := view.Order(ctx, market.OrderID(id))
		if isFault(err, fault.OrderNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		placedBy[i] = order.MemberID
	}
	look, err := viewer.Look(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	found, err := look.Members(ctx, distinct(placedBy))
	if err != nil {
		return nil, err
	}
	for i, id := range placedBy {
		if member, ok := found[id]; ok {
			out[i].Member = memberOf(&member)
		}
	}
	return out, nil
}
