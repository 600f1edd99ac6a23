package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"bourse/engine/journal"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	headSize   = 8 + sha256.Size + 8 + 8
	openerSize = len(fileName) + headSize + 4
	closerSize = 1 + headSize + 8 + 4
)

func appendHead(dst []byte, h journal.Head) []byte {
	dst = binary.BigEndian.AppendUint64(dst, h.Sequence)
	dst = append(dst, h.Hash[:]...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.Time))
	return binary.BigEndian.AppendUint64(dst, h.Epoch)
}

func readHead(b []byte) (h journal.Head) {
	h.Sequence = binary.BigEndian.Uint64(b)
	copy(h.Hash[:], b[8:])
	h.Time = int64(binary.BigEndian.Uint64(b[8+sha256.Size:]))
	h.Epoch = binary.BigEndian.Uint64(b[16+sha256.Size:])
	return h
}

func appendSum(dst []byte) []byte {
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst, castagnoli))
}

func opener(before journal.Head) []byte {
	return appendSum(appendHead([]byte(fileName), before))
}

func closer(after journal.Head, records int64) []byte {
	return appendSum(binary.BigEndian.AppendUint64(appendHead([]byte{0}, after), uint64(records)))
}

// reader reads one file from its beginning to its end and trusts nothing in it.
type reader struct {
	file    *os.File
	in      *bufio.Reader
	sum     hash.Hash // of all that was read; nil when nobody asks for it
	bytes   int64
	before  journal.Head
	at      journal.Head
	records int64
}

// openFile reads as far as the first record. The sequence names what the file should begin with, for
// errors.
func openFile(path string, first uint64, sum hash.Hash) (*reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &journal.BrokenError{Sequence: first, Reason: fmt.Sprintf("its archive file cannot be opened: %v", err)}
	}
	r := &reader{file: file, sum: sum}
	r.in = bufio.NewReaderSize(counted{r}, 1<<20)
	if err := r.open(first); err != nil {
		_ = file.Close()
		return nil, err
	}
	return r, nil
}

// counted is the file below the buffer: its bytes are counted and summed as they come.
type counted struct{ r *reader }

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.file.Read(p)
	c.r.bytes += int64(n)
	if c.r.sum != nil {
		c.r.sum.Write(p[:n])
	}
	return n, err
}

func (r *reader) close() { _ = r.file.Close() }

func (r *reader) broken(sequence uint64, format string, args ...any) error {
	return &journal.BrokenError{
		Sequence: sequence, Reason: fmt.Sprintf("archive file %s: ", filepath.Base(r.file.Name())) + fmt.Sprintf(format, args...),
	}
}

func (r *reader) open(first uint64) error {
	buf := make([]byte, openerSize)
	if _, err := io.ReadFull(r.in, buf); err != nil {
		return r.broken(first, "it is cut off before its first record")
	}
	if !bytes.HasPrefix(buf, []byte(fileName)) {
		return r.broken(first, "it is no archive of this version")
	}
	r.before = readHead(buf[len(fileName):])
	if !bytes.Equal(buf, opener(r.before)) {
		return r.broken(first, "the checksum of its beginning does not match")
	}
	r.at = r.before
	return nil
}

// next reads the next record; false at the sound end of the file.
func (r *reader) next() (journal.Batch, bool, error) {
	mark, err := r.in.Peek(1)
	if err != nil {
		return journal.Batch{}, false, r.broken(r.at.Sequence+1, "it is cut off after sequence %d", r.at.Sequence)
	}
	if mark[0] == 0 {
		return journal.Batch{}, false, r.end()
	}
	b, err := journal.ReadRecord(r.in, r.at)
	var why *journal.BrokenError
	if errors.As(err, &why) {
		return b, false, r.broken(why.Sequence, "%s", why.Reason)
	}
	if err != nil {
		return b, false, err
	}
	r.at = b.Head()
	r.records++
	return b, true, nil
}

func (r *reader) end() error {
	buf := make([]byte, closerSize)
	if _, err := io.ReadFull(r.in, buf); err != nil {
		return r.broken(r.at.Sequence+1, "its end mark is cut off after sequence %d", r.at.Sequence)
	}
	if !bytes.Equal(buf, closer(r.at, r.records)) {
		return r.broken(r.at.Sequence+1, "its end mark does not fit the %d records up to %d", r.records, r.at.Sequence)
	}
	if _, err := r.in.ReadByte(); err != io.EOF {
		return r.broken(r.at.Sequence+1, "something stands behind its end")
	}
	return nil
}

// inspect reads a whole file and says what it holds.
func inspect(path string) (File, error) {
	sum := sha256.New()
	var first, last uint64
	if n, _ := fmt.Sscanf(filepath.Base(path), "%d-%d"+suffix, &first, &last); n < 1 {
		first = 1
	}
	r, err := openFile(path, first, sum)
	if err != nil {
		return File{}, err
	}
	defer r.close()
	for more := true; more; {
		if _, more, err = r.next(); err != nil {
			return File{}, err
		}
	}
	if r.records == 0 {
		return File{}, r.broken(first, "it holds nothing")
	}
	f := describe(r.before, r.at, r.records)
	f.Bytes, f.SHA256 = r.bytes, hex.EncodeToString(sum.Sum(nil))
	if f.Name != filepath.Base(path) {
		return File{}, r.broken(f.First, "it holds %d to %d, its name says otherwise", f.First, f.Last)
	}
	return f, nil
}

func describe(before, after journal.Head, records int64) File {
	first, last := before.Sequence+1, after.Sequence
	return File{
		Name: fmt.Sprintf("%020d-%020d%s", first, last, suffix), First: first, Last: last,
		Records: records, Before: placeOf(before), After: placeOf(after),
	}
}
