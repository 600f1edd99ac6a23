package venue

import (
	"fmt"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// checkHouse verifies that what is in transit is what pending transfers say, that
// commission is that of agents, and that what the house set refers to what there is.
func (s *State) checkHouse() error {
	transit := map[ledger.Position]money.Amount{}
	expiring := 0
	for id, t := range s.transfers.pending {
		at := ledger.Position{Account: t.transit(), Asset: t.Asset}
		sum, ok := transit[at].Add(t.Amount)
		if !ok || id != t.ID || !s.transfers.used.has(id) {
			return fmt.Errorf("venue: pending transfer %d is out of range", id)
		}
		transit[at] = sum
		if t.ExpiresAt != 0 {
			expiring++
		}
	}
	if expiring != len(s.transfers.expire) {
		return fmt.Errorf("venue: %d transfers expire, %d are expected to", expiring, len(s.transfers.expire))
	}
	for _, p := range s.ledger.RarePositions() {
		switch p.Account.Kind {
		case ledger.Transit:
			if balance := s.ledger.Of(p.Account, p.Asset); balance != transit[p] {
				return fmt.Errorf("venue: account %d has %d of asset %d in transit, its transfers say %d", p.Account.Owner, balance, p.Asset, transit[p])
			}
			delete(transit, p)
		case ledger.Commission:
			if s.rules.agents[p.Account.Owner] == nil {
				return fmt.Errorf("venue: account %d has commission and is no agent", p.Account.Owner)
			}
		}
	}
	if len(transit) > 0 {
		return fmt.Errorf("venue: %d transfers are pending and nothing is in transit", len(transit))
	}
	return s.checkRules()
}

func (s *State) checkRules() error {
	for id, a := range s.rules.agents {
		above := 0
		for at := a.parent; at != 0; above++ {
			next := s.rules.agents[at]
			if next == nil || above+1 >= account.MaxTreeDepth {
				return fmt.Errorf("venue: what stands above agent %d is unknown or too much", id)
			}
			at = next.parent
		}
		if id == 0 || a.plan.Validate() != nil {
			return fmt.Errorf("venue: agent %d has no valid plan", id)
		}
	}
	own := map[account.ID]int{}
	general := 0
	for key := range s.rules.limits {
		switch key.scope {
		case risk.OfMember:
			own[account.ID(key.id)]++
		case risk.OfHouse:
			general++
		case risk.OfAgent:
			if s.rules.agents[account.ID(key.id)] == nil {
				return fmt.Errorf("venue: limits are of agent %d, who is unknown", key.id)
			}
		}
	}
	for key := range s.rules.fees {
		if key.group == 0 {
			general++
		}
	}
	if general != s.rules.general {
		return fmt.Errorf("venue: %d entries bind everybody, %d are counted", general, s.rules.general)
	}
	for place := 1; place < len(s.members.list); place++ {
		m := s.members.at(uint32(place))
		if m.stand.own != own[m.id] {
			return fmt.Errorf("venue: account %d has %d limits of its own, %d are counted", m.id, own[m.id], m.stand.own)
		}
		var p Profile
		if m.stand.profile != nil {
			p = *m.stand.profile
		}
		if p.TradeGroup != m.tradeGroup || !p.Freeze.Valid() || p.Agent == m.id && p.Agent != 0 ||
			p.Agent != 0 && s.rules.agents[p.Agent] == nil {
			return fmt.Errorf("venue: the profile of account %d is out of range", m.id)
		}
	}
	return nil
}
