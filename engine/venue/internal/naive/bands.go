package naive

import (
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// measure is the price that orders are measured against: the last one, else the reference price, else none (0).
func (m *Market) measure() market.Price {
	if m.Last != 0 {
		return m.Last
	}
	return m.Reference
}

// withinBand refuses a limit price that lies too far from the market.
func withinBand(o *Order) fault.Code {
	m := o.Market
	limited := o.Type == market.Limit || o.Type == market.StopLimit
	if centre := m.measure(); limited && m.Rules.Band > 0 && centre != 0 && !near(o.Price, centre, m.Rules.Band) {
		return fault.PriceOutsideBand
	}
	return ""
}

func near(price, centre market.Price, rate money.Rate) bool {
	distance := share(rate, centre)
	return price >= centre-distance && price <= centre+distance
}

// gauge is what the breaker measures the trades of one taker with, on paper.
type gauge struct {
	market    *Market
	reference market.Price
	now       Time
	begun     bool // the taker was about to make its first trade
	note      func(...string)
}

func (v *Venue) gauge(m *Market) gauge {
	return gauge{market: m, reference: m.Reference, now: v.now, note: v.note}
}

// follow moves the reference price before a taker's first trade, and returns it when it moved, else 0.
func (g *gauge) follow(price market.Price) market.Price {
	m, first := g.market, !g.begun
	g.begun = true
	switch {
	case !first || m.Rules.Breaker == 0:
		return 0
	case m.Reference == 0:
		g.reference = price
		g.note("breaker: first price becomes the reference")
	case m.Last != 0 && g.now > m.ReferenceAt+Time(m.Rules.BreakerWindow):
		g.reference = m.Last
		g.note("breaker: the reference follows after its window")
	default:
		return 0
	}
	return g.reference
}

// allows tells whether a trade may have a price.
func (g *gauge) allows(price market.Price) bool {
	return g.market.Rules.Breaker == 0 || near(price, g.reference, g.market.Rules.Breaker)
}

// refer sets the reference price.
func (v *Venue) refer(m *Market, price market.Price) {
	m.Reference, m.ReferenceAt = price, v.now
}

// follow moves the reference price before a trade, when it has to.
func (v *Venue) follow(m *Market, to market.Price) {
	if to != 0 {
		v.refer(m, to)
		v.tell(Effect{What: "reference moved", Market: m.ID, Price: to})
	}
}

// trip pauses a market because a trade would have gone too far.
func (v *Venue) trip(m *Market) {
	v.note("breaker: trips")
	v.setPhaseTo(m, market.Paused, v.now+Time(m.Rules.BreakerPause))
}

func (v *Venue) setRules(c *SetRules) (Receipt, fault.Code) {
	m := v.market(c.Symbol)
	if m == nil {
		return Receipt{}, fault.UnknownMarket
	}
	r := c.Rules
	switch {
	case r.ReferencePrice < 0 || r.ReferencePrice > market.MaxPrice,
		!isShare(r.Band), !isShare(r.Breaker), !isShare(r.Protection),
		r.BreakerWindow < 0 || r.BreakerWindow > int64(maxExpiry),
		r.BreakerPause < 0 || r.BreakerPause > int64(maxExpiry),
		r.Breaker > 0 && r.BreakerPause == 0,
		r.DayEnd < 0 || r.DayEnd >= market.Day,
		r.MinNotional < 0:
		return Receipt{}, fault.InvalidMarket
	}
	if r.Protection == 0 {
		r.Protection = market.DefaultProtection
	}
	m.Rules = r
	if r.ReferencePrice != 0 {
		v.refer(m, r.ReferencePrice)
	}
	v.tell(Effect{What: "rules set", Market: m.ID, Setting: spell(r)})
	return Receipt{}, ""
}

func isShare(r money.Rate) bool { return r >= 0 && r <= money.Whole }
