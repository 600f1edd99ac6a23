package resolver

import (
	"context"

	"bourse/engine"
	"bourse/engine/market"
	"bourse/graph/scalar"
	"bourse/subgraphs/member/internal/gen"
)

func (r mutationResolver) PlaceOcoOrder(ctx context.Context, input gen.PlaceOcoOrderInput) (*gen.PlaceOcoOrderPayload, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	limit, stop, sequence, err := member.PlaceOCO(ctx, engine.PlaceOCO{
		Key: input.ClientKey, Symbol: market.Symbol(input.Market), Side: sides[input.Side], Quantity: input.Quantity.String(),
		Price: input.Price.String(), TriggerPrice: input.TriggerPrice.String(), StopPrice: text(input.StopPrice),
		TimeInForce: timesInForce[input.TimeInForce], ExpiresAt: orZero(input.ExpiresAt), SelfTrade: selfTradeModes[input.SelfTradeMode],
	})
	if err != nil {
		return nil, err
	}
	shown, err := r.orders(ctx, []engine.Order{limit, stop})
	if err != nil {
		return nil, err
	}
	return &gen.PlaceOcoOrderPayload{Limit: shown[0], Stop: shown[1], Sequence: uint64(sequence)}, nil
}

func (r mutationResolver) PlaceBracketOrder(ctx context.Context, input gen.PlaceBracketOrderInput) (*gen.PlaceBracketOrderPayload, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	entry, takeProfit, stopLoss, sequence, err := member.PlaceBracket(ctx, engine.PlaceBracket{
		Key: input.ClientKey, Symbol: market.Symbol(input.Market), Side: sides[input.Side], Type: orderTypes[input.Type],
		TimeInForce: timesInForce[input.TimeInForce], Price: text(input.Price), Quantity: input.Quantity.String(),
		ExpiresAt: orZero(input.ExpiresAt), TakeProfitPrice: input.TakeProfitPrice.String(),
		StopTriggerPrice: input.StopTriggerPrice.String(), StopPrice: text(input.StopPrice), SelfTrade: selfTradeModes[input.SelfTradeMode],
	})
	if err != nil {
		return nil, err
	}
	shown, err := r.orders(ctx, []engine.Order{entry, takeProfit, stopLoss})
	if err != nil {
		return nil, err
	}
	return &gen.PlaceBracketOrderPayload{Entry: shown[0], TakeProfit: shown[1], StopLoss: shown[2], Sequence: uint64(sequence)}, nil
}

func (r mutationResolver) AmendOrder(ctx context.Context, input gen.AmendOrderInput) (*gen.AmendOrderPayload, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	id, ok := scalar.DecodeID(scalar.Order, input.OrderID)
	if !ok {
		return nil, errNoOrder
	}
	amended, sequence, err := member.AmendOrder(ctx, engine.AmendOrder{
		Key: input.ClientKey, OrderID: market.OrderID(id), Price: text(input.Price), Quantity: text(input.Quantity),
	})
	if err != nil {
		return nil, err
	}
	shown, err := r.order(ctx, &amended)
	if err != nil {
		return nil, err
	}
	return &gen.AmendOrderPayload{Order: shown, Sequence: uint64(sequence)}, nil
}
