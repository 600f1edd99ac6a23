package venue

import (
	"bourse/engine/account"
	"bourse/engine/book"
	"bourse/engine/market"
	"bourse/engine/money"
)

// order is what the venue keeps of an order; the book keeps its place in the
// queue. It holds no pointers, so that a million of them do not slow the
// garbage collector.
type order struct {
	id          market.OrderID
	member      account.ID
	price       market.Price
	quantity    market.Quantity
	filled      market.Quantity
	notional    money.Amount
	fee         money.Amount
	hold        money.Amount
	sequence    Sequence
	placedAt    Time
	updatedAt   Time
	market      MarketID
	owner       uint32 // place of the member
	handle      book.Handle
	next, prev  uint32 // younger and older open order of the member; next also links the closed
	side        market.Side
	kind        market.Type
	timeInForce market.TimeInForce
	status      market.Status
	reason      market.CancelReason
}

func (o *order) remaining() market.Quantity { return o.quantity - o.filled }

// orders is a pool of orders, found by id: the open ones and the last
// ClosedOrders that were closed. Place 0 is unused.
type orders struct {
	pool   []order
	free   uint32 // list through next
	places index
	open   int

	oldestClosed, youngestClosed uint32 // list through next
	closed                       int
}

func (os *orders) at(place uint32) *order { return &os.pool[place] }

// find returns the place of an order, zero when it is not known.
func (os *orders) find(id market.OrderID) uint32 { return os.places.get(uint64(id)) }

// take makes a place for a new order.
func (os *orders) take(id market.OrderID) uint32 {
	place := os.free
	if place != 0 {
		os.free = os.pool[place].next
	} else {
		if len(os.pool) == 0 {
			os.pool = make([]order, 1, 64)
		}
		place = uint32(len(os.pool))
		os.pool = append(os.pool, order{})
	}
	os.places.set(uint64(id), place)
	return place
}

// retire puts an order that was closed at the end of the closed ones and forgets
// the oldest of them when there are too many.
func (os *orders) retire(place uint32) {
	o := os.at(place)
	o.next, o.prev = 0, 0
	if os.youngestClosed != 0 {
		os.at(os.youngestClosed).next = place
	} else {
		os.oldestClosed = place
	}
	os.youngestClosed = place
	os.closed++
	if os.closed <= ClosedOrders {
		return
	}
	oldest := os.oldestClosed
	forgotten := os.at(oldest)
	os.oldestClosed = forgotten.next
	os.closed--
	os.places.remove(uint64(forgotten.id))
	*forgotten = order{next: os.free}
	os.free = oldest
}

// member is what the venue keeps of an account besides its balances.
type member struct {
	id               account.ID
	oldest, youngest uint32 // open orders, by ascending id
	open             int
	keys             keyRing
}

// members is the accounts that ever did something, found by id. Place 0 is
// unused.
type members struct {
	list   []member
	places index
}

func (ms *members) at(place uint32) *member { return &ms.list[place] }

// find returns the place of a member, zero when it is not known.
func (ms *members) find(id account.ID) uint32 { return ms.places.get(uint64(id)) }

// take returns the place of a member, making it known.
func (ms *members) take(id account.ID) uint32 {
	if place := ms.find(id); place != 0 {
		return place
	}
	if len(ms.list) == 0 {
		ms.list = make([]member, 1, 64)
	}
	place := uint32(len(ms.list))
	ms.list = append(ms.list, member{id: id})
	ms.places.set(uint64(id), place)
	return place
}

// enlist puts an order at the end of its member's open ones.
func (s *State) enlist(place uint32) {
	o := s.orders.at(place)
	m := s.members.at(o.owner)
	o.prev, o.next = m.youngest, 0
	if m.youngest != 0 {
		s.orders.at(m.youngest).next = place
	} else {
		m.oldest = place
	}
	m.youngest = place
	m.open++
	s.orders.open++
	s.markets[o.market-1].open++
}

// delist takes an order out of its member's open ones.
func (s *State) delist(place uint32) {
	o := s.orders.at(place)
	m := s.members.at(o.owner)
	if o.prev != 0 {
		s.orders.at(o.prev).next = o.next
	} else {
		m.oldest = o.next
	}
	if o.next != 0 {
		s.orders.at(o.next).prev = o.prev
	} else {
		m.youngest = o.prev
	}
	m.open--
	s.orders.open--
	s.markets[o.market-1].open--
}
