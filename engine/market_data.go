package engine

import (
	"context"
	"time"

	"bourse/engine/market"
	"bourse/engine/money"
)

// Signatures first; the bodies follow at once.

func (v *Visitor) Assets(ctx context.Context) ([]money.Asset, error) { panic("not built yet") }
func (v *Visitor) Markets(ctx context.Context) ([]Market, error)     { panic("not built yet") }
func (v *Visitor) Market(ctx context.Context, symbol market.Symbol) (Market, error) {
	panic("not built yet")
}
func (v *Visitor) Depth(ctx context.Context, symbol market.Symbol, levels int) (Depth, error) {
	panic("not built yet")
}
func (v *Visitor) Ticker(ctx context.Context, symbol market.Symbol) (Ticker, error) {
	panic("not built yet")
}

// RecentTrades are the last n (1 to 200) trades of a market, newest first.
func (v *Visitor) RecentTrades(ctx context.Context, symbol market.Symbol, n int) ([]Trade, error) {
	panic("not built yet")
}
func (v *Visitor) Trade(ctx context.Context, id market.TradeID) (Trade, error) {
	panic("not built yet")
}

// Candles are at most limit (1 to 1000) candles up to `to`, oldest first; from may be zero.
func (v *Visitor) Candles(ctx context.Context, symbol market.Symbol, interval Interval, from, to time.Time, limit int) ([]Candle, error) {
	panic("not built yet")
}
func (v *Visitor) WatchTrades(ctx context.Context, symbol market.Symbol) (<-chan TradeUpdate, error) {
	panic("not built yet")
}
func (v *Visitor) WatchDepth(ctx context.Context, symbol market.Symbol, levels int) (<-chan DepthUpdate, error) {
	panic("not built yet")
}
