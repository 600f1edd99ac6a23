package naive

import (
	"cmp"
	"slices"

	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

func (v *Venue) placeOCO(c *PlaceOCO) (Receipt, fault.Code) {
	m := v.market(c.Symbol)
	if m == nil {
		return Receipt{}, fault.UnknownMarket
	}
	if refusal := phaseTakesGroups(m); refusal != "" {
		return Receipt{}, refusal
	}
	limit := &Order{
		Member: c.Actor, Market: m, Side: c.Side, Type: market.Limit, TimeInForce: cmp.Or(c.TimeInForce, market.GTC),
		Price: c.Price, Quantity: c.Quantity, PostOnly: true,
		SelfTrade: cmp.Or(c.SelfTrade, market.CancelTaker), ExpiresAt: Time(c.ExpiresAt),
	}
	stop := *limit
	stop.Type, stop.Price, stop.Trigger, stop.PostOnly = stopType(c.StopPrice), c.StopPrice, c.Trigger, false
	if refusal := v.fitsOCO(limit, &stop); refusal != "" {
		return Receipt{}, refusal
	}
	v.giveRates(limit)
	v.giveRates(&stop)
	if refusal := cmp.Or(v.setTrigger(&stop), withinBand(limit), withinBand(&stop)); refusal != "" {
		return Receipt{}, refusal
	}
	asked := request{orders: []*Order{limit, &stop}, approved: c.Approved, counts: 2, rated: true}
	if refusal := cmp.Or(v.checkRisk(asked), v.postOnly(limit)); refusal != "" {
		return Receipt{}, refusal
	}
	v.countCommand(c.Actor)
	first, second := pairNeeds(limit, &stop)
	limit.Other, stop.Other = &stop, limit
	v.accept(limit, first)
	v.accept(&stop, second)
	v.join(limit)
	return receiptOf(limit), ""
}

func stopType(price market.Price) market.Type {
	if price == 0 {
		return market.Stop
	}
	return market.StopLimit
}

func (v *Venue) fitsOCO(limit, stop *Order) fault.Code {
	above := limit.Price > stop.Trigger
	switch {
	case !limit.Side.Valid() || !limit.TimeInForce.Rests() || !limit.SelfTrade.Valid():
		return fault.InvalidArgument
	case limit.Price != 0 && stop.Trigger != 0 && (above != (limit.Side == market.Sell) || limit.Price == stop.Trigger):
		return fault.InvalidArgument
	case limit.Price == 0:
		return fault.InvalidPrice
	case !wanted(true, stop.Trigger):
		return fault.InvalidTrigger
	}
	return cmp.Or(v.setExpiry(limit), v.setExpiry(stop))
}

// pairNeeds is what the two legs of an OCO hold: the limit leg what it needs, the stop leg what it needs beyond that.
func pairNeeds(limit, stop *Order) (first, second money.Amount) {
	return need(limit), max(need(stop)-need(limit), 0)
}

func (v *Venue) placeBracket(c *PlaceBracket) (Receipt, fault.Code) {
	m := v.market(c.Symbol)
	if m == nil {
		return Receipt{}, fault.UnknownMarket
	}
	if refusal := phaseTakesGroups(m); refusal != "" {
		return Receipt{}, refusal
	}
	entry := &Order{
		Member: c.Actor, Market: m, Side: c.Side, Type: c.Type, TimeInForce: defaulted(c.Type, c.TimeInForce),
		Price: c.Price, Quantity: c.Quantity,
		SelfTrade: cmp.Or(c.SelfTrade, market.CancelTaker), ExpiresAt: Time(c.ExpiresAt),
	}
	profit := &Order{
		Member: c.Actor, Market: m, Side: c.Side.Opposite(), Type: market.Limit, TimeInForce: market.GTC,
		Price: c.TakeProfit, Quantity: c.Quantity, SelfTrade: entry.SelfTrade,
	}
	loss := *profit
	loss.Type, loss.Price, loss.Trigger = stopType(c.StopPrice), c.StopPrice, c.StopTrigger
	if refusal := v.fitsBracket(entry, profit, &loss); refusal != "" {
		return Receipt{}, refusal
	}
	for _, o := range []*Order{entry, profit, &loss} {
		v.giveRates(o)
	}
	if loss.Type == market.Stop {
		loss.Price = protected(m, loss.Side, loss.Trigger)
	}
	if entry.Type == market.Market {
		if refusal := v.priceMarketOrder(entry, 0); refusal != "" {
			return Receipt{}, refusal
		}
	}
	if refusal := cmp.Or(withinBand(entry), withinBand(profit), withinBand(&loss)); refusal != "" {
		return Receipt{}, refusal
	}
	asked := request{orders: []*Order{entry}, exits: []*Order{profit, &loss}, approved: c.Approved, counts: 3, rated: true}
	if refusal := cmp.Or(v.checkRisk(asked), v.fillOrKill(entry)); refusal != "" {
		return Receipt{}, refusal
	}
	v.countCommand(c.Actor)
	entry.Exits = []*Order{profit, &loss}
	profit.Entry, loss.Entry = entry, entry
	profit.Other, loss.Other = &loss, profit
	v.accept(entry, need(entry))
	v.accept(profit, 0)
	v.accept(&loss, 0)
	v.start(entry, 0)
	return receiptOf(entry), ""
}

func (v *Venue) fitsBracket(entry, profit, loss *Order) fault.Code {
	above := profit.Price > loss.Trigger
	switch {
	case !entry.Side.Valid() || !entry.TimeInForce.Valid() || !entry.SelfTrade.Valid():
		return fault.InvalidArgument
	case entry.Type != market.Limit && (entry.Type != market.Market || entry.TimeInForce.Rests()):
		return fault.InvalidArgument
	case profit.Price != 0 && loss.Trigger != 0 && (above != (entry.Side == market.Buy) || profit.Price == loss.Trigger):
		return fault.InvalidArgument
	case (entry.Type == market.Limit) != (entry.Price != 0) || profit.Price == 0:
		return fault.InvalidPrice
	case !wanted(true, loss.Trigger):
		return fault.InvalidTrigger
	}
	return v.setExpiry(entry)
}

// linkTraded queues the other leg of an OCO because this one traded.
func (v *Venue) linkTraded(o *Order) {
	other := o.Other
	if other == nil || o.Entry != nil || other.Queued {
		return
	}
	v.note("OCO: a leg traded")
	other.Queued = true
	o.Market.Linked = append(o.Market.Linked, other)
}

// dissolve does what an order's end means for those that it is linked to.
func (v *Venue) dissolve(o *Order) {
	m, other, entry := o.Market, o.Other, o.Entry
	m.Linked = without(m.Linked, o)
	if len(o.Exits) > 0 {
		if o.Filled > 0 {
			m.Acting = append(m.Acting, o)
			return
		}
		v.cancel(o.Exits[0], market.CancelLinked)
		return
	}
	m.Acting = without(m.Acting, o)
	if other == nil || other.Queued || o.Status != market.Cancelled {
		return
	}
	v.dissolveGroup(o)
	if entry != nil {
		m.Acting = without(m.Acting, entry)
	}
	v.cancel(other, market.CancelLinked)
}

// dissolveGroup lets the legs of a pair forget one another, and an entry its exits.
func (v *Venue) dissolveGroup(o *Order) {
	other, entry := o.Other, o.Entry
	o.Other, other.Other, o.Entry, other.Entry = nil, nil, nil, nil
	if entry != nil {
		entry.Exits = nil
	}
}

func without(orders []*Order, o *Order) []*Order {
	return slices.DeleteFunc(orders, func(each *Order) bool { return each == o })
}

// activate makes an OCO of the exits of an entry that has ended with something filled.
func (v *Venue) activate(entry *Order) {
	profit, loss := entry.Exits[0], entry.Exits[1]
	v.dissolveGroup(profit)
	sized := [2]Order{*profit, *loss}
	sized[0].Quantity, sized[1].Quantity = entry.Filled, entry.Filled
	first, second := pairNeeds(&sized[0], &sized[1])
	if !v.covers(profit.Member, heldAsset(profit), first+second) {
		v.note("bracket: unfunded")
		v.cancel(profit, market.CancelUnfunded)
		v.cancel(loss, market.CancelUnfunded)
		return
	}
	for _, exit := range []struct {
		order *Order
		hold  money.Amount
	}{{profit, first}, {loss, second}} {
		exit.order.Quantity = entry.Filled
		v.hold(exit.order, exit.hold)
		v.tell(Effect{
			What: "activated", Market: entry.Market.ID, Order: exit.order.ID, Member: exit.order.Member, Side: exit.order.Side,
			Quantity: entry.Filled, Asset: heldAsset(exit.order), Amount: exit.hold,
		})
	}
	v.trade(profit, 0)
	if profit.Filled > 0 || profit.Quantity < entry.Filled || !profit.Status.Live() {
		v.note("bracket: the take-profit trades at once")
		v.cancel(loss, market.CancelLinked)
		return
	}
	profit.Other, loss.Other = loss, profit
	if reached(loss, entry.Market.Last) {
		v.note("bracket: the stop-loss triggers at once")
		v.trigger(loss)
	}
}
