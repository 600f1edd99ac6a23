package naive

import (
	"slices"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
)

func (v *Venue) cancelOrder(c *CancelOrder) (Receipt, fault.Code) {
	o, refusal := v.own(c.Actor, c.Order)
	if refusal != "" {
		return Receipt{}, refusal
	}
	v.cancel(o, market.CancelRequested)
	return receiptOf(o), ""
}

func (v *Venue) cancelFor(c *CancelFor) (Receipt, fault.Code) {
	o := v.known(c.Order)
	switch {
	case o == nil:
		return Receipt{}, fault.OrderNotFound
	case !o.Status.Live():
		return Receipt{}, fault.OrderNotOpen
	}
	v.cancel(o, market.CancelAdministrative)
	return receiptOf(o), ""
}

func (v *Venue) cancelAll(c *CancelAll) (Receipt, fault.Code) {
	var in int
	if c.Symbol != "" {
		m := v.market(c.Symbol)
		if m == nil {
			return Receipt{}, fault.UnknownMarket
		}
		in = m.ID
	}
	v.tell(Effect{What: "cancelled all", Market: in, Member: c.Actor})
	before := len(v.open)
	for _, o := range slices.Clone(v.open) {
		// A leg may have gone with another.
		if o.Member == c.Actor && (in == 0 || o.Market.ID == in) && o.Status.Live() {
			v.cancel(o, market.CancelRequested)
		}
	}
	return Receipt{Count: uint32(before - len(v.open))}, ""
}

// own finds an open order of a member.
func (v *Venue) own(member account.ID, id market.OrderID) (*Order, fault.Code) {
	o := v.known(id)
	switch {
	case o == nil || o.Member != member:
		return nil, fault.OrderNotFound
	case !o.Status.Live():
		return nil, fault.OrderNotOpen
	}
	return o, ""
}

// cancel ends an order with what is left of it, and what ends with it.
func (v *Venue) cancel(o *Order, reason market.CancelReason) {
	left, released := o.Left(), o.Held
	v.hold(o, -released)
	o.Reason = reason
	v.tell(Effect{
		What: "cancelled", Market: o.Market.ID, Order: o.ID, Member: o.Member, Side: o.Side, Reason: reason,
		Price: o.Price, Quantity: left, Asset: heldAsset(o), Amount: released,
	})
	v.end(o, market.Cancelled)
	v.dissolve(o)
}
