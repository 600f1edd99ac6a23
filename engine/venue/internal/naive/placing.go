package naive

import (
	"cmp"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

const maxExpiry = Time(366) * Time(market.Day)

func (v *Venue) placeOrder(c *PlaceOrder) (Receipt, fault.Code) {
	m := v.market(c.Symbol)
	if m == nil {
		return Receipt{}, fault.UnknownMarket
	}
	o := &Order{
		Member: c.Actor, Market: m, Side: c.Side, Type: c.Type, TimeInForce: defaulted(c.Type, c.TimeInForce),
		Price: c.Price, Quantity: c.Quantity, Trigger: c.Trigger, Trail: c.Trail, Display: c.Display,
		PostOnly: c.PostOnly, SelfTrade: cmp.Or(c.SelfTrade, market.CancelTaker), ExpiresAt: Time(c.ExpiresAt),
	}
	if refusal := cmp.Or(phaseTakes(m, o), v.fits(o, c)); refusal != "" {
		return Receipt{}, refusal
	}
	v.giveRates(o)
	asked := request{orders: []*Order{o}, approved: c.Approved, amount: c.QuoteAmount, counts: 1, rated: true}
	if o.Type == market.Market {
		if refusal := v.priceMarketOrder(o, c.QuoteAmount); refusal != "" {
			return Receipt{}, refusal
		}
	}
	if refusal := v.setTrigger(o); refusal != "" {
		return Receipt{}, refusal
	}
	if refusal := withinBand(o); refusal != "" {
		return Receipt{}, refusal
	}
	if refusal := v.checkRisk(asked); refusal != "" {
		return Receipt{}, refusal
	}
	if refusal := cmp.Or(v.postOnly(o), v.fillOrKill(o)); refusal != "" {
		return Receipt{}, refusal
	}
	v.countCommand(c.Actor)
	held := need(o)
	if c.QuoteAmount > 0 {
		held, o.Exact = v.costOf(o, c.QuoteAmount), true
	}
	v.accept(o, held)
	v.start(o, c.QuoteAmount)
	return receiptOf(o), ""
}

func receiptOf(o *Order) Receipt {
	return Receipt{Order: o.ID, Status: o.Status, Filled: o.Filled, Notional: o.Notional, Fee: o.Fee}
}

func defaulted(kind market.Type, t market.TimeInForce) market.TimeInForce {
	switch {
	case t != 0:
		return t
	case kind == market.Market:
		return market.IOC
	}
	return market.GTC
}

// fits says whether side, type, time in force and options go together.
func (v *Venue) fits(o *Order, c *PlaceOrder) fault.Code {
	rests := o.Type == market.Limit && o.TimeInForce.Rests()
	switch {
	case !o.Side.Valid() || !o.Type.Valid() || !o.TimeInForce.Valid() || !o.SelfTrade.Valid():
		return fault.InvalidArgument
	case o.Type == market.Market && o.TimeInForce.Rests(), o.Type.Waits() && !o.TimeInForce.Rests():
		return fault.InvalidArgument
	case o.PostOnly && !rests:
		return fault.InvalidArgument
	case c.QuoteAmount != 0 && !takesAmount(o, c):
		return fault.InvalidArgument
	}
	wantsPrice := o.Type == market.Limit || o.Type == market.StopLimit
	if wantsPrice != (o.Price != 0) {
		return fault.InvalidPrice
	}
	wantsTrigger := o.Type == market.Stop || o.Type == market.StopLimit
	if !wanted(wantsTrigger, o.Trigger) || !wanted(o.Type == market.TrailingStop, o.Trail) {
		return fault.InvalidTrigger
	}
	if o.Display != 0 && (!rests || !displayFits(o)) {
		return fault.InvalidDisplay
	}
	return v.setExpiry(o)
}

func takesAmount(o *Order, c *PlaceOrder) bool {
	return c.QuoteAmount > 0 && c.Quantity == 0 && o.Type == market.Market && o.Side == market.Buy &&
		o.TimeInForce == market.IOC && o.SelfTrade != market.Decrement
}

// wanted says whether a price is there and in range, or not wanted and not there.
func wanted(want bool, price market.Price) bool {
	if !want {
		return price == 0
	}
	return price >= 1 && price <= market.MaxPrice
}

// displayFits: at least one lot, at least a hundredth of the quantity, less than the quantity.
func displayFits(o *Order) bool {
	return o.Display >= 1 && o.Display < o.Quantity && o.Display >= (o.Quantity+99)/100
}

// setExpiry works out when the order ends by itself.
func (v *Venue) setExpiry(o *Order) fault.Code {
	switch {
	case o.TimeInForce == market.GTD:
		if o.ExpiresAt <= v.now || o.ExpiresAt-v.now > maxExpiry {
			return fault.InvalidExpiry
		}
	case o.ExpiresAt != 0:
		return fault.InvalidExpiry
	case o.TimeInForce == market.DAY:
		o.ExpiresAt = dayEndAfter(v.now, o.Market)
	}
	return ""
}

// dayEndAfter is the first end of a trading day strictly after a time.
func dayEndAfter(now Time, m *Market) Time {
	end := now - now%Time(market.Day) + Time(m.Rules.DayEnd) - Time(market.Day)
	for end <= now {
		end += Time(market.Day)
	}
	return end
}

// setTrigger checks a stop's trigger against the last price, and works out a trailing one.
func (v *Venue) setTrigger(o *Order) fault.Code {
	m := o.Market
	switch {
	case !o.Type.Waits():
		return ""
	case o.Type == market.TrailingStop && m.Last == 0:
		return fault.NoReferencePrice
	case o.Type == market.TrailingStop:
		o.Extreme = m.Last
		o.Trigger = trailing(o)
		if o.Trigger < 1 || o.Trigger > market.MaxPrice {
			return fault.InvalidTrigger
		}
	case m.Last != 0 && reached(o, m.Last):
		return fault.TriggerPassed
	}
	if o.Type != market.StopLimit {
		o.Price = protected(m, o.Side, o.Trigger)
	}
	return ""
}

// accept gives an order an id, holds what it needs and tells of it.
func (v *Venue) accept(o *Order, hold money.Amount) {
	v.lastOrder++
	o.ID = v.lastOrder
	v.open = append(v.open, o)
	o.Status = market.Pending
	v.hold(o, hold)
	e := Effect{
		What: "placed", Market: o.Market.ID, Order: o.ID, Member: o.Member, Side: o.Side, Type: o.Type, TimeInForce: o.TimeInForce,
		Price: o.Price, Quantity: o.Quantity, Asset: heldAsset(o), Amount: o.Held, Trigger: o.Trigger, Trail: o.Trail,
		Display: o.Display, PostOnly: o.PostOnly, SelfTrade: o.SelfTrade, ExpiresAt: o.ExpiresAt,
		MakerRate: o.MakerRate, TakerRate: o.TakerRate,
	}
	switch {
	case o.Entry != nil:
		e.Linked = o.Entry.ID
	case o.Other != nil:
		e.Linked = cmp.Or(o.Other.ID, o.ID+1) // the stop leg comes next
	}
	v.tell(e)
}

// start lets an accepted order do what it came for: wait, trade or rest.
func (v *Venue) start(o *Order, amount money.Amount) {
	if o.Type.Waits() {
		return
	}
	v.goToBook(o, amount)
}

// goToBook lets an order trade in CONTINUOUS, and rest in any other phase.
func (v *Venue) goToBook(o *Order, amount money.Amount) {
	if o.Market.Phase == market.Continuous {
		v.trade(o, amount)
		return
	}
	v.join(o)
}
