package http1

import (
	"math/bits"
	"sync"
)

// Buffers are pooled by powers of two from minBuffer to maxBuffer bytes, so that a small answer does not sit in a large one's.
const (
	minBuffer = 4 << 10
	maxBuffer = 4 << 20
)

// buffer is len(b) bytes to write to.
type buffer struct {
	b    []byte
	free func() // hands it back; made once, so that giving it to others costs nothing
}

type classes [11]sync.Pool

var buffers classes

// take returns a buffer of at least n bytes.
func (p *classes) take(n int) *buffer {
	if n > maxBuffer {
		return &buffer{b: make([]byte, n), free: func() {}}
	}
	class := classOf(n)
	if kept, ok := p[class].Get().(*buffer); ok {
		return kept
	}
	b := &buffer{b: make([]byte, minBuffer<<class)}
	b.free = func() { p[class].Put(b) }
	return b
}

func classOf(n int) int { return bits.Len(uint(max(n-1, 0)) / minBuffer) }

// grow returns a buffer of at least size bytes that begins with the first used ones, and frees this one.
func (b *buffer) grow(used, size int) *buffer {
	larger := buffers.take(size)
	copy(larger.b, b.b[:used])
	b.free()
	return larger
}
