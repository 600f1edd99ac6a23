package engine

import (
	"context"
	"math/bits"
	"slices"
	"time"

	"bourse/engine/fault"
	"bourse/engine/feed"
	"bourse/engine/internal/postgres"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

const (
	// MaxDepthLevels is the largest number of levels a side that can be asked for.
	MaxDepthLevels = 500
	// MaxCandles is the largest number of candles in one answer.
	MaxCandles = 1000
)

var (
	errUnknownMarket = fault.New(fault.UnknownMarket, "the exchange has no such market")
	errOverWatched   = fault.New(fault.Overloaded, "too many watch already")
	errNoTrade       = fault.New(fault.NotFound, "there is no such trade")
)

// Assets returns every asset of the house, by code.
func (v *Visitor) Assets(ctx context.Context) ([]money.Asset, error) {
	if err := v.x.reach(ctx); err != nil {
		return nil, err
	}
	assets := slices.Clone(v.x.catalogue.Load().assets)
	slices.SortFunc(assets, func(a, b money.Asset) int { return compareText(a.Code, b.Code) })
	return assets, nil
}

// Markets returns every market, by symbol.
func (v *Visitor) Markets(ctx context.Context) ([]Market, error) {
	if err := v.x.reach(ctx); err != nil {
		return nil, err
	}
	var markets []Market
	v.x.read(func(s *venue.State) {
		for _, m := range s.Markets() {
			markets = append(markets, marketOf(&m))
		}
	})
	slices.SortFunc(markets, func(a, b Market) int { return compareText(string(a.Symbol), string(b.Symbol)) })
	return markets, nil
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Market returns one market. Refusal: UNKNOWN_MARKET.
func (v *Visitor) Market(ctx context.Context, symbol market.Symbol) (Market, error) {
	if err := v.x.reach(ctx); err != nil {
		return Market{}, err
	}
	var m venue.Market
	var found bool
	v.x.read(func(s *venue.State) { m, found = s.Market(symbol) })
	if !found {
		return Market{}, errUnknownMarket
	}
	return marketOf(&m), nil
}

// Auction returns at which price the orders of a market would trade if its auction ended now, and how
// much. Refusal: UNKNOWN_MARKET.
func (v *Visitor) Auction(ctx context.Context, symbol market.Symbol) (IndicativeAuction, error) {
	if err := v.x.reach(ctx); err != nil {
		return IndicativeAuction{}, err
	}
	var price market.Price
	var quantity market.Quantity
	v.x.read(func(s *venue.State) { price, quantity = s.Indicative(symbol) })
	m := v.x.catalogue.Load().bySymbol[symbol]
	if m == nil {
		return IndicativeAuction{}, errUnknownMarket
	}
	return IndicativeAuction{Price: priceOrNil(&m.Definition, price), Quantity: quantityOf(&m.Definition, quantity)}, nil
}

// Depth returns the best levels of each side, 1 to MaxDepthLevels. Refusals: UNKNOWN_MARKET,
// INVALID_ARGUMENT.
func (v *Visitor) Depth(ctx context.Context, symbol market.Symbol, levels int) (Depth, error) {
	if err := v.x.reach(ctx); err != nil {
		return Depth{}, err
	}
	if err := checkLevels(levels); err != nil {
		return Depth{}, err
	}
	var depth venue.Depth
	var found bool
	v.x.read(func(s *venue.State) { depth, found = s.Depth(symbol, levels) })
	if !found {
		return Depth{}, errUnknownMarket
	}
	d := &v.x.catalogue.Load().bySymbol[symbol].Definition
	return Depth{Sequence: depth.Sequence, Bids: levelsOf(d, depth.Bids), Asks: levelsOf(d, depth.Asks)}, nil
}

func checkLevels(levels int) error {
	if levels < 1 || levels > MaxDepthLevels {
		return fault.Newf(fault.InvalidArgument, "1 to %d levels can be had", MaxDepthLevels)
	}
	return nil
}

func levelOf(d *market.Definition, l venue.Level) Level {
	return Level{Price: priceOf(d, l.Price), Quantity: quantityOf(d, l.Quantity)}
}

func levelsOf(d *market.Definition, levels []venue.Level) []Level {
	out := make([]Level, len(levels))
	for i, l := range levels {
		out[i] = levelOf(d, l)
	}
	return out
}

func tradeOf(d *market.Definition, t *feed.Trade) Trade {
	return Trade{
		ID: t.ID, Symbol: d.Symbol, Sequence: venue.Sequence(t.Sequence), Price: priceOf(d, t.Price),
		Quantity: quantityOf(d, t.Quantity), TakerSide: t.Side, ExecutedAt: timeOf(venue.Time(t.Time)),
	}
}

// tape reads a market's tape between two batches.
func (x *Exchange) tape(symbol market.Symbol, do func(*venue.Market, *feed.Tape)) error {
	m := x.catalogue.Load().bySymbol[symbol]
	if m == nil {
		return errUnknownMarket
	}
	x.live.gate.RLock()
	defer x.live.gate.RUnlock()
	tape := x.live.tapes[m.ID]
	if tape == nil {
		tape = &feed.Tape{}
	}
	do(m, tape)
	return nil
}

// Ticker returns the last 24 hours of a market. Refusal: UNKNOWN_MARKET.
func (v *Visitor) Ticker(ctx context.Context, symbol market.Symbol) (Ticker, error) {
	if err := v.x.reach(ctx); err != nil {
		return Ticker{}, err
	}
	ticker := Ticker{Symbol: symbol}
	err := v.x.tape(symbol, func(m *venue.Market, tape *feed.Tape) {
		d := &m.Definition
		day := tape.Day(v.x.now().UnixNano())
		last, _ := tape.Last()
		ticker.Last = priceOrNil(d, last)
		ticker.Open, ticker.High, ticker.Low = priceOrNil(d, day.Open), priceOrNil(d, day.High), priceOrNil(d, day.Low)
		ticker.Volume, ticker.QuoteVolume = quantityOf(d, day.Volume), amountOf(d.Quote, day.QuoteVolume)
		if day.Open != 0 {
			change := changeOf(day.Open, last)
			ticker.Change = &change
		}
	})
	return ticker, err
}

// changeOf is (last - open) / open with four decimals, rounded towards zero. Prices have at most 50
// bits, so the product has at most 64 and the quotient is cut at what a decimal holds.
func changeOf(open, last market.Price) money.Decimal {
	const scale, unit = 4, 10_000
	distance, negative := uint64(last-open), last < open
	if negative {
		distance = uint64(open - last)
	}
	high, low := bits.Mul64(distance, unit)
	quotient := uint64(1<<63 - 1)
	if high == 0 {
		quotient = min(low/uint64(open), quotient)
	}
	if negative {
		return money.NewDecimal(-int64(quotient), scale)
	}
	return money.NewDecimal(int64(quotient), scale)
}

// RecentTrades returns the last n (1 to 200) trades of a market, newest first. Refusals:
// UNKNOWN_MARKET, INVALID_ARGUMENT.
func (v *Visitor) RecentTrades(ctx context.Context, symbol market.Symbol, n int) ([]Trade, error) {
	if err := v.x.reach(ctx); err != nil {
		return nil, err
	}
	if n < 1 || n > feed.TapeLength {
		return nil, fault.Newf(fault.InvalidArgument, "1 to %d trades can be had", feed.TapeLength)
	}
	var trades []Trade
	err := v.x.tape(symbol, func(m *venue.Market, tape *feed.Tape) { trades = recentOf(m, tape, n) })
	return trades, err
}

func recentOf(m *venue.Market, tape *feed.Tape, n int) []Trade {
	recent := tape.Recent(nil, n)
	trades := make([]Trade, len(recent))
	for i := range recent {
		trades[i] = tradeOf(&m.Definition, &recent[i])
	}
	return trades
}

// Trade returns a trade. Refusal: NOT_FOUND.
func (v *Visitor) Trade(ctx context.Context, id market.TradeID) (Trade, error) {
	sides, err := v.x.anyTrade(ctx, id)
	return sides.Trade, err
}

// TradeSides is a trade and the orders that met.
type TradeSides struct {
	Trade
	MakerOrder, TakerOrder market.OrderID
}

func (x *Exchange) anyTrade(ctx context.Context, id market.TradeID) (TradeSides, error) {
	if err := x.reachProjected(ctx); err != nil {
		return TradeSides{}, err
	}
	row, found, err := x.db.Trade(ctx, id)
	if err != nil {
		return TradeSides{}, refusal(err)
	}
	if !found {
		return TradeSides{}, errNoTrade
	}
	d := &x.catalogue.Load().market(row.Market).Definition
	return TradeSides{Trade: tradeOf(d, &row.Trade), MakerOrder: row.Maker, TakerOrder: row.Taker}, nil
}

// Candles returns the newest candles that opened in [from, to), oldest first, at most limit (1 to
// MaxCandles). A zero from is the beginning, a zero to is now. Refusals: UNKNOWN_MARKET,
// INVALID_ARGUMENT.
func (v *Visitor) Candles(ctx context.Context, symbol market.Symbol, interval Interval, from, to time.Time, limit int) ([]Candle, error) {
	m := v.x.catalogue.Load().bySymbol[symbol]
	length, known := intervals[interval]
	switch {
	case m == nil:
		return nil, errUnknownMarket
	case !known:
		return nil, fault.New(fault.InvalidArgument, "candles are kept by M1, M5, M15, H1 and D1")
	case limit < 1 || limit > MaxCandles:
		return nil, fault.Newf(fault.InvalidArgument, "1 to %d candles can be had", MaxCandles)
	}
	if err := v.x.reachProjected(ctx); err != nil {
		return nil, err
	}
	begin, end := int64(0), int64(1<<62)
	if !from.IsZero() {
		begin = from.Unix()
	}
	if !to.IsZero() {
		end = to.Unix()
	}
	rows, err := v.x.db.Candles(ctx, m.ID, int32(length/time.Second), begin, end, limit)
	if err != nil {
		return nil, refusal(err)
	}
	d := &m.Definition
	candles := make([]Candle, len(rows))
	for i := range rows {
		c := &rows[i]
		candles[i] = Candle{
			OpenTime: time.Unix(c.OpenedAt, 0).UTC(),
			Open:     priceOf(d, c.Open), High: priceOf(d, c.High), Low: priceOf(d, c.Low), Close: priceOf(d, c.Close),
			Volume: quantityOf(d, c.Volume), QuoteVolume: amountOf(d.Quote, c.QuoteVolume), Trades: int(c.Trades),
		}
	}
	return candles, nil
}

// snapshotTrades is how many trades a watch of trades begins with.
const snapshotTrades = 50

// WatchTrades sends the last trades, oldest first, then those of each commit. The channel is closed
// when ctx ends, and after an update with Err otherwise. Refusals: UNKNOWN_MARKET, OVERLOADED.
func (v *Visitor) WatchTrades(ctx context.Context, symbol market.Symbol) (<-chan TradeUpdate, error) {
	var updates <-chan TradeUpdate
	var watchErr error
	err := v.x.tape(symbol, func(m *venue.Market, tape *feed.Tape) {
		trades := recentOf(m, tape, snapshotTrades)
		slices.Reverse(trades)
		first := TradeUpdate{Snapshot: true, Sequence: v.x.seq.View().Sequence(), Trades: trades}
		updates, watchErr = v.x.live.trades.Watch(ctx, symbol, watchBuffer, first)
	})
	if err != nil {
		return nil, err
	}
	return updates, watchRefusal(watchErr)
}

func watchRefusal(err error) error {
	switch err {
	case nil:
		return nil
	case feed.ErrFull:
		return errOverWatched
	}
	return fault.New(fault.Unavailable, "the exchange is closing")
}

// WatchDepth sends the best levels of a book, then what changes among them. The channel is closed
// when ctx ends, and after an update with Err otherwise. Refusals: UNKNOWN_MARKET,
// INVALID_ARGUMENT, OVERLOADED.
func (v *Visitor) WatchDepth(ctx context.Context, symbol market.Symbol, levels int) (<-chan DepthUpdate, error) {
	if err := checkLevels(levels); err != nil {
		return nil, err
	}
	m := v.x.catalogue.Load().bySymbol[symbol]
	if m == nil {
		return nil, errUnknownMarket
	}
	l, key := v.x.live, depthKey{symbol, levels}
	l.gate.Lock()
	defer l.gate.Unlock()
	group := l.groups[key]
	if group == nil {
		group = &depthGroup{}
		v.x.read(func(s *venue.State) { group.last, _ = s.Depth(symbol, levels) })
		l.groups[key] = group
	} else if group.dirty {
		v.x.publishDepth(key, group) // so that all of the group hold the same
	}
	first := DepthUpdate{
		Snapshot: true, Sequence: group.last.Sequence, Previous: group.last.Sequence,
		Bids: levelsOf(&m.Definition, group.last.Bids), Asks: levelsOf(&m.Definition, group.last.Asks),
	}
	updates, err := l.depths.Watch(ctx, key, watchBuffer, first)
	return updates, watchRefusal(err)
}

// tapesFrom fills the tapes: from the projections as far as they are, from the journal after that.
func (x *Exchange) loadTapes(ctx context.Context) error {
	var ids []venue.MarketID
	for _, m := range x.catalogue.Load().markets {
		ids = append(ids, m.ID)
	}
	tapes, head, err := x.db.LoadTapes(ctx, ids, x.now().UnixNano())
	if err != nil {
		return err
	}
	err = postgres.EachEvent(ctx, x.db.Journal(), head, func(ev *venue.Event) error {
		if ev.Kind == venue.Traded || ev.Kind == venue.AuctionTraded {
			if tapes[ev.Market] == nil {
				tapes[ev.Market] = &feed.Tape{}
			}
			tapes[ev.Market].Add(tapeTrade(ev))
		}
		return nil
	})
	x.live.tapes = tapes
	return err
}
