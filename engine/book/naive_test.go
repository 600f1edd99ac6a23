package book

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/market"
)

// naive is a book written for clarity: all orders in one slice, in the order in
// which they came, sorted anew whenever somebody asks.
type naive struct{ orders []naiveOrder }

type naiveOrder struct {
	side     market.Side
	price    market.Price
	quantity market.Quantity // that is displayed
	ref      uint32
	hidden   market.Quantity
	display  market.Quantity
}

// queue returns the refs of a side by price, then by arrival.
func (n *naive) queue(s market.Side) []naiveOrder {
	var queue []naiveOrder
	for _, o := range n.orders {
		if o.side == s {
			queue = append(queue, o)
		}
	}
	slices.SortStableFunc(queue, func(a, b naiveOrder) int {
		if s == market.Buy {
			return cmp.Compare(b.price, a.price)
		}
		return cmp.Compare(a.price, b.price)
	})
	return queue
}

func (n *naive) match(s market.Side, price market.Price, quantity market.Quantity) (fills []Fill) {
	n = &naive{slices.Clone(n.orders)}
	for quantity > 0 {
		queue := n.queue(s.Opposite())
		if len(queue) == 0 || s == market.Buy && queue[0].price > price || s == market.Sell && queue[0].price < price {
			break
		}
		o := queue[0]
		take := min(quantity, o.quantity)
		fills = append(fills, Fill{Price: o.price, Quantity: take, Ref: o.ref})
		quantity -= take
		n.reduce(o.ref, take)
	}
	return fills
}

func (n *naive) at(ref uint32) int {
	return slices.IndexFunc(n.orders, func(o naiveOrder) bool { return o.ref == ref })
}

func (n *naive) reduce(ref uint32, quantity market.Quantity) {
	i := n.at(ref)
	n.orders[i].quantity -= quantity
	if o := n.orders[i]; o.quantity == 0 {
		n.orders = slices.Delete(n.orders, i, i+1)
		if o.quantity = min(o.display, o.hidden); o.quantity > 0 {
			o.hidden -= o.quantity
			n.orders = append(n.orders, o)
		}
	}
}

func (n *naive) levels(s market.Side) (levels []Level) {
	for _, o := range n.queue(s) {
		if k := len(levels); k > 0 && levels[k-1].Price == o.price {
			levels[k-1].Quantity += o.quantity
			levels[k-1].Orders++
			continue
		}
		levels = append(levels, Level{o.price, o.quantity, 1})
	}
	return levels
}

// prices are mostly near one another, sometimes anywhere, so that the trie
// grows, shrinks and branches at every step.
var prices = rapid.OneOf(
	rapid.Map(rapid.IntRange(1, 20), func(n int) market.Price { return market.Price(n) }),
	rapid.Map(rapid.IntRange(4090, 4102), func(n int) market.Price { return market.Price(n) }),
	rapid.Map(rapid.Int64Range(1, int64(market.MaxPrice)), func(n int64) market.Price { return market.Price(n) }),
)

func TestBookAgreesWithANaiveOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		real, plain := New(), &naive{}
		handles := map[uint32]Handle{}
		last := uint32(0)
		side := rapid.SampledFrom([]market.Side{market.Buy, market.Sell})
		place := func(t *rapid.T) {
			s, price := side.Draw(t, "side"), prices.Draw(t, "price")
			left := market.Quantity(rapid.Int64Range(1, 9).Draw(t, "quantity"))
			last++
			want := plain.match(s, price, left)
			icebergs := slices.ContainsFunc(plain.orders, func(o naiveOrder) bool { return o.hidden > 0 })
			if fills := real.Match(s, price, left, nil); !icebergs && len(fills) != len(want) {
				t.Fatalf("%d fills, want %d", len(fills), len(want))
			} else if !icebergs {
				for i, f := range fills {
					want[i].Maker = handles[f.Ref]
					if f != want[i] {
						t.Fatalf("fill %d is %+v, want %+v", i, f, want[i])
					}
				}
			}
			w := real.Walk(s.Opposite())
			met := map[uint32]bool{}
			for i, f := range want {
				if w.Handle == 0 || w.Handle != handles[f.Ref] || w.Ref != f.Ref || w.Price != f.Price || w.Quantity < f.Quantity || w.Again != met[f.Ref] {
					t.Fatalf("trade %d is with %+v, want %+v", i, w, f)
				}
				o := plain.orders[plain.at(f.Ref)]
				if !w.Again && w.Whole() != o.quantity+o.hidden {
					t.Fatalf("order %d has %d lots, want %d", f.Ref, w.Whole(), o.quantity+o.hidden)
				}
				met[f.Ref] = true
				w.Take(f.Quantity)
			}
			for _, f := range want {
				rest := real.Reduce(handles[f.Ref], f.Quantity)
				plain.reduce(f.Ref, f.Quantity)
				left -= f.Quantity
				if i := plain.at(f.Ref); i < 0 {
					delete(handles, f.Ref)
				} else if rest != plain.orders[i].quantity {
					t.Fatalf("order %d displays %d, want %d", f.Ref, rest, plain.orders[i].quantity)
				}
			}
			if left <= 0 {
				return
			}
			display := rapid.SampledFrom([]market.Quantity{left, left, left, 1, 2, 4}).Draw(t, "display")
			o := naiveOrder{s, price, min(left, display), last, max(left-display, 0), display}
			plain.orders = append(plain.orders, o)
			if o.hidden > 0 {
				handles[last] = real.AddIceberg(s, price, o.quantity, o.hidden, display, last)
			} else {
				handles[last] = real.Add(s, price, left, last)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"place":  place,
			"place2": place, // books that grow are worth more than books that stay empty
			"cancel": func(t *rapid.T) {
				if len(plain.orders) == 0 {
					t.Skip("nothing rests")
				}
				o := rapid.SampledFrom(plain.orders).Draw(t, "order")
				if got := real.Cancel(handles[o.ref]); got != o.quantity+o.hidden {
					t.Fatalf("cancelled %d lots, want %d", got, o.quantity+o.hidden)
				}
				delete(handles, o.ref)
				plain.orders = slices.Delete(plain.orders, plain.at(o.ref), plain.at(o.ref)+1)
			},
			"shrink": func(t *rapid.T) {
				if len(plain.orders) == 0 {
					t.Skip("nothing rests")
				}
				i := rapid.IntRange(0, len(plain.orders)-1).Draw(t, "order")
				o := &plain.orders[i]
				if o.quantity+o.hidden < 2 {
					t.Skip("one lot cannot shrink")
				}
				by := market.Quantity(rapid.Int64Range(1, int64(o.quantity+o.hidden-1)).Draw(t, "by"))
				real.Shrink(handles[o.ref], by)
				unseen := min(o.hidden, by)
				o.hidden -= unseen
				o.quantity -= by - unseen
			},
			"": func(t *rapid.T) {
				if err := real.Check(); err != nil || real.Crossed() {
					t.Fatal(err)
				}
				compare(t, real, plain)
			},
		})
	})
}

// compare looks at everything that can be read of both books.
func compare(t *rapid.T, real *Book, plain *naive) {
	if real.Len() != len(plain.orders) {
		t.Fatalf("%d orders, want %d", real.Len(), len(plain.orders))
	}
	for _, s := range []market.Side{market.Buy, market.Sell} {
		want := plain.levels(s)
		if got := real.AppendLevels(nil, s, 1<<30); !slices.Equal(got, want) {
			t.Fatalf("%v levels are %v, want %v", s, got, want)
		}
		if best, ok := real.Best(s); ok != (len(want) > 0) || ok && best != want[0].Price {
			t.Fatalf("best %v is %d, %v", s, best, ok)
		}
		for _, l := range want {
			if got := real.At(s, l.Price); got != l {
				t.Fatalf("%v level %d is %v, want %v", s, l.Price, got, l)
			}
		}
		h := real.First(s)
		for _, o := range plain.queue(s) {
			if h == 0 {
				t.Fatalf("%v queue ends before order %d", s, o.ref)
			}
			if price, quantity, ref := real.Resting(h); price != o.price || quantity != o.quantity || ref != o.ref {
				t.Fatalf("%v queue has order %d of %d at %d, want %+v", s, ref, quantity, price, o)
			}
			if hidden := real.Hidden(h); hidden != o.hidden {
				t.Fatalf("order %d hides %d lots, want %d", o.ref, hidden, o.hidden)
			}
			h = real.After(h)
		}
		if h != 0 {
			t.Fatalf("%v queue goes on after its last order", s)
		}
	}
}

func TestHandlesThatNameNothingPanic(t *testing.T) {
	for name, misuse := range map[string]func(b *Book, gone, there Handle){
		"cancel twice": func(b *Book, gone, _ Handle) { b.Cancel(gone) },
		"zero":         func(b *Book, _, _ Handle) { b.Cancel(0) },
		"reduce":       func(b *Book, gone, _ Handle) { b.Reduce(gone, 1) },
		"too much":     func(b *Book, _, there Handle) { b.Reduce(there, 2) },
		"nothing":      func(b *Book, _, there Handle) { b.Reduce(there, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := New()
			gone, there := b.Add(market.Buy, 10, 1, 0), b.Add(market.Buy, 10, 1, 0)
			b.Cancel(gone)
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse(b, gone, there)
		})
	}
}
