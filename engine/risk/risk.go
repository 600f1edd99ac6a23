// Package risk checks an order before it may trade and says what must be held
// for it.
//
// The checks are pure: whoever calls passes in what the member has and how many
// orders it has open. Risk knows neither the ledger nor the book, and it holds
// nothing itself.
package risk

import (
	"strconv"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Limits bound what one member may do.
type Limits struct {
	MaxOpenOrders int // over all markets
}

// DefaultLimits apply to every member.
var DefaultLimits = Limits{MaxOpenOrders: 1000}

// Order is what the checks need to know of an order. Price is the limit price,
// or the protection price of a market order; Reference is the price at which
// the least notional is measured: the limit price, or for a market order the
// best price of the other side.
type Order struct {
	Side      market.Side
	Price     market.Price
	Reference market.Price
	Quantity  market.Quantity
	Rate      money.Rate // the larger of its maker's and its taker's
	Opens     int        // open orders that it may come to
}

// Member is what the checks need to know of the member.
type Member struct {
	Available  money.Amount // of the asset that the order would hold
	OpenOrders int
}

// Check returns what must be held for the order: quote for a buy, base for a
// sell. Refusals: INVALID_PRICE, INVALID_QUANTITY, AMOUNT_OVERFLOW,
// BELOW_MIN_NOTIONAL, TOO_MANY_OPEN_ORDERS, INSUFFICIENT_BALANCE.
func Check(terms *market.Terms, limits Limits, order Order, member Member) (money.Amount, error) {
	if order.Price <= 0 || order.Price > market.MaxPrice {
		return 0, fault.New(fault.InvalidPrice, "the price must be positive and within range")
	}
	if order.Quantity <= 0 || order.Quantity > market.MaxQuantity {
		return 0, fault.New(fault.InvalidQuantity, "the quantity must be positive and within range")
	}
	hold, ok := Hold(terms, order.Rate, order.Side, order.Price, order.Quantity)
	if !ok {
		return 0, fault.New(fault.AmountOverflow, "price times quantity is larger than the exchange can count")
	}
	// The hold was computed at the limit, which is the larger notional for a buy
	// and the smaller for a sell; the reference of a sell may be higher.
	notional, ok := terms.Notional(order.Reference, order.Quantity)
	if !ok {
		return 0, fault.New(fault.AmountOverflow, "price times quantity is larger than the exchange can count")
	}
	if notional < terms.MinNotional {
		return 0, fault.New(fault.BelowMinNotional, "price times quantity is below the market's minimum")
	}
	if order.Opens > 0 && member.OpenOrders+order.Opens > limits.MaxOpenOrders {
		return 0, fault.New(fault.TooManyOpenOrders, "too many open orders; cancel some first",
			"limit", strconv.Itoa(limits.MaxOpenOrders))
	}
	if member.Available < hold {
		return 0, fault.New(fault.InsufficientBalance, "the available balance does not cover the order with its fee")
	}
	return hold, nil
}

// Hold is what an open order with this many lots left needs held: a buy its
// notional at the limit price with the fee at the rate, which is the larger of
// its maker's and its taker's, a sell its base.
// It also makes sure that the notional of a sell can be counted. ok is false on
// overflow.
//
// Holds shrink at every fill by at least what the fill costs: the fill's price
// is no worse than the limit, and the fees of the parts, each rounded down, sum
// to no more than the fee of the whole.
func Hold(terms *market.Terms, rate money.Rate, side market.Side, price market.Price, quantity market.Quantity) (hold money.Amount, ok bool) {
	notional, ok := terms.Notional(price, quantity)
	if !ok {
		return 0, false
	}
	if side == market.Sell {
		return terms.BaseAmount(quantity)
	}
	return notional.Add(rate.Of(notional))
}
