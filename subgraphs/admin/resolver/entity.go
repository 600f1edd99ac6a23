package resolver

import (
	"context"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/graph/scalar"
	"bourse/subgraphs/admin/internal/gen"
	"bourse/subgraphs/internal/viewer"
)

// An entity that is not the viewer's to see is null without an error: the subgraph that named it has
// already said what there is to say.

func (r entityResolver) FindManyMemberByIDs(ctx context.Context, reps []*gen.MemberByIDsInput) ([]*gen.Member, error) {
	return viewer.MemberEntities(ctx, r.Exchange, reps, func(rep *gen.MemberByIDsInput) string { return rep.ID }, memberOf)
}

func (r entityResolver) FindManyAgentByIDs(ctx context.Context, reps []*gen.AgentByIDsInput) ([]*gen.Agent, error) {
	look, err := viewer.Look(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	ids := make([]account.ID, len(reps))
	for i, rep := range reps {
		id, _ := scalar.DecodeID(scalar.Agent, rep.ID)
		ids[i] = account.ID(id)
	}
	found, err := look.Agents(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]*gen.Agent, len(reps))
	for i, id := range ids {
		if agent, ok := found[id]; ok {
			out[i] = agentOf(&agent)
		}
	}
	return out, nil
}

// FindManyMarketBySymbols takes the router's word that the markets are there: this subgraph only adds
// to them.
func (r entityResolver) FindManyMarketBySymbols(_ context.Context, reps []*gen.MarketBySymbolsInput) ([]*gen.Market, error) {
	out := make([]*gen.Market, len(reps))
	for i, rep := range reps {
		out[i] = marketOf(market.Symbol(rep.Symbol))
	}
	return out, nil
}

// FindManyOrderByIDs takes the router's word as well; what it adds is for admins alone.
func (r entityResolver) FindManyOrderByIDs(_ context.Context, reps []*gen.OrderByIDsInput) ([]*gen.Order, error) {
	out := make([]*gen.Order, len(reps))
	for i, rep := range reps {
		out[i] = &gen.Order{ID: rep.ID}
	}
	return out, nil
}

// AcceptedSequence is null for all but admins.
func (r orderResolver) AcceptedSequence(ctx context.Context, obj *gen.Order) (*uint64, error) {
	id, ok := scalar.DecodeID(scalar.Order, obj.ID)
	if !ok || !viewer.Is(ctx, account.RoleAdmin) {
		return nil, nil
	}
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	order, err := view.Order(ctx, market.OrderID(id))
	if isFault(err, fault.OrderNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sequence := uint64(order.Sequence)
	return &sequence, nil
}

// FindManyTradeByIDs adds who met in a trade, for admins, and nothing for others.
func (r entityResolver) FindManyTradeByIDs(ctx context.Context, reps []*gen.TradeByIDsInput) ([]*gen.Trade, error) {
	out := make([]*gen.Trade, len(reps))
	for i, rep := range reps {
		out[i] = &gen.Trade{ID: rep.ID}
	}
	if !viewer.Is(ctx, account.RoleAdmin) {
		return out, nil
	}
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	for i, rep := range reps {
		id, ok := scalar.DecodeID(scalar.Trade, rep.ID)
		if !ok {
			continue
		}
		trade, err := view.Trade(ctx, market.TradeID(id))
		if isFault(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sequence := uint64(trade.Sequence)
		out[i].Sequence = &sequence
		out[i].MakerOrder = orderOf(trade.MakerOrder)
		out[i].TakerOrder = orderOf(trade.TakerOrder)
	}
	return out, nil
}
