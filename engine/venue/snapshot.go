package venue

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
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
	dst = s.appendBalances(dst)
	dst = s.appendOrders(dst)
	dst = s.appendReceipts(dst)
	words := slices.Sorted(maps.Keys(s.deposits))
	dst = appendNumbers(dst, uint64(len(words)))
	for _, w := range words {
		dst = appendNumbers(dst, w, s.deposits[w])
	}
	return dst
}

func (m *venueMarket) appendState(dst []byte) []byte {
	dst = appendDefinition(dst, &m.definition)
	t := &m.lastTrade
	dst = append(dst, byte(m.phase), byte(t.Side))
	return appendNumbers(dst, uint64(t.ID), uint64(t.Sequence), uint64(t.Time), uint64(t.Price), uint64(t.Quantity))
}

func (s *State) appendBalances(dst []byte) []byte {
	for i := range s.assets {
		asset := ledger.AssetID(i + 1)
		dst = appendNumbers(dst, uint64(s.ledger.House(ledger.Fees, asset)))
		dst = binary.AppendVarint(dst, int64(s.ledger.House(ledger.Deposits, asset)))
	}
	owners := s.ledger.Owners()
	dst = appendNumbers(dst, uint64(len(owners)))
	for _, owner := range owners {
		dst = appendNumbers(dst, uint64(owner))
		for i := range s.assets {
			b := s.ledger.Balance(owner, ledger.AssetID(i+1))
			dst = appendNumbers(dst, uint64(b.Available), uint64(b.Held))
		}
	}
	return dst
}

// appendOrders writes the open orders of each book in the order in which they
// trade, then the closed ones in the order in which they closed.
func (s *State) appendOrders(dst []byte) []byte {
	dst = appendNumbers(dst, uint64(s.orders.open))
	for _, m := range s.markets {
		for _, side := range [...]market.Side{market.Buy, market.Sell} {
			for h := m.book.First(side); h != 0; h = m.book.After(h) {
				_, _, ref := m.book.Resting(h)
				dst = s.appendOrder(dst, s.orders.at(ref))
			}
		}
	}
	dst = appendNumbers(dst, uint64(len(s.orders.closed.list)))
	for i := range s.orders.closed.list {
		dst = s.appendOrder(dst, s.orders.at(s.orders.closed.at(i).place))
	}
	return dst
}

func (s *State) appendOrder(dst []byte, o *order) []byte {
	dst = append(dst, byte(o.side), byte(o.kind), byte(o.timeInForce), byte(o.status), byte(o.reason))
	dst = appendNumbers(dst, uint64(o.id), uint64(s.members.at(o.owner).id), uint64(o.market), uint64(o.price))
	dst = appendNumbers(dst, uint64(o.quantity), uint64(o.filled), uint64(o.notional), uint64(o.fee))
	return appendNumbers(dst, uint64(o.hold), uint64(o.sequence), uint64(o.placedAt), uint64(o.updatedAt))
}

func (s *State) appendReceipts(dst []byte) []byte {
	var actors []account.ID
	for i := range s.members.list {
		if len(s.members.list[i].keys.entries) > 0 {
			actors = append(actors, s.members.list[i].id)
		}
	}
	slices.Sort(actors)
	dst = appendNumbers(dst, uint64(len(actors)))
	for _, id := range actors {
		keys := &s.members.at(s.members.find(id)).keys
		dst = appendNumbers(dst, uint64(id), uint64(len(keys.entries)))
		for i := range keys.entries {
			r := s.receipts.at(keys.at(i))
			dst = binary.LittleEndian.AppendUint64(dst, r.print.high)
			dst = binary.LittleEndian.AppendUint64(dst, r.print.low)
			dst = binary.LittleEndian.AppendUint64(dst, r.body)
			dst = append(dst, byte(r.status))
			dst = appendNumbers(dst, uint64(r.sequence), uint64(r.time), uint64(r.order), uint64(r.filled))
			dst = appendNumbers(dst, uint64(r.count))
		}
	}
	return dst
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
	s.restoreBalances(r)
	s.orders.places.follow(s.lastOrder)
	for n := r.number(); n > 0 && r.err == nil; n-- {
		s.restoreOpen(r)
	}
	s.enlistAll()
	for n := r.bounded(ClosedOrders); n > 0 && r.err == nil; n-- {
		if place, o := s.restoreOrder(r); o != nil {
			if o.status.Live() {
				r.fail("a closed order is open")
			}
			s.orders.retire(place)
		}
	}
	s.restoreReceipts(r)
	for n := r.number(); n > 0 && r.err == nil; n-- {
		w := r.number()
		s.deposits[w] = r.number()
	}
}

func (s *State) restoreMarket(r *reader) {
	definition := r.definition()
	if r.err != nil {
		return
	}
	m, err := s.newMarket(MarketID(len(s.markets)+1), definition)
	if err != nil {
		r.fail(err.Error())
		return
	}
	m.phase = market.Phase(r.byte())
	t := &m.lastTrade
	t.Side = market.Side(r.byte())
	t.ID, t.Sequence, t.Time = market.TradeID(r.number()), Sequence(r.number()), Time(r.number())
	t.Price, t.Quantity = market.Price(r.amount()), market.Quantity(r.amount())
	s.addMarket(m)
}

func (s *State) restoreBalances(r *reader) {
	for i := range s.assets {
		asset := ledger.AssetID(i + 1)
		fees := r.amount()
		deposits, size := binary.Varint(r.rest)
		if size <= 0 {
			r.fail("a balance is cut off or too large")
			return
		}
		r.rest = r.rest[size:]
		s.ledger.RestoreHouse(asset, fees, money.Amount(deposits))
	}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		owner := account.ID(r.number())
		for i := range s.assets {
			balance := ledger.Balance{Available: r.amount(), Held: r.amount()}
			if r.err == nil && owner != 0 {
				s.ledger.Restore(owner, ledger.AssetID(i+1), balance)
			}
		}
	}
}

// restoreOrder reads an order into the pool; nil after a failure.
func (s *State) restoreOrder(r *reader) (uint32, *order) {
	o := order{
		side: market.Side(r.byte()), kind: market.Type(r.byte()), timeInForce: market.TimeInForce(r.byte()),
		status: market.Status(r.byte()), reason: market.CancelReason(r.byte()),
	}
	o.id = market.OrderID(r.number())
	member := account.ID(r.number())
	o.market = r.marketID()
	o.price, o.quantity = market.Price(r.amount()), market.Quantity(r.amount())
	o.filled, o.notional, o.fee, o.hold = market.Quantity(r.amount()), r.amount(), r.amount(), r.amount()
	o.sequence, o.placedAt, o.updatedAt = Sequence(r.number()), Time(r.number()), Time(r.number())
	if r.err != nil {
		return 0, nil
	}
	if s.market(o.market) == nil || !o.side.Valid() || !o.status.Valid() || o.filled > o.quantity ||
		o.price <= 0 || o.price > market.MaxPrice || o.id > s.lastOrder || s.orders.find(o.id) != 0 {
		r.fail("an order is out of range or doubled")
		return 0, nil
	}
	o.owner = s.members.take(member)
	place := s.orders.take(o.id)
	*s.orders.at(place) = o
	return place, s.orders.at(place)
}

func (s *State) restoreOpen(r *reader) {
	place, o := s.restoreOrder(r)
	if o == nil {
		return
	}
	if !o.status.Live() || o.remaining() <= 0 {
		r.fail("an open order is closed")
		return
	}
	o.handle = s.markets[o.market-1].book.Add(o.side, o.price, o.remaining(), place)
}

// enlistAll puts the open orders, which are all there are so far, into their
// members' lists by ascending id.
func (s *State) enlistAll() {
	places := make([]uint32, 0, s.orders.used)
	for place := uint32(1); place < s.orders.used; place++ {
		if s.orders.at(place).handle != 0 {
			places = append(places, place)
		}
	}
	slices.SortFunc(places, func(a, b uint32) int {
		if s.orders.at(a).id < s.orders.at(b).id {
			return -1
		}
		return 1
	})
	for _, place := range places {
		s.enlist(place)
	}
}

func (s *State) restoreReceipts(r *reader) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		owner := s.members.take(account.ID(r.number()))
		for k := r.bounded(KeysPerActor); k > 0 && r.err == nil; k-- {
			print := keyPrint{high: r.word(), low: r.word()}
			body, status := r.word(), market.Status(r.byte())
			receipt := Receipt{Status: status}
			receipt.Sequence, receipt.Time = Sequence(r.number()), Time(r.number())
			receipt.Order, receipt.Filled = market.OrderID(r.number()), market.Quantity(r.amount())
			receipt.Count = uint32(r.bounded(1<<32 - 1))
			if r.err == nil && s.receipts.find(&s.members.at(owner).keys, print) != nil {
				r.fail("a key is doubled")
			}
			if r.err == nil {
				s.remember(owner, print, body, &receipt)
			}
		}
	}
}
