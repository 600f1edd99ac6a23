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
	next     uint32 // links the free ones
	status   market.Status
}

func (r *remembered) receipt() Receipt {
	return Receipt{
		Sequence: r.sequence, Time: r.time, Order: r.order, Status: r.status,
		Filled: r.filled, Notional: r.notional, Fee: r.fee, Count: r.count,
	}
}

// receipts is the keys of all actors, found by print. There are millions of
// them and nearly every look-up is for a key that is new, so what counts is how
// few cache lines one touches: the entries grow by pages, so that growing copies
// nothing, and are reached through a table of eight bytes a slot.
//
// The table is open addressing with linear probing, at most half full, without
// tombstones. A slot's tag is the lower half of the print; it gives the home and
// settles nearly every comparison.
type receipts struct {
	pages []*[receiptPage]remembered
	used  uint32 // places handed out, 0 among them
	free  uint32 // list through next
	table []receiptSlot
	count int
}

type receiptSlot struct{ tag, place uint32 } // place 0: free

const receiptPage = 1 << 12

func (rs *receipts) at(place uint32) *remembered {
	return &rs.pages[place/receiptPage][place%receiptPage]
}

// find returns what an actor's key stands for, nil when it is not known.
func (rs *receipts) find(owner uint32, print keyPrint) *remembered {
	if rs.count == 0 {
		return nil
	}
	mask := uint32(len(rs.table) - 1)
	tag := uint32(print.low)
	for i := tag & mask; ; i = (i + 1) & mask {
		slot := rs.table[i]
		if slot.place == 0 {
			return nil
		}
		if slot.tag != tag {
			continue
		}
		if r := rs.at(slot.place); r.owner == owner && r.print == print {
			return r
		}
	}
}

// add puts an entry, which no key of its actor equals, into the table.
func (rs *receipts) add(tag, place uint32) {
	if (rs.count+1)*2 > len(rs.table) {
		old := rs.table
		rs.table = make([]receiptSlot, max(2*len(old), smallestIndex))
		for _, slot := range old {
			if slot.place != 0 {
				rs.insert(slot)
			}
		}
	}
	rs.insert(receiptSlot{tag, place})
	rs.count++
}

func (rs *receipts) insert(slot receiptSlot) {
	mask := uint32(len(rs.table) - 1)
	i := slot.tag & mask
	for rs.table[i].place != 0 {
		i = (i + 1) & mask
	}
	rs.table[i] = slot
}

// forget takes an entry out and frees its place. Every slot up to the next free
// one moves back into the gap if its home allows.
func (rs *receipts) forget(place uint32) {
	r := rs.at(place)
	mask := uint32(len(rs.table) - 1)
	gap := uint32(r.print.low) & mask
	for rs.table[gap].place != place {
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; rs.table[i].place != 0; i = (i + 1) & mask {
		if home := rs.table[i].tag & mask; (i-home)&mask >= (i-gap)&mask {
			rs.table[gap] = rs.table[i]
			gap = i
		}
	}
	rs.table[gap] = receiptSlot{}
	rs.count--
	*r = remembered{next: rs.free}
	rs.free = place
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

// keyRing is the places of an actor's receipts by age, KeysPerActor at most.
type keyRing struct {
	places []uint32
	oldest int // once it is full
}

// push adds a place and returns the one that it displaces, zero when there is
// room.
func (k *keyRing) push(place uint32) (displaced uint32) {
	if len(k.places) < KeysPerActor {
		k.places = append(k.places, place)
		return 0
	}
	displaced = k.places[k.oldest]
	k.places[k.oldest] = place
	k.oldest = (k.oldest + 1) % KeysPerActor
	return displaced
}

// at returns the i-th oldest place.
func (k *keyRing) at(i int) uint32 { return k.places[(k.oldest+i)%len(k.places)] }

// remember adds a key of the actor at owner, which it must not have yet, and
// forgets its oldest when it has too many.
func (s *State) remember(owner uint32, print keyPrint, body uint64, receipt *Receipt) {
	rs := &s.receipts
	place := rs.take()
	r := rs.at(place)
	r.print, r.body, r.owner, r.status = print, body, owner, receipt.Status
	r.sequence, r.time, r.order = receipt.Sequence, receipt.Time, receipt.Order
	r.filled, r.notional, r.fee, r.count = receipt.Filled, receipt.Notional, receipt.Fee, receipt.Count
	r.next = 0
	rs.add(uint32(print.low), place)
	if displaced := s.members.at(owner).keys.push(place); displaced != 0 {
		rs.forget(displaced)
	}
}
