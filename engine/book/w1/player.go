package w1

import (
	"bourse/engine/book"
	"bourse/engine/market"
)

// Player plays a stream into a book. Handles are kept by order id in a slice, as
// a caller with dense ids would; the ids are the references of the orders.
type Player struct {
	Book    *book.Book
	Rejects int // cancels of orders that were not there

	handles []book.Handle
	fills   []book.Fill
	totals  Totals
}

// NewPlayer returns a player of a stream whose preload is in the book.
func NewPlayer(s *Stream) *Player {
	p := &Player{
		Book:    book.New(),
		handles: make([]book.Handle, len(s.Preload)+len(s.Operations)+1),
		fills:   make([]book.Fill, 0, 256),
	}
	p.Play(s.Preload)
	return p
}

// Play plays operations, which follow those that were played before.
func (p *Player) Play(operations []Operation) {
	for i := range operations {
		p.play(&operations[i])
	}
}

func (p *Player) play(o *Operation) {
	if o.Kind == Cancel {
		h := p.handles[o.Order]
		if h == 0 {
			p.Rejects++
			return
		}
		p.handles[o.Order] = 0
		p.Book.Cancel(h)
		return
	}
	side, price := market.Buy, market.Price(o.Price)
	if o.Sell {
		side = market.Sell
	}
	if o.Kind == Market {
		price = market.MaxPrice
		if o.Sell {
			price = 1
		}
	}
	left := market.Quantity(o.Quantity)
	p.fills = p.Book.Match(side, price, left, p.fills[:0])
	for i := range p.fills {
		f := &p.fills[i]
		left -= f.Quantity
		p.totals.Trades++
		p.totals.Volume += int64(f.Quantity)
		p.totals.Notional += int64(f.Quantity) * int64(f.Price)
		if p.Book.Reduce(f.Maker, f.Quantity) == 0 {
			p.handles[f.Ref] = 0
		}
	}
	if left > 0 && o.Kind == Limit {
		p.handles[o.Order] = p.Book.Add(side, price, left, uint32(o.Order))
	}
}

// Totals is what came of it so far.
func (p *Player) Totals() Totals {
	totals := p.totals
	totals.Live = int64(p.Book.Len())
	for _, s := range []market.Side{market.Buy, market.Sell} {
		for _, l := range p.Book.AppendLevels(nil, s, 1<<30) {
			totals.Resting += int64(l.Quantity)
		}
	}
	return totals
}
