package venue

import (
	"bourse/engine/account"
	"bourse/engine/market"
)

// SetRules replaces the rules of a market: those that its definition gave, or
// that were set before. A reference price of zero leaves the reference price as
// it is, a protection of zero stands for market.DefaultProtection. Refusals:
// UNKNOWN_MARKET, INVALID_MARKET.
type SetRules struct {
	Actor  account.ID
	Key    string
	Symbol market.Symbol
	Rules  market.Rules
}

func (c *SetRules) origin() (account.ID, string) { return c.Actor, c.Key }

func (c *SetRules) fingerprint() uint64 {
	m := newMixer(20)
	m.text(string(c.Symbol))
	r := &c.Rules
	m.word(uint64(r.ReferencePrice))
	m.word(uint64(r.Band))
	m.word(uint64(r.Breaker))
	m.word(uint64(r.BreakerWindow))
	m.word(uint64(r.BreakerPause))
	m.word(uint64(r.DayEnd))
	m.word(uint64(r.MinNotional))
	m.word(uint64(r.Protection))
	return m.sum()
}

func (c *SetRules) decide(s *State, d *decision) error {
	m, ok := s.bySymbol[c.Symbol]
	if !ok {
		return unknownMarket()
	}
	rules, err := c.Rules.Checked()
	if err != nil {
		return err
	}
	ev := d.add(RulesSet)
	ev.Market, ev.Rules = m.id, &rules
	return nil
}

func (s *State) foldRules(ev *Event) error {
	m := s.market(ev.Market)
	if m == nil || ev.Rules == nil {
		return misfit(ev, "there is no such market or there are no rules")
	}
	if checked, err := ev.Rules.Checked(); err != nil || checked != *ev.Rules {
		return misfit(ev, "its rules are out of range")
	}
	m.rules = *ev.Rules
	m.terms.Apply(&m.rules)
	if m.rules.ReferencePrice != 0 {
		m.reference, m.referenceAt = m.rules.ReferencePrice, ev.Time
	}
	return nil
}
