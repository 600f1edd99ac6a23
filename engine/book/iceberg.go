package book

import "bourse/engine/market"

// reserve is what an iceberg has besides what it displays. An order that has
// nothing more to hide is no iceberg any more. Icebergs are rare, so their
// reserves are apart and a level's total tells whether to look.
type reserve struct {
	display market.Quantity // at most, each time
	hidden  market.Quantity
}

// AddIceberg is Add of an order that displays only some of its lots, and at most
// display of them each time that those are gone. All must be positive.
func (b *Book) AddIceberg(s market.Side, price market.Price, displayed, hidden, display market.Quantity, ref uint32) Handle {
	h := b.Add(s, price, displayed, ref)
	if b.reserves == nil {
		b.reserves = make(map[uint32]reserve)
	}
	b.reserves[uint32(h)] = reserve{display, hidden}
	b.levels[b.orders[h].level].hidden += hidden
	return h
}

// surface has an iceberg whose displayed lots are gone display the next ones,
// behind the others of its price. It returns false for an order that hides
// nothing.
func (b *Book) surface(index uint32) bool {
	r, ok := b.reserves[index]
	if !ok {
		return false
	}
	o := &b.orders[index]
	l := &b.levels[o.level]
	o.quantity = min(r.display, r.hidden)
	l.quantity += o.quantity
	b.hide(l, index, r, r.hidden-o.quantity)
	if l.tail != index {
		b.leave(l, index)
		b.join(l, index)
	}
	return true
}

// hide sets what an iceberg hides.
func (b *Book) hide(l *level, index uint32, r reserve, hidden market.Quantity) {
	l.hidden += hidden - r.hidden
	r.hidden = hidden
	if hidden == 0 {
		delete(b.reserves, index)
	} else {
		b.reserves[index] = r
	}
}

// sink forgets what an order hides and returns it.
func (b *Book) sink(index uint32) market.Quantity {
	r, ok := b.reserves[index]
	if ok {
		b.hide(&b.levels[b.orders[index].level], index, r, 0)
	}
	return r.hidden
}

// Hidden is how many lots an order has that it does not display.
func (b *Book) Hidden(h Handle) market.Quantity {
	if b.levels[b.resting(h).level].hidden == 0 {
		return 0
	}
	return b.reserves[uint32(h)].hidden
}

// Shrink takes lots from an order, which keeps its place: first those that it
// does not display. It panics if that leaves none.
func (b *Book) Shrink(h Handle, quantity market.Quantity) {
	o := b.resting(h)
	l := &b.levels[o.level]
	if l.hidden != 0 {
		if r, ok := b.reserves[uint32(h)]; ok {
			unseen := min(r.hidden, quantity)
			quantity -= unseen
			b.hide(l, uint32(h), r, r.hidden-unseen)
		}
	}
	if quantity < 0 || quantity >= o.quantity {
		panic("book: an order is shrunk to nothing")
	}
	o.quantity -= quantity
	l.quantity -= quantity
}
