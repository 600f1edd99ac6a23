// Package book keeps the resting orders of one market and finds who trades with
// whom: the best price first, at one price the order that came first.
//
//	bids           asks          a side is a list of levels, best first;
//	100 ▸ 99 ▸ 97  101 ▸ 104     a level is a list of orders, oldest first;
//	 │     │    │    │     │     a trie over prices finds the level of a price
//	 a     c    e    f     g     and the neighbours of a new one
//	 b     d
//
// Everything is an integer: prices in ticks, quantities in lots. Orders and
// levels live in pools and link to one another by index, so that a book at work
// allocates only to grow. The book does not know members, money, phases or ids
// of orders: each order carries a reference that means something to the caller.
// Reading and changing are apart: Match only looks.
//
// A Book is not safe for concurrent use.
package book

import (
	"bourse/engine/market"
)

// Handle names a resting order until it leaves the book; afterwards it may name
// another. The zero Handle names none.
type Handle uint32

// Book is the resting orders of one market. Make it with New.
type Book struct {
	orders     []order // index 0 is unused
	freeOrders uint32  // list through next
	levels     []level // index 0 is unused
	freeLevels uint32  // list through worse
	sides      [2]side
	open       int
	reserves   map[uint32]reserve // of the icebergs, by index of the order
}

type order struct {
	quantity   market.Quantity
	ref        uint32
	next, prev uint32 // younger and older at the same level
	level      uint32
}

type level struct {
	price         market.Price
	quantity      market.Quantity // that is displayed
	hidden        market.Quantity // that is not
	head, tail    uint32          // oldest and youngest order
	better, worse uint32          // neighbouring levels
	orders        uint32
	side          market.Side
}

type side struct {
	best   uint32 // level
	prices trie
}

// New returns an empty book.
func New() *Book {
	return &Book{orders: make([]order, 1, 64), levels: make([]level, 1, 64)}
}

func (b *Book) side(s market.Side) *side { return &b.sides[s-market.Buy] }

// beats reports whether price a is better than b for resting orders of side s.
func beats(s market.Side, a, b market.Price) bool {
	if s == market.Buy {
		return a > b
	}
	return a < b
}

// Add rests an order behind the others of its price and returns its handle. It
// does not match: the caller has done so, and outside an auction must not add an
// order that crosses. Price and quantity must be positive.
func (b *Book) Add(s market.Side, price market.Price, quantity market.Quantity, ref uint32) Handle {
	at := b.levelFor(s, price)
	index := b.freeOrders
	if index != 0 {
		b.freeOrders = b.orders[index].next
	} else {
		index = uint32(len(b.orders))
		b.orders = append(b.orders, order{})
	}
	l := &b.levels[at]
	b.orders[index] = order{quantity: quantity, ref: ref, level: at}
	b.join(l, index)
	l.quantity += quantity
	l.orders++
	b.open++
	return Handle(index)
}

// join puts an order at the end of its level's queue.
func (b *Book) join(l *level, index uint32) {
	o := &b.orders[index]
	o.prev, o.next = l.tail, 0
	if l.tail != 0 {
		b.orders[l.tail].next = index
	} else {
		l.head = index
	}
	l.tail = index
}

// leave takes an order out of its level's queue.
func (b *Book) leave(l *level, index uint32) {
	o := &b.orders[index]
	if o.prev != 0 {
		b.orders[o.prev].next = o.next
	} else {
		l.head = o.next
	}
	if o.next != 0 {
		b.orders[o.next].prev = o.prev
	} else {
		l.tail = o.prev
	}
}

// levelFor finds the level of a price or makes it.
func (b *Book) levelFor(s market.Side, price market.Price) uint32 {
	sd := b.side(s)
	if best := sd.best; best != 0 && b.levels[best].price == price {
		return best
	}
	place := sd.prices.at(uint64(price))
	if *place != 0 {
		return *place
	}
	at := b.freeLevels
	if at != 0 {
		b.freeLevels = b.levels[at].worse
	} else {
		at = uint32(len(b.levels))
		b.levels = append(b.levels, level{})
	}
	*place = at
	b.levels[at] = level{price: price, side: s}
	b.link(s, at)
	return at
}

// link puts a new level, which the trie holds already, between its neighbours.
func (b *Book) link(s market.Side, at uint32) {
	sd, l := b.side(s), &b.levels[at]
	if sd.best == 0 || beats(s, l.price, b.levels[sd.best].price) {
		l.worse, sd.best = sd.best, at
	} else {
		if s == market.Buy {
			l.better = sd.prices.above(uint64(l.price))
		} else {
			l.better = sd.prices.below(uint64(l.price))
		}
		l.worse = b.levels[l.better].worse
		b.levels[l.better].worse = at
	}
	if l.worse != 0 {
		b.levels[l.worse].better = at
	}
}

// Reduce takes displayed lots from an order and returns what it displays then.
// When nothing is left the order leaves the book; an iceberg that has more
// displays its next lots, behind the others of its price. It panics if the order
// displays fewer lots or the handle names none.
func (b *Book) Reduce(h Handle, quantity market.Quantity) market.Quantity {
	o := b.resting(h)
	if quantity <= 0 || quantity > o.quantity {
		panic("book: an order is reduced by more than it has")
	}
	o.quantity -= quantity
	b.levels[o.level].quantity -= quantity
	left := o.quantity
	if left == 0 {
		if b.levels[o.level].hidden != 0 && b.surface(uint32(h)) {
			return o.quantity
		}
		b.remove(uint32(h))
	}
	return left
}

// Cancel takes an order out of the book and returns the lots it had, displayed or
// not. It panics if the handle names none.
func (b *Book) Cancel(h Handle) market.Quantity {
	o := b.resting(h)
	quantity := o.quantity
	b.levels[o.level].quantity -= quantity
	if b.levels[o.level].hidden != 0 {
		quantity += b.sink(uint32(h))
	}
	b.remove(uint32(h))
	return quantity
}

func (b *Book) resting(h Handle) *order {
	o := &b.orders[h]
	if o.level == 0 {
		panic("book: the handle names no order")
	}
	return o
}

// remove unlinks an order whose lots its level no longer counts.
func (b *Book) remove(index uint32) {
	o := &b.orders[index]
	l := &b.levels[o.level]
	b.leave(l, index)
	l.orders--
	if l.orders == 0 {
		b.unlink(o.level)
	}
	o.level = 0
	o.next, b.freeOrders = b.freeOrders, index
	b.open--
}

// unlink takes an empty level out of its side.
func (b *Book) unlink(at uint32) {
	l := &b.levels[at]
	sd := b.side(l.side)
	if l.better != 0 {
		b.levels[l.better].worse = l.worse
	} else {
		sd.best = l.worse
	}
	if l.worse != 0 {
		b.levels[l.worse].better = l.better
	}
	sd.prices.remove(uint64(l.price))
	l.side = 0
	l.worse, b.freeLevels = b.freeLevels, at
}

// Fill is one trade that an incoming order would make.
type Fill struct {
	Maker    Handle
	Price    market.Price
	Quantity market.Quantity
	Ref      uint32 // of the maker
}

// Match appends to dst the trades that an incoming order of side s would make,
// in order, until its lots are used up or nothing at its price or better is
// left. Icebergs trade what they display and no more: Walk goes through all of
// it. The book does not change.
func (b *Book) Match(s market.Side, price market.Price, quantity market.Quantity, dst []Fill) []Fill {
	opposite := s.Opposite()
	for at := b.side(opposite).best; at != 0 && quantity > 0; at = b.levels[at].worse {
		l := &b.levels[at]
		if beats(opposite, price, l.price) {
			break
		}
		for index := l.head; index != 0 && quantity > 0; {
			o := &b.orders[index]
			take := min(o.quantity, quantity)
			dst = append(dst, Fill{Handle(index), l.price, take, o.ref})
			quantity -= take
			index = o.next
		}
	}
	return dst
}

// First returns the order of a side that trades first; zero when there is none.
func (b *Book) First(s market.Side) Handle {
	at := b.side(s).best
	if at == 0 {
		return 0
	}
	return Handle(b.levels[at].head)
}

// After returns the order that trades after h on the same side; zero when h is
// the last.
func (b *Book) After(h Handle) Handle {
	o := b.resting(h)
	if o.next != 0 {
		return Handle(o.next)
	}
	at := b.levels[o.level].worse
	if at == 0 {
		return 0
	}
	return Handle(b.levels[at].head)
}

// Resting returns what rests under a handle, of an iceberg what it displays. It
// panics if the handle names none.
func (b *Book) Resting(h Handle) (price market.Price, quantity market.Quantity, ref uint32) {
	o := b.resting(h)
	return b.levels[o.level].price, o.quantity, o.ref
}

// Best returns the best price of a side; ok is false when the side is empty.
func (b *Book) Best(s market.Side) (price market.Price, ok bool) {
	at := b.side(s).best
	return b.levels[at].price, at != 0
}

// Level is all that rests at one price and is displayed.
type Level struct {
	Price    market.Price
	Quantity market.Quantity
	Orders   int
}

// At returns the level of a price, with a quantity of zero when nothing rests
// there.
func (b *Book) At(s market.Side, price market.Price) Level {
	at := b.side(s).prices.get(uint64(price))
	if at == 0 {
		return Level{Price: price}
	}
	return b.summary(at)
}

// AppendLevels appends up to n levels of a side to dst, best first.
func (b *Book) AppendLevels(dst []Level, s market.Side, n int) []Level {
	for at := b.side(s).best; at != 0 && n > 0; at = b.levels[at].worse {
		dst = append(dst, b.summary(at))
		n--
	}
	return dst
}

func (b *Book) summary(at uint32) Level {
	l := &b.levels[at]
	return Level{l.price, l.quantity, int(l.orders)}
}

// Len returns the number of resting orders.
func (b *Book) Len() int { return b.open }
