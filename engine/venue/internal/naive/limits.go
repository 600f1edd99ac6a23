package naive

import (
	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/risk"
)

// limitEntry is what was set for a scope, in one market or in all.
type limitEntry struct {
	scope  Scope
	id     uint64
	symbol market.Symbol // "" is all markets
	limits Limits
}

const defaultOpenOrders = 1000

// limit looks up one limit for a member in a market; 0 when there is none.
func (v *Venue) limit(id account.ID, m *Market, pick func(Limits) int64) int64 {
	v.decisive = "no limit"
	found := v.firstLimit(id, m, pick)
	for agent := v.member(id).Agent; agent != 0; agent = v.agents[agent].Parent {
		for _, symbol := range []market.Symbol{m.Definition.Symbol, ""} {
			if bound := v.entry(risk.OfAgent, uint64(agent), symbol, pick); bound != 0 {
				if found == 0 || bound < found {
					found = bound
					v.decisive = "AGENT"
				}
				break
			}
		}
	}
	return found
}

func (v *Venue) firstLimit(id account.ID, m *Market, pick func(Limits) int64) int64 {
	group := uint64(v.member(id).Group)
	for _, symbol := range []market.Symbol{m.Definition.Symbol, ""} {
		for _, at := range []struct {
			scope Scope
			id    uint64
		}{{risk.OfMember, uint64(id)}, {risk.OfGroup, group}, {risk.OfHouse, 0}} {
			if at.scope == risk.OfGroup && at.id == 0 {
				continue // in no group
			}
			if bound := v.entry(at.scope, at.id, symbol, pick); bound != 0 {
				v.decisive = at.scope.String()
				return bound
			}
		}
	}
	return 0
}

func (v *Venue) entry(scope Scope, id uint64, symbol market.Symbol, pick func(Limits) int64) int64 {
	for _, e := range v.limits {
		if e.scope == scope && e.id == id && e.symbol == symbol {
			return pick(e.limits)
		}
	}
	return 0
}
