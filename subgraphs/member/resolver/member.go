package resolver

import (
	"context"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/graph/scalar"
	"bourse/subgraphs/internal/viewer"
	"bourse/subgraphs/member/internal/gen"
)

func (r queryResolver) Me(ctx context.Context) (*gen.Member, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	profile, err := member.Profile(ctx)
	if err != nil {
		return nil, err
	}
	return memberOf(&profile), nil
}

func (r memberResolver) Balances(ctx context.Context, obj *gen.Member) ([]*gen.Balance, error) {
	look, id, err := r.look(ctx, obj)
	if err != nil {
		return nil, err
	}
	balances, err := look.Balances(ctx, id)
	if err != nil {
		return nil, err
	}
	return balancesOf(balances), nil
}

func (r memberResolver) Orders(ctx context.Context, obj *gen.Member, symbol *string, openOnly bool, first int, after *string) (*gen.OrderConnection, error) {
	look, id, err := r.look(ctx, obj)
	if err != nil {
		return nil, err
	}
	page, err := look.Orders(ctx, id,
		engine.OrderFilter{Symbol: market.Symbol(orZero(symbol)), OpenOnly: openOnly},
		engine.Page{First: first, After: orZero(after)})
	if err != nil {
		return nil, err
	}
	nodes, err := r.orders(ctx, page.Items)
	if err != nil {
		return nil, err
	}
	edges := make([]*gen.OrderEdge, len(nodes))
	for i, node := range nodes {
		edges[i] = &gen.OrderEdge{Cursor: page.Items[i].Cursor(), Node: node}
	}
	return &gen.OrderConnection{Edges: edges, Nodes: nodes, PageInfo: pageInfo(page.HasNext, page.Next)}, nil
}

func (r memberResolver) Fills(ctx context.Context, obj *gen.Member, symbol *string, first int, after *string) (*gen.FillConnection, error) {
	look, id, err := r.look(ctx, obj)
	if err != nil {
		return nil, err
	}
	page, err := look.Fills(ctx, id,
		engine.FillFilter{Symbol: market.Symbol(orZero(symbol))},
		engine.Page{First: first, After: orZero(after)})
	if err != nil {
		return nil, err
	}
	nodes, err := r.fills(ctx, page.Items)
	if err != nil {
		return nil, err
	}
	edges := make([]*gen.FillEdge, len(nodes))
	for i, node := range nodes {
		edges[i] = &gen.FillEdge{Cursor: page.Items[i].Cursor(), Node: node}
	}
	return &gen.FillConnection{Edges: edges, Nodes: nodes, PageInfo: pageInfo(page.HasNext, page.Next)}, nil
}

func (r memberResolver) Deposits(ctx context.Context, obj *gen.Member, first int, after *string) (*gen.DepositConnection, error) {
	look, id, err := r.look(ctx, obj)
	if err != nil {
		return nil, err
	}
	page, err := look.Deposits(ctx, id, engine.Page{First: first, After: orZero(after)})
	if err != nil {
		return nil, err
	}
	nodes := make([]*gen.Deposit, len(page.Items))
	edges := make([]*gen.DepositEdge, len(page.Items))
	for i := range page.Items {
		nodes[i] = depositOf(&page.Items[i])
		edges[i] = &gen.DepositEdge{Cursor: engine.DepositCursor(page.Items[i].ID), Node: nodes[i]}
	}
	return &gen.DepositConnection{Edges: edges, Nodes: nodes, PageInfo: pageInfo(page.HasNext, page.Next)}, nil
}

// look returns the viewer's eyes and the member that they are to look at. The exchange decides, with
// each look, whether they may.
func (r Root) look(ctx context.Context, obj *gen.Member) (viewer.Onlooker, account.ID, error) {
	id, ok := scalar.DecodeID(scalar.Member, obj.ID)
	if !ok {
		return nil, 0, fault.New(fault.NotFound, "there is no such member")
	}
	look, err := viewer.Look(ctx, r.Exchange)
	return look, account.ID(id), err
}
