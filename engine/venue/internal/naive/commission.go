package naive

import (
	"bourse/engine/account"
	"bourse/engine/ledger"
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
	for _, s := range v.shares(o, fee) {
		v.move(fees, commission(s.agent), quote, s.amount)
		v.tell(Effect{What: "accrued", Member: s.agent, Trade: v.lastTrade, Order: o.ID, Asset: quote, Amount: s.amount})
	}
}

func commission(agent account.ID) ledger.Account {
	return ledger.Account{Owner: agent, Kind: commissionKind}
}

// shares goes up from the member's agent: each gets what its rate is above the largest below it.
func (v *Venue) shares(o *Order, fee money.Amount) (all []shareOf) {
	member := v.member(o.Member)
	var largest money.Rate
	for id := member.Agent; id != 0; id = v.agents[id].Parent {
		rate := v.agents[id].Plan.rate(o.Market.Definition.Symbol, member.Group)
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
