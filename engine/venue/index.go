package venue

import "math/bits"

// index maps ids to places in a pool: open addressing with linear probing, at
// most three quarters full; without tombstones. Ids are dense or well mixed, so
// one multiplication spreads them. The zero index is empty; the place 0 means
// absent.
type index struct {
	entries []indexEntry
	count   int
	shift   uint8
}

// indexEntry has its key in halves, which makes it 12 bytes and not 16.
type indexEntry struct {
	low, high uint32
	place     uint32 // 0: the entry is free
}

func (e *indexEntry) key() uint64 { return uint64(e.high)<<32 | uint64(e.low) }

const smallestIndex = 64

func (x *index) home(key uint64) int {
	return int(key * 0x9e3779b97f4a7c15 >> x.shift)
}

// get returns the place of a key, zero when it has none.
func (x *index) get(key uint64) uint32 {
	if x.count == 0 {
		return 0
	}
	mask := len(x.entries) - 1
	for i := x.home(key); ; i = (i + 1) & mask {
		e := &x.entries[i&mask]
		if e.key() == key || e.place == 0 {
			return e.place
		}
	}
}

// set gives a key a place, which must not be zero, and returns the place that it
// had, zero when it had none.
func (x *index) set(key uint64, place uint32) (before uint32) {
	if (x.count+1)*4 > len(x.entries)*3 {
		x.grow()
	}
	mask := len(x.entries) - 1
	i := x.home(key)
	for x.entries[i].place != 0 && x.entries[i].key() != key {
		i = (i + 1) & mask
	}
	before = x.entries[i].place
	if before == 0 {
		x.count++
	}
	x.entries[i] = indexEntry{uint32(key), uint32(key >> 32), place}
	return before
}

// remove forgets a key and closes the gap: every entry up to the next free one
// moves back if its home allows.
func (x *index) remove(key uint64) {
	if x.count == 0 {
		return
	}
	mask := len(x.entries) - 1
	gap := x.home(key)
	for x.entries[gap].key() != key || x.entries[gap].place == 0 {
		if x.entries[gap].place == 0 {
			return
		}
		gap = (gap + 1) & mask
	}
	x.count--
	for i := (gap + 1) & mask; x.entries[i].place != 0; i = (i + 1) & mask {
		home := x.home(x.entries[i].key())
		if (i-home)&mask >= (i-gap)&mask {
			x.entries[gap] = x.entries[i]
			gap = i
		}
	}
	x.entries[gap] = indexEntry{}
}

func (x *index) grow() {
	old := x.entries
	size := max(2*len(old), smallestIndex)
	x.entries = make([]indexEntry, size)
	x.shift = uint8(64 - bits.TrailingZeros(uint(size)))
	x.count = 0
	for _, e := range old {
		if e.place != 0 {
			x.set(e.key(), e.place)
		}
	}
}
