package execute

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a subgraph's answer.
const maxDepth = 500

var errJSON = errors.New("not valid JSON")

// scanner walks one JSON text (RFC 8259) by offsets. It accepts valid JSON only and copies nothing.
type scanner struct {
	b     []byte
	i     int
	depth int
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\r', '\t':
			s.i++
		default:
			return
		}
	}
}

// peek skips space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.i < len(s.b) && s.b[s.i] > ' ' {
		return s.b[s.i]
	}
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// open enters an object or array and reports whether it has a first element.
func (s *scanner) open(end byte) (bool, error) {
	s.i++
	if s.depth++; s.depth > maxDepth {
		return false, errors.New("nested too deeply")
	}
	if s.peek() == end {
		s.i++
		s.depth--
		return false, nil
	}
	return true, nil
}

// next goes past a comma, or leaves the object or array.
func (s *scanner) next(end byte) (bool, error) {
	switch s.peek() {
	case ',':
		s.i++
		return true, nil
	case end:
		s.i++
		s.depth--
		return false, nil
	}
	return false, errJSON
}

// key reads an object's key and the colon, and returns the key as it stands between the quotes.
func (s *scanner) key() ([]byte, error) {
	if s.peek() != '"' {
		return nil, errJSON
	}
	start := s.i + 1
	if err := s.str(); err != nil {
		return nil, err
	}
	k := s.b[start : s.i-1]
	if s.peek() != ':' {
		return nil, errJSON
	}
	s.i++
	return k, nil
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str goes past a string: plain runs eight bytes at a time, then what needs a look.
func (s *scanner) str() error {
	b, i := s.b, s.i+1
	ascii := true
	for {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			quote := x ^ ones*'"'
			slash := x ^ ones*'\\'
			special := (x-ones*0x20)&^x | (quote-ones)&^quote | (slash-ones)&^slash | x
			if special &= highs; special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			return errJSON
		}
		switch c := b[i]; {
		case c == '"':
			if !ascii && !utf8.Valid(b[s.i+1:i]) {
				return errors.New("not valid UTF-8")
			}
			s.i = i + 1
			return nil
		case c == '\\':
			n := escape(b[i:])
			if n == 0 {
				return errJSON
			}
			i += n
		case c < 0x20:
			return errJSON
		default:
			ascii = ascii && c < utf8.RuneSelf
			i++
		}
	}
}

// escape is the length of the escape sequence at the start of b, 0 when it is none.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) < 6 {
			return 0
		}
		for _, c := range b[2:6] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return 0
			}
		}
		return 6
	}
	return 0
}

// skip goes past any value.
func (s *scanner) skip() error {
	switch c := s.peek(); c {
	case '"':
		return s.str()
	case '{':
		return s.skipObject()
	case '[':
		return s.skipArray()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		if c == '-' || '0' <= c && c <= '9' {
			return s.number()
		}
		return errJSON
	}
}

func (s *scanner) skipObject() error {
	more, err := s.open('}')
	for ; more && err == nil; more, err = s.next('}') {
		if _, err := s.key(); err != nil {
			return err
		}
		if err := s.skip(); err != nil {
			return err
		}
	}
	return err
}

func (s *scanner) skipArray() error {
	more, err := s.open(']')
	for ; more && err == nil; more, err = s.next(']') {
		if err := s.skip(); err != nil {
			return err
		}
	}
	return err
}

func (s *scanner) literal(word string) error {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return errJSON
	}
	s.i += len(word)
	return nil
}

func (s *scanner) number() error {
	if s.b[s.i] == '-' {
		s.i++
	}
	switch {
	case s.i < len(s.b) && s.b[s.i] == '0':
		s.i++
	case !s.digits():
		return errJSON
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if !s.digits() {
			return errJSON
		}
	}
	if s.i < len(s.b) && (s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if !s.digits() {
			return errJSON
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

// end makes sure that nothing but space is left.
func (s *scanner) end() error {
	if s.space(); s.i != len(s.b) {
		return errJSON
	}
	return nil
}
