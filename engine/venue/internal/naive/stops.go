package naive

import (
	"cmp"
	"slices"

	"bourse/engine/market"
)

// reached tells whether a stop's trigger is reached at a price.
func reached(o *Order, price market.Price) bool {
	if o.Side == market.Buy {
		return price >= o.Trigger
	}
	return price <= o.Trigger
}

// trailing is the trigger of a trailing stop, by the best price that it has seen.
func trailing(o *Order) market.Price {
	if o.Side == market.Sell {
		return o.Extreme - o.Trail
	}
	return o.Extreme + o.Trail
}

// look shows a trade's price to the stops of the market.
func (v *Venue) look(m *Market, price market.Price) {
	m.Last = price
	var buys, sells, trails []*Order
	for _, o := range v.openIn(m) {
		switch {
		case !o.Type.Waits() || !o.WaitsForTrigger():
		case reached(o, price) && o.Side == market.Buy:
			buys = append(buys, o)
		case reached(o, price):
			sells = append(sells, o)
		case o.Type == market.TrailingStop:
			trails = append(trails, o)
		}
	}
	slices.SortStableFunc(buys, func(a, b *Order) int { return cmp.Compare(a.Trigger, b.Trigger) })
	slices.SortStableFunc(sells, func(a, b *Order) int { return cmp.Compare(b.Trigger, a.Trigger) })
	for _, o := range slices.Concat(buys, sells) {
		v.trigger(o)
	}
	for _, o := range trails {
		if o.Side == market.Sell {
			o.Extreme = max(o.Extreme, price)
		} else {
			o.Extreme = min(o.Extreme, price)
		}
		if next := trailing(o); next != o.Trigger {
			v.note("trailing stop follows")
			o.Trigger = next
		}
	}
}

// trigger puts a stop behind those that act before it.
func (v *Venue) trigger(o *Order) {
	o.Triggered = true
	o.Market.Acting = append(o.Market.Acting, o)
}

// act lets a stop that triggered trade.
func (v *Venue) act(o *Order) {
	o.Triggered, o.Status = false, market.Open
	if o.Type == market.TrailingStop {
		price := protected(o.Market, o.Side, o.Trigger)
		if o.Side == market.Buy {
			price = min(price, o.Price)
		}
		o.Price = price
	}
	needed := need(o)
	if other := o.Other; other != nil {
		v.note("OCO: the stop leg acts")
		v.dissolveGroup(o)
		passes := min(other.Held, max(needed-o.Held, 0))
		other.Held -= passes
		o.Held += passes
		v.cancel(other, market.CancelLinked)
	}
	release := o.Held - needed
	v.hold(o, -release)
	v.tell(Effect{
		What: "triggered", Market: o.Market.ID, Order: o.ID, Member: o.Member, Side: o.Side,
		Price: o.Price, Quantity: o.Left(), Asset: heldAsset(o), Amount: o.Held, Release: release,
	})
	v.trade(o, 0)
}
