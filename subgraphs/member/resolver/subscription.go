package resolver

import (
	"context"

	"bourse/engine"
	"bourse/engine/market"
	"bourse/subgraphs/internal/present"
	"bourse/subgraphs/member/internal/gen"
)

func (r subscriptionResolver) TradeUpdates(ctx context.Context, symbol string) (<-chan *gen.TradeUpdate, error) {
	in, err := r.Exchange.Visitor().WatchTrades(ctx, market.Symbol(symbol))
	if err != nil {
		return nil, err
	}
	return relay(ctx, in, func(u engine.TradeUpdate) (*gen.TradeUpdate, error) {
		if u.Err != nil {
			return nil, u.Err
		}
		trades, err := r.trades(ctx, u.Trades)
		return &gen.TradeUpdate{Snapshot: u.Snapshot, Sequence: uint64(u.Sequence), Trades: trades}, err
	}), nil
}

func (r subscriptionResolver) DepthUpdates(ctx context.Context, symbol string, levels int) (<-chan *gen.DepthUpdate, error) {
	in, err := r.Exchange.Visitor().WatchDepth(ctx, market.Symbol(symbol), levels)
	if err != nil {
		return nil, err
	}
	return relay(ctx, in, func(u engine.DepthUpdate) (*gen.DepthUpdate, error) {
		return &gen.DepthUpdate{
			Snapshot: u.Snapshot, Sequence: uint64(u.Sequence), PreviousSequence: uint64(u.Previous),
			Bids: levelsOf(u.Bids), Asks: levelsOf(u.Asks),
		}, u.Err
	}), nil
}

func (r subscriptionResolver) OrderUpdates(ctx context.Context) (<-chan *gen.OrderUpdate, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	in, err := member.WatchOrders(ctx)
	if err != nil {
		return nil, err
	}
	return relay(ctx, in, func(u engine.OrderUpdate) (*gen.OrderUpdate, error) {
		if u.Err != nil {
			return nil, u.Err
		}
		orders, err := r.orders(ctx, u.Orders)
		if err != nil {
			return nil, err
		}
		fills, err := r.fills(ctx, u.Fills)
		return &gen.OrderUpdate{Snapshot: u.Snapshot, Sequence: uint64(u.Sequence), Orders: orders, Fills: fills}, err
	}), nil
}

func (r subscriptionResolver) BalanceUpdates(ctx context.Context) (<-chan *gen.BalanceUpdate, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	in, err := member.WatchBalances(ctx)
	if err != nil {
		return nil, err
	}
	return relay(ctx, in, func(u engine.BalanceUpdate) (*gen.BalanceUpdate, error) {
		return &gen.BalanceUpdate{Snapshot: u.Snapshot, Sequence: uint64(u.Sequence), Balances: balancesOf(u.Balances)}, u.Err
	}), nil
}

// relay turns what the exchange sends into what the API shows, one message at a time: it holds
// nothing back, so that the exchange sees how slow the reader is and ends the watch if need be. It
// ends with ctx, with the watch, or with the first error, which then is the subscription's last word.
//
// The goroutine needs no waiting for: it touches only its two channels, and ctx ends with the
// request.
func relay[In, Out any](ctx context.Context, in <-chan In, show func(In) (Out, error)) <-chan Out {
	out := make(chan Out)
	go func() {
		defer close(out)
		for {
			var message In
			var ok bool
			select {
			case message, ok = <-in:
			case <-ctx.Done():
			}
			if !ok {
				return
			}
			shown, err := show(message)
			if err != nil {
				present.End(ctx, err)
				return
			}
			select {
			case out <- shown:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
