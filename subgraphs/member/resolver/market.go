package resolver

import (
	"context"
	"errors"
	"time"

	"bourse/engine"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/subgraphs/member/internal/gen"
)

func (r queryResolver) Assets(ctx context.Context) ([]*gen.Asset, error) {
	assets, err := r.Exchange.Visitor().Assets(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*gen.Asset, len(assets))
	for i, a := range assets {
		out[i] = asset(a)
	}
	return out, nil
}

func (r queryResolver) Markets(ctx context.Context) ([]*gen.Market, error) {
	markets, err := r.Exchange.Visitor().Markets(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*gen.Market, len(markets))
	for i := range markets {
		out[i] = marketOf(&markets[i])
	}
	return out, nil
}

func (r queryResolver) Market(ctx context.Context, symbol string) (*gen.Market, error) {
	found, err := r.Exchange.Visitor().Market(ctx, market.Symbol(symbol))
	if isFault(err, fault.UnknownMarket) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return marketOf(&found), nil
}

func (r marketResolver) Ticker(ctx context.Context, obj *gen.Market) (*gen.Ticker, error) {
	t, err := r.Exchange.Visitor().Ticker(ctx, market.Symbol(obj.Symbol))
	if err != nil {
		return nil, err
	}
	return &gen.Ticker{
		Last: t.Last, Open: t.Open, High: t.High, Low: t.Low,
		Volume: t.Volume, QuoteVolume: t.QuoteVolume, Change: t.Change,
	}, nil
}

// Auction is null outside auctions.
func (r marketResolver) Auction(ctx context.Context, obj *gen.Market) (*gen.Auction, error) {
	switch obj.Phase {
	case gen.MarketPhasePreOpen, gen.MarketPhaseClosingAuction, gen.MarketPhasePaused:
	default:
		return nil, nil
	}
	a, err := r.Exchange.Visitor().Auction(ctx, market.Symbol(obj.Symbol))
	if err != nil {
		return nil, err
	}
	return &gen.Auction{Price: a.Price, Quantity: a.Quantity}, nil
}

func (r marketResolver) Depth(ctx context.Context, obj *gen.Market, levels int) (*gen.Depth, error) {
	d, err := r.Exchange.Visitor().Depth(ctx, market.Symbol(obj.Symbol), levels)
	if err != nil {
		return nil, err
	}
	return &gen.Depth{Sequence: uint64(d.Sequence), Bids: levelsOf(d.Bids), Asks: levelsOf(d.Asks)}, nil
}

func (r marketResolver) Trades(ctx context.Context, obj *gen.Market, first int) ([]*gen.Trade, error) {
	trades, err := r.Exchange.Visitor().RecentTrades(ctx, market.Symbol(obj.Symbol), first)
	if err != nil {
		return nil, err
	}
	return r.trades(ctx, trades)
}

func (r marketResolver) Candles(ctx context.Context, obj *gen.Market, interval gen.CandleInterval, to *time.Time, limit int) ([]*gen.Candle, error) {
	var until time.Time // the exchange takes zero for now
	if to != nil {
		until = *to
	}
	candles, err := r.Exchange.Visitor().Candles(ctx, market.Symbol(obj.Symbol), engine.Interval(interval), time.Time{}, until, limit)
	if err != nil {
		return nil, err
	}
	out := make([]*gen.Candle, len(candles))
	for i, c := range candles {
		out[i] = &gen.Candle{OpenTime: c.OpenTime, Open: c.Open, High: c.High, Low: c.Low, Close: c.Close, Volume: c.Volume}
	}
	return out, nil
}

// catalogue looks markets up once each, for lists whose rows name few of them.
type catalogue struct {
	visitor *engine.Visitor
	known   map[market.Symbol]*gen.Market
}

func (r Root) catalogue() catalogue {
	return catalogue{visitor: r.Exchange.Visitor(), known: make(map[market.Symbol]*gen.Market, 1)}
}

func (c catalogue) market(ctx context.Context, symbol market.Symbol) (*gen.Market, error) {
	if known, ok := c.known[symbol]; ok {
		return known, nil
	}
	found, err := c.visitor.Market(ctx, symbol)
	if err != nil {
		return nil, err
	}
	c.known[symbol] = marketOf(&found)
	return c.known[symbol], nil
}

func (r Root) trades(ctx context.Context, trades []engine.Trade) ([]*gen.Trade, error) {
	markets := r.catalogue()
	out := make([]*gen.Trade, len(trades))
	for i := range trades {
		m, err := markets.market(ctx, trades[i].Symbol)
		if err != nil {
			return nil, err
		}
		out[i] = tradeOf(&trades[i], m)
	}
	return out, nil
}

func isFault(err error, code fault.Code) bool {
	var refusal *fault.Error
	return errors.As(err, &refusal) && refusal.Code == code
}
