package naive

import (
	"slices"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// maxMeetings is how many makers a taker meets at most, counting one as often as it is met.
const maxMeetings = 10_000

// meeting is what happens between a taker and one maker.
type meeting struct {
	maker *Order
	what  outcome
	price market.Price
	lots  market.Quantity

	follows market.Price // the breaker's reference price moves here first, 0 when it does not
}

type outcome string

const (
	trades       outcome = "trade"
	cancelsMaker outcome = "cancel maker"
	decrements   outcome = "decrement"
)

// course is how a taker fares, on paper.
type course struct {
	meetings []meeting
	traded   market.Quantity
	left     market.Quantity     // of an order by quantity
	reason   market.CancelReason // why the rest does not stay, 0 when it may
	trips    bool                // the breaker
	follows  market.Price        // where the reference price moved before the trade that tripped it
}

// plan finds out on paper what a taker would do to the book; nothing changes. With an amount the taker buys for it, whatever its
// quantity.
func (v *Venue) plan(taker *Order, amount money.Amount) (c course) {
	m := taker.Market
	var makers []*Order // copies
	for _, maker := range v.queue(m, taker.Side.Opposite()) {
		paper := *maker
		makers = append(makers, &paper)
	}
	gauge := v.gauge(m)
	arrivals := v.arrivals
	byAmount := amount > 0
	c.left = taker.Left()
	for !byAmount && c.left > 0 || amount > 0 {
		if len(c.meetings) == maxMeetings {
			c.reason = market.CancelFillLimit
			return c
		}
		slices.SortFunc(makers, before)
		if len(makers) == 0 || !crosses(taker.Side, taker.Price, makers[0].Price) {
			return c
		}
		maker := makers[0]
		lots := min(c.left, maker.Shown)
		if byAmount {
			lots = affordable(taker, maker, amount)
		}
		met := meeting{maker: v.order(maker.ID), price: maker.Price, lots: lots}
		switch {
		case taker.SelfTrade == market.Allow || !v.sameHand(taker, maker):
			if lots == 0 {
				return c
			}
			met.follows = gauge.follow(maker.Price)
			if !gauge.allows(maker.Price) {
				c.trips, c.follows, c.reason = true, met.follows, market.CancelBreaker
				return c
			}
			met.what = trades
			c.traded += lots
		case taker.SelfTrade == market.CancelTaker:
			c.reason = market.CancelSelfTrade
			return c
		case taker.SelfTrade == market.Decrement:
			met.what = decrements
		default:
			met.what = cancelsMaker
		}
		c.meetings = append(c.meetings, met)
		if met.what == cancelsMaker {
			makers = makers[1:]
			if taker.SelfTrade == market.CancelBoth {
				c.reason = market.CancelSelfTrade
				return c
			}
			continue
		}
		whole := lots == maker.Shown
		if byAmount {
			amount -= cost(taker, maker.Price, lots)
			if !whole {
				return c
			}
		} else {
			c.left -= lots
		}
		makers = reduced(makers, lots, &arrivals)
	}
	return c
}

// reduced takes lots from the first of the makers, on paper.
func reduced(makers []*Order, lots market.Quantity, arrivals *int64) []*Order {
	maker := makers[0]
	maker.Filled += lots
	maker.Shown -= lots
	if maker.Left() == 0 {
		return makers[1:]
	}
	if maker.Shown == 0 {
		*arrivals++
		maker.Arrived, maker.Shown = *arrivals, min(maker.Display, maker.Left())
	}
	return makers
}

// trade lets an order take what it can and rest, or end, with what is left.
func (v *Venue) trade(taker *Order, amount money.Amount) {
	c := v.plan(taker, amount)
	for _, met := range c.meetings {
		v.meet(taker, met)
		v.noteHand(taker, met)
	}
	if c.reason == market.CancelSelfTrade {
		v.note("self-trade:", taker.SelfTrade.String(), "ends the taker")
	}
	v.follow(taker.Market, c.follows)
	if c.trips {
		v.trip(taker.Market)
	}
	v.settle(taker, c)
}

func (v *Venue) meet(taker *Order, met meeting) {
	maker := met.maker
	switch met.what {
	case trades:
		v.follow(taker.Market, met.follows)
		v.exchange(taker, maker, met.price, met.lots)
	case cancelsMaker:
		v.cancel(maker, market.CancelSelfTrade)
	case decrements:
		v.decrement(maker, met.lots)
		v.decrement(taker, met.lots)
	}
}

// settle decides what becomes of a taker that has met whom it could.
func (v *Venue) settle(taker *Order, c course) {
	rests := taker.TimeInForce.Rests() && (taker.Type == market.Limit || taker.Type == market.StopLimit)
	switch {
	case taker.Status == market.Cancelled: // by DECREMENT
	case taker.Left() == 0:
		v.fill(taker)
	case rests && (c.reason == 0 || c.reason == market.CancelBreaker):
		if c.trips {
			v.note("breaker: what is left rests, crossing")
		}
		v.join(taker)
	case c.reason != 0:
		v.cancel(taker, c.reason)
	default:
		v.cancel(taker, market.CancelImmediate)
	}
}

// fill ends an order that has traded all of its quantity.
func (v *Venue) fill(o *Order) {
	v.end(o, market.Filled)
	v.dissolve(o)
}

// decrement takes lots from an order without a trade.
func (v *Venue) decrement(o *Order, lots market.Quantity) {
	if o.Left() == lots {
		v.cancel(o, market.CancelSelfTrade)
		return
	}
	o.Quantity -= lots
	if o.InBook() {
		v.take(o, lots)
	}
	release := o.Held - need(o)
	v.hold(o, -release)
	v.tell(Effect{
		What: "reduced", Market: o.Market.ID, Order: o.ID, Member: o.Member, Side: o.Side, Reason: market.CancelSelfTrade,
		Quantity: lots, Asset: heldAsset(o), Amount: release,
	})
	v.linkTraded(o)
}

// sameHand tells whether two orders must not trade with one another.
func (v *Venue) sameHand(a, b *Order) bool {
	if a.Member == b.Member {
		return true
	}
	group := v.member(a.Member).TradeGroup
	return group != 0 && group == v.member(b.Member).TradeGroup
}

// postOnly refuses a post-only order that crosses the best price of the other side.
func (v *Venue) postOnly(o *Order) fault.Code {
	if !o.PostOnly || o.Market.Phase != market.Continuous {
		return ""
	}
	if best := v.best(o.Market, o.Side.Opposite()); best != 0 && crosses(o.Side, o.Price, best) {
		return fault.PostOnlyWouldTake
	}
	return ""
}

// fillOrKill refuses a FOK order unless all of it would trade.
func (v *Venue) fillOrKill(o *Order) fault.Code {
	if o.TimeInForce != market.FOK {
		return ""
	}
	if c := v.plan(o, 0); c.traded < o.Quantity {
		if c.trips {
			v.note("breaker: fill-or-kill refused")
		}
		return fault.NotFillable
	}
	return ""
}

func (v *Venue) noteHand(taker *Order, met meeting) {
	if !v.sameHand(taker, met.maker) {
		return
	}
	hand := "of the same member"
	if taker.Member != met.maker.Member {
		hand = "of the same trade group"
	}
	v.note("self-trade:", taker.SelfTrade.String(), string(met.what), hand)
}
