// Package risk checks an order before it may trade and says what must be held
// for it.
//
// The checks are pure: whoever calls passes in the limits that bind the member,
// what it has and what it has open. Risk knows neither the ledger nor the book,
// not who stands in which group or below which agent, and it holds nothing
// itself.
package risk

import (
	"strconv"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Order is what the checks need to know of an order.
type Order struct {
	Side market.Side
	// Price is the limit price, or the protection price of an order without one.
	Price market.Price
	// Reference is the price at which notional is measured: the limit price, for
	// a market order the best price of the other side, for a stop its trigger.
	Reference market.Price
	Quantity  market.Quantity
	HoldRate  money.Rate      // the larger of the order's own maker and taker rates
	Filled    market.Quantity // of Quantity, before an amend
	Opens     int             // as how many open orders it would count; 0 when it cannot stay
	Approved  bool            // somebody who may has approved its size
	// Near is the price from which the distance of Price is measured, 0 when it
	// is not: the last price, or for a stop-limit its trigger.
	Near market.Price
	// QuoteAmount is what a buy by amount may spend, and Cost what it comes to; 0
	// for other orders. Quantity is then what the amount pays for.
	QuoteAmount money.Amount
	Cost        money.Amount
}

// Member is what the checks need to know of the member. An order that is being
// amended does not count in any of it, and what it holds is available.
type Member struct {
	Available  money.Amount // of the asset that the orders would hold, with what is left of a credit line
	OpenOrders int
	Freeze     Freeze
	Placed     int64 // placings and amends in the present second; 0 when they are not looked at
	// Position is base that the member has, with what its open buys in the market
	// would bring. It is looked at only for a buy under a limit of positions.
	Position money.Amount
	// Exposure is the notional of its open orders in the market. It is looked at
	// only under a limit of exposure.
	Exposure money.Amount
}

// Check passes the orders of one command, which are of one side, through the
// checks, each of which looks at all of them before the next comes. It returns
// what must be held for them together: quote for a buy, base for a sell. Of
// several orders only one can trade, so they need what the largest of them does.
//
// Refusals, in the order of the checks: INVALID_PRICE, INVALID_QUANTITY,
// AMOUNT_OVERFLOW (these by order); ACCOUNT_FROZEN, ORDER_RATE_EXCEEDED,
// BELOW_MIN_NOTIONAL, ORDER_QUANTITY_LIMIT, ORDER_NOTIONAL_LIMIT,
// APPROVAL_REQUIRED, PRICE_TOO_FAR, TOO_MANY_OPEN_ORDERS, POSITION_LIMIT,
// EXPOSURE_LIMIT, INSUFFICIENT_BALANCE. Details are limits, in the units of
// Limits.
func Check(terms *market.Terms, limits *Limits, orders []Order, member *Member) (needed money.Amount, err error) {
	opens := 0
	for i := range orders {
		need, err := orders[i].inRange(terms)
		if err != nil {
			return 0, err
		}
		needed = max(needed, need)
		opens += orders[i].Opens
	}
	switch {
	case member.Freeze != NotFrozen:
		return 0, ErrFrozen
	case limits.OrdersPerSecond != 0 && member.Placed >= limits.OrdersPerSecond:
		return 0, exceeds(fault.OrderRateExceeded, "too many orders in one second; wait for the next", limits.OrdersPerSecond)
	}
	for i := range orders {
		if o := &orders[i]; o.spends(terms) < terms.MinNotional {
			return 0, fault.New(fault.BelowMinNotional, "price times quantity is below the market's minimum")
		}
	}
	if limits.OrderQuantity|market.Quantity(limits.OrderNotional|limits.ApprovalNotional)|market.Quantity(limits.Distance) != 0 {
		if err := limits.size(terms, orders); err != nil {
			return 0, err
		}
	}
	if opens != 0 && int64(member.OpenOrders+opens) > limits.OpenOrders {
		return 0, exceeds(fault.TooManyOpenOrders, "too many open orders; cancel some first", limits.OpenOrders)
	}
	if limits.Position|limits.Exposure != 0 {
		if err := limits.standing(terms, orders, member); err != nil {
			return 0, err
		}
	}
	if member.Available < needed {
		return 0, fault.New(fault.InsufficientBalance, "the available balance does not cover the order with its fee")
	}
	return needed, nil
}

// InRange is the first of the checks by itself. Refusals: INVALID_PRICE,
// INVALID_QUANTITY, AMOUNT_OVERFLOW.
func InRange(terms *market.Terms, order *Order) error {
	_, err := order.inRange(terms)
	return err
}

// inRange checks that the order can be counted, and returns what it must hold.
func (o *Order) inRange(terms *market.Terms) (need money.Amount, err error) {
	if o.Price <= 0 || o.Price > market.MaxPrice {
		return 0, fault.New(fault.InvalidPrice, "the price must be positive and within range")
	}
	if o.Quantity <= 0 || o.Quantity > market.MaxQuantity {
		return 0, fault.New(fault.InvalidQuantity, "the quantity must be positive and within range")
	}
	need, ok := Hold(terms, o.HoldRate, o.Side, o.Price, o.Quantity-o.Filled)
	// The hold was computed at the limit, which is the larger notional for a buy
	// and the smaller for a sell; the reference of a sell may be higher.
	if _, fits := terms.Notional(o.Reference, o.Quantity); !ok || !fits {
		return 0, fault.New(fault.AmountOverflow, "price times quantity is larger than the exchange can count")
	}
	if o.QuoteAmount != 0 {
		need = o.Cost
	}
	return need, nil
}

// notional is what the order comes to where notional is measured. The order is
// in range.
func (o *Order) notional(terms *market.Terms) money.Amount {
	notional, _ := terms.Notional(o.Reference, o.Quantity)
	return notional
}

// spends is what must reach the least notional.
func (o *Order) spends(terms *market.Terms) money.Amount {
	if o.QuoteAmount != 0 {
		return o.QuoteAmount
	}
	return o.notional(terms)
}

// size checks the orders by themselves, one limit after another.
func (l *Limits) size(terms *market.Terms, orders []Order) error {
	for i := range orders {
		if l.OrderQuantity != 0 && orders[i].Quantity > l.OrderQuantity {
			return exceeds(fault.OrderQuantityLimit, "the quantity is above what one order may have", l.OrderQuantity)
		}
	}
	for i := range orders {
		if l.OrderNotional != 0 && orders[i].notional(terms) > l.OrderNotional {
			return exceeds(fault.OrderNotionalLimit, "price times quantity is above what one order may come to", l.OrderNotional)
		}
	}
	for i := range orders {
		if l.ApprovalNotional != 0 && !orders[i].Approved && orders[i].notional(terms) > l.ApprovalNotional {
			return exceeds(fault.ApprovalRequired, "an order of this size needs an approval first", l.ApprovalNotional)
		}
	}
	for i := range orders {
		if err := l.distance(&orders[i]); err != nil {
			return err
		}
	}
	return nil
}

// distance checks that a limit is not a slip of the finger.
func (l *Limits) distance(order *Order) error {
	if l.Distance == 0 || order.Near == 0 {
		return nil
	}
	distance := market.Price(l.Distance.Of(money.Amount(order.Near)))
	beyond := order.Near + distance
	if order.Side == market.Buy && order.Price > beyond {
		return exceeds(fault.PriceTooFar, "the price is further above the last price than it may be", beyond)
	}
	if beyond = order.Near - distance; order.Side == market.Sell && order.Price < beyond {
		return exceeds(fault.PriceTooFar, "the price is further below the last price than it may be", beyond)
	}
	return nil
}

// standing checks the orders with all that the member has and has open. Sums
// that cannot be counted are above every limit.
func (l *Limits) standing(terms *market.Terms, orders []Order, member *Member) error {
	position, counts := member.Position, true
	for i := range orders {
		base, ok := terms.BaseAmount(orders[i].Quantity - orders[i].Filled)
		sum, fits := position.Add(base)
		position, counts = sum, counts && ok && fits
	}
	if l.Position != 0 && orders[0].Side == market.Buy && (!counts || position > l.Position) {
		return exceeds(fault.PositionLimit, "with this order the position could exceed its limit", l.Position)
	}
	exposure, counts := member.Exposure, true
	for i := range orders {
		notional, ok := terms.Notional(orders[i].Price, orders[i].Quantity-orders[i].Filled)
		sum, fits := exposure.Add(notional)
		exposure, counts = sum, counts && ok && fits
	}
	if l.Exposure != 0 && (!counts || exposure > l.Exposure) {
		return exceeds(fault.ExposureLimit, "with this order the open orders of the market exceed their limit", l.Exposure)
	}
	return nil
}

// ErrFrozen is the refusal of a member whose account is frozen.
var ErrFrozen error = fault.New(fault.AccountFrozen, "the account is frozen: it may cancel, but not place or amend orders")

// exceeds is a refusal that names the limit.
func exceeds[T ~int64](code fault.Code, message string, limit T) error {
	return fault.New(code, message, "limit", strconv.FormatInt(int64(limit), 10))
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
