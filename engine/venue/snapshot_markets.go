package venue

import "bourse/engine/market"

func (m *venueMarket) appendState(dst []byte) []byte {
	dst = appendDefinition(dst, &m.definition)
	t := &m.lastTrade
	dst = append(dst, byte(m.phase), byte(t.Side))
	dst = appendNumbers(dst, uint64(t.ID), uint64(t.Sequence), uint64(t.Time), uint64(t.Price), uint64(t.Quantity))
	dst = appendNumbers(dst, uint64(m.phaseEnds), uint64(m.reference), uint64(m.referenceAt))
	return appendRules(dst, &m.rules)
}

func (s *State) restoreMarket(r *reader) {
	definition := r.definition()
	if r.err != nil {
		return
	}
	m, err := s.newMarket(MarketID(len(s.markets)+1), definition)
	if err != nil {
		r.fail(err.Error())
		return
	}
	m.phase = market.Phase(r.byte())
	t := &m.lastTrade
	t.Side = market.Side(r.byte())
	t.ID, t.Sequence, t.Time = market.TradeID(r.number()), Sequence(r.number()), Time(r.number())
	t.Price, t.Quantity = market.Price(r.amount()), market.Quantity(r.amount())
	m.phaseEnds, m.reference, m.referenceAt = Time(r.amount()), market.Price(r.amount()), Time(r.amount())
	m.rules = r.rules()
	m.terms.Apply(&m.rules)
	s.addMarket(m)
}

func (s *State) appendUncrossing(dst []byte) []byte {
	u := &s.uncrossing
	dst = appendNumbers(dst, uint64(u.market), uint64(u.price), uint64(u.left))
	return append(dst, byte(u.phase))
}

func (s *State) restoreUncrossing(r *reader) {
	s.uncrossing = uncrossing{
		market: r.marketID(), price: market.Price(r.amount()), left: market.Quantity(r.amount()), phase: market.Phase(r.byte()),
	}
}
