package engine

import (
	"context"
	"time"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/venue"
)

// AmendOrder asks for another price, another total quantity or both; an empty one stays.
type AmendOrder struct {
	Key             string
	OrderID         market.OrderID
	Price, Quantity string
}

// AmendOrder changes an order that rests in the book. It keeps its place when the price stays and the
// quantity falls, and otherwise comes anew, with its id. Refusals: ORDER_NOT_FOUND, ORDER_NOT_OPEN,
// ORDER_NOT_AMENDABLE, INVALID_AMEND and those of PlaceOrder.
func (m *Member) AmendOrder(ctx context.Context, ask AmendOrder) (Order, Sequence, error) {
	order, err := m.Order(ctx, ask.OrderID)
	if err != nil {
		return Order{}, 0, err
	}
	d, err := m.x.definition(order.Symbol)
	if err != nil {
		return Order{}, 0, err
	}
	p := orderParser{definition: d}
	cmd := &venue.AmendOrder{Actor: m.actor.ID, Key: ask.Key, Order: ask.OrderID}
	if ask.Price != "" {
		cmd.Price = p.price(ask.Price)
	}
	if ask.Quantity != "" {
		cmd.Quantity = p.quantity(ask.Quantity)
	}
	if p.err != nil {
		return Order{}, 0, p.err
	}
	receipt, err := m.x.submit(ctx, cmd)
	if err != nil {
		return Order{}, 0, err
	}
	order, err = m.x.memberOrder(ctx, m.actor.ID, receipt.Order)
	return order, receipt.Sequence, err
}

// PlaceOCO is a limit order and a stop of which one cancels the other.
type PlaceOCO struct {
	Key      string
	Symbol   market.Symbol
	Side     market.Side
	Quantity string
	// Price is that of the limit order, TriggerPrice that of the stop, StopPrice the limit of a stop
	// that has one.
	Price, TriggerPrice, StopPrice string
	TimeInForce                    market.TimeInForce // 0: GTC
	ExpiresAt                      time.Time          // for GTD
	SelfTrade                      market.SelfTrade
}

// PlaceOCO returns the limit order and the stop. Refusals as of PlaceOrder.
func (m *Member) PlaceOCO(ctx context.Context, ask PlaceOCO) (limit, stop Order, at Sequence, err error) {
	d, err := m.x.definition(ask.Symbol)
	if err != nil {
		return limit, stop, 0, err
	}
	p := orderParser{definition: d}
	cmd := &venue.PlaceOCO{
		Actor: m.actor.ID, Key: ask.Key, Symbol: ask.Symbol, Side: ask.Side, Quantity: p.quantity(ask.Quantity),
		Price: p.price(ask.Price), Trigger: p.trigger(ask.TriggerPrice), TimeInForce: ask.TimeInForce,
		ExpiresAt: stampOrZero(ask.ExpiresAt), SelfTrade: ask.SelfTrade,
	}
	if ask.StopPrice != "" {
		cmd.StopPrice = p.price(ask.StopPrice)
	}
	if p.err != nil {
		return limit, stop, 0, p.err
	}
	orders, at, err := m.placeGroup(ctx, cmd, 2)
	if err != nil {
		return limit, stop, 0, err
	}
	return orders[0], orders[1], at, nil
}

// PlaceBracket is an order to enter with, and two to leave with once it has traded: one with profit,
// one to stop a loss.
type PlaceBracket struct {
	Key         string
	Symbol      market.Symbol
	Side        market.Side
	Type        market.Type        // LIMIT or MARKET
	TimeInForce market.TimeInForce // 0: the default of the type
	Price       string             // of a limit
	Quantity    string
	ExpiresAt   time.Time // for GTD
	// TakeProfitPrice is the limit of the one exit, StopTriggerPrice what the other waits for,
	// StopPrice its limit when it has one.
	TakeProfitPrice, StopTriggerPrice, StopPrice string
	SelfTrade                                    market.SelfTrade
}

// PlaceBracket returns the entry, the take-profit and the stop-loss. Refusals as of PlaceOrder.
func (m *Member) PlaceBracket(ctx context.Context, ask PlaceBracket) (entry, takeProfit, stopLoss Order, at Sequence, err error) {
	d, err := m.x.definition(ask.Symbol)
	if err != nil {
		return entry, takeProfit, stopLoss, 0, err
	}
	cmd, err := ask.command(m.actor.ID, d)
	if err != nil {
		return entry, takeProfit, stopLoss, 0, err
	}
	orders, at, err := m.placeGroup(ctx, cmd, 3)
	if err != nil {
		return entry, takeProfit, stopLoss, 0, err
	}
	return orders[0], orders[1], orders[2], at, nil
}

func (ask *PlaceBracket) command(actor account.ID, d *market.Definition) (*venue.PlaceBracket, error) {
	if ask.Type == market.Market && ask.Price != "" {
		return nil, fault.New(fault.InvalidPrice, "a market order has no price")
	}
	p := orderParser{definition: d}
	cmd := &venue.PlaceBracket{
		Actor: actor, Key: ask.Key, Symbol: ask.Symbol, Side: ask.Side, Type: ask.Type, TimeInForce: ask.TimeInForce,
		Quantity: p.quantity(ask.Quantity), ExpiresAt: stampOrZero(ask.ExpiresAt), SelfTrade: ask.SelfTrade,
		TakeProfit: p.price(ask.TakeProfitPrice), StopTrigger: p.trigger(ask.StopTriggerPrice),
	}
	if ask.Type != market.Market {
		cmd.Price = p.price(ask.Price)
	} else if ask.TimeInForce == market.GTC {
		cmd.TimeInForce = 0 // as of PlaceOrder
	}
	if ask.StopPrice != "" {
		cmd.StopPrice = p.price(ask.StopPrice)
	}
	return cmd, p.err
}

func (x *Exchange) definition(symbol market.Symbol) (*market.Definition, error) {
	m := x.catalogue.Load().bySymbol[symbol]
	if m == nil {
		return nil, errUnknownMarket
	}
	return &m.Definition, nil
}

// placeGroup gives a command that places several orders, which have ids in a row, and returns them as
// they stand.
func (m *Member) placeGroup(ctx context.Context, cmd venue.Command, n int) ([]Order, Sequence, error) {
	receipt, err := m.x.submit(ctx, cmd)
	if err != nil {
		return nil, 0, err
	}
	orders := make([]Order, n)
	for i := range orders {
		if orders[i], err = m.x.memberOrder(ctx, m.actor.ID, receipt.Order+market.OrderID(i)); err != nil {
			return nil, 0, err
		}
	}
	return orders, receipt.Sequence, nil
}

func stampOrZero(t time.Time) venue.Time {
	if t.IsZero() {
		return 0
	}
	return stampOf(t)
}
