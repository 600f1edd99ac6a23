package naive

import (
	"strconv"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// share of commission, of one agent in one fee.
type shareOf struct {
	agent  account.ID
	amount money.Amount
}

// accrue gives the agents above a member their shares of a fee that it paid.
func (v *Venue) accrue(o *Order, fee money.Amount) {
	quote := o.Market.Definition.Quote.Code
	shares := v.shares(o, fee)
	if len(shares) > 0 {
		v.note("commission of", strconv.Itoa(len(shares)), "agents")
	}
	for _, s := range shares {
		v.move(fees, earned(s.agent), quote, s.amount)
		v.tell(Effect{What: "accrued", Member: s.agent, Trade: v.lastTrade, Order: o.ID, Asset: quote, Amount: s.amount})
	}
}

func earned(agent account.ID) ledger.Account {
	return ledger.Account{Owner: agent, Kind: ledger.Commission}
}

// shares goes up from the member's agent: each gets what its rate is above the largest below it.
func (v *Venue) shares(o *Order, fee money.Amount) (all []shareOf) {
	member := v.member(o.Member)
	var largest money.Rate
	for id := member.Agent; id != 0; id = v.agents[id].Parent {
		rate := rateOf(v.agents[id].Plan, o.Market.Definition.Symbol, member.Group)
		if rate <= largest {
			continue
		}
		if amount := rate.Of(fee) - largest.Of(fee); amount > 0 {
			all = append(all, shareOf{id, amount})
		}
		largest = rate
	}
	return all
}

// rateOf is what a plan names for a market, else for the member's group, else for all.
func rateOf(p Plan, symbol market.Symbol, group uint32) money.Rate {
	for _, r := range p.Markets {
		if r.Symbol == symbol {
			return r.Rate
		}
	}
	for _, r := range p.Groups {
		if r.Group == group {
			return r.Rate
		}
	}
	return p.Default
}

const maxRates = 256

// planFits: rates are shares, markets and groups are named once, in ascending order.
func planFits(p Plan) bool {
	fine := isShare(p.Default) && len(p.Markets) <= maxRates && len(p.Groups) <= maxRates
	for i, r := range p.Markets {
		fine = fine && isShare(r.Rate) && r.Symbol.Valid() && (i == 0 || p.Markets[i-1].Symbol < r.Symbol)
	}
	for i, r := range p.Groups {
		fine = fine && isShare(r.Rate) && r.Group != 0 && (i == 0 || p.Groups[i-1].Group < r.Group)
	}
	return fine
}
