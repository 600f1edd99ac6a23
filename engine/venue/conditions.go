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

// grouped reports whether the order is linked to others.
func (c *Conditions) grouped() bool { return c.Sibling != 0 || c.Parent != 0 || c.Child != 0 }

// conditions is the entry of an order in the table.
type conditions struct {
	Conditions
	id    market.OrderID
	place uint32 // of the order
	next  uint32 // in the list of free entries
}

// conditionTable is the conditions of the orders that are known, found by id.
// Place 0 is unused.
type conditionTable struct {
	list   []conditions
	free   uint32
	places index
}

func (t *conditionTable) at(place uint32) *conditions { return &t.list[place] }

// of returns the conditions of an order that has some. The pointer is valid
// until the next add.
func (t *conditionTable) of(id market.OrderID) *conditions { return t.at(t.places.get(uint64(id))) }

func (t *conditionTable) add(id market.OrderID, order uint32, c *Conditions) *conditions {
	at := t.free
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
	return t.at(at)
}

func (t *conditionTable) drop(id market.OrderID) {
	at := t.places.get(uint64(id))
	t.places.remove(uint64(id))
	t.list[at] = conditions{next: t.free}
	t.free = at
}
