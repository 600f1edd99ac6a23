package resolver

import (
	"context"

	"bourse/engine"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/graph/scalar"
	"bourse/subgraphs/internal/viewer"
	"bourse/subgraphs/member/internal/gen"
)

func (r mutationResolver) PlaceOrder(ctx context.Context, input gen.PlaceOrderInput) (*gen.PlaceOrderPayload, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	ask := engine.PlaceOrder{
		Key:         input.ClientKey,
		Symbol:      market.Symbol(input.Market),
		Side:        sides[input.Side],
		Type:        orderTypes[input.Type],
		TimeInForce: timesInForce[input.TimeInForce],

		Price:           text(input.Price),
		Quantity:        text(input.Quantity),
		QuoteAmount:     text(input.QuoteAmount),
		TriggerPrice:    text(input.TriggerPrice),
		TrailDistance:   text(input.TrailDistance),
		DisplayQuantity: text(input.DisplayQuantity),
		PostOnly:        input.PostOnly,
		SelfTrade:       selfTradeModes[input.SelfTradeMode],
		ExpiresAt:       orZero(input.ExpiresAt),
	}
	placed, sequence, err := member.PlaceOrder(ctx, ask)
	if err != nil {
		return nil, err
	}
	shown, err := r.order(ctx, &placed)
	if err != nil {
		return nil, err
	}
	return &gen.PlaceOrderPayload{Order: shown, Sequence: uint64(sequence)}, nil
}

func (r mutationResolver) CancelOrder(ctx context.Context, input gen.CancelOrderInput) (*gen.CancelOrderPayload, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	id, ok := scalar.DecodeID(scalar.Order, input.OrderID)
	if !ok {
		return nil, errNoOrder
	}
	cancelled, sequence, err := member.CancelOrder(ctx, engine.CancelOrder{Key: input.ClientKey, OrderID: market.OrderID(id)})
	if err != nil {
		return nil, err
	}
	shown, err := r.order(ctx, &cancelled)
	if err != nil {
		return nil, err
	}
	return &gen.CancelOrderPayload{Order: shown, Sequence: uint64(sequence)}, nil
}

func (r mutationResolver) CancelAllOrders(ctx context.Context, input gen.CancelAllOrdersInput) (*gen.CancelAllOrdersPayload, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	count, sequence, err := member.CancelAll(ctx, engine.CancelAll{
		Key: input.ClientKey, Symbol: market.Symbol(orZero(input.Market)),
	})
	if err != nil {
		return nil, err
	}
	return &gen.CancelAllOrdersPayload{Cancelled: count, Sequence: uint64(sequence)}, nil
}

func (r queryResolver) Order(ctx context.Context, id string) (*gen.Order, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	n, ok := scalar.DecodeID(scalar.Order, id)
	if !ok {
		return nil, nil
	}
	found, err := member.Order(ctx, market.OrderID(n))
	if isFault(err, fault.OrderNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.order(ctx, &found)
}

// Order gives each fill its order, each order looked up once for the whole list.
func (r fillResolver) Order(ctx context.Context, fills []*gen.Fill) ([]*gen.Order, error) {
	look, err := viewer.Look(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	markets := r.catalogue()
	known := make(map[market.OrderID]*gen.Order)
	out := make([]*gen.Order, len(fills))
	for i, fill := range fills {
		if fill == nil {
			continue
		}
		if known[fill.OrderID] == nil {
			order, err := look.Order(ctx, fill.OrderID)
			if err != nil {
				return nil, err
			}
			m, err := markets.market(ctx, order.Symbol)
			if err != nil {
				return nil, err
			}
			known[fill.OrderID] = orderOf(&order, m)
		}
		out[i] = known[fill.OrderID]
	}
	return out, nil
}

func (r Root) order(ctx context.Context, o *engine.Order) (*gen.Order, error) {
	m, err := r.catalogue().market(ctx, o.Symbol)
	if err != nil {
		return nil, err
	}
	return orderOf(o, m), nil
}

func (r Root) orders(ctx context.Context, orders []engine.Order) ([]*gen.Order, error) {
	markets := r.catalogue()
	out := make([]*gen.Order, len(orders))
	for i := range orders {
		m, err := markets.market(ctx, orders[i].Symbol)
		if err != nil {
			return nil, err
		}
		out[i] = orderOf(&orders[i], m)
	}
	return out, nil
}

func (r Root) fills(ctx context.Context, fills []engine.Fill) ([]*gen.Fill, error) {
	markets := r.catalogue()
	out := make([]*gen.Fill, len(fills))
	for i := range fills {
		m, err := markets.market(ctx, fills[i].Symbol)
		if err != nil {
			return nil, err
		}
		out[i] = fillOf(&fills[i], m)
	}
	return out, nil
}

var errNoOrder = fault.New(fault.OrderNotFound, "you have no such order")

var (
	sides      = map[gen.Side]market.Side{gen.SideBuy: market.Buy, gen.SideSell: market.Sell}
	orderTypes = map[gen.OrderType]market.Type{
		gen.OrderTypeLimit: market.Limit, gen.OrderTypeMarket: market.Market, gen.OrderTypeStop: market.Stop,
		gen.OrderTypeStopLimit: market.StopLimit, gen.OrderTypeTrailingStop: market.TrailingStop,
	}
	timesInForce = map[gen.TimeInForce]market.TimeInForce{
		gen.TimeInForceGtc: market.GTC, gen.TimeInForceIoc: market.IOC, gen.TimeInForceFok: market.FOK,
		gen.TimeInForceDay: market.DAY, gen.TimeInForceGtd: market.GTD,
	}
	selfTradeModes = map[gen.SelfTradeMode]market.SelfTrade{
		gen.SelfTradeModeCancelTaker: market.CancelTaker, gen.SelfTradeModeCancelMaker: market.CancelMaker,
		gen.SelfTradeModeCancelBoth: market.CancelBoth, gen.SelfTradeModeDecrement: market.Decrement,
		gen.SelfTradeModeAllow: market.Allow,
	}
)

// text is a decimal as the exchange reads it; absent is empty.
func text(d *money.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}
