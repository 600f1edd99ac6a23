package naive

import (
	"slices"

	"bourse/engine/fault"
	"bourse/engine/market"
)

// phaseTakes says whether the phase of the market takes an order.
func phaseTakes(m *Market, o *Order) fault.Code {
	switch m.Phase {
	case market.Draft, market.Closed:
		return fault.MarketClosed
	case market.Halted:
		return fault.MarketHalted
	case market.CancelOnly:
		return fault.CancelOnly
	case market.Continuous:
		return ""
	}
	if !o.PostOnly && (o.Type.Waits() || o.Type == market.Limit && o.TimeInForce.Rests()) {
		return ""
	}
	return fault.OrderTypeNotAllowed
}

func phaseTakesGroups(m *Market) fault.Code {
	// An immediate order is refused wherever a group is.
	return phaseTakes(m, &Order{Type: market.Market})
}

// ways are the phases that the house may move a market to.
var ways = map[market.Phase][]market.Phase{
	market.Draft:          {market.PreOpen, market.Continuous, market.Closed},
	market.PreOpen:        {market.Continuous, market.Halted, market.CancelOnly, market.Closed},
	market.Continuous:     {market.Paused, market.ClosingAuction, market.Halted, market.CancelOnly, market.Closed},
	market.Paused:         {market.Continuous, market.Halted, market.CancelOnly, market.Closed},
	market.ClosingAuction: {market.Closed, market.Halted, market.CancelOnly},
	market.Halted:         {market.Continuous, market.PreOpen, market.Paused, market.Closed, market.CancelOnly},
	market.CancelOnly:     {market.Continuous, market.PreOpen, market.Paused, market.Closed, market.Halted},
	market.Closed:         {market.PreOpen, market.Continuous},
}

// following is what a phase becomes by itself at its end.
var following = map[market.Phase]market.Phase{
	market.PreOpen: market.Continuous, market.Paused: market.Continuous, market.ClosingAuction: market.Closed,
}

func (v *Venue) setPhase(c *SetPhase) (Receipt, fault.Code) {
	m := v.market(c.Symbol)
	if m == nil {
		return Receipt{}, fault.UnknownMarket
	}
	if ways[c.Phase] == nil {
		return Receipt{}, fault.InvalidArgument
	}
	if until := Time(c.Until); until != 0 && (following[c.Phase] == 0 || until <= v.now) {
		return Receipt{}, fault.InvalidArgument
	}
	if c.Phase != m.Phase && !slices.Contains(ways[m.Phase], c.Phase) {
		return Receipt{}, fault.InvalidPhaseChange
	}
	v.goTo(m, c.Phase, Time(c.Until))
	return Receipt{}, ""
}

// goTo moves a market to a phase, through an uncrossing where there has to be one.
func (v *Venue) goTo(m *Market, phase market.Phase, until Time) {
	uncrosses := phase != m.Phase && (phase == market.Continuous || phase == market.Closed && m.Phase == market.ClosingAuction)
	if uncrosses && v.beginUncrossing(m, phase) {
		return
	}
	v.setPhaseTo(m, phase, until)
}

func (v *Venue) setPhaseTo(m *Market, phase market.Phase, until Time) {
	closes := phase == market.Closed && m.Phase != market.Closed
	m.Phase, m.PhaseEnds = phase, until
	v.tell(Effect{What: "phase", Market: m.ID, Phase: phase, Until: until})
	if !closes {
		return
	}
	for _, o := range v.openIn(m) {
		if o.TimeInForce == market.DAY {
			o.ExpiresAt = v.now
		}
	}
}
