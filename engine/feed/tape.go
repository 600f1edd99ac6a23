package feed

import (
	"bourse/engine/market"
	"bourse/engine/money"
)

// TapeLength is how many of the last trades of a market a tape keeps.
const TapeLength = 200

// windowMinutes is what a tape's day has: the running minute and those before it.
const windowMinutes = 24 * 60

// Trade is one entry of a tape.
type Trade struct {
	ID       market.TradeID
	Sequence uint64
	Time     int64 // nanoseconds since 1970 UTC
	Price    market.Price
	Quantity market.Quantity
	Notional money.Amount
	Side     market.Side // of the taker
}

// Tape is what a market remembers of its trades: the last ones, and the minutes of a day. The zero
// Tape is empty. It is not safe for concurrent use.
type Tape struct {
	trades  []Trade // a ring once it is full
	next    int
	minutes []Candle // by time; only minutes with trades
	last    market.Price
}

// Add appends a trade. Ids and times do not decrease; a trade that the tape has already is ignored,
// so that it may be loaded from two sources that overlap.
func (t *Tape) Add(trade Trade) {
	if newest, ok := t.newest(); ok && trade.ID <= newest.ID {
		return
	}
	t.Remember(trade)
	opened := OpenedAt(trade.Time, 60)
	if n := len(t.minutes); n == 0 || t.minutes[n-1].OpenedAt < opened {
		t.minutes = append(t.minutes, Candle{OpenedAt: opened})
		t.trim(opened)
	}
	t.minutes[len(t.minutes)-1].Add(trade.Price, trade.Quantity, trade.Notional)
}

// Remember appends a trade to the last ones, and not to the minutes.
func (t *Tape) Remember(trade Trade) {
	if len(t.trades) < TapeLength {
		t.trades = append(t.trades, trade)
	} else {
		t.trades[t.next] = trade
	}
	t.next = (t.next + 1) % TapeLength
	t.last = trade.Price
}

// LoadMinute appends the candle of a minute, when a tape is filled from history. Times increase.
func (t *Tape) LoadMinute(c Candle) { t.minutes = append(t.minutes, c) }

func (t *Tape) newest() (Trade, bool) {
	if len(t.trades) == 0 {
		return Trade{}, false
	}
	return t.trades[(t.next+TapeLength-1)%TapeLength], true
}

// trim forgets minutes that left the window; now is the beginning of the running minute.
func (t *Tape) trim(now int64) {
	stale := 0
	for stale < len(t.minutes) && t.minutes[stale].OpenedAt <= now-windowMinutes*60 {
		stale++
	}
	if stale > windowMinutes/8 || len(t.minutes) > windowMinutes+windowMinutes/4 {
		t.minutes = append(t.minutes[:0], t.minutes[stale:]...)
	}
}

// Recent appends the last n trades, newest first.
func (t *Tape) Recent(dst []Trade, n int) []Trade {
	for i := range min(n, len(t.trades)) {
		dst = append(dst, t.trades[(t.next+2*TapeLength-1-i)%TapeLength])
	}
	return dst
}

// Last is the price of the last trade, or false before the first one.
func (t *Tape) Last() (market.Price, bool) { return t.last, t.last != 0 }

// Day sums the 24 hours up to a time, in nanoseconds, by whole minutes: the running one and the
// 1,439 before it.
func (t *Tape) Day(now int64) Candle {
	running := OpenedAt(now, 60)
	from := running - (windowMinutes-1)*60
	day := Candle{OpenedAt: from}
	for i := range t.minutes {
		if at := t.minutes[i].OpenedAt; at >= from && at <= running {
			day.Merge(&t.minutes[i])
		}
	}
	return day
}
