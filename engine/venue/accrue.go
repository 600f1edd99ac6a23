package venue

import (
	"bourse/engine/commission"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// accrue adds what the agents of both parties get of the fees of a trade that
// was just decided. Members without an agent cost a look each.
func (s *State) accrue(m *venueMarket, trade market.TradeID, party [2]feeOf, d *decision) {
	for i := range party {
		p := &party[i]
		if p.fee == 0 || s.members.at(p.owner).stand.profile == nil {
			continue
		}
		st := s.standing(p.owner, m, d.time)
		if len(st.chain) == 0 {
			continue
		}
		s.shares = commission.AppendShares(s.shares[:0], p.fee, st.chain)
		for _, share := range s.shares {
			ev := d.add(CommissionAccrued)
			ev.Market, ev.Trade, ev.Order, ev.Member = m.id, trade, p.order, s.members.at(p.owner).id
			ev.Agent, ev.Asset, ev.Amount = share.Agent, m.quote, share.Amount
		}
	}
}

// feeOf is the fee of one order of a trade.
type feeOf struct {
	owner uint32 // place of the member
	order market.OrderID
	fee   money.Amount
}

// divided is what is left of the fees of the last trade while their shares are
// being folded.
type divided struct {
	trade market.TradeID
	party [2]feeOf
}

// foldAccrued gives an agent its share.
func (s *State) foldAccrued(ev *Event) error {
	d := &s.dividing
	m := s.market(ev.Market)
	if m == nil || ev.Trade == 0 || ev.Trade != s.lastTrade || ev.Trade != d.trade || ev.Asset != m.quote ||
		m.lastTrade.ID != ev.Trade || m.lastTrade.Sequence != ev.Sequence {
		return misfit(ev, "it does not follow its trade")
	}
	if s.rules.agents[ev.Agent] == nil || ev.Amount <= 0 {
		return misfit(ev, "there is no such agent or amount")
	}
	for i := range d.party {
		p := &d.party[i]
		if p.order == ev.Order && s.members.at(p.owner).id == ev.Member && ev.Amount <= p.fee {
			p.fee -= ev.Amount
			return s.post(ev)
		}
	}
	return misfit(ev, "it shares more than the fee")
}

// traded tells the counts that run along with trades about one.
func (s *State) traded(ev *Event, taker, maker uint32) {
	day := dayOf(ev.Time)
	s.members.at(taker).volumes.count(ev.Quote, day, ev.Notional)
	s.members.at(maker).volumes.count(ev.Quote, day, ev.Notional)
	s.dividing = divided{ev.Trade, [2]feeOf{{taker, ev.Order, ev.TakerFee}, {maker, ev.Maker, ev.MakerFee}}}
}

// bustPostings takes back what a trade and its commission moved. What arrives at
// an account stands before what leaves it.
func bustPostings(dst []ledger.Posting, ev *Event) []ledger.Posting {
	buyer, seller := ev.Buyer(), ev.Seller()
	buyerFee, sellerFee := ev.MakerFee, ev.TakerFee
	if ev.Side == market.Buy {
		buyerFee, sellerFee = ev.TakerFee, ev.MakerFee
	}
	fees := -(buyerFee + sellerFee)
	for _, share := range ev.Detail.Shares {
		dst = post(dst, share.Agent, ledger.Commission, ev.Quote, -share.Amount)
		fees += share.Amount
	}
	dst = post(dst, 0, ledger.Fees, ev.Quote, fees)
	dst = post(dst, buyer, ledger.Available, ev.Quote, ev.Notional+buyerFee)
	dst = post(dst, seller, ledger.Available, ev.Quote, -(ev.Notional - sellerFee))
	dst = post(dst, seller, ledger.Available, ev.Base, ev.Amount)
	return post(dst, buyer, ledger.Available, ev.Base, -ev.Amount)
}
