package naive

import (
	"math"
	"slices"

	"bourse/engine/risk"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/money"
)

func (v *Venue) doForMembers(c Command) (Receipt, fault.Code) {
	switch c := c.(type) {
	case *SetMember:
		return v.setMember(c)
	case *SetAgent:
		return v.setAgent(c)
	case *SetLimits:
		return v.setLimits(c)
	case *SetFees:
		return v.setFees(c)
	case *SetCredit:
		return v.setCredit(c)
	case *MakeTransfer:
		return v.makeTransfer(c)
	case *BeginTransfer:
		return v.beginTransfer(c)
	case *PostTransfer:
		return v.postTransfer(c)
	case *VoidTransfer:
		return v.voidTransfer(c)
	case *BustTrade:
		return v.bustTrade(c)
	}
	panic("naive: a command that the page does not know: " + spell(c))
}

func (v *Venue) setMember(c *SetMember) (Receipt, fault.Code) {
	switch {
	case c.Member == 0 || c.Freeze > risk.FrozenWholly:
		return Receipt{}, fault.InvalidArgument
	case c.Agent != 0 && v.agents[c.Agent] == nil:
		return Receipt{}, fault.UnknownAgent
	}
	m := v.member(c.Member)
	m.Agent, m.Group, m.TradeGroup, m.Freeze = c.Agent, c.Group, c.TradeGroup, c.Freeze
	v.tell(Effect{What: "member set", Member: c.Member, Setting: spell([]any{c.Agent, c.Group, c.TradeGroup, c.Freeze})})
	return Receipt{}, ""
}

// maxDepth is how many agents stand above one another at most.
const maxDepth = 16

// Agent is what the house knows of an agent.
type Agent struct {
	Parent account.ID
	Plan   Plan
}

func (v *Venue) setAgent(c *SetAgent) (Receipt, fault.Code) {
	switch {
	case c.Agent == 0:
		return Receipt{}, fault.InvalidArgument
	case c.Parent != 0 && v.agents[c.Parent] == nil && c.Parent != c.Agent:
		return Receipt{}, fault.UnknownAgent
	case !planFits(c.Plan):
		return Receipt{}, fault.InvalidCommission
	case v.circular(c.Agent, c.Parent) || v.height(c.Parent)+v.depthBelow(c.Agent) > maxDepth:
		return Receipt{}, fault.AgentCycle
	}
	v.agents[c.Agent] = &Agent{c.Parent, c.Plan}
	v.tell(Effect{What: "agent set", Member: c.Agent, Setting: spell([]any{c.Parent, c.Plan})})
	return Receipt{}, ""
}

// circular tells whether an agent would stand above itself.
func (v *Venue) circular(agent, parent account.ID) bool {
	for ; parent != 0; parent = v.agents[parent].Parent {
		if parent == agent {
			return true
		}
	}
	return false
}

// height counts an agent and those above it.
func (v *Venue) height(agent account.ID) int {
	if agent == 0 {
		return 0
	}
	return 1 + v.height(v.agents[agent].Parent)
}

// depthBelow counts an agent and the longest line below it.
func (v *Venue) depthBelow(agent account.ID) int {
	deepest := 0
	for id, a := range v.agents {
		if a.Parent == agent && id != agent {
			deepest = max(deepest, v.depthBelow(id))
		}
	}
	return 1 + deepest
}

func (v *Venue) setLimits(c *SetLimits) (Receipt, fault.Code) {
	if c.Symbol != "" && v.market(c.Symbol) == nil {
		return Receipt{}, fault.UnknownMarket
	}
	switch {
	case !scopeFits(c) || !limitsFit(c):
		return Receipt{}, fault.InvalidLimits
	case c.Scope == risk.OfAgent && v.agents[account.ID(c.ID)] == nil:
		return Receipt{}, fault.UnknownAgent
	}
	v.limits = slices.DeleteFunc(v.limits, func(e limitEntry) bool {
		return e.scope == c.Scope && e.id == c.ID && e.symbol == c.Symbol
	})
	var in int
	if c.Symbol != "" {
		in = v.market(c.Symbol).ID
	}
	v.limits = append(v.limits, limitEntry{c.Scope, c.ID, c.Symbol, c.Limits})
	v.tell(Effect{What: "limits set", Market: in, Setting: spell([]any{c.Scope, c.ID, c.Limits})})
	return Receipt{}, ""
}

// scopeFits: the house has no id, every other scope needs one, that of a group in 32 bits.
func scopeFits(c *SetLimits) bool {
	switch c.Scope {
	case risk.OfHouse:
		return c.ID == 0
	case risk.OfGroup:
		return c.ID != 0 && c.ID <= math.MaxUint32
	case risk.OfAgent, risk.OfMember:
		return c.ID != 0
	}
	return false
}

func limitsFit(c *SetLimits) bool {
	l := c.Limits
	for _, bound := range []int64{
		int64(l.OpenOrders), int64(l.OrdersPerSecond), int64(l.OrderQuantity), int64(l.OrderNotional),
		int64(l.ApprovalNotional), int64(l.Distance), int64(l.Position), int64(l.Exposure),
	} {
		if bound < 0 {
			return false
		}
	}
	perMarket := l.OrderQuantity != 0 || l.OrderNotional != 0 || l.ApprovalNotional != 0 || l.Position != 0 || l.Exposure != 0
	acrossMarkets := l.OpenOrders != 0 || l.OrdersPerSecond != 0
	neverAsked := l.OrderNotional != 0 && l.ApprovalNotional > l.OrderNotional
	return l.Distance <= money.Whole && (!perMarket || c.Symbol != "") && (!acrossMarkets || c.Symbol == "") && !neverAsked
}

const maxTiers = 32

func (v *Venue) setFees(c *SetFees) (Receipt, fault.Code) {
	if v.market(c.Symbol) == nil {
		return Receipt{}, fault.UnknownMarket
	}
	if len(c.Tiers) > maxTiers {
		return Receipt{}, fault.InvalidFees
	}
	for i, t := range c.Tiers {
		inOrder := t.Volume == 0
		if i > 0 {
			inOrder = t.Volume > c.Tiers[i-1].Volume
		}
		if !inOrder || !isShare(t.Maker) || !isShare(t.Taker) {
			return Receipt{}, fault.InvalidFees
		}
	}
	v.schedules = slices.DeleteFunc(v.schedules, func(s feeSchedule) bool { return s.symbol == c.Symbol && s.group == c.Group })
	v.schedules = append(v.schedules, feeSchedule{c.Symbol, c.Group, slices.Clone(c.Tiers)})
	v.tell(Effect{What: "fees set", Market: v.market(c.Symbol).ID, Setting: spell([]any{c.Group, c.Tiers})})
	return Receipt{}, ""
}

func (v *Venue) setCredit(c *SetCredit) (Receipt, fault.Code) {
	switch {
	case c.Member == 0:
		return Receipt{}, fault.InvalidArgument
	case v.asset(c.Asset) == nil:
		return Receipt{}, fault.UnknownAsset
	case c.Amount < 0:
		return Receipt{}, fault.InvalidAmount
	case v.balance(available(c.Member), c.Asset) < -c.Amount:
		return Receipt{}, fault.InsufficientBalance // more is drawn already
	case !v.hasRoom(c.Asset, c.Amount-v.member(c.Member).Credit[c.Asset]):
		return Receipt{}, fault.AmountOverflow
	}
	m := v.member(c.Member)
	if m.Credit == nil {
		m.Credit = map[string]money.Amount{}
	}
	m.Credit[c.Asset] = c.Amount
	v.tell(Effect{What: "credit set", Member: c.Member, Asset: c.Asset, Amount: c.Amount})
	return Receipt{}, ""
}
