package book

import "math/bits"

// trie maps prices to levels. It branches 64 ways on six bits of the price at a
// time, the most significant first, and is only as tall as the highest price
// needs: four steps up to 16 million ticks. Each node has a bitmap of what it
// holds, so that the next price above or below is found without scanning.
//
// A price that stands alone costs at most one node of 264 bytes a step; prices
// that lie together, as they do in a market, share them.
type trie struct {
	nodes  []node
	free   uint32 // list through child[0]
	root   uint32
	height uint8 // steps; the trie holds keys below 64^height
}

type node struct {
	present uint64
	child   [64]uint32 // nodes, or values at the lowest step
}

const (
	stepBits = 6
	stepMask = 1<<stepBits - 1
	maxSteps = (64 + stepBits - 1) / stepBits
)

func (t *trie) holds(key uint64) bool {
	return t.height >= maxSteps || key>>(stepBits*t.height) == 0
}

// get returns the value of a key, zero when there is none.
func (t *trie) get(key uint64) uint32 {
	if t.root == 0 || !t.holds(key) {
		return 0
	}
	at := t.root
	for shift := stepBits * (t.height - 1); shift > 0; shift -= stepBits {
		if at = t.nodes[at].child[key>>shift&stepMask]; at == 0 {
			return 0
		}
	}
	return t.nodes[at].child[key&stepMask]
}

// at returns the place of a key's value, which the caller must set if it is
// zero. The place is valid until the trie changes.
func (t *trie) at(key uint64) *uint32 {
	if t.root == 0 {
		t.root = t.take()
		t.height = max(t.height, 1)
	}
	for !t.holds(key) {
		t.grow()
	}
	at := t.root
	for shift := stepBits * (t.height - 1); shift > 0; shift -= stepBits {
		digit := key >> shift & stepMask
		next := t.nodes[at].child[digit]
		if next == 0 {
			next = t.take() // may move the nodes
			n := &t.nodes[at]
			n.child[digit] = next
			n.present |= 1 << digit
		}
		at = next
	}
	n := &t.nodes[at]
	n.present |= 1 << (key & stepMask)
	return &n.child[key&stepMask]
}

// grow puts a new root above the present one.
func (t *trie) grow() {
	above := t.take()
	if t.nodes[t.root].present == 0 {
		t.give(t.root)
	} else {
		t.nodes[above].child[0] = t.root
		t.nodes[above].present = 1
	}
	t.root = above
	t.height++
}

// remove forgets a key that the trie has, and the nodes that this leaves empty.
func (t *trie) remove(key uint64) {
	var path [maxSteps]uint32
	depth := 0
	at := t.root
	for shift := stepBits * (t.height - 1); shift > 0; shift -= stepBits {
		path[depth] = at
		depth++
		at = t.nodes[at].child[key>>shift&stepMask]
	}
	n := &t.nodes[at]
	n.child[key&stepMask] = 0
	n.present &^= 1 << (key & stepMask)
	for shift := uint8(stepBits); t.nodes[at].present == 0 && depth > 0; shift += stepBits {
		t.give(at)
		depth--
		at = path[depth]
		digit := key >> shift & stepMask
		t.nodes[at].child[digit] = 0
		t.nodes[at].present &^= 1 << digit
	}
	// The root stays, even empty: a book that empties fills again.
}

// above returns the value of the lowest key above key, zero when there is none.
// The key must be within what the trie can hold.
func (t *trie) above(key uint64) uint32 {
	return t.neighbour(key, func(present, digit uint64) uint64 { return present &^ (2<<digit - 1) },
		func(candidates uint64) uint64 { return uint64(bits.TrailingZeros64(candidates)) })
}

// below returns the value of the highest key below key, zero when there is none.
func (t *trie) below(key uint64) uint32 {
	return t.neighbour(key, func(present, digit uint64) uint64 { return present & (1<<digit - 1) },
		func(candidates uint64) uint64 { return uint64(63 - bits.LeadingZeros64(candidates)) })
}

// neighbour walks down to the key, turns off at the lowest step that offers a
// way, and follows the nearest children from there.
func (t *trie) neighbour(key uint64, beyond func(present, digit uint64) uint64, nearest func(uint64) uint64) uint32 {
	if t.root == 0 {
		return 0
	}
	var turn uint32 // child to follow from the lowest turn-off
	var turnShift uint8
	at := t.root
	for shift := stepBits * (t.height - 1); ; shift -= stepBits {
		digit := key >> shift & stepMask
		n := &t.nodes[at]
		if candidates := beyond(n.present, digit); candidates != 0 {
			turn, turnShift = n.child[nearest(candidates)], shift
		}
		at = n.child[digit]
		if shift == 0 || at == 0 {
			break
		}
	}
	for ; turn != 0 && turnShift > 0; turnShift -= stepBits {
		n := &t.nodes[turn]
		turn = n.child[nearest(n.present)]
	}
	return turn
}

func (t *trie) take() uint32 {
	if at := t.free; at != 0 {
		t.free = t.nodes[at].child[0]
		t.nodes[at] = node{}
		return at
	}
	if len(t.nodes) == 0 {
		t.nodes = make([]node, 1, 16) // index 0 is unused
	}
	t.nodes = append(t.nodes, node{})
	return uint32(len(t.nodes) - 1)
}

func (t *trie) give(at uint32) {
	t.nodes[at].child[0], t.free = t.free, at
}
