package naive

import (
	"cmp"

	"bourse/engine/fault"
	"bourse/engine/market"
)

func (v *Venue) amendOrder(c *AmendOrder) (Receipt, fault.Code) {
	o, refusal := v.own(c.Actor, c.Order)
	if refusal != "" {
		return Receipt{}, refusal
	}
	m := o.Market
	price, quantity := cmp.Or(c.Price, o.Price), cmp.Or(c.Quantity, o.Quantity)
	inPlace := price == o.Price && quantity < o.Quantity
	switch {
	case !o.InBook() || o.Grouped():
		return Receipt{}, fault.OrderNotAmendable
	case m.Phase == market.Draft || m.Phase == market.Closed:
		return Receipt{}, fault.MarketClosed
	case m.Phase == market.Halted:
		return Receipt{}, fault.MarketHalted
	case m.Phase == market.CancelOnly && !inPlace:
		return Receipt{}, fault.CancelOnly
	case quantity <= o.Filled || price == o.Price && quantity == o.Quantity:
		return Receipt{}, fault.InvalidAmend
	}
	if inPlace {
		return v.reduceInPlace(o, quantity)
	}
	return v.replace(o, price, quantity)
}

// reduceInPlace takes from an order's quantity; it keeps its place.
func (v *Venue) reduceInPlace(o *Order, quantity market.Quantity) (Receipt, fault.Code) {
	if v.frozen(o.Member) {
		return Receipt{}, fault.AccountFrozen
	}
	v.countCommand(o.Member)
	o.Quantity = quantity
	o.Shown = min(o.Shown, o.Left())
	v.holdAmended(o)
	return Receipt{Order: o.ID, Status: o.Status}, ""
}

// replace takes an order out of the book and lets it come again.
func (v *Venue) replace(o *Order, price market.Price, quantity market.Quantity) (Receipt, fault.Code) {
	next := *o
	next.Price, next.Quantity = price, quantity
	if refusal := withinBand(&next); refusal != "" {
		return Receipt{}, refusal
	}
	asked := request{orders: []*Order{&next}, counts: 1, instead: o}
	if refusal := cmp.Or(v.checkRisk(asked), v.postOnly(&next)); refusal != "" {
		return Receipt{}, refusal
	}
	v.countCommand(o.Member)
	o.Price, o.Quantity, o.Arrived, o.Shown = price, quantity, 0, 0
	v.holdAmended(o)
	before := *o
	v.goToBook(o, 0)
	return Receipt{
		Order: o.ID, Status: o.Status, Filled: o.Filled - before.Filled,
		Notional: o.Notional - before.Notional, Fee: o.Fee - before.Fee,
	}, ""
}

// holdAmended lets an amended order hold what it needs now.
func (v *Venue) holdAmended(o *Order) {
	release := o.Held - need(o)
	v.hold(o, -release)
	v.tell(Effect{
		What: "amended", Market: o.Market.ID, Order: o.ID, Member: o.Member, Side: o.Side,
		Price: o.Price, Quantity: o.Quantity, Asset: heldAsset(o), Amount: o.Held, Release: release,
	})
}
