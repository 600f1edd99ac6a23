package venue

import "bourse/engine/market"

// orderIndex maps ids of orders to places in the pool. Ids are dense and most
// orders do not live long, so the last ids have a slot each, side by side; an
// order that is still known when the window leaves it behind moves to a table.
type orderIndex struct {
	recent []uint32 // by the lower bits of the id; a power of two, or none
	newest market.OrderID
	older  index
	count  int
}

const (
	smallestRecent = 1 << 8
	largestRecent  = 1 << 16
)

func (x *orderIndex) slot(id market.OrderID) *uint32 {
	return &x.recent[uint64(id)&uint64(len(x.recent)-1)]
}

// isRecent reports whether the id, which is not above the newest, has a slot.
func (x *orderIndex) isRecent(id market.OrderID) bool {
	return uint64(x.newest-id) < uint64(len(x.recent))
}

// get returns the place of an id, zero when it has none.
func (x *orderIndex) get(id market.OrderID) uint32 {
	if id > x.newest {
		return 0
	}
	if x.isRecent(id) {
		return *x.slot(id)
	}
	return x.older.get(uint64(id))
}

// set gives an id, which has none, a place.
func (x *orderIndex) set(id market.OrderID, place uint32) {
	for id > x.newest {
		x.advance()
	}
	if x.isRecent(id) {
		*x.slot(id) = place
	} else {
		x.older.set(uint64(id), place)
	}
	x.count++
}

// advance moves the window by one id. As long as it may grow, it does rather
// than leave a known order behind.
func (x *orderIndex) advance() {
	if len(x.recent) == 0 {
		x.recent = make([]uint32, smallestRecent)
	}
	next := x.newest + 1
	if *x.slot(next) != 0 && len(x.recent) < largestRecent {
		x.grow()
	}
	if slot := x.slot(next); *slot != 0 {
		x.older.set(uint64(next)-uint64(len(x.recent)), *slot)
		*slot = 0
	}
	x.newest = next
}

func (x *orderIndex) grow() {
	old := *x
	x.recent = make([]uint32, 2*len(old.recent))
	for i := range min(uint64(len(old.recent)), uint64(x.newest)) {
		id := x.newest - market.OrderID(i)
		*x.slot(id) = *old.slot(id)
	}
}

// follow makes an empty index expect ids up to newest, most of them near it.
func (x *orderIndex) follow(newest market.OrderID) {
	x.newest = newest
	x.recent = make([]uint32, largestRecent)
}

// remove forgets an id, which must have a place.
func (x *orderIndex) remove(id market.OrderID) {
	if x.isRecent(id) {
		*x.slot(id) = 0
	} else {
		x.older.remove(uint64(id))
	}
	x.count--
}
