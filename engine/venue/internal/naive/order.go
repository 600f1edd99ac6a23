package naive

import (
	"slices"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Order is an order with all that is known of it.
type Order struct {
	ID          market.OrderID
	Member      account.ID
	Market      *Market
	Side        market.Side
	Type        market.Type
	TimeInForce market.TimeInForce
	Price       market.Price // limit price; protection price of what has none
	Quantity    market.Quantity
	Trigger     market.Price // as it stands
	Trail       market.Price
	Display     market.Quantity
	PostOnly    bool
	SelfTrade   market.SelfTrade
	ExpiresAt   Time // 0: never
	MakerRate   money.Rate
	TakerRate   money.Rate

	Status   market.Status
	Reason   market.CancelReason
	Filled   market.Quantity
	Notional money.Amount
	Fee      money.Amount
	Held     money.Amount
	Exact    bool // it holds what its trades will cost, and nothing to be released

	Arrived int64           // when it joined the end of its queue; 0 while it is not in the book
	Shown   market.Quantity // lots in the book that others see

	Triggered bool         // waits for its turn to act
	Best      market.Price // of the other side, when a market order was placed
	Extreme   market.Price // the best price that a trailing stop has seen

	Other  *Order   // the other leg of its OCO, or of what will be one
	Entry  *Order   // of a bracket that is not active yet
	Exits  []*Order // of an entry: take-profit, stop-loss
	Queued bool     // to be cancelled because the other leg traded
}

// Left is what can still trade.
func (o *Order) Left() market.Quantity { return o.Quantity - o.Filled }

// InBook tells whether others can trade with the order.
func (o *Order) InBook() bool { return o.Arrived != 0 }

// WaitsForTrigger tells whether trades are watched for the order.
func (o *Order) WaitsForTrigger() bool {
	return o.Status == market.Pending && o.Entry == nil && !o.Triggered
}

// Grouped tells whether the order belongs to an OCO or a bracket.
func (o *Order) Grouped() bool { return o.Other != nil || o.Entry != nil || len(o.Exits) > 0 }

// join puts what is left of an order at the end of the queue of its price.
func (v *Venue) join(o *Order) {
	v.arrivals++
	o.Arrived = v.arrivals
	o.Shown = o.Left()
	if o.Display > 0 {
		o.Shown = min(o.Display, o.Left())
	}
	o.Status = market.Open
	if o.Filled > 0 {
		o.Status = market.PartiallyFilled
	}
}

// take takes displayed lots away; when none are displayed but more are there, the next ones join the queue's end.
func (v *Venue) take(o *Order, lots market.Quantity) {
	o.Shown -= lots
	if o.Shown == 0 && o.Left() > 0 {
		v.join(o)
	}
}

// end moves an order to those that have ended.
func (v *Venue) end(o *Order, status market.Status) {
	o.Status, o.Arrived, o.Shown, o.Triggered = status, 0, 0, false
	v.open = slices.DeleteFunc(v.open, func(each *Order) bool { return each == o })
	if v.ended = append(v.ended, o); len(v.ended) > closedOrders {
		v.ended = v.ended[1:]
	}
}

// openIn returns the open orders of a market, by id.
func (v *Venue) openIn(m *Market) (orders []*Order) {
	for _, o := range v.open {
		if o.Market == m {
			orders = append(orders, o)
		}
	}
	return orders
}

// queue returns the orders that rest on one side, in the order in which they trade.
func (v *Venue) queue(m *Market, side market.Side) (orders []*Order) {
	for _, o := range v.open {
		if o.Market == m && o.Side == side && o.InBook() {
			orders = append(orders, o)
		}
	}
	slices.SortFunc(orders, before)
	return orders
}

// before is price-time priority: negative when a trades before b, of the same side.
func before(a, b *Order) int {
	switch {
	case a.Price != b.Price && (a.Price > b.Price) == (a.Side == market.Buy):
		return -1
	case a.Price != b.Price:
		return 1
	case a.Arrived < b.Arrived:
		return -1
	}
	return 1
}

// best returns the best price of a side, 0 when nothing rests there.
func (v *Venue) best(m *Market, side market.Side) market.Price {
	if queue := v.queue(m, side); len(queue) > 0 {
		return queue[0].Price
	}
	return 0
}

// crosses tells whether a taker of this side and limit may trade at a price of the other side.
func crosses(side market.Side, limit, price market.Price) bool {
	if side == market.Buy {
		return price <= limit
	}
	return price >= limit
}
