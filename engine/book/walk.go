package book

import "bourse/engine/market"

// Walk goes through one side of the book as its orders would trade one after
// another, icebergs with all that they hide, without changing anything. It is
// good as long as the book stands still. The fields describe the present order
// and are not to be changed.
type Walk struct {
	Handle   Handle // 0 at the end
	Ref      uint32
	Again    bool // it is an iceberg that was here before
	Price    market.Price
	Quantity market.Quantity // that it displays and nobody took yet

	book   *Book
	level  uint32
	hidden market.Quantity // of an order that is here again
	queue  []reload        // icebergs of this level that come again, in order
}

type reload struct {
	handle Handle
	reserve
}

// Walk begins at the order of the side that trades first.
func (b *Book) Walk(s market.Side) (w Walk) {
	w.book = b
	w.enter(b.side(s).best)
	return w
}

func (w *Walk) enter(at uint32) {
	w.level = at
	if at == 0 {
		w.Handle = 0
		return
	}
	l := &w.book.levels[at]
	w.Price = l.price
	w.load(l.head)
}

func (w *Walk) load(index uint32) {
	o := &w.book.orders[index]
	w.Handle, w.Ref, w.Quantity, w.Again = Handle(index), o.ref, o.quantity, false
}

// Whole is what the order has left, displayed or not.
func (w *Walk) Whole() market.Quantity {
	if w.Again {
		return w.Quantity + w.hidden
	}
	return w.Quantity + w.book.Hidden(w.Handle)
}

// Take takes displayed lots. When none are left, an iceberg with more joins the
// queue of its price again and the walk goes on.
func (w *Walk) Take(quantity market.Quantity) {
	w.Quantity -= quantity
	if w.Quantity > 0 {
		return
	}
	if w.book.levels[w.level].hidden != 0 {
		r, ok := w.book.reserves[uint32(w.Handle)]
		if w.Again {
			r.hidden = w.hidden
		}
		if ok && r.hidden > 0 {
			w.queue = append(w.queue, reload{w.Handle, r})
		}
	}
	w.Pass()
}

// Pass goes on to the next order and leaves all of this one behind.
func (w *Walk) Pass() {
	if !w.Again {
		if next := w.book.orders[w.Handle].next; next != 0 {
			w.load(next)
			return
		}
	}
	if len(w.queue) == 0 {
		w.enter(w.book.levels[w.level].worse)
		return
	}
	r := w.queue[0]
	w.queue = w.queue[1:]
	w.load(uint32(r.handle))
	w.Again = true
	w.Quantity = min(r.display, r.hidden)
	w.hidden = r.hidden - w.Quantity
}
