package naive

import (
	"bourse/engine/fault"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// bustTrade takes back everything that a trade moved.
func (v *Venue) bustTrade(c *BustTrade) (Receipt, fault.Code) {
	t := c.Trade
	m := v.market(t.Symbol)
	switch {
	case m == nil:
		return Receipt{}, fault.UnknownMarket
	case t.Trade == 0 || t.Trade > v.lastTrade:
		return Receipt{}, fault.TradeNotFound
	case v.busted[t.Trade]:
		return Receipt{}, fault.TradeBusted
	case !v.consistent(m, t):
		return Receipt{}, fault.InvalidArgument
	}
	moves := v.takenBack(m, t)
	var shared money.Amount
	for _, s := range t.Shares {
		shared += s.Amount
	}
	switch {
	case !v.coveredTogether(moves):
		return Receipt{}, fault.BustNotCovered
	case !v.hasRoom(m.Definition.Quote.Code, shared):
		return Receipt{}, fault.AmountOverflow
	}
	for _, each := range moves {
		v.move(each.from, each.to, each.asset, each.amount)
		if each.from.Kind == ledger.Commission && v.balance(each.from, each.asset) < 0 {
			v.note("bust: commission below zero")
		}
	}
	v.busted[t.Trade] = true
	notional := notionalOf(m, t.Price, t.Quantity)
	v.lowerVolume(t.Member, m, t.Time, notional)
	v.lowerVolume(t.MakerMember, m, t.Time, notional)
	v.tell(Effect{
		What: "busted", Market: m.ID, Trade: t.Trade, Order: t.Order, Member: t.Member, Maker: t.Maker, MakerMember: t.MakerMember,
		Side: t.Side, Price: t.Price, Quantity: t.Quantity, TakerFee: t.TakerFee, MakerFee: t.MakerFee, Setting: spell(t.Shares),
	})
	return Receipt{}, ""
}

// movement is an amount that goes from one account to another.
type movement struct {
	from, to ledger.Account
	asset    string
	amount   money.Amount
}

func (v *Venue) takenBack(m *Market, t TradeRecord) []movement {
	buyer, seller, buyerFee, sellerFee := t.Member, t.MakerMember, t.TakerFee, t.MakerFee
	if t.Side == market.Sell {
		buyer, seller, buyerFee, sellerFee = seller, buyer, sellerFee, buyerFee
	}
	base, quote := m.Definition.Base.Code, m.Definition.Quote.Code
	amount, _ := baseOf(m, t.Quantity)
	notional := notionalOf(m, t.Price, t.Quantity)
	moves := []movement{
		{available(buyer), available(seller), base, amount},
		{available(seller), available(buyer), quote, notional - sellerFee},
	}
	for _, s := range t.Shares {
		moves = append(moves, movement{earned(s.Agent), fees, quote, s.Amount})
	}
	return append(moves, movement{fees, available(buyer), quote, buyerFee + sellerFee})
}

// coveredTogether tells whether every account that may not fall below zero has enough once all is done.
func (v *Venue) coveredTogether(moves []movement) bool {
	after := map[Account]money.Amount{}
	for _, each := range moves {
		after[Account{each.from, each.asset}] -= each.amount
		after[Account{each.to, each.asset}] += each.amount
	}
	for at, change := range after {
		if change < 0 && at.Kind == ledger.Available && !v.covers(at.Owner, at.Asset, -change) {
			return false
		}
		if change < 0 && at.Account == fees && v.balance(fees, at.Asset)+change < 0 {
			return false
		}
	}
	return true
}

// maxShares is how many shares two fees have at most, of 16 agents each.
const maxShares = 32

// consistent tells whether the figures of a record can belong together.
func (v *Venue) consistent(m *Market, t TradeRecord) bool {
	if !t.Side.Valid() || t.Price < 1 || t.Quantity < 1 || t.Order == 0 || t.Maker == 0 || t.Order == t.Maker || len(t.Shares) > maxShares || t.Member == 0 || t.MakerMember == 0 || t.Time > v.now {
		return false
	}
	notional, ok := product(int64(t.Price), int64(t.Quantity), int64(m.Terms.TickValue))
	if _, countable := baseOf(m, t.Quantity); !ok || !countable {
		return false
	}
	if t.TakerFee < 0 || t.TakerFee > notional || t.MakerFee < 0 || t.MakerFee > notional {
		return false
	}
	_, takerCounts := sum(notional, t.TakerFee)
	_, makerCounts := sum(notional, t.MakerFee)
	if !takerCounts || !makerCounts {
		return false
	}
	shared := map[market.OrderID]money.Amount{}
	for _, s := range t.Shares {
		if s.Amount <= 0 || v.agents[s.Agent] == nil || s.Order != t.Order && s.Order != t.Maker {
			return false
		}
		shared[s.Order] += s.Amount
	}
	return shared[t.Order] <= t.TakerFee && shared[t.Maker] <= t.MakerFee
}
