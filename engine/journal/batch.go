package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"iter"
)

// Version is the framing that this package writes. A reader refuses versions that it does not know.
const Version = 1

// Hash is the SHA-256 of a batch, its framing included.
type Hash [sha256.Size]byte

// String prints the first bytes, enough to tell two apart.
func (h Hash) String() string { return hex.EncodeToString(h[:6]) }

// Batch is one record of the journal.
type Batch struct {
	Version uint8
	Entry
	Epoch uint64
	// Prev is the hash of the batch before; zero for the first.
	Prev Hash
	// CRC is the CRC-32C of everything above. It tells an accident from a change of the chain and
	// covers the last batch, whose hash stands nowhere yet.
	CRC uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const framing = 1 + 4*8 + sha256.Size + 4

// Seal makes the batch that follows a head out of an entry.
func Seal(e Entry, epoch uint64, after Head) Batch {
	b := Batch{Version: Version, Entry: e, Epoch: epoch, Prev: after.Hash}
	b.CRC = b.checksum()
	return b
}

// Hash is what the next batch carries as Prev.
func (b *Batch) Hash() Hash {
	var frame [framing]byte
	// Most batches of a quiet house are small: a whole one is hashed faster than its parts.
	var whole [512]byte
	if framing+len(b.Payload) <= len(whole) {
		return sha256.Sum256(append(append(whole[:0], b.frame(&frame)...), b.Payload...))
	}
	h := sha256.New()
	h.Write(b.frame(&frame))
	h.Write(b.Payload)
	var sum Hash
	h.Sum(sum[:0])
	return sum
}

// Head is the place at the end of this batch.
func (b *Batch) Head() Head {
	return Head{Sequence: b.Last, Hash: b.Hash(), Time: b.Time, Epoch: b.Epoch}
}

// Verify reports, as a *BrokenError, why the batch cannot stand after that head.
func (b *Batch) Verify(after Head) error {
	broken := func(format string, args ...any) error {
		return &BrokenError{Sequence: b.First, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case b.Version != Version:
		return broken("framing version %d is unknown", b.Version)
	case b.CRC != b.checksum():
		return broken("checksum %08x does not match", b.CRC)
	case b.First != after.Sequence+1:
		return broken("it should begin at %d", after.Sequence+1)
	case b.Last < b.First:
		return broken("it ends at %d, before it begins", b.Last)
	case b.Prev != after.Hash:
		return broken("it follows %s, not %s", b.Prev, after.Hash)
	case b.Epoch < after.Epoch:
		return broken("epoch %d is below %d", b.Epoch, after.Epoch)
	case b.Time < after.Time:
		return broken("time %d is before %d", b.Time, after.Time)
	}
	return nil
}

func (b *Batch) checksum() uint32 {
	var frame [framing]byte
	sum := crc32.Update(0, castagnoli, b.frame(&frame))
	return crc32.Update(sum, castagnoli, b.Payload)
}

// frame writes all that is not the payload, with its length, so that no two batches have the same
// bytes.
func (b *Batch) frame(buf *[framing]byte) []byte {
	out := append(buf[:0], b.Version)
	out = binary.BigEndian.AppendUint64(out, b.First)
	out = binary.BigEndian.AppendUint64(out, b.Last)
	out = binary.BigEndian.AppendUint64(out, uint64(b.Time))
	out = binary.BigEndian.AppendUint64(out, b.Epoch)
	out = append(out, b.Prev[:]...)
	return binary.BigEndian.AppendUint32(out, uint32(len(b.Payload)))
}

// Verified passes batches on while each stands rightly after the one before, and ends with the
// error otherwise. Implementations wrap what they read in it.
func Verified(batches iter.Seq2[Batch, error], after Head) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for b, err := range batches {
			if err == nil {
				err = b.Verify(after)
			}
			if err != nil {
				yield(Batch{}, err)
				return
			}
			after = b.Head()
			if !yield(b, nil) {
				return
			}
		}
	}
}

// Checksum is the CRC-32C of a snapshot, its head included.
func (s *Snapshot) Checksum() uint32 {
	head := binary.BigEndian.AppendUint64(nil, s.Head.Sequence)
	head = binary.BigEndian.AppendUint64(head, uint64(s.Head.Time))
	head = binary.BigEndian.AppendUint64(head, s.Head.Epoch)
	head = append(head, s.Head.Hash[:]...)
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, s.Payload)
}

// CheckEntry reports why an entry cannot be appended after a head: ErrGap or ErrTooLarge, with the
// numbers. Implementations of Writer call it first.
func CheckEntry(e Entry, after Head) error {
	switch {
	case len(e.Payload) > MaxPayload:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(e.Payload), MaxPayload)
	case e.First != after.Sequence+1 || e.Last < e.First:
		return fmt.Errorf("%w: %d to %d after %d", ErrGap, e.First, e.Last, after.Sequence)
	case e.Time < after.Time:
		return fmt.Errorf("%w: time %d after %d", ErrGap, e.Time, after.Time)
	}
	return nil
}
