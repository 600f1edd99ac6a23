package venue

import (
	"errors"
	"math"
	"slices"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

func (c *SetMember) decide(s *State, d *decision) error {
	switch {
	case c.Member == 0:
		return fault.New(fault.InvalidArgument, "the house is no member")
	case c.Agent == c.Member:
		return fault.New(fault.InvalidArgument, "nobody is an agent of its own")
	case !c.Freeze.Valid():
		return fault.New(fault.InvalidArgument, "there is no such freeze")
	case c.Agent != 0 && s.rules.agents[c.Agent] == nil:
		return unknownAgent()
	}
	ev := d.add(MemberSet)
	ev.Member = c.Member
	ev.Detail = &Detail{Profile: Profile{c.Agent, c.Group, c.TradeGroup, c.Freeze}}
	return nil
}

func unknownAgent() error { return fault.New(fault.UnknownAgent, "the exchange has no such agent") }

func (c *SetAgent) decide(s *State, d *decision) error {
	if c.Agent == 0 {
		return fault.New(fault.InvalidArgument, "the house is no agent")
	}
	if err := c.Plan.Validate(); err != nil {
		return err
	}
	if c.Parent != 0 && c.Parent != c.Agent && s.rules.agents[c.Parent] == nil {
		return unknownAgent()
	}
	if !s.rules.fits(c.Agent, c.Parent) {
		return fault.New(fault.AgentCycle, "the agent would stand above itself, or more than 16 agents above one another")
	}
	ev := d.add(AgentSet)
	ev.Agent = c.Agent
	ev.Detail = &Detail{Parent: c.Parent, Plan: c.Plan.Clone()}
	return nil
}

// fits reports whether an agent may stand below a parent, which is known or 0:
// not below itself, and with all that stand below it at most MaxTreeDepth deep.
func (r *rules) fits(id, parent account.ID) bool {
	above := 0
	for at := parent; at != 0; at = r.agents[at].parent {
		if above++; at == id || above >= account.MaxTreeDepth {
			return false
		}
	}
	known := r.agents[id]
	if known == nil || known.parent == parent {
		return true
	}
	for below := range r.agents {
		depth := 0 // of below under the agent
		at := below
		for ; at != id && at != 0; at = r.agents[at].parent {
			depth++
		}
		if at == id && above+1+depth > account.MaxTreeDepth {
			return false
		}
	}
	return true
}

func (c *SetLimits) decide(s *State, d *decision) error {
	m, err := s.marketOrAll(c.Symbol)
	if err != nil {
		return err
	}
	if err := validScope(c.Scope, c.ID); err != nil {
		return err
	}
	if err := c.Limits.Validate(m != 0); err != nil {
		return err
	}
	if c.Scope == risk.OfAgent && s.rules.agents[account.ID(c.ID)] == nil {
		return unknownAgent()
	}
	ev := d.add(LimitsSet)
	ev.Market = m
	ev.Detail = &Detail{Scope: c.Scope, ID: c.ID, Limits: c.Limits}
	return nil
}

func validScope(scope risk.Scope, id uint64) error {
	switch {
	case !scope.Valid():
		return fault.New(fault.InvalidLimits, "limits are of the house, a group, an agent or a member")
	case (scope == risk.OfHouse) != (id == 0):
		return fault.New(fault.InvalidLimits, "limits of a group, agent or member name it, and those of the house nobody")
	case scope == risk.OfGroup && id > math.MaxUint32:
		return fault.New(fault.InvalidLimits, "there can be no such group")
	}
	return nil
}

// marketOrAll is the id of a market, and 0 for no symbol.
func (s *State) marketOrAll(symbol market.Symbol) (MarketID, error) {
	if symbol == "" {
		return 0, nil
	}
	m, ok := s.bySymbol[symbol]
	if !ok {
		return 0, unknownMarket()
	}
	return m.id, nil
}

func (c *SetFees) decide(s *State, d *decision) error {
	m, ok := s.bySymbol[c.Symbol]
	if !ok {
		return unknownMarket()
	}
	if err := market.ValidateFees(c.Tiers); err != nil {
		return err
	}
	ev := d.add(FeesSet)
	ev.Market = m.id
	ev.Detail = &Detail{Group: c.Group, Tiers: slices.Clone(c.Tiers)}
	return nil
}

func (c *SetCredit) decide(s *State, d *decision) error {
	asset, ok := s.asset(c.Asset)
	switch {
	case !ok:
		return unknownAsset()
	case c.Member == 0:
		return fault.New(fault.InvalidArgument, "the house needs no credit")
	case c.Amount < 0:
		return fault.New(fault.InvalidAmount, "a credit line is not negative")
	}
	switch err := s.ledger.MayCredit(c.Member, asset, c.Amount); {
	case errors.Is(err, ledger.ErrOverdrawn):
		return fault.New(fault.InsufficientBalance, "more than that is drawn already")
	case err != nil:
		return uncountable()
	}
	ev := d.add(CreditSet)
	ev.Member, ev.Asset, ev.Amount = c.Member, asset, c.Amount
	return nil
}

func unknownAsset() error { return fault.New(fault.UnknownAsset, "the exchange has no such asset") }

func uncountable() error {
	return fault.New(fault.AmountOverflow, "the exchange cannot count that much of the asset")
}

func (c *BustTrade) decide(s *State, d *decision) error {
	t := &c.Trade
	m, ok := s.bySymbol[t.Symbol]
	switch {
	case !ok:
		return unknownMarket()
	case t.Trade == 0 || t.Trade > s.lastTrade:
		return fault.New(fault.TradeNotFound, "there is no such trade")
	case s.busted.has(uint64(t.Trade)):
		return fault.New(fault.TradeBusted, "the trade was busted already")
	}
	ev := d.add(TradeBusted)
	ev.Market, ev.Trade, ev.Side, ev.Base, ev.Quote = m.id, t.Trade, t.Side, m.base, m.quote
	ev.Order, ev.Member, ev.Maker, ev.MakerMember = t.Order, t.Member, t.Maker, t.MakerMember
	ev.Price, ev.Quantity, ev.TakerFee, ev.MakerFee = t.Price, t.Quantity, t.TakerFee, t.MakerFee
	ev.Amount, _ = m.terms.BaseAmount(t.Quantity)
	ev.Notional, _ = m.terms.Notional(t.Price, t.Quantity)
	ev.Detail = &Detail{TradedAt: t.Time, Shares: slices.Clone(t.Shares)}
	if !s.sound(m, ev) {
		return fault.New(fault.InvalidArgument, "the record of the trade contradicts itself")
	}
	return s.covers(ev)
}

// sound reports whether the figures of a trade that is busted agree with the
// market and with one another.
func (s *State) sound(m *venueMarket, ev *Event) bool {
	if !ev.Side.Valid() || ev.Price <= 0 || ev.Quantity <= 0 || ev.Order == 0 || ev.Maker == 0 || ev.Order == ev.Maker ||
		ev.Member == 0 || ev.MakerMember == 0 || ev.Detail.TradedAt < 0 || ev.Detail.TradedAt > ev.Time {
		return false
	}
	notional, counts := m.terms.Notional(ev.Price, ev.Quantity)
	base, fits := m.terms.BaseAmount(ev.Quantity)
	if !counts || !fits || notional != ev.Notional || base != ev.Amount {
		return false
	}
	shares := ev.Detail.Shares
	return len(shares) <= 2*account.MaxTreeDepth &&
		soundFee(notional, ev.Order, ev.TakerFee, shares) && soundFee(notional, ev.Maker, ev.MakerFee, shares) &&
		!slices.ContainsFunc(shares, func(share FeeShare) bool {
			return s.rules.agents[share.Agent] == nil || share.Amount <= 0 || share.Order != ev.Order && share.Order != ev.Maker
		})
}

// soundFee reports whether a fee is no more than the notional, both together can
// be counted, and the shares of the fee are no more than it.
func soundFee(notional money.Amount, of market.OrderID, fee money.Amount, shares []FeeShare) bool {
	left := fee
	for _, s := range shares {
		if s.Order != of {
			continue
		}
		if s.Amount > left {
			return false
		}
		left -= s.Amount
	}
	_, counts := notional.Add(fee)
	return fee >= 0 && fee <= notional && counts
}

// covers reports, with BUST_NOT_COVERED, whether the parties and the house have
// what a bust would take on the whole, and with AMOUNT_OVERFLOW whether what it takes from
// agents can be counted as missing.
func (s *State) covers(ev *Event) error {
	s.postings = AppendPostings(s.postings[:0], ev)
	var shares money.Amount
	for _, share := range ev.Detail.Shares {
		shares = saturated(shares, share.Amount)
	}
	if shares > s.ledger.Room(ev.Quote) {
		return uncountable()
	}
	for i, p := range s.postings {
		if p.Amount > 0 || p.Account.Kind == ledger.Commission {
			continue
		}
		left := s.ledger.Of(p.Account, p.Asset)
		if p.Account.Kind == ledger.Available {
			left = s.ledger.Spendable(p.Account.Owner, p.Asset)
		}
		// What arrives at an account stands before what leaves it.
		for _, other := range s.postings[:i+1] {
			if other.Account == p.Account && other.Asset == p.Asset {
				left = saturated(left, other.Amount)
			}
		}
		if left < 0 {
			return fault.New(fault.BustNotCovered, "a party no longer has what busting the trade would take back",
				"account", p.Account.Owner.String(), "asset", s.assets[p.Asset-1].Code)
		}
	}
	return nil
}
