package venue

import (
	"encoding/binary"
	"errors"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// The encoding of an event:
//
//	version   1 byte
//	kind      1 byte, with the top bit set on the first event of a command
//	origin    of a first event: sequence, time, actor, key, body (8 bytes)
//	fields    those that the kind sets, in the order below
//	outcome   of a kind that has one: status, filled, notional, fee, follow
//	receipt   of a first event of another kind: those that the kind sets
//
// Integers are unsigned varints, except where a size is given; texts are a
// varint length and bytes. Events that are not the first share the origin of
// the first, which must stand before them in the same payload.
//
// The version is that of the kind's fields. All kinds of version 1 can be read;
// a kind is written in the version in which its fields last changed.
const firstBit = 0x80

// versionOf is the version in which events of a kind are written.
func versionOf(k Kind) byte {
	switch k {
	case AssetAdded, DepositCredited, Traded, OrderCancelled, OrdersCancelled:
		return 1
	}
	return 2
}

// ErrMalformed means that bytes are not an encoding of events or of a snapshot.
var ErrMalformed = errors.New("venue: malformed encoding")

// AppendEvent appends the encoding of an event that Apply made to dst.
func AppendEvent(dst []byte, ev *Event) []byte {
	kind := byte(ev.Kind)
	if ev.First {
		kind |= firstBit
	}
	dst = append(dst, versionOf(ev.Kind), kind)
	if ev.First {
		dst = binary.AppendUvarint(dst, uint64(ev.Sequence))
		dst = binary.AppendUvarint(dst, uint64(ev.Time))
		dst = binary.AppendUvarint(dst, uint64(ev.Actor))
		dst = appendText(dst, ev.Key)
		dst = binary.LittleEndian.AppendUint64(dst, ev.Body)
	}
	dst = appendFields(dst, ev)
	switch {
	case kinds[ev.Kind].takes:
		dst = appendOutcome(dst, ev)
	case ev.First:
		dst = appendReceipt(dst, ev)
	}
	return dst
}

// appendFields writes the fields of a kind; each area has a file of its own.
func appendFields(dst []byte, ev *Event) []byte {
	switch ev.Kind {
	case OrderPlaced, Traded, AuctionTraded, OrderCancelled, OrdersCancelled, OrderAmended, OrderReduced, OrderTriggered, OrderActivated:
		return appendOrderFields(dst, ev)
	case AssetAdded, MarketCreated, PhaseChanged, AuctionUncrossed, RulesSet, ReferenceMoved:
		return appendMarketFields(dst, ev)
	case DepositCredited:
		return appendMoneyFields(dst, ev)
	}
	return appendHouseFields(dst, ev)
}

// appendReceipt writes what the receipt does not share with its event.
func appendReceipt(dst []byte, ev *Event) []byte {
	r := &ev.Receipt
	switch ev.Kind {
	case OrderCancelled:
		dst = append(dst, byte(r.Status))
		dst = appendNumbers(dst, uint64(r.Filled), uint64(r.Notional), uint64(r.Fee))
	case OrdersCancelled:
		dst = appendNumbers(dst, uint64(r.Count))
	}
	return dst
}

func appendNumbers(dst []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		dst = binary.AppendUvarint(dst, n)
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

func appendAsset(dst []byte, a money.Asset) []byte { return append(appendText(dst, a.Code), a.Scale) }

func appendDecimal(dst []byte, d money.Decimal) []byte {
	return append(binary.AppendVarint(dst, d.Coefficient()), d.Scale())
}

// Decoder reads events that AppendEvent wrote, one after another. It refuses
// what is malformed, never panics, and allocates no more than the payload's
// texts; whether the events make sense is for Fold to say.
type Decoder struct {
	reader
	origin struct {
		known    bool
		sequence Sequence
		time     Time
		actor    account.ID
	}
}

// NewDecoder returns a decoder of the payload, which must not change meanwhile.
func NewDecoder(payload []byte) *Decoder { return &Decoder{reader: reader{rest: payload}} }

// Next reads the next event into ev. It returns false at the end of the payload
// and an error that wraps ErrMalformed when the payload is not what AppendEvent
// writes; it then goes no further.
func (d *Decoder) Next(ev *Event) (bool, error) {
	if d.err == nil && len(d.rest) == 0 {
		return false, nil
	}
	*ev = Event{}
	version, kind := d.byte(), d.byte()
	ev.Kind, ev.First = Kind(kind&^firstBit), kind&firstBit != 0
	if d.err == nil && !ev.Kind.Valid() {
		d.fail("the kind is not known")
	}
	if d.err == nil && (version == 0 || version > versionOf(ev.Kind) || ev.Kind > OrdersCancelled && version < 2) {
		d.fail("the version is not known")
	}
	d.readOrigin(ev)
	d.readFields(ev, version)
	switch {
	case d.err == nil && kinds[ev.Kind].takes:
		d.readOutcome(ev, version)
	case ev.First:
		d.readReceipt(ev)
	}
	if d.err != nil {
		*ev = Event{}
		return false, d.err
	}
	return true, nil
}

func (d *Decoder) readOrigin(ev *Event) {
	o := &d.origin
	if ev.First {
		o.sequence, o.time = Sequence(d.number()), Time(d.number())
		o.actor = account.ID(d.number())
		o.known = true
		ev.Key = d.text(MaxKey)
		ev.Body = d.word()
	} else if !o.known {
		d.fail("the first event of the command is missing")
	}
	ev.Sequence, ev.Time, ev.Actor = o.sequence, o.time, o.actor
}

func (d *Decoder) readFields(ev *Event, version byte) {
	switch ev.Kind {
	case OrderPlaced, Traded, AuctionTraded, OrderCancelled, OrdersCancelled, OrderAmended, OrderReduced, OrderTriggered, OrderActivated:
		d.readOrderFields(ev, version)
	case AssetAdded, MarketCreated, PhaseChanged, AuctionUncrossed, RulesSet, ReferenceMoved:
		d.readMarketFields(ev, version)
	case DepositCredited:
		d.readMoneyFields(ev)
	default:
		d.readHouseFields(ev)
	}
}

func (d *Decoder) readReceipt(ev *Event) {
	r := &ev.Receipt
	r.Sequence, r.Time = ev.Sequence, ev.Time
	switch ev.Kind {
	case OrderCancelled:
		r.Order = ev.Order
		r.Status = market.Status(d.byte())
		r.Filled, r.Notional, r.Fee = market.Quantity(d.amount()), d.amount(), d.amount()
	case OrdersCancelled:
		r.Count = uint32(d.bounded(1<<32 - 1))
	}
}
