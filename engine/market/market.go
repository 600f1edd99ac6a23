// Package market holds the words in which orders are spoken: symbols, sides,
// prices in ticks, quantities in lots, and the definition that ties ticks and
// lots to decimals and to amounts of the two assets.
//
// It knows neither who trades nor what is in the book; it only says what is
// well-formed in a market and what a number of lots at a number of ticks costs.
package market

import "strconv"

// Symbol names a market, for example "BTC-USDT": 1 to MaxSymbol capital
// letters, digits and hyphens.
type Symbol string

// MaxSymbol is the longest symbol, in bytes.
const MaxSymbol = 32

// Valid reports whether the symbol is well-formed.
func (s Symbol) Valid() bool {
	if len(s) == 0 || len(s) > MaxSymbol {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// OrderID names an order. The venue hands them out densely from 1, so that a
// lower id was placed earlier.
type OrderID uint64

// TradeID names a trade. The venue hands them out densely from 1.
type TradeID uint64

// Price is a number of ticks, 1 to MaxPrice.
type Price int64

// Quantity is a number of lots, 1 to MaxQuantity.
type Quantity int64

// The bounds leave room for sums and for a protected price above the best.
const (
	MaxPrice    Price    = 1 << 50
	MaxQuantity Quantity = 1 << 50
)

// Side is the side of an order: bids are buys, asks are sells.
type Side uint8

// The sides. The zero Side is none of them.
const (
	Buy  Side = 1
	Sell Side = 2
)

// Valid reports whether the side is one.
func (s Side) Valid() bool { return s == Buy || s == Sell }

// Opposite is the side that an order trades against.
func (s Side) Opposite() Side { return Buy + Sell - s }

func (s Side) String() string { return name(sides[:], uint8(s)) }

// Type is how an order names its price.
type Type uint8

const (
	// Limit trades at its price or better.
	Limit Type = 1
	// Market trades at once, no worse than a protection price that the venue
	// sets from the best price of the other side.
	Market Type = 2
	// Stop waits for its trigger price, then trades at once, no worse than a
	// protection price counted from the trigger.
	Stop Type = 3
	// StopLimit waits for its trigger price, then is a limit order.
	StopLimit Type = 4
	// TrailingStop is a stop whose trigger price follows the market.
	TrailingStop Type = 5
)

// Valid reports whether the type is one.
func (t Type) Valid() bool { return t >= Limit && t <= TrailingStop }

// Waits reports whether an order of this type waits for a trigger.
func (t Type) Waits() bool { return t >= Stop && t <= TrailingStop }

func (t Type) String() string { return name(types[:], uint8(t)) }

// TimeInForce is how long an order stays.
type TimeInForce uint8

const (
	// GTC rests in the book until it is filled or cancelled.
	GTC TimeInForce = 1
	// IOC trades what it can at once; the rest is cancelled.
	IOC TimeInForce = 2
	// FOK trades all of it at once or is refused.
	FOK TimeInForce = 3
	// DAY rests until the market's trading day ends.
	DAY TimeInForce = 4
	// GTD rests until a time that the order names.
	GTD TimeInForce = 5
)

// Valid reports whether the time in force is one.
func (t TimeInForce) Valid() bool { return t >= GTC && t <= GTD }

// Rests reports whether what does not trade at once stays in the book.
func (t TimeInForce) Rests() bool { return t == GTC || t == DAY || t == GTD }

func (t TimeInForce) String() string { return name(timesInForce[:], uint8(t)) }

// SelfTrade is what becomes of an order that would meet one of the same hand.
type SelfTrade uint8

const (
	// CancelTaker cancels the rest of the order that came.
	CancelTaker SelfTrade = 1
	// CancelMaker cancels the order that rests.
	CancelMaker SelfTrade = 2
	// CancelBoth cancels both.
	CancelBoth SelfTrade = 3
	// Decrement takes from both what they would have traded.
	Decrement SelfTrade = 4
	// Allow lets them trade.
	Allow SelfTrade = 5
)

// Valid reports whether the mode is one.
func (m SelfTrade) Valid() bool { return m >= CancelTaker && m <= Allow }

func (m SelfTrade) String() string { return name(selfTrades[:], uint8(m)) }

// Status is where an order stands.
type Status uint8

const (
	// Open rests in the book, nothing of it traded yet.
	Open Status = 1
	// PartiallyFilled rests in the book with a part traded.
	PartiallyFilled Status = 2
	// Filled has traded in full.
	Filled Status = 3
	// Cancelled left the book, or never rested, before it was filled.
	Cancelled Status = 4
	// Pending waits for its trigger or for the order that it belongs to.
	Pending Status = 5
)

// Valid reports whether the status is one.
func (s Status) Valid() bool { return s >= Open && s <= Pending }

// Live reports whether an order of this status has not ended: it rests in the
// book or waits.
func (s Status) Live() bool { return s == Open || s == PartiallyFilled || s == Pending }

func (s Status) String() string { return name(statuses[:], uint8(s)) }

// CancelReason is why an order, or the rest of it, was cancelled.
type CancelReason uint8

const (
	// CancelRequested was asked for by its member.
	CancelRequested CancelReason = 1
	// CancelImmediate is the rest of an order that does not rest.
	CancelImmediate CancelReason = 2
	// CancelSelfTrade met an order of the same hand.
	CancelSelfTrade CancelReason = 3
	// CancelExpired came to the end of its time.
	CancelExpired CancelReason = 4
	// CancelLinked went with an order that it is linked to.
	CancelLinked CancelReason = 5
	// CancelUnfunded could not be covered when its turn came.
	CancelUnfunded CancelReason = 6
	// CancelAdministrative was asked for by the house.
	CancelAdministrative CancelReason = 7
	// CancelFillLimit met as many orders as one order may.
	CancelFillLimit CancelReason = 8
	// CancelBreaker would have traded beyond the circuit breaker.
	CancelBreaker CancelReason = 9
)

// Valid reports whether the reason is one.
func (r CancelReason) Valid() bool { return r >= CancelRequested && r <= CancelBreaker }

func (r CancelReason) String() string { return name(reasons[:], uint8(r)) }

var (
	sides        = [...]string{"", "BUY", "SELL"}
	types        = [...]string{"", "LIMIT", "MARKET", "STOP", "STOP_LIMIT", "TRAILING_STOP"}
	timesInForce = [...]string{"", "GTC", "IOC", "FOK", "DAY", "GTD"}
	selfTrades   = [...]string{"", "CANCEL_TAKER", "CANCEL_MAKER", "CANCEL_BOTH", "DECREMENT", "ALLOW"}
	statuses     = [...]string{"", "OPEN", "PARTIALLY_FILLED", "FILLED", "CANCELLED", "PENDING"}
	reasons      = [...]string{
		"", "REQUESTED", "IMMEDIATE", "SELF_TRADE", "EXPIRED", "LINKED", "UNFUNDED", "ADMINISTRATIVE", "FILL_LIMIT", "BREAKER",
	}
)

func name(names []string, value uint8) string {
	if value == 0 || int(value) >= len(names) {
		return "UNKNOWN(" + strconv.Itoa(int(value)) + ")"
	}
	return names[value]
}
