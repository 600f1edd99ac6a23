package book

import "bourse/engine/market"

// Uncross finds the price at which a crossed book trades all at once, and the
// lots that do: of all prices the one at which the most lots trade; of those the
// ones with the least surplus, which is the difference between the lots that
// would buy and that would sell; of those the one nearest to the reference
// price, or without one (zero) the middle, rounded down. The volume is zero, and
// there is no price, when the book is not crossed. The book does not change.
//
// Time is proportional to the levels that cross. Between two levels nothing
// changes, so prices are looked at in stretches, upwards from the best ask to
// the best bid. On the way the lots that would buy only fall and those that
// would sell only rise; so where the volume is largest, and within that where
// the surplus is least, is one stretch without holes.
func (b *Book) Uncross(reference market.Price) (price market.Price, volume market.Quantity) {
	bid, ask := b.side(market.Buy).best, b.side(market.Sell).best
	if bid == 0 || ask == 0 || b.levels[bid].price < b.levels[ask].price {
		return 0, 0
	}
	low := b.levels[ask].price
	highest := b.levels[bid].price
	buys := b.levels[bid].whole()
	for at := b.levels[bid].worse; at != 0 && b.levels[at].price >= low; at = b.levels[at].worse {
		bid = at
		buys += b.levels[at].whole()
	}
	var best stretch
	var sells market.Quantity
	for {
		// bid is the lowest level that still buys at low, ask the lowest one that
		// does not count as selling yet.
		if ask != 0 && b.levels[ask].price == low {
			sells += b.levels[ask].whole()
			ask = b.levels[ask].worse
		}
		high := b.levels[bid].price
		if ask != 0 {
			high = min(high, b.levels[ask].price-1)
		}
		best.consider(stretch{low, high, min(buys, sells), max(buys, sells) - min(buys, sells)})
		if high == highest {
			return best.nearest(reference), best.volume
		}
		if b.levels[bid].price == high {
			buys -= b.levels[bid].whole()
			bid = b.levels[bid].better
		}
		low = high + 1
	}
}

// stretch is prices at which the same lots would trade.
type stretch struct {
	low, high       market.Price
	volume, surplus market.Quantity
}

// consider takes the next stretch above, if it is better or widens what is best.
func (s *stretch) consider(next stretch) {
	switch {
	case next.volume > s.volume || next.volume == s.volume && next.surplus < s.surplus:
		*s = next
	case next.volume == s.volume && next.surplus == s.surplus:
		s.high = next.high
	}
}

func (s *stretch) nearest(reference market.Price) market.Price {
	if reference == 0 {
		return s.low + (s.high-s.low)/2
	}
	return min(max(reference, s.low), s.high)
}

// whole is what rests at a level, shown or not.
func (l *level) whole() market.Quantity { return l.quantity + l.hidden }
