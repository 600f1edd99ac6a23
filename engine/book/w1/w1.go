// Package w1 makes workload W1: a fixed, seeded stream of orders on which
// matching engines are compared.
//
// The stream depends on a book, since every cancel must hit an order that is
// live at that moment. The book that generates it is a plain one, written apart
// from package book, so that the totals it arrives at are an independent answer.
// A Player plays a stream into the real book; one that plays it into the whole
// venue is in engine/venue/w1.
package w1

import (
	"crypto/sha256"
	"encoding/binary"
)

// Seed, Preload and Operations are what the published figures stand for.
const (
	Seed       = 1
	Preload    = 10_000
	Operations = 2_000_000
)

// Digest is the SHA-256 of the standard stream's records, in hexadecimal.
const Digest = "400431b6012ed64696e8b95958990c996a554584afdea8a3293b70750eaf4784"

// StandardTotals are what every engine must arrive at after the standard stream.
var StandardTotals = Totals{
	Trades: 176_068, Volume: 4_501_596, Notional: 449_609_663_349,
	Live: 9_366, Resting: 476_427,
}

// Kind is what an operation does.
type Kind uint8

// The kinds.
const (
	Limit  Kind = 0
	Market Kind = 1
	Cancel Kind = 2
)

// Operation is one record of the stream. A cancel repeats side, trader, price
// and quantity of the order as it was placed. Buyers have odd trader ids and
// sellers even ones, 1 to 1000, so that nobody trades with itself.
type Operation struct {
	Kind     Kind
	Sell     bool
	Trader   uint32
	Order    uint64 // dense from 1
	Price    int64  // ticks, zero for a market order
	Quantity int64  // lots
}

// Totals is what a stream comes to.
type Totals struct {
	Trades, Volume, Notional int64 // of the timed operations
	Live, Resting            int64 // orders and lots at the end
}

// Stream is a workload: Preload is played untimed, then Operations timed.
type Stream struct {
	Preload    []Operation
	Operations []Operation
	Totals     Totals
}

// Standard makes the stream that the published figures are about.
func Standard() *Stream { return Generate(Seed, Preload, Operations) }

// Generate makes a stream of any seed and length.
func Generate(seed uint64, preload, operations int) *Stream {
	g := &generator{random: seed, mid: 100_000}
	s := &Stream{
		Preload:    make([]Operation, preload),
		Operations: make([]Operation, operations),
	}
	for i := range s.Preload {
		s.Preload[i] = g.passive()
	}
	for i := range s.Operations {
		if i%256 == 0 {
			g.mid = min(max(g.mid+g.n(3)-1, lowestMid), highestMid)
		}
		s.Operations[i] = g.operation()
	}
	s.Totals = g.totals
	s.Totals.Live = int64(len(g.live))
	for _, o := range g.live {
		s.Totals.Resting += o.quantity
	}
	return s
}

// Sum returns the SHA-256 of the stream's 32-byte records.
func (s *Stream) Sum() [32]byte {
	h := sha256.New()
	var record [32]byte
	for _, part := range [][]Operation{s.Preload, s.Operations} {
		for i := range part {
			o := &part[i]
			record[0], record[1] = byte(o.Kind), 0
			if o.Sell {
				record[1] = 1
			}
			binary.LittleEndian.PutUint32(record[4:], o.Trader)
			binary.LittleEndian.PutUint64(record[8:], o.Order)
			binary.LittleEndian.PutUint64(record[16:], uint64(o.Price))
			binary.LittleEndian.PutUint64(record[24:], uint64(o.Quantity))
			h.Write(record[:])
		}
	}
	return [32]byte(h.Sum(nil))
}

const (
	lowestMid  = 95_000
	highestMid = 105_000
	ladder     = highestMid + 1_000 // above every price that can occur
)

type generator struct {
	random uint64 // state of splitmix64
	mid    int64
	last   uint64 // order id
	live   []*resting
	levels [2][ladder][]*resting // buys, sells; oldest first
	best   [2]int64
	totals Totals
}

type resting struct {
	Operation
	quantity int64 // what is left
	position int   // in live
}

// n draws a number in 0..k-1.
func (g *generator) n(k uint64) int64 {
	g.random += 0x9e3779b97f4a7c15
	z := g.random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int64((z ^ z>>31) % k)
}

// passive draws an order of the preload. It takes the same draws as a timed
// limit order, but none of them is marketable.
func (g *generator) passive() Operation {
	o := g.limit(false)
	g.rest(&resting{Operation: o, quantity: o.Quantity})
	return o
}

func (g *generator) operation() Operation {
	cancels := min(max(int64(len(g.live))*4800/10_000, 2000), 7000)
	switch x := g.n(10_000); {
	case x < 300:
		return g.market()
	case x < 300+cancels:
		return g.cancel()
	}
	o := g.limit(true)
	if left := g.match(o, o.Price); left > 0 {
		g.rest(&resting{Operation: o, quantity: left})
	}
	return o
}

func (g *generator) market() Operation {
	o := Operation{Kind: Market, Sell: g.n(2) == 1}
	o.Trader = g.trader(o.Sell)
	o.Quantity = 1 + g.n(100)
	o.Order = g.id()
	worst := int64(ladder - 1)
	if o.Sell {
		worst = 0
	}
	g.match(o, worst)
	return o
}

func (g *generator) limit(marketable bool) Operation {
	o := Operation{Kind: Limit, Sell: g.n(2) == 1, Quantity: 1 + g.n(100)}
	var offset int64
	if g.n(100) < 5 && marketable {
		offset = -g.n(5)
	} else {
		offset = 1 + min(g.n(200), g.n(200))
	}
	o.Price = g.mid - offset
	if o.Sell {
		o.Price = g.mid + offset
	}
	o.Trader = g.trader(o.Sell)
	o.Order = g.id()
	return o
}

func (g *generator) cancel() Operation {
	r := g.live[g.n(uint64(len(g.live)))]
	level := &g.levels[index(r.Sell)][r.Price]
	for i, other := range *level {
		if other == r {
			*level = append((*level)[:i:i], (*level)[i+1:]...)
			break
		}
	}
	g.forget(r)
	o := r.Operation
	o.Kind = Cancel
	return o
}

func (g *generator) trader(sell bool) uint32 {
	return uint32(2*g.n(500)) + uint32(index(sell)) + 1
}

func (g *generator) id() uint64 {
	g.last++
	return g.last
}

func index(sell bool) int {
	if sell {
		return 1
	}
	return 0
}

// match trades an incoming order at worst or better and returns what is left.
func (g *generator) match(o Operation, worst int64) int64 {
	left := o.Quantity
	other := index(!o.Sell)
	step := int64(1)
	if o.Sell {
		step = -1
	}
	for price := g.best[other]; left > 0 && price > 0 && price < ladder && (worst-price)*step >= 0; price += step {
		level := &g.levels[other][price]
		for left > 0 && len(*level) > 0 {
			maker := (*level)[0]
			take := min(left, maker.quantity)
			left -= take
			maker.quantity -= take
			g.totals.Trades++
			g.totals.Volume += take
			g.totals.Notional += take * price
			if maker.quantity == 0 {
				*level = (*level)[1:]
				g.forget(maker)
			}
		}
		if len(*level) == 0 {
			g.best[other] = price + step
		}
	}
	return left
}

// rest appends an order to its level. best may run ahead of the best price, over
// empty levels, but never behind it.
func (g *generator) rest(r *resting) {
	side := index(r.Sell)
	level := &g.levels[side][r.Price]
	*level = append(*level, r)
	if best := g.best[side]; best == 0 || (r.Price-best > 0) != r.Sell {
		g.best[side] = r.Price
	}
	r.position = len(g.live)
	g.live = append(g.live, r)
}

// forget takes an order out of the list of the live ones.
func (g *generator) forget(r *resting) {
	last := g.live[len(g.live)-1]
	g.live[r.position] = last
	last.position = r.position
	g.live = g.live[:len(g.live)-1]
}
