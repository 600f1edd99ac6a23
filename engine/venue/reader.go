package venue

import (
	"encoding/binary"
	"fmt"
	"math"

	"bourse/engine/ledger"
	"bourse/engine/money"
)

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

// signed reads an amount that may be negative.
func (r *reader) signed() money.Amount {
	n, size := binary.Varint(r.rest)
	if size <= 0 || n == math.MinInt64 {
		r.fail("an amount is cut off or too large")
		return 0
	}
	r.rest = r.rest[size:]
	return money.Amount(n)
}

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
