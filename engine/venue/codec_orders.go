package venue

import (
	"encoding/binary"

	"bourse/engine/account"
	"bourse/engine/market"
)

// Bits of the options of an OrderPlaced.
const (
	optionPostOnly   = 1
	optionConditions = 2
)

func appendOrderFields(dst []byte, ev *Event) []byte {
	switch ev.Kind {
	case OrderPlaced:
		options := byte(0)
		if ev.PostOnly {
			options |= optionPostOnly
		}
		if ev.Conditions != nil {
			options |= optionConditions
		}
		dst = append(dst, byte(ev.Side), byte(ev.Type), byte(ev.TimeInForce), byte(ev.SelfTrade), options)
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Order), uint64(ev.Member))
		dst = appendNumbers(dst, uint64(ev.Price), uint64(ev.Quantity), uint64(ev.Asset), uint64(ev.Amount))
		dst = appendNumbers(dst, uint64(ev.MakerRate), uint64(ev.TakerRate))
		if ev.Conditions != nil {
			dst = appendConditions(dst, ev.Conditions)
		}
	case Traded, AuctionTraded:
		dst = append(dst, byte(ev.Side))
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Base), uint64(ev.Quote), uint64(ev.Trade))
		dst = appendNumbers(dst, uint64(ev.Order), uint64(ev.Member), uint64(ev.Maker), uint64(ev.MakerMember))
		dst = appendNumbers(dst, uint64(ev.Price), uint64(ev.Quantity), uint64(ev.Amount), uint64(ev.Notional))
		dst = appendNumbers(dst, uint64(ev.MakerFee), uint64(ev.TakerFee), uint64(ev.Release))
	case OrderCancelled:
		dst = append(dst, byte(ev.Side), byte(ev.Reason))
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Order), uint64(ev.Member))
		dst = appendNumbers(dst, uint64(ev.Price), uint64(ev.Quantity), uint64(ev.Asset), uint64(ev.Amount))
	case OrdersCancelled:
		dst = appendNumbers(dst, uint64(ev.Market))
	case OrderAmended, OrderTriggered, OrderActivated:
		dst = append(dst, byte(ev.Side))
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Order), uint64(ev.Member))
		dst = appendNumbers(dst, uint64(ev.Price), uint64(ev.Quantity), uint64(ev.Asset), uint64(ev.Amount))
		dst = binary.AppendVarint(dst, int64(ev.Release))
	case OrderReduced:
		dst = append(dst, byte(ev.Side), byte(ev.Reason))
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Order), uint64(ev.Member))
		dst = appendNumbers(dst, uint64(ev.Quantity), uint64(ev.Asset), uint64(ev.Amount))
	}
	return dst
}

// appendOutcome writes what comes of an order, which is its receipt as well.
func appendOutcome(dst []byte, ev *Event) []byte {
	r := &ev.Receipt
	dst = append(dst, byte(r.Status))
	return appendNumbers(dst, uint64(r.Filled), uint64(r.Notional), uint64(r.Fee), uint64(ev.Follow))
}

func appendConditions(dst []byte, c *Conditions) []byte {
	dst = appendNumbers(dst, uint64(c.Trigger), uint64(c.Trail), uint64(c.Display), uint64(c.ExpiresAt))
	return appendNumbers(dst, uint64(c.Sibling), uint64(c.Parent), uint64(c.Child))
}

func (d *Decoder) readOrderFields(ev *Event, version byte) {
	switch ev.Kind {
	case OrderPlaced:
		ev.Side, ev.Type, ev.TimeInForce = market.Side(d.byte()), market.Type(d.byte()), market.TimeInForce(d.byte())
		options := byte(0)
		if version == 1 {
			ev.SelfTrade, ev.MakerRate, ev.TakerRate = market.CancelTaker, MarketRate, MarketRate
		} else {
			ev.SelfTrade, options = market.SelfTrade(d.byte()), d.byte()
		}
		ev.Market, ev.Order, ev.Member = d.marketID(), market.OrderID(d.number()), account.ID(d.number())
		ev.Price, ev.Quantity = market.Price(d.amount()), market.Quantity(d.amount())
		ev.Asset, ev.Amount = d.assetID(), d.amount()
		if version == 1 {
			return
		}
		ev.MakerRate, ev.TakerRate = uint32(d.bounded(MarketRate)), uint32(d.bounded(MarketRate))
		ev.PostOnly = options&optionPostOnly != 0
		if options > optionPostOnly|optionConditions {
			d.fail("an option is not known")
		}
		if options&optionConditions != 0 {
			c := d.conditions()
			ev.Conditions = &c
		}
	case Traded, AuctionTraded:
		ev.Side = market.Side(d.byte())
		ev.Market, ev.Base, ev.Quote = d.marketID(), d.assetID(), d.assetID()
		ev.Trade = market.TradeID(d.number())
		ev.Order, ev.Member = market.OrderID(d.number()), account.ID(d.number())
		ev.Maker, ev.MakerMember = market.OrderID(d.number()), account.ID(d.number())
		ev.Price, ev.Quantity = market.Price(d.amount()), market.Quantity(d.amount())
		ev.Amount, ev.Notional = d.amount(), d.amount()
		ev.MakerFee, ev.TakerFee, ev.Release = d.amount(), d.amount(), d.amount()
	case OrderCancelled:
		ev.Side, ev.Reason = market.Side(d.byte()), market.CancelReason(d.byte())
		ev.Market, ev.Order, ev.Member = d.marketID(), market.OrderID(d.number()), account.ID(d.number())
		ev.Price, ev.Quantity = market.Price(d.amount()), market.Quantity(d.amount())
		ev.Asset, ev.Amount = d.assetID(), d.amount()
	case OrdersCancelled:
		ev.Market = d.marketID()
	case OrderAmended, OrderTriggered, OrderActivated:
		ev.Side = market.Side(d.byte())
		ev.Market, ev.Order, ev.Member = d.marketID(), market.OrderID(d.number()), account.ID(d.number())
		ev.Price, ev.Quantity = market.Price(d.amount()), market.Quantity(d.amount())
		ev.Asset, ev.Amount, ev.Release = d.assetID(), d.amount(), d.signed()
	case OrderReduced:
		ev.Side, ev.Reason = market.Side(d.byte()), market.CancelReason(d.byte())
		ev.Market, ev.Order, ev.Member = d.marketID(), market.OrderID(d.number()), account.ID(d.number())
		ev.Quantity, ev.Asset, ev.Amount = market.Quantity(d.amount()), d.assetID(), d.amount()
	}
}

func (d *Decoder) readOutcome(ev *Event, version byte) {
	r := &ev.Receipt
	if ev.First {
		r.Sequence, r.Time, r.Order = ev.Sequence, ev.Time, ev.Order
	}
	r.Status = market.Status(d.byte())
	r.Filled, r.Notional, r.Fee = market.Quantity(d.amount()), d.amount(), d.amount()
	if version > 1 {
		ev.Follow = uint32(d.bounded(1<<32 - 1))
		return
	}
	if !ev.First {
		d.fail("an order of version 1 opens its command")
		return
	}
	// In version 1 all that followed an order in its command was its taking.
	ahead := *d
	var next Event
	for len(ahead.rest) > 1 && ahead.rest[1]&firstBit == 0 {
		if more, err := ahead.Next(&next); err != nil || !more {
			return
		}
		ev.Follow++
	}
}

func (r *reader) conditions() Conditions {
	return Conditions{
		Trigger: market.Price(r.amount()), Trail: market.Price(r.amount()), Display: market.Quantity(r.amount()),
		ExpiresAt: Time(r.amount()), Sibling: market.OrderID(r.number()), Parent: market.OrderID(r.number()),
		Child: market.OrderID(r.number()),
	}
}
