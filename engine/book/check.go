package book

import (
	"fmt"

	"bourse/engine/market"
)

// Check verifies the book in full: sides sorted, the totals of every level equal to the sum of its orders, links that agree in both
// directions, and a trie that finds exactly the levels.
func (b *Book) Check() error {
	total := 0
	for _, s := range []market.Side{market.Buy, market.Sell} {
		n, err := b.checkSide(s)
		if err != nil {
			return err
		}
		total += n
	}
	for index := range b.reserves {
		if b.orders[index].level == 0 {
			return fmt.Errorf("book: an order that is gone hides lots")
		}
	}
	if total != b.open {
		return fmt.Errorf("book: %d orders rest, %d are counted", total, b.open)
	}
	return nil
}

// Crossed reports whether orders of the two sides could trade with one another.
func (b *Book) Crossed() bool {
	bid, bids := b.Best(market.Buy)
	ask, asks := b.Best(market.Sell)
	return bids && asks && bid >= ask
}

func (b *Book) checkSide(s market.Side) (orders int, err error) {
	sd := b.side(s)
	levels := 0
	better := uint32(0)
	for at := sd.best; at != 0; at = b.levels[at].worse {
		l := &b.levels[at]
		if l.better != better || l.side != s {
			return 0, fmt.Errorf("book: %v level %d is linked wrongly", s, l.price)
		}
		if better != 0 && !beats(s, b.levels[better].price, l.price) {
			return 0, fmt.Errorf("book: %v level %d is out of place", s, l.price)
		}
		if sd.prices.get(uint64(l.price)) != at {
			return 0, fmt.Errorf("book: %v level %d is not found by its price", s, l.price)
		}
		n, err := b.checkLevel(at)
		if err != nil {
			return 0, err
		}
		orders += n
		levels++
		better = at
	}
	if n := sd.prices.count(sd.prices.root, sd.prices.height); n != levels {
		return 0, fmt.Errorf("book: %v has %d levels, %d are found by price", s, levels, n)
	}
	return orders, nil
}

func (b *Book) checkLevel(at uint32) (orders int, err error) {
	l := &b.levels[at]
	var sum, hidden market.Quantity
	older := uint32(0)
	for index := l.head; index != 0; index = b.orders[index].next {
		o := &b.orders[index]
		if o.prev != older || o.level != at || o.quantity <= 0 {
			return 0, fmt.Errorf("book: an order at %v %d is linked wrongly", l.side, l.price)
		}
		if r, ok := b.reserves[index]; ok {
			if r.hidden <= 0 || o.quantity > r.display {
				return 0, fmt.Errorf("book: an iceberg at %v %d displays %d of %d and hides %d", l.side, l.price, o.quantity, r.display, r.hidden)
			}
			hidden += r.hidden
		}
		sum += o.quantity
		orders++
		older = index
	}
	if l.tail != older || orders == 0 || orders != int(l.orders) || sum != l.quantity || hidden != l.hidden {
		return 0, fmt.Errorf("book: %v level %d has %d lots in %d orders, its total says %d in %d",
			l.side, l.price, sum, orders, l.quantity, l.orders)
	}
	return orders, nil
}

// count returns the number of values below a node that stands height steps high.
func (t *trie) count(at uint32, height uint8) (n int) {
	if at == 0 {
		return 0
	}
	for _, child := range t.nodes[at].child {
		switch {
		case child == 0:
		case height == 1:
			n++
		default:
			n += t.count(child, height-1)
		}
	}
	return n
}
