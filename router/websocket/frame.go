package websocket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Opcode says what a frame holds (RFC 6455, section 5.2).
type Opcode byte

// Opcodes.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xA
)

func (o Opcode) control() bool { return o&0x8 != 0 }

func (o Opcode) known() bool { return o <= Binary || o >= Close && o <= Pong }

// MaxControl is the most that a control frame may hold, in bytes.
const MaxControl = 125

// header of a frame from a client.
type header struct {
	final  bool
	opcode Opcode
	mask   [4]byte
	length int64
}

// Error is a breach of the protocol, with the code to close the connection with.
type Error struct {
	Code   Code
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("websocket: %s (%d)", e.Reason, e.Code) }

func breach(reason string) error { return &Error{ProtocolError, reason} }

// readHeader reads what is in front of a frame. Clients must mask their frames, and may not use what only extensions define.
func readHeader(r io.Reader) (header, error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:2]); err != nil {
		return header{}, err
	}
	h := header{final: b[0]&0x80 != 0, opcode: Opcode(b[0] & 0x0f), length: int64(b[1] & 0x7f)}
	switch {
	case b[0]&0x70 != 0:
		return h, breach("reserved bits are set")
	case !h.opcode.known():
		return h, breach("unknown opcode")
	case b[1]&0x80 == 0:
		return h, breach("a client's frames must be masked")
	case h.opcode.control() && (!h.final || h.length > MaxControl):
		return h, breach("control frames are short and whole")
	}
	switch h.length {
	case 126:
		if _, err := io.ReadFull(r, b[:2]); err != nil {
			return h, unexpected(err)
		}
		if h.length = int64(binary.BigEndian.Uint16(b[:2])); h.length < 126 {
			return h, breach("a length is written longer than it needs")
		}
	case 127:
		if _, err := io.ReadFull(r, b[:8]); err != nil {
			return h, unexpected(err)
		}
		n := binary.BigEndian.Uint64(b[:8])
		if n>>63 != 0 || n <= 0xffff {
			return h, breach("a length is written longer than it needs, or is none")
		}
		h.length = int64(n)
	}
	if _, err := io.ReadFull(r, h.mask[:]); err != nil {
		return h, unexpected(err)
	}
	return h, nil
}

// unexpected is the error of a connection that ends within a frame.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// unmask takes the mask from the bytes of a frame.
func unmask(b []byte, mask [4]byte) {
	word := uint64(binary.LittleEndian.Uint32(mask[:]))
	word |= word << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= mask[i&3]
	}
}

// MaxHeader is the most that stands in front of a server's frame, in bytes.
const MaxHeader = 10

// AppendHeader appends what is in front of a whole message of a length, as servers send it.
func AppendHeader(dst []byte, opcode Opcode, length int) []byte {
	dst = append(dst, 0x80|byte(opcode))
	switch {
	case length < 126:
		return append(dst, byte(length))
	case length <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 127), uint64(length))
	}
}

// AppendFrame appends a whole message as one frame.
func AppendFrame(dst []byte, opcode Opcode, payload []byte) []byte {
	return append(AppendHeader(dst, opcode, len(payload)), payload...)
}
