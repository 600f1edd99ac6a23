// Package commission divides a fee among the agents who stand above the member
// that paid it.
//
//	member ── agent (20 %) ── agent (35 %) ── agent (30 %) ── house
//	fee 100        20              15              0            65
//
// Each agent has a plan that says which part of a fee may go to it and those
// below it together; it keeps what they leave of that. The house keeps the rest,
// so a fee is divided whole, to the last minor unit.
//
// The package knows neither the tree of agents nor balances: it is given the
// rates on the way up and says who gets how much.
package commission

import (
	"cmp"
	"slices"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// MaxRates bounds how many markets, and how many groups, a plan may name.
const MaxRates = 256

// Plan is which part of the fees of a member below it an agent and the agents
// between them may have together: that of the market, else that of the member's
// group, else the default. A rate of zero is a rate.
type Plan struct {
	Default money.Rate
	Markets []MarketRate // by ascending symbol, each once
	Groups  []GroupRate  // by ascending group, each once
}

// MarketRate is the part of fees in one market.
type MarketRate struct {
	Symbol market.Symbol
	Rate   money.Rate
}

// GroupRate is the part of fees of members of one group.
type GroupRate struct {
	Group uint32 // not 0
	Rate  money.Rate
}

// Validate returns INVALID_COMMISSION unless every rate lies between nothing and
// the whole and the lists are in order.
func (p *Plan) Validate() error {
	switch {
	case !valid(p.Default):
		return invalid("a commission lies between 0 and 1,000,000 parts per million")
	case len(p.Markets) > MaxRates || len(p.Groups) > MaxRates:
		return invalid("a plan names at most 256 markets and 256 groups")
	}
	for i, m := range p.Markets {
		switch {
		case !m.Symbol.Valid() || i > 0 && p.Markets[i-1].Symbol >= m.Symbol:
			return invalid("the markets of a plan must be symbols in ascending order, each once")
		case !valid(m.Rate):
			return invalid("a commission lies between 0 and 1,000,000 parts per million")
		}
	}
	for i, g := range p.Groups {
		switch {
		case g.Group == 0 || i > 0 && p.Groups[i-1].Group >= g.Group:
			return invalid("the groups of a plan must be numbers above 0 in ascending order, each once")
		case !valid(g.Rate):
			return invalid("a commission lies between 0 and 1,000,000 parts per million")
		}
	}
	return nil
}

func valid(r money.Rate) bool { return r >= 0 && r <= money.Whole }

func invalid(message string) error { return fault.New(fault.InvalidCommission, message) }

// Rate returns the part that the plan names for a fee of a member of the group
// (0: of none) in the market.
func (p *Plan) Rate(symbol market.Symbol, group uint32) money.Rate {
	if i, ok := slices.BinarySearchFunc(p.Markets, symbol, func(m MarketRate, s market.Symbol) int {
		return cmp.Compare(m.Symbol, s)
	}); ok {
		return p.Markets[i].Rate
	}
	if i, ok := slices.BinarySearchFunc(p.Groups, group, func(g GroupRate, id uint32) int {
		return cmp.Compare(g.Group, id)
	}); ok {
		return p.Groups[i].Rate
	}
	return p.Default
}

// Clone returns a copy that shares nothing with the plan.
func (p *Plan) Clone() *Plan {
	return &Plan{p.Default, slices.Clone(p.Markets), slices.Clone(p.Groups)}
}

// Link is one agent on the way up from a member, with the part that its plan
// names for the member's fees.
type Link struct {
	Agent account.ID
	Rate  money.Rate
}

// Share is what an agent gets of a fee, in minor units, above zero.
type Share struct {
	Agent  account.ID
	Amount money.Amount
}

// AppendShares appends to dst what the agents of the chain, the member's own
// first, get of a fee that is not negative. An agent whose plan does not name
// more than those below it gets nothing and is left out. What the shares do not
// sum to is the house's.
//
// Rounding: the agents up to any point of the chain get together the largest of
// their rates of the fee, rounded down; so no share is negative, and the house
// receives every remainder.
func AppendShares(dst []Share, fee money.Amount, chain []Link) []Share {
	var largest money.Rate
	var given money.Amount
	for _, link := range chain {
		if link.Rate <= largest {
			continue
		}
		largest = link.Rate
		if upTo := largest.Of(fee); upTo > given {
			dst = append(dst, Share{link.Agent, upTo - given})
			given = upTo
		}
	}
	return dst
}
