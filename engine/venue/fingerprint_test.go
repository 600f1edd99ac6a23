package venue

import (
	"encoding/binary"
	"testing"
)

func TestShortTextsAreTheirBytes(t *testing.T) {
	const text = "\x81\xfeQ7~\x01z"
	for n := range len(text) + 1 {
		var bytes [8]byte
		copy(bytes[:], text[:n])
		if got, want := short(text[:n]), binary.LittleEndian.Uint64(bytes[:]); got != want {
			t.Errorf("%q is %x, want %x", text[:n], got, want)
		}
	}
}
