package venue

import (
	"bourse/engine/market"
	"bourse/engine/money"
)

// remembered is an accepted command's key, body and receipt. The key is kept as
// a print of 128 bits: keys of one actor that share a print by chance do not
// occur, and keys of different actors are told apart by their owner.
type remembered struct {
	print    keyPrint
	body     uint64
	sequence Sequence
	time     Time
	order    market.OrderID
	filled   market.Quantity
	notional money.Amount
	fee      money.Amount
	count    uint32
	owner    uint32 // place of the actor
	next     uint32 // younger key of the actor; also links the free ones
	same     uint32 // another key at the same place of the index
	status   market.Status
}

func (r *remembered) receipt() Receipt {
	return Receipt{
		Sequence: r.sequence, Time: r.time, Order: r.order, Status: r.status,
		Filled: r.filled, Notional: r.notional, Fee: r.fee, Count: r.count,
	}
}

// receipts is the keys of all actors, found by print. It grows by pages, so that
// growing copies nothing.
type receipts struct {
	pages  []*[receiptPage]remembered
	used   uint32 // places handed out, 0 among them
	free   uint32 // list through next
	places index
}

const receiptPage = 1 << 12

func (rs *receipts) at(place uint32) *remembered {
	return &rs.pages[place/receiptPage][place%receiptPage]
}

// find returns what an actor's key stands for, nil when it is not known.
func (rs *receipts) find(owner uint32, print keyPrint) *remembered {
	for place := rs.places.get(print.low); place != 0; {
		r := rs.at(place)
		if r.owner == owner && r.print == print {
			return r
		}
		place = r.same
	}
	return nil
}

func (rs *receipts) take() uint32 {
	if place := rs.free; place != 0 {
		rs.free = rs.at(place).next
		return place
	}
	if rs.used%receiptPage == 0 {
		rs.pages = append(rs.pages, new([receiptPage]remembered))
		rs.used = max(rs.used, 1)
	}
	rs.used++
	return rs.used - 1
}

// remember adds a key of the actor at owner, which it must not have yet, and
// forgets its oldest when it has too many.
func (s *State) remember(owner uint32, print keyPrint, body uint64, receipt *Receipt) {
	rs := &s.receipts
	place := rs.take()
	*rs.at(place) = remembered{
		print: print, body: body, owner: owner, same: rs.places.set(print.low, place),
		sequence: receipt.Sequence, time: receipt.Time, order: receipt.Order, status: receipt.Status,
		filled: receipt.Filled, notional: receipt.Notional, fee: receipt.Fee, count: receipt.Count,
	}
	m := s.members.at(owner)
	if m.lastKey != 0 {
		rs.at(m.lastKey).next = place
	} else {
		m.oldestKey = place
	}
	m.lastKey = place
	m.keys++
	if m.keys > KeysPerActor {
		oldest := m.oldestKey
		m.oldestKey = rs.at(oldest).next
		m.keys--
		rs.forget(oldest)
	}
}

// forget frees a place that no actor's list holds any more.
func (rs *receipts) forget(place uint32) {
	r := rs.at(place)
	if first := rs.places.get(r.print.low); first == place {
		if r.same == 0 {
			rs.places.remove(r.print.low)
		} else {
			rs.places.set(r.print.low, r.same)
		}
	} else {
		before := rs.at(first)
		for before.same != place {
			before = rs.at(before.same)
		}
		before.same = r.same
	}
	*r = remembered{next: rs.free}
	rs.free = place
}
