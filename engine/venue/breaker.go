package venue

import (
	"bourse/engine/fault"
	"bourse/engine/market"
)

// centre is the price that a band lies around and that an uncrossing seeks: the
// last price, else the reference price, zero without either.
func (m *venueMarket) centre() market.Price {
	if m.lastTrade.ID != 0 {
		return m.lastTrade.Price
	}
	return m.reference
}

// withinBand refuses a price that lies outside the market's band with
// PRICE_OUTSIDE_BAND.
func (m *venueMarket) withinBand(price market.Price) error {
	centre := m.centre()
	if m.rules.Band == 0 || centre == 0 {
		return nil
	}
	band := market.Around(centre, m.rules.Band)
	if band.Holds(price) {
		return nil
	}
	return fault.New(fault.PriceOutsideBand, "the price lies outside the market's band",
		"lowest", m.definition.FormatPrice(max(band.Low, 1)), "highest", m.definition.FormatPrice(min(band.High, market.MaxPrice)))
}

// banded refuses an order that names a limit price outside the band.
func (m *venueMarket) banded(t *taker) error {
	if m.rules.Band == 0 || t.kind != market.Limit && t.kind != market.StopLimit {
		return nil
	}
	return m.withinBand(t.price)
}

// breaker is what a taking knows of its market's circuit breaker.
type breaker struct {
	corridor market.Corridor // of the prices at which it may trade
	moved    market.Price    // what the reference price becomes first, 0: it stays
}

// breakerFor works out the breaker for the trades of one taking, the first of
// which would be at this price, at the time now. The market must have one.
func (m *venueMarket) breakerFor(first market.Price, now Time) (b breaker) {
	reference := m.reference
	switch {
	case reference == 0:
		b.moved = first
	case m.lastTrade.ID != 0 && now-m.referenceAt > Time(m.rules.BreakerWindow):
		b.moved = m.lastTrade.Price
	}
	if b.moved != 0 {
		reference = b.moved
	}
	b.corridor = market.Around(reference, m.rules.Breaker)
	return b
}

// passes reports whether a taker may make a trade at this price. Before its first
// one it lets the reference price follow the market. The market must have a
// breaker.
func (m *venueMarket) passes(price market.Price, d *decision) bool {
	if d.breaker == nil {
		b := m.breakerFor(price, d.time)
		d.breaker = &b
		if b.moved != 0 {
			ev := d.add(ReferenceMoved)
			ev.Market, ev.Price = m.id, b.moved
		}
	}
	return d.breaker.corridor.Holds(price)
}

// trip adds the pause that the breaker makes.
func (m *venueMarket) trip(d *decision) {
	until := d.time + Time(m.rules.BreakerPause)
	if until < d.time {
		until = 0 // beyond all time
	}
	m.become(market.Paused, until, d)
}

func (s *State) foldReference(ev *Event) error {
	m := s.market(ev.Market)
	if m == nil || ev.Price <= 0 || ev.Price > market.MaxPrice {
		return misfit(ev, "there is no such market or price")
	}
	m.reference, m.referenceAt = ev.Price, ev.Time
	return nil
}
