package venue

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"bourse/engine/ledger"
	"bourse/engine/market"
)

// A snapshot is a name and a version, everything that decides what the venue
// will do, and the SHA-256 of all that. Two states that will behave alike have
// the same snapshot, byte for byte: what is a set is sorted, and neither places
// in pools nor the shape of tables leaves a trace.
var snapshotName = []byte("BOURSE VENUE 2\n")

// Digest is the SHA-256 of the state. Two states of the same digest will answer
// the same commands with the same events.
func (s *State) Digest() [32]byte { return sha256.Sum256(s.appendState(nil)) }

// AppendSnapshot appends the state to dst. It must not be called between the
// events of one command.
func (s *State) AppendSnapshot(dst []byte) []byte {
	start := len(dst)
	dst = s.appendState(dst)
	sum := sha256.Sum256(dst[start:])
	return append(dst, sum[:]...)
}

func (s *State) appendState(dst []byte) []byte {
	// About what it will take: growing step by step would copy it several times over.
	dst = slices.Grow(dst, 1<<12+64*int(s.receipts.used)+96*(s.orders.open+len(s.orders.closed.list)))
	dst = append(dst, snapshotName...)
	dst = appendNumbers(dst, uint64(s.sequence), uint64(s.time), uint64(s.lastOrder), uint64(s.lastTrade))
	dst = appendNumbers(dst, uint64(len(s.assets)))
	for _, a := range s.assets {
		dst = appendAsset(dst, a)
	}
	dst = appendNumbers(dst, uint64(len(s.markets)))
	for _, m := range s.markets {
		dst = m.appendState(dst)
	}
	dst = s.appendUncrossing(dst)
	dst = s.appendBalances(dst)
	dst = s.appendOrders(dst)
	dst = s.appendReceipts(dst)
	dst = appendIDs(dst, s.deposits)
	return s.appendHouse(dst)
}

// Restore rebuilds a state from a snapshot. An error wraps ErrMalformed when the
// bytes are not a whole, unaltered snapshot; the state is checked in full before
// it is returned. The snapshot is not kept.
func Restore(snapshot []byte) (*State, error) {
	if len(snapshot) < len(snapshotName)+sha256.Size || !bytes.HasPrefix(snapshot, snapshotName) {
		return nil, fmt.Errorf("%w: not a snapshot of this version", ErrMalformed)
	}
	content, sum := snapshot[:len(snapshot)-sha256.Size], snapshot[len(snapshot)-sha256.Size:]
	if sha256.Sum256(content) != [32]byte(sum) {
		return nil, fmt.Errorf("%w: the snapshot's digest is wrong", ErrMalformed)
	}
	s, r := New(), &reader{rest: content[len(snapshotName):]}
	s.restore(r)
	if r.err == nil && len(r.rest) > 0 {
		r.fail("there is something after the end")
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return s, nil
}

func (s *State) restore(r *reader) {
	s.sequence, s.time = Sequence(r.number()), Time(r.number())
	s.lastOrder, s.lastTrade = market.OrderID(r.number()), market.TradeID(r.number())
	for n := r.bounded(uint64(ledger.MaxAsset)); n > 0 && r.err == nil; n-- {
		a := r.asset()
		s.assets = append(s.assets, a)
		s.assetByCode[a.Code] = ledger.AssetID(len(s.assets))
	}
	for n := r.bounded(maxMarkets); n > 0 && r.err == nil; n-- {
		s.restoreMarket(r)
	}
	s.findPhaseEnd()
	s.restoreUncrossing(r)
	s.restoreBalances(r)
	s.restoreOrders(r)
	s.restoreReceipts(r)
	r.ids(s.deposits)
	s.restoreHouse(r)
}
