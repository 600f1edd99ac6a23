package resolver

import (
	"time"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/graph/scalar"
	"bourse/subgraphs/member/internal/gen"
)

func asset(a money.Asset) *gen.Asset {
	return &gen.Asset{Code: a.Code, Scale: int(a.Scale)}
}

func marketOf(m *engine.Market) *gen.Market {
	return &gen.Market{
		Symbol:       string(m.Symbol),
		Base:         asset(m.Base),
		Quote:        asset(m.Quote),
		TickSize:     m.TickSize,
		LotSize:      m.LotSize,
		MinNotional:  m.MinNotional,
		MakerFeeRate: m.MakerFeeRate,
		TakerFeeRate: m.TakerFeeRate,
		Phase:        gen.MarketPhase(m.Phase.String()),
		PhaseEndsAt:  timeOrNil(m.PhaseEndsAt),
		Rules: &gen.MarketRules{
			Band: m.Rules.Band, Breaker: m.Rules.Breaker, Protection: m.Rules.Protection,
			BreakerPauseSeconds: int(m.Rules.BreakerPause / time.Second), DayEndSeconds: int(m.Rules.DayEnd / time.Second),
		},
	}
}

func levelsOf(levels []engine.Level) []*gen.Level {
	out := make([]*gen.Level, len(levels))
	for i, l := range levels {
		out[i] = &gen.Level{Price: l.Price, Quantity: l.Quantity}
	}
	return out
}

func tradeOf(t *engine.Trade, m *gen.Market) *gen.Trade {
	return &gen.Trade{
		ID:         scalar.EncodeID(scalar.Trade, uint64(t.ID)),
		Market:     m,
		Price:      t.Price,
		Quantity:   t.Quantity,
		TakerSide:  gen.Side(t.TakerSide.String()),
		ExecutedAt: t.ExecutedAt,
	}
}

func orderOf(o *engine.Order, m *gen.Market) *gen.Order {
	return &gen.Order{
		ID:                orderID(o.ID),
		Market:            m,
		Side:              gen.Side(o.Side.String()),
		Type:              gen.OrderType(o.Type.String()),
		TimeInForce:       gen.TimeInForce(o.TimeInForce.String()),
		Price:             o.Price,
		Quantity:          o.Quantity,
		TriggerPrice:      o.TriggerPrice,
		TrailDistance:     o.TrailDistance,
		DisplayQuantity:   o.DisplayQuantity,
		PostOnly:          o.PostOnly,
		SelfTradeMode:     gen.SelfTradeMode(o.SelfTrade.String()),
		ExpiresAt:         timeOrNil(o.ExpiresAt),
		SiblingID:         orderIDOrNil(o.SiblingID),
		ParentID:          orderIDOrNil(o.ParentID),
		FilledQuantity:    o.Filled,
		RemainingQuantity: o.Remaining,
		AveragePrice:      o.AveragePrice,
		Status:            gen.OrderStatus(o.Status.String()),
		CancelReason:      cancelReason(o.Reason),
		PlacedAt:          o.PlacedAt,
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func orderIDOrNil(id market.OrderID) *string {
	if id == 0 {
		return nil
	}
	encoded := orderID(id)
	return &encoded
}

func orderID(id market.OrderID) string { return scalar.EncodeID(scalar.Order, uint64(id)) }

func cancelReason(r market.CancelReason) *gen.CancelReason {
	if !r.Valid() {
		return nil
	}
	reason := gen.CancelReason(r.String())
	return &reason
}

// fillOf leaves the order to its resolver: few ask for it.
func fillOf(f *engine.Fill, m *gen.Market) *gen.Fill {
	return &gen.Fill{
		OrderID: f.OrderID,
		Trade: tradeOf(&engine.Trade{
			ID: f.TradeID, Symbol: f.Symbol, Price: f.Price, Quantity: f.Quantity,
			TakerSide: f.TakerSide, ExecutedAt: f.ExecutedAt,
		}, m),
		Side:       gen.Side(f.Side.String()),
		Liquidity:  gen.Liquidity(f.Liquidity),
		Price:      f.Price,
		Quantity:   f.Quantity,
		Fee:        f.Fee,
		ExecutedAt: f.ExecutedAt,
	}
}

func balancesOf(balances []engine.Balance) []*gen.Balance {
	out := make([]*gen.Balance, len(balances))
	for i, b := range balances {
		out[i] = &gen.Balance{Asset: asset(b.Asset), Available: b.Available, Held: b.Held, Total: b.Total}
	}
	return out
}

func depositOf(d *account.Deposit) *gen.Deposit {
	return &gen.Deposit{
		ID:          scalar.EncodeID(scalar.Deposit, uint64(d.ID)),
		Asset:       asset(d.Asset),
		Amount:      money.NewDecimal(int64(d.Amount), d.Asset.Scale),
		Status:      gen.DepositStatus(d.Status),
		RequestedAt: d.RequestedAt,
	}
}

func memberOf(m *account.Member) *gen.Member {
	return &gen.Member{ID: memberID(m.ID), Username: m.Username, DisplayName: m.DisplayName}
}

func memberID(id account.ID) string { return scalar.EncodeID(scalar.Member, uint64(id)) }

// pageInfo tells where a page ended; the cursor is null for an empty one.
func pageInfo(hasNext bool, next string) *gen.PageInfo {
	info := &gen.PageInfo{HasNextPage: hasNext}
	if next != "" {
		info.EndCursor = &next
	}
	return info
}

func orZero[T any](value *T) T {
	if value == nil {
		var zero T
		return zero
	}
	return *value
}
