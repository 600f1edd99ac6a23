package venue

import (
	"math/bits"
	"unsafe"

	"bourse/engine/market"
)

// remembered is an accepted command's key, body and what a repetition is
// answered with. The key is kept as a print of 128 bits: keys of one actor that
// share a print by chance do not occur, and keys of different actors are in
// tables of their own. It is one cache line; the amounts that a repetition does
// not tell are in history.
type remembered struct {
	print    keyPrint
	body     uint64
	sequence Sequence
	time     Time
	order    market.OrderID
	filled   market.Quantity
	count    uint32
	status   market.Status
}

func (r *remembered) receipt() Receipt {
	return Receipt{
		Sequence: r.sequence, Time: r.time, Order: r.order, Status: r.status,
		Filled: r.filled, Count: r.count, Repeated: true,
	}
}

// receipts is the pool of what is remembered of all actors. There are millions
// of entries, so it grows by pages and growing copies nothing. Place 0 is unused.
type receipts struct {
	pages []*[receiptPage]remembered
	used  uint32 // places handed out, 0 among them
}

const receiptPage = 1 << 12

func (rs *receipts) at(place uint32) *remembered {
	return &rs.pages[place/receiptPage][place%receiptPage]
}

func (rs *receipts) take() uint32 {
	if rs.used%receiptPage == 0 {
		rs.pages = append(rs.pages, new([receiptPage]remembered))
		rs.used = max(rs.used, 1)
	}
	rs.used++
	return rs.used - 1
}

// keyRing is an actor's receipts by age, KeysPerActor at most, and a table that
// finds them by print.
type keyRing struct {
	entries []keyEntry
	oldest  int // once it is full
	table   keyTable
}

// keyEntry is what the table needs to know of a receipt, kept apart from it so
// that growing the table and forgetting a key touch no receipt.
type keyEntry struct {
	place uint32
	hash  uint32 // lower half of the print
}

// at returns the place of the i-th oldest.
func (k *keyRing) at(i int) uint32 { return k.entries[(k.oldest+i)%len(k.entries)].place }

// keyTable maps hashes to positions in a ring. Nearly every look-up is for a key
// that is new, in a table that has left the caches, so what counts is how much
// memory they spread over and that the answer "new" is nearly always found the
// same way, which lets the processor go on before the memory answers.
//
//	group: tags ▸ ▸ ▸ ▸ ▸ ▸ ▸      one byte of the hash each, 0 when free
//	       positions               in the ring, side by side with the tags
//	       passed                  keys of this and earlier homes that went by
//
// A key goes to the first group from its home on that has room, and is counted
// in each that it passes. A look-up compares the tags of a group at once and
// ends at a group that none has passed, so that nothing marks what was removed.
type keyTable struct {
	groups []keyGroup // a power of two, or none
	count  int
}

type keyGroup struct {
	tags      uint64 // in the lower seven bytes
	positions [groupKeys]uint16
	passed    uint16
}

const (
	groupKeys = 7
	everyTag  = 0x00_01_01_01_01_01_01_01
	tagTops   = everyTag << 7
	tagRests  = tagTops - everyTag
)

// tagOf is never zero. The home takes its bits from the other end.
func tagOf(hash uint32) uint64 { return uint64(max(hash>>24, 1)) }

// candidates marks in its top bit each byte of tags that equals tag.
func candidates(tags, tag uint64) uint64 {
	different := tags ^ tag*everyTag
	return ^((different&tagRests + tagRests) | different) & tagTops
}

// find returns the receipt of a print, nil when it is not known.
func (rs *receipts) find(k *keyRing, print keyPrint) *remembered {
	t := &k.table
	if t.count == 0 {
		return nil
	}
	hash := uint32(print.low)
	tag, mask := tagOf(hash), uint32(len(t.groups)-1)
	at := hash & mask
	// Keys may be chosen such that something has passed every group, so count.
	for range t.groups {
		g := &t.groups[at]
		at = (at + 1) & mask
		for found := candidates(g.tags, tag); found != 0; found &= found - 1 {
			e := k.entries[g.positions[bits.TrailingZeros64(found)/8]]
			if e.hash != hash {
				continue
			}
			if r := rs.at(e.place); r.print == print {
				return r
			}
		}
		if g.passed == 0 {
			break
		}
	}
	return nil
}

// expect has the memory bring what looking up a new key and adding it will need.
func (k *keyRing) expect(hash uint32) {
	if n := uint32(len(k.table.groups)); n != 0 {
		prefetch(unsafe.Pointer(&k.table.groups[hash&(n-1)]))
		at := len(k.entries) - 1 // beside the next one
		if len(k.entries) == KeysPerActor {
			at = k.oldest
		}
		prefetch(unsafe.Pointer(&k.entries[at]))
	}
}

// add makes a position findable, which must not be yet.
func (t *keyTable) add(hash uint32, position int) {
	tag, mask := tagOf(hash), uint32(len(t.groups)-1)
	for at := hash & mask; ; at = (at + 1) & mask {
		g := &t.groups[at]
		if free := candidates(g.tags, 0); free != 0 {
			i := bits.TrailingZeros64(free) / 8
			g.tags |= tag << (8 * i)
			g.positions[i] = uint16(position)
			t.count++
			return
		}
		g.passed++
	}
}

// remove takes a position out, which must be there.
func (t *keyTable) remove(hash uint32, position int) {
	tag, mask := tagOf(hash), uint32(len(t.groups)-1)
	for at := hash & mask; ; at = (at + 1) & mask {
		g := &t.groups[at]
		for found := candidates(g.tags, tag); found != 0; found &= found - 1 {
			if i := bits.TrailingZeros64(found) / 8; g.positions[i] == uint16(position) {
				g.tags &^= 0xff << (8 * i)
				t.count--
				return
			}
		}
		g.passed--
	}
}

// reserve makes room for one more key: a table is at most three quarters full.
// No actor has more than KeysPerActor keys, which bounds how long it takes.
func (k *keyRing) reserve() {
	t := &k.table
	if (t.count+1)*4 <= len(t.groups)*groupKeys*3 {
		return
	}
	*t = keyTable{groups: make([]keyGroup, max(2*len(t.groups), 1))}
	for i := range k.entries {
		t.add(k.entries[i].hash, i)
	}
}

// remember adds a key of the actor at owner, which it must not have yet. When
// the actor has too many, the key takes the place of its oldest.
func (s *State) remember(owner uint32, print keyPrint, body uint64, receipt *Receipt) {
	rs, k := &s.receipts, &s.members.at(owner).keys
	entry := keyEntry{hash: uint32(print.low)}
	position := len(k.entries)
	if position < KeysPerActor {
		k.reserve()
		entry.place = rs.take()
		if position == cap(k.entries) {
			k.entries = append(make([]keyEntry, 0, min(max(2*position, 4), KeysPerActor)), k.entries...)
		}
		k.entries = append(k.entries, entry)
	} else {
		position = k.oldest
		oldest := k.entries[position]
		k.table.remove(oldest.hash, position)
		entry.place = oldest.place
		k.entries[position] = entry
		k.oldest = (position + 1) % KeysPerActor
	}
	k.table.add(entry.hash, position)
	// Field by field: a literal would be built elsewhere and copied.
	r := rs.at(entry.place)
	r.print, r.body, r.status = print, body, receipt.Status
	r.sequence, r.time, r.order = receipt.Sequence, receipt.Time, receipt.Order
	r.filled, r.count = receipt.Filled, receipt.Count
}
