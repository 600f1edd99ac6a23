package feed

import (
	"math"
	"time"

	"bourse/engine/market"
	"bourse/engine/money"
)

// Candle is the trades of one interval.
type Candle struct {
	// OpenedAt is the beginning of the interval, in seconds since 1970 UTC.
	OpenedAt               int64
	Open, High, Low, Close market.Price
	// Volume is in lots and QuoteVolume in minor units of quote. They stand still at the largest
	// number that there is.
	Volume      market.Quantity
	QuoteVolume money.Amount
	Trades      int64
}

// CandleSeconds are the lengths of the intervals that candles are kept in.
var CandleSeconds = [...]int32{60, 300, 900, 3600, 86400}

// OpenedAt is the beginning, in seconds, of the interval in which a time in nanoseconds lies.
func OpenedAt(nanoseconds int64, length int32) int64 {
	seconds := nanoseconds / int64(time.Second)
	return seconds - seconds%int64(length)
}

// Add takes one trade in.
func (c *Candle) Add(price market.Price, quantity market.Quantity, notional money.Amount) {
	c.Merge(&Candle{
		Open: price, High: price, Low: price, Close: price,
		Volume: quantity, QuoteVolume: notional, Trades: 1,
	})
}

// Merge takes the trades of a later candle in.
func (c *Candle) Merge(later *Candle) {
	if later.Trades == 0 {
		return
	}
	if c.Trades == 0 {
		opened := c.OpenedAt
		*c = *later
		c.OpenedAt = opened
		return
	}
	c.High = max(c.High, later.High)
	c.Low = min(c.Low, later.Low)
	c.Close = later.Close
	c.Volume = Saturated(c.Volume, later.Volume)
	c.QuoteVolume = Saturated(c.QuoteVolume, later.QuoteVolume)
	c.Trades += later.Trades
}

// Saturated adds two numbers that are not negative and stands still at the largest there is.
func Saturated[N ~int64](a, b N) N {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
