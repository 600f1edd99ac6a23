package venue

import "bourse/engine/market"

func (m *venueMarket) appendState(dst []byte) []byte {
	dst = appendDefinition(dst, &m.definition)
	t := &m.lastTrade
	dst = append(dst, byte(m.phase), byte(t.Side))
	return appendNumbers(dst, uint64(t.ID), uint64(t.Sequence), uint64(t.Time), uint64(t.Price), uint64(t.Quantity))
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
	s.addMarket(m)
}
