package venue

import (
	"errors"

	"bourse/engine/book"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/risk"
)

// uncrossing is an auction whose price is found and whose trades are not all
// made. There is at most one: nothing else happens until it is over.
type uncrossing struct {
	market MarketID // 0: there is none
	phase  market.Phase
	price  market.Price
	left   market.Quantity
}

var errUncrossing = errors.New("venue: an uncrossing finds fewer lots than it counted")

// uncross adds the next trades of the uncrossing that goes on, and with the last
// of them the change of phase.
func (s *State) uncross(d *decision) error {
	u := s.uncrossing
	m := s.markets[u.market-1]
	buys, sells := m.book.Walk(market.Buy), m.book.Walk(market.Sell)
	for n := 0; u.left > 0 && n < auctionTradesPerStep; n++ {
		if buys.Handle == 0 || sells.Handle == 0 {
			return errUncrossing
		}
		quantity := min(buys.Quantity, sells.Quantity, u.left)
		if err := s.auctionTrade(m, &buys, &sells, quantity, d); err != nil {
			return err
		}
		buys.Take(quantity)
		sells.Take(quantity)
		u.left -= quantity
	}
	if u.left == 0 {
		ev := d.add(PhaseChanged)
		ev.Market, ev.Phase = m.id, u.phase
	}
	return nil
}

// auctionTrade adds one trade between the orders that two walks have come to, at
// the price of the uncrossing. Both parties pay as makers.
func (s *State) auctionTrade(m *venueMarket, buys, sells *book.Walk, quantity market.Quantity, d *decision) error {
	buyer, seller := s.orders.at(buys.Ref), s.orders.at(sells.Ref)
	price, left := s.uncrossing.price, buys.Whole()
	notional, ok := m.terms.Notional(price, quantity)
	base, fits := m.terms.BaseAmount(quantity)
	before, counts := risk.Hold(&m.terms, buyer.holdRate(), market.Buy, buyer.price, left)
	after, _ := risk.Hold(&m.terms, buyer.holdRate(), market.Buy, buyer.price, left-quantity)
	if !ok || !fits || !counts {
		return errUncountable
	}
	ev := d.add(AuctionTraded)
	d.trades++
	ev.Market, ev.Side, ev.Base, ev.Quote, ev.Trade = m.id, market.Buy, m.base, m.quote, s.lastTrade+d.trades
	ev.Order, ev.Member = buyer.id, s.members.at(buyer.owner).id
	ev.Maker, ev.MakerMember = seller.id, s.members.at(seller.owner).id
	ev.Price, ev.Quantity, ev.Amount, ev.Notional = price, quantity, base, notional
	ev.TakerFee, ev.MakerFee = money.Rate(buyer.makerRate).Of(notional), money.Rate(seller.makerRate).Of(notional)
	ev.Release = before - after - notional - ev.TakerFee
	s.accrue(m, ev.Trade, [2]feeOf{{buyer.owner, buyer.id, ev.TakerFee}, {seller.owner, seller.id, ev.MakerFee}}, d)
	return nil
}

func (s *State) foldUncrossed(ev *Event) error {
	m := s.market(ev.Market)
	if m == nil || !ev.Phase.Valid() || !m.phase.CanBecome(ev.Phase) || !m.phase.Uncrosses(ev.Phase) {
		return misfit(ev, "there is no such market, or it is not uncrossed on the way to the phase")
	}
	bid, bids := m.book.Best(market.Buy)
	ask, asks := m.book.Best(market.Sell)
	if s.uncrossing.market != 0 || !bids || !asks || ev.Price < ask || ev.Price > bid || ev.Quantity <= 0 {
		return misfit(ev, "nothing can trade at its price, or an uncrossing goes on")
	}
	s.uncrossing = uncrossing{ev.Market, ev.Phase, ev.Price, ev.Quantity}
	m.reference, m.referenceAt = ev.Price, ev.Time
	return nil
}

func (s *State) foldAuctionTraded(ev *Event) error {
	u := &s.uncrossing
	if u.market == 0 || u.market != ev.Market || u.price != ev.Price || ev.Quantity <= 0 || ev.Quantity > u.left {
		return misfit(ev, "no such uncrossing goes on")
	}
	m := s.markets[u.market-1]
	if ev.Side != market.Buy || ev.Trade != s.lastTrade+1 || ev.Base != m.base || ev.Quote != m.quote {
		return misfit(ev, "its side or assets are wrong or it is out of order")
	}
	b, a := m.book.First(market.Buy), m.book.First(market.Sell)
	if b == 0 || a == 0 {
		return misfit(ev, "nothing rests on one of the sides")
	}
	bid, bought, bidder := m.book.Resting(b)
	ask, sold, asker := m.book.Resting(a)
	buyer, seller := s.orders.at(bidder), s.orders.at(asker)
	switch {
	case buyer.id != ev.Order || s.members.at(buyer.owner).id != ev.Member ||
		seller.id != ev.Maker || s.members.at(seller.owner).id != ev.MakerMember:
		return misfit(ev, "other orders trade first")
	case bid < ev.Price || ask > ev.Price:
		return misfit(ev, "it is worse than a limit")
	case ev.Quantity > bought || ev.Quantity > sold:
		return misfit(ev, "it trades more than there is")
	case !affordable(ev, buyer, seller):
		return misfit(ev, "its amounts exceed what is held")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	s.lastTrade = ev.Trade
	m.lastTrade = Trade{ev.Trade, ev.Sequence, ev.Time, ev.Price, ev.Quantity, ev.Side}
	s.traded(ev, buyer.owner, seller.owner)
	u.left -= ev.Quantity
	s.fill(buyer, ev, ev.TakerFee)
	s.fill(seller, ev, ev.MakerFee)
	if err := s.reduce(m, b, bidder, ev); err != nil {
		return err
	}
	if err := s.reduce(m, a, asker, ev); err != nil {
		return err
	}
	s.look(m, ev.Price)
	return nil
}

// Indicative returns the price at which a market's book would be uncrossed now,
// and the lots that would trade; zeros when none would or there is no such
// market. While an uncrossing goes on, it is its price and what is left of its
// volume. It takes time proportional to the levels that cross.
func (s *State) Indicative(symbol market.Symbol) (market.Price, market.Quantity) {
	m, ok := s.bySymbol[symbol]
	switch {
	case !ok:
		return 0, 0
	case s.uncrossing.market == m.id:
		return s.uncrossing.price, s.uncrossing.left
	}
	return m.book.Uncross(m.centre())
}
