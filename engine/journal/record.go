package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A record is a batch as a file keeps it:
//
//	framing   69 bytes: version, first, last, time, epoch, hash of the batch before, payload length
//	payload
//	crc       4 bytes, CRC-32C of all before
//
// Integers are big-endian. The first byte of a record is its version and never zero.
const checksumSize = 4

// AppendRecord appends the record of the batch to dst.
func (b *Batch) AppendRecord(dst []byte) []byte {
	var frame [framing]byte
	dst = append(dst, b.frame(&frame)...)
	dst = append(dst, b.Payload...)
	return binary.BigEndian.AppendUint32(dst, b.CRC)
}

// RecordSize is the length of the batch's record in bytes.
func (b *Batch) RecordSize() int { return framing + len(b.Payload) + checksumSize }

// ReadRecord reads the batch that must follow a head. What is cut off, changed or out of place is a
// *BrokenError with the sequence that should have stood there; other errors are those of the reader.
func ReadRecord(r io.Reader, after Head) (Batch, error) {
	broken := func(reason string) (Batch, error) {
		return Batch{}, &BrokenError{Sequence: after.Sequence + 1, Reason: reason}
	}
	var b Batch
	var frame [framing]byte
	if _, err := io.ReadFull(r, frame[:]); err != nil {
		return cut(err, after, "the framing of its record")
	}
	length := b.unframe(&frame)
	if b.Version != Version {
		return broken(fmt.Sprintf("framing version %d is unknown", b.Version))
	}
	if length > MaxPayload {
		return broken(fmt.Sprintf("its payload would have %d bytes, at most %d", length, MaxPayload))
	}
	rest := make([]byte, length+checksumSize)
	if _, err := io.ReadFull(r, rest); err != nil {
		return cut(err, after, fmt.Sprintf("a record of %d bytes", framing+len(rest)))
	}
	b.Payload = rest[:length:length]
	b.CRC = binary.BigEndian.Uint32(rest[length:])
	if err := b.Verify(after); err != nil {
		var why *BrokenError
		if errors.As(err, &why) {
			return broken(why.Reason)
		}
		return Batch{}, err
	}
	return b, nil
}

// cut tells the end of the bytes from a reader that failed.
func cut(err error, after Head, within string) (Batch, error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Batch{}, &BrokenError{Sequence: after.Sequence + 1, Reason: "it is cut off within " + within}
	}
	return Batch{}, fmt.Errorf("journal: read a record: %w", err)
}

// unframe reads what frame wrote and returns the payload's length.
func (b *Batch) unframe(frame *[framing]byte) uint32 {
	number := func(at int) uint64 { return binary.BigEndian.Uint64(frame[at:]) }
	b.Version = frame[0]
	b.First, b.Last = number(1), number(9)
	b.Time, b.Epoch = int64(number(17)), number(25)
	copy(b.Prev[:], frame[33:])
	return binary.BigEndian.Uint32(frame[33+len(b.Prev):])
}

// ParseRecord reads a batch whose record is all of data. That it follows what the caller holds is for
// the caller to verify; that it is whole is verified here.
func ParseRecord(data []byte) (Batch, error) {
	broken := func(reason string) (Batch, error) { return Batch{}, &BrokenError{Reason: reason} }
	var b Batch
	if len(data) < framing+checksumSize {
		return broken("its record is cut off")
	}
	length := uint64(b.unframe((*[framing]byte)(data)))
	rest := data[framing:]
	switch {
	case b.Version != Version:
		return broken(fmt.Sprintf("framing version %d is unknown", b.Version))
	case length > MaxPayload || uint64(len(rest)) != length+checksumSize:
		return broken(fmt.Sprintf("its record has %d bytes for a payload of %d", len(data), length))
	}
	b.Payload = rest[:length:length]
	b.CRC = binary.BigEndian.Uint32(rest[length:])
	if b.CRC != b.checksum() {
		return broken(fmt.Sprintf("checksum %08x does not match", b.CRC))
	}
	return b, nil
}
