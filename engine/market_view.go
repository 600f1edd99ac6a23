package engine

import (
	"time"

	"bourse/engine/feed"
	"bourse/engine/market"
	"bourse/engine/money"
)

// ErrLagged is the Err of the last update of a watch whose receiver was too slow: what followed was
// lost to it. Watch again.
var ErrLagged = feed.ErrLagged

// ErrClosing is the Err of the last update of a watch when the exchange closes.
var ErrClosing = feed.ErrClosing

// Market is a pair of assets that trade against each other.
type Market struct {
	Symbol      market.Symbol
	Base, Quote money.Asset
	// TickSize is the step of prices, in quote per base; LotSize that of quantities, in base.
	TickSize, LotSize money.Decimal
	// MinNotional is the least price times quantity of an order, in quote.
	MinNotional money.Decimal
	// MakerFeeRate and TakerFeeRate are fractions of the notional, such as 0.001.
	MakerFeeRate, TakerFeeRate money.Decimal
	Phase                      market.Phase
	// PhaseEndsAt is when the phase goes on by itself; zero for when the house says so.
	PhaseEndsAt time.Time
	Rules       MarketRules
	OpenOrders  int
	// Definition turns decimals of this market into ticks and lots and back.
	Definition market.Definition
}

// MarketRules is how a market may move.
type MarketRules struct {
	// Band is how far, as a fraction, a limit price may lie from the last price, Breaker how far a trade
	// from the reference price, Protection how far a market order from the best price; zero: no bound.
	Band, Breaker, Protection   money.Decimal
	BreakerWindow, BreakerPause time.Duration
	// DayEnd is when the trading day ends, after midnight UTC.
	DayEnd time.Duration
}

// IndicativeAuction is what would come of an auction if it ended now.
type IndicativeAuction struct {
	// Price is nil when nothing would trade.
	Price    *money.Decimal
	Quantity money.Decimal
}

// Level is what rests at one price: in quote per base, and in base.
type Level struct {
	Price, Quantity money.Decimal
}

// Depth is the best levels of a book, best first.
type Depth struct {
	Sequence   Sequence
	Bids, Asks []Level
}

// DepthUpdate is a message of WatchDepth. The first is the snapshot; each that follows holds the
// levels that changed among the best ones, with quantity zero for a level that left them.
type DepthUpdate struct {
	Snapshot bool
	Sequence Sequence
	// Previous is the Sequence of the message before.
	Previous   Sequence
	Bids, Asks []Level
	// Err is set on the last message only: ErrLagged or ErrClosing.
	Err error
}

// Trade is a price at which two orders met. It names nobody.
type Trade struct {
	ID        market.TradeID
	Symbol    market.Symbol
	Sequence  Sequence
	Price     money.Decimal
	Quantity  money.Decimal
	TakerSide market.Side
	// ExecutedAt is in UTC.
	ExecutedAt time.Time
}

// TradeUpdate is a message of WatchTrades: first the last trades, then those of each commit, in the
// order in which they happened.
type TradeUpdate struct {
	Snapshot bool
	Sequence Sequence
	Trades   []Trade
	// Err is set on the last message only: ErrLagged or ErrClosing.
	Err error
}

// Ticker is what happened in a market in the last 24 hours, counted in whole minutes.
type Ticker struct {
	Symbol market.Symbol
	// Last is the last traded price; nil before the first trade ever.
	Last *money.Decimal
	// Open, High and Low are nil when nothing traded in the last 24 hours.
	Open, High, Low *money.Decimal
	// Volume is in base, QuoteVolume in quote.
	Volume, QuoteVolume money.Decimal
	// Change is Last less Open as a fraction of Open, with four decimals, rounded towards zero; nil
	// when there is no Open.
	Change *money.Decimal
}

// Interval is the length of a candle.
type Interval string

// The intervals that candles are kept in. A day begins at midnight UTC.
const (
	M1  Interval = "M1"
	M5  Interval = "M5"
	M15 Interval = "M15"
	H1  Interval = "H1"
	D1  Interval = "D1"
)

var intervals = map[Interval]time.Duration{
	M1: time.Minute, M5: 5 * time.Minute, M15: 15 * time.Minute, H1: time.Hour, D1: 24 * time.Hour,
}

// Candle is the trades of one interval. There is none for an interval without trades.
type Candle struct {
	OpenTime               time.Time
	Open, High, Low, Close money.Decimal
	// Volume is in base, QuoteVolume in quote.
	Volume, QuoteVolume money.Decimal
	Trades              int
}
