package scalar

import (
	"strings"
)

// Kind is what an opaque id names. Its letters begin the id, so that an id of one kind never passes
// for another.
type Kind string

// The kinds of ids in the API.
const (
	Member  Kind = "m"
	Agent   Kind = "a"
	Admin   Kind = "h"
	Order   Kind = "o"
	Trade   Kind = "t"
	Deposit Kind = "d"
	Audit   Kind = "e"
)

// An id is the kind, an underscore and thirteen characters that hold 64 bits: Crockford's base 32,
// lower case, without i, l, o and u.
const (
	digits     = "0123456789abcdefghjkmnpqrstvwxyz"
	digitCount = 13
)

// EncodeID returns the id that the API shows for the n-th thing of a kind. The same number gives the
// same id, always and everywhere.
//
// The numbers are mixed by a fixed bijection, so that an id tells a client neither a count nor an
// order. This is discretion, not secrecy: whoever has this source can undo it. Nothing may be
// allowed because its id is known.
func EncodeID(kind Kind, n uint64) string {
	mixed := mix(n ^ tweak(kind))
	buf := make([]byte, 0, len(kind)+1+digitCount)
	buf = append(buf, kind...)
	buf = append(buf, '_')
	for shift := 5 * (digitCount - 1); shift >= 0; shift -= 5 {
		buf = append(buf, digits[mixed>>shift&31])
	}
	return string(buf)
}

// DecodeID undoes EncodeID. It reports false for an id of another kind and for any text that
// EncodeID cannot have written: each thing has exactly one id.
func DecodeID(kind Kind, id string) (uint64, bool) {
	text, ok := strings.CutPrefix(id, string(kind)+"_")
	if !ok || len(text) != digitCount {
		return 0, false
	}
	var mixed uint64
	for i := range len(text) {
		value := strings.IndexByte(digits, text[i])
		// The first character carries only the upper 4 of 64 bits.
		if value < 0 || i == 0 && value > 15 {
			return 0, false
		}
		mixed = mixed<<5 | uint64(value)
	}
	return unmix(mixed) ^ tweak(kind), true
}

// tweak sets the kinds apart: the first order and the first trade have different ids beyond their
// letters. The kind's letters are spread over the word by the golden ratio.
func tweak(kind Kind) uint64 {
	var n uint64
	for i := range len(kind) {
		n = n<<8 | uint64(kind[i])
	}
	return n * 0x9e3779b97f4a7c15
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014), a bijection on 64 bits.
func mix(n uint64) uint64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// unmix undoes mix: the multipliers are the inverses modulo 2^64, and a shift is undone by
// repeating it until it has left the word.
func unmix(n uint64) uint64 {
	n = (n ^ n>>31 ^ n>>62) * 0x319642b2d24d8ec3
	n = (n ^ n>>27 ^ n>>54) * 0x96de1b173f119089
	return n ^ n>>30 ^ n>>60
}
