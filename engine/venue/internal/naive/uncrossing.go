package naive

import (
	"math/big"
	"slices"

	"bourse/engine/market"
)

const tradesInAStep = 1000

// uncrossing is what is left to trade of an uncrossing.
type uncrossing struct {
	price market.Price
	left  market.Quantity
	phase market.Phase // what the market becomes
}

// beginUncrossing finds the price; false when no lots can trade.
func (v *Venue) beginUncrossing(m *Market, phase market.Phase) bool {
	price, volume := v.uncrossingPrice(m)
	if volume == 0 {
		return false
	}
	m.Uncrossing = &uncrossing{price, volume, phase}
	v.refer(m, price)
	v.tell(Effect{What: "uncrossed", Market: m.ID, Price: price, Quantity: volume, Phase: phase})
	return true
}

// uncrossingPrice returns the price at which the book uncrosses and how many lots trade then. It tries every price at which something
// changes: the limits of orders, and their neighbours.
func (v *Venue) uncrossingPrice(m *Market) (price market.Price, volume market.Quantity) {
	var candidates []market.Price
	for _, o := range v.openIn(m) {
		if o.InBook() {
			candidates = append(candidates, o.Price-1, o.Price, o.Price+1)
		}
	}
	slices.Sort(candidates)
	var low, high market.Price
	var surplus market.Quantity
	rule := "volume"
	for _, at := range slices.Compact(candidates) {
		buys, sells := v.wouldTrade(m, at)
		lots, rest := min(buys, sells), max(buys, sells)-min(buys, sells)
		switch {
		case lots == 0 || lots < volume:
		case lots > volume:
			volume, surplus, low, high, rule = lots, rest, at, at, "volume"
		case rest > surplus:
			rule = "surplus"
		case rest < surplus:
			surplus, low, high, rule = rest, at, at, "surplus"
		default:
			high = at
		}
	}
	switch reference := m.measure(); {
	case volume == 0:
		return 0, 0
	case reference != 0:
		if low != high {
			rule = "nearest reference"
		}
		v.note("uncrossing price by", rule)
		return min(max(reference, low), high), volume
	}
	if low != high {
		rule = "middle"
	}
	v.note("uncrossing price by", rule)
	middle := new(big.Int).Add(big.NewInt(int64(low)), big.NewInt(int64(high)))
	return market.Price(middle.Div(middle, big.NewInt(2)).Int64()), volume
}

// wouldTrade counts the lots that would buy and sell at a price, hidden ones too.
func (v *Venue) wouldTrade(m *Market, at market.Price) (buys, sells market.Quantity) {
	for _, o := range v.openIn(m) {
		switch {
		case !o.InBook():
		case o.Side == market.Buy && o.Price >= at:
			buys += o.Left()
		case o.Side == market.Sell && o.Price <= at:
			sells += o.Left()
		}
	}
	return buys, sells
}

// goOnUncrossing makes the next trades of an uncrossing, and after the last one moves the market on.
func (v *Venue) goOnUncrossing(m *Market) {
	u := m.Uncrossing
	for range tradesInAStep {
		buyer, seller := v.queue(m, market.Buy)[0], v.queue(m, market.Sell)[0]
		lots := min(buyer.Shown, seller.Shown, u.left)
		notional := notionalOf(m, u.price, lots)
		v.deal("auction traded", buyer, seller, u.price, lots, buyer.MakerRate.Of(notional), seller.MakerRate.Of(notional))
		if u.left -= lots; u.left == 0 {
			m.Uncrossing = nil
			v.setPhaseTo(m, u.phase, 0)
			return
		}
	}
	v.note("uncrossing in several steps")
}
