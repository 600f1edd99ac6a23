package venue

import (
	"slices"

	"bourse/engine/market"
)

// triggers is the stops of one side of a market that wait for their price: what a
// trade has to look at is always on top.
//
//	fixed    stops by trigger price, then by id          a heap
//	trails   trailing stops in groups of one peak:       a stack of heaps
//	         by distance, then by id
//	nearest  those groups by their nearest trigger       a heap
//
// A trailing stop begins at the last price, and every later trade moves the peaks
// that it passes to itself; so a stop that was placed earlier has a peak at least
// as far out, and the peaks that a trade passes are at the top of the stack.
// Those groups become one, the smaller poured into the larger: a stop moves at
// most as often as its group doubles, each time by one heap operation, so n stops
// cost O(n log² n) over their lives however many trades there are. A trade that
// passes one peak alone, as most do, changes one number.
type triggers struct {
	side    market.Side
	table   *conditionTable
	fixed   []uint32 // places in the table
	groups  []trailGroup
	free    []uint32 // groups that are not used
	trails  []uint32 // groups, the newest peak last
	nearest []uint32 // groups
}

type trailGroup struct {
	peak    market.Price
	at      int      // in nearest
	members []uint32 // places in the table
}

// before reports whether trigger a comes before b: a buy's lowest, a sell's
// highest.
func (t *triggers) before(a, b market.Price) bool {
	if t.side == market.Buy {
		return a < b
	}
	return a > b
}

// reached reports whether a trade at a price sets off a trigger.
func (t *triggers) reached(trigger, price market.Price) bool {
	return reached(t.side, trigger, price)
}

// reached reports whether a stop of a side with a trigger price is set off at a
// price.
func reached(side market.Side, trigger, price market.Price) bool {
	if side == market.Buy {
		return price >= trigger
	}
	return price <= trigger
}

// trailing is the trigger of a trailing stop whose best price was peak.
func trailing(side market.Side, peak, trail market.Price) market.Price {
	if side == market.Buy {
		return peak + trail
	}
	return peak - trail
}

// trigger is where a stop that waits here has its trigger now.
func (t *triggers) trigger(c *conditions) market.Price {
	if c.Trail == 0 {
		return c.Trigger
	}
	return trailing(t.side, t.groups[c.group].peak, c.Trail)
}

// add has a stop wait. Its trigger is not reached; the peak of a trailing one is
// not beyond those that wait already.
func (t *triggers) add(place uint32) {
	c := t.table.at(place)
	if c.Trail == 0 {
		t.fixed = t.insert(t.fixed, place, t.fixedBefore)
		return
	}
	peak := trailing(t.side.Opposite(), c.Trigger, c.Trail)
	if n := len(t.trails); n > 0 && t.groups[t.trails[n-1]].peak == peak {
		t.enter(t.trails[n-1], place)
		t.replace(t.trails[n-1])
		return
	}
	id := t.group(peak)
	t.enter(id, place)
	t.trails = append(t.trails, id)
	t.rank(id)
}

// remove takes a stop out that waits here, and leaves its trigger where it is.
func (t *triggers) remove(place uint32) {
	c := t.table.at(place)
	if c.Trail == 0 {
		t.fixed = t.extract(t.fixed, c.at, t.fixedBefore)
		return
	}
	c.Trigger = t.trigger(c)
	id := c.group
	g := &t.groups[id]
	g.members = t.extract(g.members, c.at, t.trailBefore)
	if len(g.members) > 0 {
		t.replace(id)
		return
	}
	t.unrank(id)
	i, _ := slices.BinarySearchFunc(t.trails, g.peak, func(id uint32, peak market.Price) int {
		switch p := t.groups[id].peak; {
		case t.passes(p, peak):
			return -1
		case p == peak:
			return 0
		}
		return 1
	})
	t.trails = slices.Delete(t.trails, i, i+1)
	t.free = append(t.free, id)
}

// next returns the stop that a trade at a price sets off first; 0 when none.
func (t *triggers) next(price market.Price) uint32 {
	var first uint32
	if len(t.fixed) > 0 {
		if place := t.fixed[0]; t.reached(t.table.at(place).Trigger, price) {
			first = place
		}
	}
	if len(t.nearest) > 0 {
		place := t.groups[t.nearest[0]].members[0]
		if c := t.table.at(place); t.reached(t.trigger(c), price) && (first == 0 || t.stopBefore(place, first)) {
			first = place
		}
	}
	return first
}

// follow moves the peaks that a price lies beyond.
func (t *triggers) follow(price market.Price) {
	n := len(t.trails)
	if n == 0 || !t.passes(price, t.groups[t.trails[n-1]].peak) {
		return
	}
	id := t.trails[n-1]
	t.groups[id].peak = price
	for n > 1 && !t.passes(t.groups[t.trails[n-2]].peak, price) {
		below := t.trails[n-2]
		n--
		t.groups[below].peak = price
		id = t.pour(id, below)
		t.trails[n-1] = id
	}
	t.trails = t.trails[:n]
	t.replace(id)
}

// passes reports whether price a is a better one for a trailing stop than b: a
// higher one for a sell.
func (t *triggers) passes(a, b market.Price) bool {
	if t.side == market.Sell {
		return a > b
	}
	return a < b
}

// pour makes one group of two and returns it.
func (t *triggers) pour(a, b uint32) uint32 {
	if len(t.groups[a].members) < len(t.groups[b].members) {
		a, b = b, a
	}
	t.unrank(b)
	for _, place := range t.groups[b].members {
		t.enter(a, place)
	}
	t.groups[b].members = t.groups[b].members[:0]
	t.free = append(t.free, b)
	return a
}

// group returns an empty group.
func (t *triggers) group(peak market.Price) uint32 {
	if n := len(t.free); n > 0 {
		id := t.free[n-1]
		t.free = t.free[:n-1]
		t.groups[id].peak = peak
		return id
	}
	t.groups = append(t.groups, trailGroup{peak: peak})
	return uint32(len(t.groups) - 1)
}

func (t *triggers) enter(id, place uint32) {
	t.table.at(place).group = id
	g := &t.groups[id]
	g.members = t.insert(g.members, place, t.trailBefore)
}

func (t *triggers) fixedBefore(a, b uint32) bool {
	x, y := t.table.at(a), t.table.at(b)
	return t.before(x.Trigger, y.Trigger) || x.Trigger == y.Trigger && x.id < y.id
}

func (t *triggers) trailBefore(a, b uint32) bool {
	x, y := t.table.at(a), t.table.at(b)
	return x.Trail < y.Trail || x.Trail == y.Trail && x.id < y.id
}

// stopBefore compares stops that may be of different kinds.
func (t *triggers) stopBefore(a, b uint32) bool {
	x, y := t.table.at(a), t.table.at(b)
	p, q := t.trigger(x), t.trigger(y)
	return t.before(p, q) || p == q && x.id < y.id
}

// The heaps of stops keep each stop's position in its entry of the table.

func (t *triggers) insert(heap []uint32, place uint32, before func(a, b uint32) bool) []uint32 {
	heap = append(heap, place)
	t.settle(heap, len(heap)-1, before, t.stopMoved)
	return heap
}

func (t *triggers) extract(heap []uint32, at int, before func(a, b uint32) bool) []uint32 {
	last := len(heap) - 1
	heap[at] = heap[last]
	heap = heap[:last]
	if at < last {
		t.settle(heap, at, before, t.stopMoved)
	}
	return heap
}

func (t *triggers) stopMoved(place uint32, at int) { t.table.at(place).at = at }

// The heap of groups keeps each group's position in the group.

func (t *triggers) groupBefore(a, b uint32) bool {
	return t.stopBefore(t.groups[a].members[0], t.groups[b].members[0])
}

func (t *triggers) groupMoved(id uint32, at int) { t.groups[id].at = at }

func (t *triggers) rank(id uint32) {
	t.nearest = append(t.nearest, id)
	t.settle(t.nearest, len(t.nearest)-1, t.groupBefore, t.groupMoved)
}

// replace puts a group where it belongs after it changed.
func (t *triggers) replace(id uint32) {
	t.settle(t.nearest, t.groups[id].at, t.groupBefore, t.groupMoved)
}

func (t *triggers) unrank(id uint32) {
	at, last := t.groups[id].at, len(t.nearest)-1
	t.nearest[at] = t.nearest[last]
	t.nearest = t.nearest[:last]
	if at < last {
		t.settle(t.nearest, at, t.groupBefore, t.groupMoved)
	}
}

// settle moves an item up or down to where it belongs and says where each item
// that it touches has come to be.
func (t *triggers) settle(heap []uint32, at int, before func(a, b uint32) bool, moved func(item uint32, at int)) {
	item := heap[at]
	for at > 0 && before(item, heap[(at-1)/2]) {
		heap[at] = heap[(at-1)/2]
		moved(heap[at], at)
		at = (at - 1) / 2
	}
	for {
		next := 2*at + 1
		if next+1 < len(heap) && before(heap[next+1], heap[next]) {
			next++
		}
		if next >= len(heap) || !before(heap[next], item) {
			break
		}
		heap[at] = heap[next]
		moved(heap[at], at)
		at = next
	}
	heap[at] = item
	moved(item, at)
}
