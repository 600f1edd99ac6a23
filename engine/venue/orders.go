package venue

import (
	"unsafe"

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
	next, prev  uint32 // younger and older open order of the member
	makerRate   uint32 // parts per million, fixed when the order was placed
	takerRate   uint32
	side        market.Side
	kind        market.Type
	timeInForce market.TimeInForce
	status      market.Status
	reason      market.CancelReason
	mode        market.SelfTrade
	flags       orderFlags
}

// orderFlags say what is out of the ordinary about an order, so that one look
// passes the ordinary ones.
type orderFlags uint8

const (
	flagPostOnly   orderFlags = 1 << iota
	flagConditions            // there is more in the side table
	flagIceberg               // the book has only a part of it
	flagListed                // it is among its member's open orders
	flagRequeued              // it lost its place to later orders of its price
)

func (o *order) has(f orderFlags) bool { return o.flags&f != 0 }

func (o *order) remaining() market.Quantity { return o.quantity - o.filled }

// holdRate is the rate of the fee that the order must be able to pay whichever
// role it ends up in.
func (o *order) holdRate() money.Rate { return money.Rate(max(o.makerRate, o.takerRate)) }

// rests reports whether what does not trade at once goes into the book.
func (o *order) rests() bool {
	return o.timeInForce.Rests() && (o.kind == market.Limit || o.kind == market.StopLimit)
}

// orders is a pool of orders, found by id: the open ones and the last
// ClosedOrders that were closed. It grows by pages, so that growing copies
// nothing and nobody waits for it. Place 0 is unused.
type orders struct {
	pages  []*[orderPage]order
	used   uint32 // places that were ever taken, 0 among them
	free   uint32 // list through next
	places orderIndex
	open   int
	closed closedRing

	conditions conditionTable
}

const orderPage = 1 << 10

func (os *orders) at(place uint32) *order { return &os.pages[place/orderPage][place%orderPage] }

// find returns the place of an order, zero when it is not known.
func (os *orders) find(id market.OrderID) uint32 { return os.places.get(id) }

// expect has the memory bring an order, if it is known.
func (os *orders) expect(id market.OrderID) {
	if place := os.find(id); place != 0 {
		os.at(place).prefetch()
	}
}

// expectOrder has the memory bring what a new order of the member at owner will
// touch: the place that take will hand out, and the order that it is listed behind.
func (s *State) expectOrder(owner uint32) {
	if s.orders.free != 0 {
		s.orders.at(s.orders.free).prefetch()
	}
	if owner != 0 {
		if youngest := s.members.at(owner).youngest; youngest != 0 {
			prefetch(unsafe.Pointer(&s.orders.at(youngest).next))
		}
	}
}

func (o *order) prefetch() {
	p := unsafe.Pointer(o)
	prefetch(p)
	prefetch(unsafe.Add(p, cacheLine))
}

// cacheLine is that of most processors, in bytes.
const cacheLine = 64

// take makes a place for a new order, whose fields are left as they were.
func (os *orders) take(id market.OrderID) uint32 {
	place := os.free
	if place != 0 {
		os.free = os.at(place).next
	} else {
		if os.used%orderPage == 0 {
			os.pages = append(os.pages, new([orderPage]order))
			os.used = max(os.used, 1)
		}
		place = os.used
		os.used++
	}
	os.places.set(id, place)
	return place
}

// retire puts an order that was closed at the end of the closed ones and forgets
// the oldest of them when there are too many.
func (os *orders) retire(place uint32) {
	o := os.at(place)
	o.next, o.prev = 0, 0
	oldest := os.closed.push(closedOrder{o.id, place, o.has(flagConditions)})
	if oldest.place == 0 {
		return
	}
	if oldest.conditions {
		os.conditions.drop(oldest.id)
	}
	os.places.remove(oldest.id)
	os.at(oldest.place).next, os.free = os.free, oldest.place
}

// closedRing is the orders that were closed by age, ClosedOrders at most. It
// repeats their ids, so that forgetting one need not wait for the order itself,
// which has left the caches long ago.
type closedRing struct {
	list   []closedOrder
	oldest int // once it is full
}

type closedOrder struct {
	id         market.OrderID
	place      uint32
	conditions bool
}

// push adds an order and returns the one that it displaces, with place 0 when
// there is room.
func (c *closedRing) push(o closedOrder) (displaced closedOrder) {
	if len(c.list) < ClosedOrders {
		c.list = append(c.list, o)
		return closedOrder{}
	}
	displaced = c.list[c.oldest]
	c.list[c.oldest] = o
	c.oldest = (c.oldest + 1) % ClosedOrders
	return displaced
}

// at returns the i-th oldest.
func (c *closedRing) at(i int) closedOrder { return c.list[(c.oldest+i)%len(c.list)] }

// member is what the venue keeps of an account besides its balances.
type member struct {
	id               account.ID
	oldest, youngest uint32 // open orders, by ascending id
	open             int
	tradeGroup       uint64 // members of one group are of one hand; 0 is none
	stand            stand
	rate             rate
	volumes          volumes
	keys             keyRing
}

// members is the accounts that ever did something, found by id. Place 0 is
// unused.
type members struct {
	list   []member
	places index
	taken  uint32 // what take returned last but for new ones
}

func (ms *members) at(place uint32) *member { return &ms.list[place] }

// find returns the place of a member, zero when it is not known.
func (ms *members) find(id account.ID) uint32 { return ms.places.get(uint64(id)) }

// take returns the place of a member, making it known.
func (ms *members) take(id account.ID) uint32 {
	if ms.taken != 0 && ms.list[ms.taken].id == id {
		return ms.taken
	}
	if place := ms.find(id); place != 0 {
		ms.taken = place
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

// enlist puts an order among its member's open ones, by id: at their end but for
// the entry of a bracket, which comes to rest after its exits were placed.
func (s *State) enlist(place uint32) {
	o := s.orders.at(place)
	m := s.members.at(o.owner)
	o.prev, o.next = m.youngest, 0
	for o.prev != 0 && s.orders.at(o.prev).id > o.id {
		o.prev, o.next = s.orders.at(o.prev).prev, o.prev
	}
	if o.prev != 0 {
		s.orders.at(o.prev).next = place
	} else {
		m.oldest = place
	}
	if o.next != 0 {
		s.orders.at(o.next).prev = place
	} else {
		m.youngest = place
	}
	o.flags |= flagListed
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
	o.flags &^= flagListed
	m.open--
	s.orders.open--
	s.markets[o.market-1].open--
}
