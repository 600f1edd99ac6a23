package venue

import (
	"encoding/binary"
	"errors"
	"fmt"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// The encoding of an event, version 1:
//
//	version   1 byte
//	kind      1 byte, with the top bit set on the first event of a command
//	origin    of a first event: sequence, time, actor, key, body (8 bytes)
//	fields    those that the kind sets, in the order below
//	receipt   of a first event: those that the kind sets
//
// Integers are unsigned varints, except where a size is given; texts are a
// varint length and bytes. Events that are not the first share the origin of
// the first, which must stand before them in the same payload.
const (
	eventVersion = 1
	firstBit     = 0x80
)

// ErrMalformed means that bytes are not an encoding of events or of a snapshot.
var ErrMalformed = errors.New("venue: malformed encoding")

// AppendEvent appends the encoding of an event that Apply made to dst.
func AppendEvent(dst []byte, ev *Event) []byte {
	kind := byte(ev.Kind)
	if ev.First {
		kind |= firstBit
	}
	dst = append(dst, eventVersion, kind)
	if ev.First {
		dst = binary.AppendUvarint(dst, uint64(ev.Sequence))
		dst = binary.AppendUvarint(dst, uint64(ev.Time))
		dst = binary.AppendUvarint(dst, uint64(ev.Actor))
		dst = appendText(dst, ev.Key)
		dst = binary.LittleEndian.AppendUint64(dst, ev.Body)
	}
	dst = appendFields(dst, ev)
	if ev.First {
		dst = appendReceipt(dst, ev)
	}
	return dst
}

func appendFields(dst []byte, ev *Event) []byte {
	switch ev.Kind {
	case AssetAdded:
		dst = appendNumbers(dst, uint64(ev.Asset))
		dst = appendAsset(dst, ev.NewAsset)
	case MarketCreated:
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Base), uint64(ev.Quote))
		dst = appendDefinition(dst, ev.Definition)
	case PhaseChanged:
		dst = appendNumbers(dst, uint64(ev.Market))
		dst = append(dst, byte(ev.Phase))
	case DepositCredited:
		dst = appendNumbers(dst, ev.Deposit, uint64(ev.Member), uint64(ev.Asset), uint64(ev.Amount))
	case OrderPlaced:
		dst = append(dst, byte(ev.Side), byte(ev.Type), byte(ev.TimeInForce))
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Order), uint64(ev.Member))
		dst = appendNumbers(dst, uint64(ev.Price), uint64(ev.Quantity), uint64(ev.Asset), uint64(ev.Amount))
	case Traded:
		dst = append(dst, byte(ev.Side))
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Base), uint64(ev.Quote), uint64(ev.Trade))
		dst = appendNumbers(dst, uint64(ev.Order), uint64(ev.Member), uint64(ev.Maker), uint64(ev.MakerMember))
		dst = appendNumbers(dst, uint64(ev.Price), uint64(ev.Quantity), uint64(ev.Amount), uint64(ev.Notional))
		dst = appendNumbers(dst, uint64(ev.MakerFee), uint64(ev.TakerFee), uint64(ev.Release))
	case OrderCancelled:
		dst = append(dst, byte(ev.Side), byte(ev.Reason))
		dst = appendNumbers(dst, uint64(ev.Market), uint64(ev.Order), uint64(ev.Member))
		dst = appendNumbers(dst, uint64(ev.Price), uint64(ev.Quantity), uint64(ev.Asset), uint64(ev.Amount))
	case OrdersCancelled:
		dst = appendNumbers(dst, uint64(ev.Market))
	}
	return dst
}

// appendReceipt writes what the receipt does not share with its event.
func appendReceipt(dst []byte, ev *Event) []byte {
	r := &ev.Receipt
	switch ev.Kind {
	case OrderPlaced, OrderCancelled:
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

func appendDefinition(dst []byte, d *market.Definition) []byte {
	dst = appendText(dst, string(d.Symbol))
	dst = appendAsset(dst, d.Base)
	dst = appendAsset(dst, d.Quote)
	dst = appendDecimal(dst, d.TickSize)
	dst = appendDecimal(dst, d.LotSize)
	return appendNumbers(dst, uint64(d.MinNotional), uint64(d.MakerFee), uint64(d.TakerFee), uint64(d.Protection))
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
	if version := d.byte(); d.err == nil && version != eventVersion {
		d.fail("the version is not known")
	}
	kind := d.byte()
	ev.Kind, ev.First = Kind(kind&^firstBit), kind&firstBit != 0
	if d.err == nil && !ev.Kind.Valid() {
		d.fail("the kind is not known")
	}
	d.readOrigin(ev)
	d.readFields(ev)
	if ev.First {
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

func (d *Decoder) readFields(ev *Event) {
	switch ev.Kind {
	case AssetAdded:
		ev.Asset, ev.NewAsset = d.assetID(), d.asset()
	case MarketCreated:
		ev.Market, ev.Base, ev.Quote = d.marketID(), d.assetID(), d.assetID()
		ev.Definition = d.definition()
	case PhaseChanged:
		ev.Market, ev.Phase = d.marketID(), market.Phase(d.byte())
	case DepositCredited:
		ev.Deposit, ev.Member = d.number(), account.ID(d.number())
		ev.Asset, ev.Amount = d.assetID(), d.amount()
	case OrderPlaced:
		ev.Side, ev.Type, ev.TimeInForce = market.Side(d.byte()), market.Type(d.byte()), market.TimeInForce(d.byte())
		ev.Market, ev.Order, ev.Member = d.marketID(), market.OrderID(d.number()), account.ID(d.number())
		ev.Price, ev.Quantity = market.Price(d.amount()), market.Quantity(d.amount())
		ev.Asset, ev.Amount = d.assetID(), d.amount()
	case Traded:
		ev.Side = market.Side(d.byte())
		ev.Market, ev.Base, ev.Quote = d.marketID(), d.assetID(), d.assetID()
		ev.Trade = market.TradeID(d.number())
		ev.Order, ev.Member = market.OrderID(d.number()), account.ID(d.number())
		ev.Maker, ev.MakerMember = market.OrderID(d.number()), account.ID(d.number())
		ev.Price, ev.Quantity = market.Price(d.amount()), market.Quantity(d.amount())
		ev.Amount, ev.Notional = d.amount(), d.amount()
		ev.MakerFee, ev.TakerFee, ev.Release = d.amount(), d.amount(), d.amount()
	case OrderCancelled:
		ev.Side, ev.Reason = market.Side(d.byte()), market.CancelReason(d.byte())
		ev.Market, ev.Order, ev.Member = d.marketID(), market.OrderID(d.number()), account.ID(d.number())
		ev.Price, ev.Quantity = market.Price(d.amount()), market.Quantity(d.amount())
		ev.Asset, ev.Amount = d.assetID(), d.amount()
	case OrdersCancelled:
		ev.Market = d.marketID()
	}
}

func (d *Decoder) readReceipt(ev *Event) {
	r := &ev.Receipt
	r.Sequence, r.Time = ev.Sequence, ev.Time
	switch ev.Kind {
	case OrderPlaced, OrderCancelled:
		r.Order = ev.Order
		r.Status = market.Status(d.byte())
		r.Filled, r.Notional, r.Fee = market.Quantity(d.amount()), d.amount(), d.amount()
	case OrdersCancelled:
		r.Count = uint32(d.bounded(1<<32 - 1))
	}
}

// reader takes values off the front of bytes. After a failure it returns zeros;
// the first failure stays in err.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, why)
	}
	r.rest = nil
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail("it ends too early")
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) word() uint64 {
	if len(r.rest) < 8 {
		r.fail("it ends too early")
		return 0
	}
	w := binary.LittleEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return w
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail("a number is cut off or too large")
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// bounded reads a number that is at most the bound.
func (r *reader) bounded(bound uint64) uint64 {
	n := r.number()
	if n > bound {
		r.fail("a number is out of range")
		return 0
	}
	return n
}

func (r *reader) amount() money.Amount { return money.Amount(r.bounded(uint64(money.MaxAmount))) }

func (r *reader) assetID() ledger.AssetID { return ledger.AssetID(r.bounded(uint64(ledger.MaxAsset))) }

func (r *reader) marketID() MarketID { return MarketID(r.bounded(maxMarkets)) }

func (r *reader) text(longest int) string {
	n := int(r.bounded(uint64(longest)))
	if n > len(r.rest) {
		r.fail("it ends too early")
		return ""
	}
	text := string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

func (r *reader) asset() money.Asset {
	return money.Asset{Code: r.text(money.MaxCode), Scale: r.byte()}
}

func (r *reader) decimal() money.Decimal {
	coefficient, size := binary.Varint(r.rest)
	if size <= 0 {
		r.fail("a decimal is cut off or too large")
		return money.Decimal{}
	}
	r.rest = r.rest[size:]
	scale := r.byte()
	if scale > money.MaxScale {
		r.fail("a decimal has too many digits")
		return money.Decimal{}
	}
	return money.NewDecimal(coefficient, scale)
}

func (r *reader) definition() *market.Definition {
	return &market.Definition{
		Symbol:      market.Symbol(r.text(market.MaxSymbol)),
		Base:        r.asset(),
		Quote:       r.asset(),
		TickSize:    r.decimal(),
		LotSize:     r.decimal(),
		MinNotional: r.amount(),
		MakerFee:    money.Rate(r.amount()),
		TakerFee:    money.Rate(r.amount()),
		Protection:  money.Rate(r.amount()),
	}
}
