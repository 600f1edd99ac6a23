package resolver

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

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

// Balances gives each member its balances, all read at once: a page of members is one question.
func (r memberResolver) Balances(ctx context.Context, members []*gen.Member) ([][]*gen.Balance, error) {
	look, err := viewer.Look(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	ids := make([]account.ID, len(members))
	for i, m := range members {
		if m != nil {
			id, _ := scalar.DecodeID(scalar.Member, m.ID)
			ids[i] = account.ID(id)
		}
	}
	found, err := look.Balances(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([][]*gen.Balance, len(members))
	refused := make(graphql.BatchErrorList, len(members))
	for i, id := range ids {
		balances, ok := found[id]
		if !ok {
			refused[i] = errNoMember
		}
		out[i] = balancesOf(balances)
	}
	return out, refused
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
		return nil, 0, errNoMember
	}
	look, err := viewer.Look(ctx, r.Exchange)
	return look, account.ID(id), err
}

var errNoMember = fault.New(fault.NotFound, "there is no such member")
