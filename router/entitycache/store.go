package entitycache

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// Store keeps entries and marks. Implementations are safe for concurrent use. What is lost may be lost at any time; a mark may only be
// forgotten together with everything that was stored before it was made.
type Store interface {
	// Get returns the values under keys, nil where there is none, the marks of labels, 0 where there is none, and the epoch: the highest
	// mark so far.
	Get(ctx context.Context, keys, labels []string) (Found, error)
	// Set keeps values, each for its time. The store owns them from then on.
	Set(ctx context.Context, items []Item) error
	// Mark raises the epoch and marks the labels with it.
	Mark(ctx context.Context, labels []string) error
}

// Found is what Get finds.
type Found struct {
	Values [][]byte // not modified by the caller
	Marks  []uint64
	Epoch  uint64
}

// Item is a value to be kept.
type Item struct {
	Key   string
	Value []byte
	TTL   time.Duration
}

// kept is an entry as it is stored.
type kept struct {
	epoch   uint64    // of the store before the answer was asked for
	expires time.Time // in whole milliseconds
	stale   Stale     // beyond that; in whole milliseconds too
	private bool
	tags    []string
	body    []byte // JSON
}

const keptVersion = 2

func (k *kept) append(dst []byte) []byte {
	dst = append(dst, keptVersion)
	dst = binary.AppendUvarint(dst, k.epoch)
	dst = binary.AppendVarint(dst, k.expires.UnixMilli())
	dst = binary.AppendUvarint(dst, uint64(k.stale.WhileRevalidate.Milliseconds()))
	dst = binary.AppendUvarint(dst, uint64(k.stale.IfError.Milliseconds()))
	flag := byte(0)
	if k.private {
		flag = 1
	}
	dst = append(dst, flag)
	dst = binary.AppendUvarint(dst, uint64(len(k.tags)))
	for _, t := range k.tags {
		dst = append(binary.AppendUvarint(dst, uint64(len(t))), t...)
	}
	return append(dst, k.body...)
}

var errKept = errors.New("entitycache: an entry cannot be read")

// readKept reads an entry; its body is part of b.
func readKept(b []byte) (*kept, error) {
	if len(b) == 0 || b[0] != keptVersion {
		return nil, errKept
	}
	b = b[1:]
	ok := true
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			ok = false
			return 0
		}
		b = b[n:]
		return v
	}
	k := &kept{epoch: number()}
	ms, n := binary.Varint(b)
	if !ok || n <= 0 {
		return nil, errKept
	}
	k.expires, b = time.UnixMilli(ms), b[n:]
	k.stale = Stale{milliseconds(number()), milliseconds(number())}
	if !ok || len(b) < 1 {
		return nil, errKept
	}
	k.private, b = b[0] == 1, b[1:]
	tags := number()
	for range tags {
		size := number()
		if !ok || size > uint64(len(b)) {
			return nil, errKept
		}
		k.tags = append(k.tags, string(b[:size]))
		b = b[size:]
	}
	k.body = b
	if !ok || len(b) == 0 {
		return nil, errKept
	}
	return k, nil
}

// milliseconds is a time that was stored, however long.
func milliseconds(n uint64) time.Duration {
	return time.Duration(min(n, math.MaxInt64/uint64(time.Millisecond))) * time.Millisecond
}
