package market

import (
	"time"

	"bourse/engine/money"
)

// Rules is what the house may change about a market that trades: how far prices
// may move, when the day ends, and which orders are too small.
type Rules struct {
	// ReferencePrice sets the market's reference price when the rules are set;
	// zero leaves it as it is.
	ReferencePrice Price

	// Band is how far from the last price, else the reference price, an order may
	// be placed. Zero is no band.
	Band money.Rate

	// Breaker is how far from the reference price a trade may lie before the
	// market is paused, for BreakerPause. The reference price follows the market
	// with trades that come later than BreakerWindow after it was set. Zero is no
	// breaker.
	Breaker       money.Rate
	BreakerWindow int64 // nanoseconds, 0 to MaxBreakerTime
	BreakerPause  int64 // nanoseconds, 1 to MaxBreakerTime with a breaker

	DayEnd      int64        // nanoseconds after midnight UTC, less than a day
	MinNotional money.Amount // least price times quantity of an order, in minor units of quote
	Protection  money.Rate   // as in Definition
}

// MaxBreakerTime bounds the breaker's window and pause, in nanoseconds.
const MaxBreakerTime = int64(366 * 24 * time.Hour)

// Day is the length of a trading day, in nanoseconds.
const Day = int64(24 * time.Hour)

// Rules returns what stands for a market whose rules nobody set.
func (d *Definition) Rules() Rules {
	return Rules{MinNotional: d.MinNotional, Protection: d.Protection}.complete()
}

func (r Rules) complete() Rules {
	if r.Protection == 0 {
		r.Protection = DefaultProtection
	}
	return r
}

// Checked returns the rules with what they leave out. The refusal is
// INVALID_MARKET.
func (r Rules) Checked() (Rules, error) {
	switch {
	case r.ReferencePrice < 0 || r.ReferencePrice > MaxPrice:
		return r, invalid("the reference price is out of range")
	case r.Band < 0 || r.Band > money.Whole:
		return r, invalid("the band must lie between 0 and 1,000,000 parts per million")
	case r.Breaker < 0 || r.Breaker > money.Whole:
		return r, invalid("the breaker must lie between 0 and 1,000,000 parts per million")
	case r.BreakerWindow < 0 || r.BreakerWindow > MaxBreakerTime || r.BreakerPause < 0 || r.BreakerPause > MaxBreakerTime:
		return r, invalid("the breaker's window and pause last at most 366 days")
	case r.Breaker > 0 && r.BreakerPause == 0:
		return r, invalid("a breaker needs a pause")
	case r.DayEnd < 0 || r.DayEnd >= Day:
		return r, invalid("the day ends within 24 hours after midnight")
	case r.MinNotional < 0:
		return r, invalid("the minimum notional must not be negative")
	case r.Protection < 0 || r.Protection > MaxProtection:
		return r, invalid("the protection must lie between 0 and 1,000,000 parts per million")
	}
	return r.complete(), nil
}

// Apply puts what the rules say in place of what the definition said.
func (t *Terms) Apply(r *Rules) { t.MinNotional, t.Protection = r.MinNotional, r.Protection }

// Corridor is the prices from Low to High.
type Corridor struct{ Low, High Price }

// Around returns the prices that lie no further from the centre than the rate
// of it, rounded down to ticks. They may reach beyond what a price can be, at
// both ends. The centre must lie within 1..MaxPrice, the rate within 0..Whole.
func Around(centre Price, rate money.Rate) Corridor {
	distance := Price(rate.Of(money.Amount(centre)))
	return Corridor{centre - distance, centre + distance}
}

// Holds reports whether a price lies in the corridor.
func (c Corridor) Holds(price Price) bool { return price >= c.Low && price <= c.High }
