package resolver

import (
	"context"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/graph/scalar"
	"bourse/subgraphs/internal/viewer"
	"bourse/subgraphs/member/internal/gen"
)

// An entity that is not there, or not the viewer's to see, is null without an error: the subgraph
// that named it has already said what there is to say.

func (r entityResolver) FindManyMarketBySymbols(ctx context.Context, reps []*gen.MarketBySymbolsInput) ([]*gen.Market, error) {
	markets := r.catalogue()
	out := make([]*gen.Market, len(reps))
	for i, rep := range reps {
		m, err := markets.market(ctx, market.Symbol(rep.Symbol))
		if err != nil && !isFault(err, fault.UnknownMarket) {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}

func (r entityResolver) FindManyMemberByIDs(ctx context.Context, reps []*gen.MemberByIDsInput) ([]*gen.Member, error) {
	return viewer.MemberEntities(ctx, r.Exchange, reps, func(rep *gen.MemberByIDsInput) string { return rep.ID }, memberOf)
}

func (r entityResolver) FindManyOrderByIDs(ctx context.Context, reps []*gen.OrderByIDsInput) ([]*gen.Order, error) {
	look, err := viewer.Look(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	markets := r.catalogue()
	out := make([]*gen.Order, len(reps))
	for i, rep := range reps {
		id, ok := scalar.DecodeID(scalar.Order, rep.ID)
		if !ok {
			continue
		}
		order, err := look.Order(ctx, market.OrderID(id))
		if invisible(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		m, err := markets.market(ctx, order.Symbol)
		if err != nil {
			return nil, err
		}
		out[i] = orderOf(&order, m)
	}
	return out, nil
}

func (r entityResolver) FindManyTradeByIDs(ctx context.Context, reps []*gen.TradeByIDsInput) ([]*gen.Trade, error) {
	visitor, markets := r.Exchange.Visitor(), r.catalogue()
	out := make([]*gen.Trade, len(reps))
	for i, rep := range reps {
		id, ok := scalar.DecodeID(scalar.Trade, rep.ID)
		if !ok {
			continue
		}
		trade, err := visitor.Trade(ctx, market.TradeID(id))
		if invisible(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		m, err := markets.market(ctx, trade.Symbol)
		if err != nil {
			return nil, err
		}
		out[i] = tradeOf(&trade, m)
	}
	return out, nil
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
		if invisible(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[i] = depositOf(&deposit)
	}
	return out, nil
}

// invisible reports whether something is not there or not the viewer's to see.
func invisible(err error) bool {
	return isFault(err, fault.NotFound) || isFault(err, fault.OrderNotFound) || isFault(err, fault.DepositNotFound)
}
