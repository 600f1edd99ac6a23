package venue

import (
	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/risk"
)

// foldHouse folds what the house sets and moves.
func (s *State) foldHouse(ev *Event) error {
	if ev.Kind != CreditSet && ev.Detail == nil {
		return misfit(ev, "its details are missing")
	}
	switch ev.Kind {
	case MemberSet:
		return s.foldMember(ev)
	case AgentSet:
		return s.foldAgent(ev)
	case LimitsSet:
		return s.foldLimits(ev)
	case FeesSet:
		return s.foldFees(ev)
	case CreditSet:
		if _, ok := s.Asset(ev.Asset); !ok {
			return misfit(ev, "there is no such asset")
		}
		if err := s.ledger.SetCredit(ev.Member, ev.Asset, ev.Amount); err != nil {
			return misfit(ev, err.Error())
		}
		return nil
	case TransferMade, TransferBegun:
		return s.foldTransfer(ev)
	case TransferPosted, TransferVoided:
		return s.foldTransferEnd(ev)
	case TradeBusted:
		return s.foldBusted(ev)
	}
	return misfit(ev, "its kind is not known")
}

func (s *State) foldMember(ev *Event) error {
	p := &ev.Detail.Profile
	if ev.Member == 0 || p.Agent == ev.Member || !p.Freeze.Valid() || p.Agent != 0 && s.rules.agents[p.Agent] == nil {
		return misfit(ev, "there is no such member, agent or freeze")
	}
	s.setProfile(ev.Member, p)
	return nil
}

func (s *State) setProfile(id account.ID, p *Profile) {
	place := s.members.take(id)
	m := s.members.at(place)
	m.tradeGroup = p.TradeGroup
	if m.stand.profile = p; *p == (Profile{}) {
		m.stand.profile = nil
	}
	s.forget(place)
}

func (s *State) foldAgent(ev *Event) error {
	d := ev.Detail
	if ev.Agent == 0 || d.Plan == nil || d.Plan.Validate() != nil || d.Parent != 0 && s.rules.agents[d.Parent] == nil ||
		!s.rules.fits(ev.Agent, d.Parent) {
		return misfit(ev, "there is no such agent, parent or plan")
	}
	s.rules.agents[ev.Agent] = &agent{d.Parent, d.Plan}
	s.rules.version++
	return nil
}

func (s *State) foldLimits(ev *Event) error {
	d := ev.Detail
	switch {
	case ev.Market != 0 && s.market(ev.Market) == nil:
		return misfit(ev, "there is no such market")
	case validScope(d.Scope, d.ID) != nil || d.Limits.Validate(ev.Market != 0) != nil:
		return misfit(ev, "its scope or limits are out of range")
	case d.Scope == risk.OfAgent && s.rules.agents[account.ID(d.ID)] == nil:
		return misfit(ev, "there is no such agent")
	}
	s.setLimits(limitKey{d.Scope, d.ID, ev.Market}, &d.Limits)
	return nil
}

func (s *State) setLimits(key limitKey, limits *risk.Limits) {
	change := 0
	if s.rules.limits[key] != nil {
		change--
	}
	if *limits == (risk.Limits{}) {
		delete(s.rules.limits, key)
	} else {
		change++
		s.rules.limits[key] = limits
	}
	switch key.scope {
	case risk.OfMember:
		place := s.members.take(account.ID(key.id))
		s.members.at(place).stand.own += change
		s.forget(place)
		return
	case risk.OfHouse:
		s.rules.general += change
	}
	s.rules.version++
}

func (s *State) foldFees(ev *Event) error {
	if s.market(ev.Market) == nil || market.ValidateFees(ev.Detail.Tiers) != nil {
		return misfit(ev, "there is no such market or its tiers are out of order")
	}
	s.setFees(feeKey{ev.Market, ev.Detail.Group}, ev.Detail.Tiers)
	return nil
}

func (s *State) setFees(key feeKey, tiers []market.FeeTier) {
	change := 0
	if s.rules.fees[key] != nil {
		change--
	}
	if len(tiers) == 0 {
		delete(s.rules.fees, key)
	} else {
		change++
		s.rules.fees[key] = tiers
	}
	if key.group == 0 {
		s.rules.general += change
	}
	s.rules.version++
}

// fits reports whether a transfer is one that could have been begun.
func (s *State) fits(t *Transfer) bool {
	_, known := s.Asset(t.Asset)
	return known && t.ID != 0 && t.Amount > 0 && t.ExpiresAt >= 0 && t.From != t.To &&
		transferable(t.From) && transferable(t.To) && s.earns(t.From) && s.earns(t.To)
}

func (s *State) foldTransfer(ev *Event) error {
	t := &ev.Detail.Transfer
	if !s.fits(t) || s.transfers.used.has(t.ID) || ev.Kind == TransferMade && t.ExpiresAt != 0 {
		return misfit(ev, "the transfer is malformed or was begun before")
	}
	if ev.Kind == TransferBegun && (t.transit().Owner == 0 || len(s.transfers.pending) >= MaxPendingTransfers) {
		return misfit(ev, "the transfer cannot wait")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	s.transfers.used.add(t.ID)
	if ev.Kind == TransferBegun {
		s.transfers.add(t)
	}
	return nil
}

func (s *State) foldTransferEnd(ev *Event) error {
	pending := s.transfers.pending[ev.Detail.Transfer.ID]
	if pending == nil || *pending != ev.Detail.Transfer {
		return misfit(ev, "no such transfer is pending")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	s.transfers.remove(pending)
	return nil
}

func (s *State) foldBusted(ev *Event) error {
	m := s.market(ev.Market)
	switch {
	case m == nil || ev.Base != m.base || ev.Quote != m.quote:
		return misfit(ev, "there is no such market")
	case ev.Trade == 0 || ev.Trade > s.lastTrade || s.busted.has(uint64(ev.Trade)):
		return misfit(ev, "there is no such trade, or it was busted before")
	case !s.sound(m, ev):
		return misfit(ev, "its figures contradict one another")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	s.busted.add(uint64(ev.Trade))
	for _, id := range [...]account.ID{ev.Member, ev.MakerMember} {
		if place := s.members.find(id); place != 0 {
			s.members.at(place).volumes.takeBack(ev.Quote, dayOf(ev.Detail.TradedAt), dayOf(ev.Time), ev.Notional)
			s.forget(place)
		}
	}
	return nil
}

// transferPostings returns what a transfer moves.
func transferPostings(dst []ledger.Posting, ev *Event) []ledger.Posting {
	t := &ev.Detail.Transfer
	from, to := t.From, t.To
	switch ev.Kind {
	case TransferBegun:
		to = t.transit()
	case TransferPosted:
		from = t.transit()
	case TransferVoided:
		from, to = t.transit(), t.From
	}
	dst = post(dst, from.Owner, from.Kind, t.Asset, -t.Amount)
	return post(dst, to.Owner, to.Kind, t.Asset, t.Amount)
}
