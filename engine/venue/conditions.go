package venue

import "bourse/engine/market"

// Conditions is what only some orders have: few enough that they live in a
// table of their own.
type Conditions struct {
	// Trigger is the price, in ticks, that a stop waits for. Of a trailing stop
	// it is where it stands now, in an event where it began.
	Trigger market.Price
	// Trail is the distance, in ticks, at which a trailing stop follows.
	Trail market.Price
	// Display is how many lots of an iceberg stand in the book at most.
	Display market.Quantity
	// ExpiresAt is when the order is cancelled by itself.
	ExpiresAt Time
	// Sibling is the other order of an OCO, also of one that waits for its entry.
	Sibling market.OrderID
	// Parent is the entry of a bracket that this order belongs to.
	Parent market.OrderID
	// Child is the take-profit of the bracket that this order is the entry of;
	// the stop-loss has the next id.
	Child market.OrderID
}

// stage is what a pending order waits for; it is zero for one that is not pending.
type stage uint8

const (
	// waiting: for its trigger price, in the triggers of its market.
	waiting stage = 1 + iota
	// triggered: for its turn, in the queue of those that act.
	triggered
	// dependent: for its entry to end.
	dependent
	// ready: a take-profit whose entry has ended, in the queue of those that act.
	ready
	// doomed: to be cancelled because its sibling traded, in the queue of those.
	doomed
)

// conditions is the entry of an order in the table.
type conditions struct {
	Conditions
	id    market.OrderID
	place uint32 // of the order
	stage stage

	entered market.Quantity // that the entry of a ready take-profit filled

	next, prev uint32 // in a queue; next also in the list of free entries
	group      uint32 // of a trailing stop that waits
	at         int    // position in a heap, of a stop that waits
}

// placeQueue is a queue of entries of the table.
type placeQueue struct{ head, tail uint32 }

func (q *placeQueue) push(t *conditionTable, at uint32) {
	c := t.at(at)
	c.prev, c.next = q.tail, 0
	if q.tail != 0 {
		t.at(q.tail).next = at
	} else {
		q.head = at
	}
	q.tail = at
}

func (q *placeQueue) remove(t *conditionTable, at uint32) {
	c := t.at(at)
	if c.prev != 0 {
		t.at(c.prev).next = c.next
	} else {
		q.head = c.next
	}
	if c.next != 0 {
		t.at(c.next).prev = c.prev
	} else {
		q.tail = c.prev
	}
	c.prev, c.next = 0, 0
}

// conditionTable is the conditions of the orders that are known, found by id.
// Place 0 is unused.
type conditionTable struct {
	list   []conditions
	free   uint32
	places index
}

func (t *conditionTable) at(place uint32) *conditions { return &t.list[place] }

// of returns the conditions of an order that has some. The pointer is valid until
// the next add.
func (t *conditionTable) of(id market.OrderID) *conditions { return t.at(t.places.get(uint64(id))) }

// find returns the place of an order's conditions, zero when it has none.
func (t *conditionTable) find(id market.OrderID) uint32 { return t.places.get(uint64(id)) }

func (t *conditionTable) add(id market.OrderID, order uint32, c *Conditions) (at uint32) {
	at = t.free
	if at != 0 {
		t.free = t.list[at].next
	} else {
		if len(t.list) == 0 {
			t.list = make([]conditions, 1, 16)
		}
		at = uint32(len(t.list))
		t.list = append(t.list, conditions{})
	}
	t.list[at] = conditions{Conditions: *c, id: id, place: order}
	t.places.set(uint64(id), at)
	return at
}

func (t *conditionTable) drop(id market.OrderID) {
	at := t.places.get(uint64(id))
	t.places.remove(uint64(id))
	t.list[at] = conditions{next: t.free}
	t.free = at
}
