package venue

import (
	"math/bits"

	"bourse/engine/account"
	"bourse/engine/money"
)

// mixer folds words into 128 bits by multiply and fold. It is not
// cryptographic and need not be: whoever finds two bodies or two keys that
// collide can only confuse commands of its own, because keys are looked up
// within their actor.
//
// The constants are the fractional parts of square roots of primes; they are
// part of the journal's format and never change.
type mixer struct{ a, b uint64 }

func newMixer(kind uint64) mixer {
	return mixer{0x6a09e667f3bcc908 ^ kind, 0xbb67ae8584caa73b + kind}
}

func (m *mixer) word(w uint64) {
	high, low := bits.Mul64(m.a^w, 0x3c6ef372fe94f82b|1)
	m.a = high ^ low + w
	high, low = bits.Mul64(m.b+w, 0xa54ff53a5f1d36f1|1)
	m.b = bits.RotateLeft64(high^low, 29) ^ m.a
}

func (m *mixer) text(s string) {
	m.word(uint64(len(s)))
	for ; len(s) >= 8; s = s[8:] {
		m.word(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56)
	}
	m.word(short(s))
}

// short returns a text of less than eight bytes as a word, the first byte lowest.
// It reads bytes twice rather than loop or go through memory.
func short(s string) uint64 {
	n := len(s)
	switch {
	case n >= 4:
		first := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
		last := uint64(s[n-4]) | uint64(s[n-3])<<8 | uint64(s[n-2])<<16 | uint64(s[n-1])<<24
		return first | last<<(8*(n-4))
	case n > 0:
		return uint64(s[0]) | uint64(s[n/2])<<(8*(n/2)) | uint64(s[n-1])<<(8*(n-1))
	}
	return 0
}

func (m *mixer) decimal(d money.Decimal) {
	m.word(uint64(d.Coefficient()))
	m.word(uint64(d.Scale()))
}

func (m *mixer) asset(a money.Asset) {
	m.text(a.Code)
	m.word(uint64(a.Scale))
}

func (m *mixer) sum() uint64 {
	m.word(0x510e527fade682d1)
	return m.a ^ m.b
}

// keyPrint stands for an actor's key in the table of receipts.
type keyPrint struct{ high, low uint64 }

func printKey(actor account.ID, key string) keyPrint {
	m := newMixer(0)
	m.text(key)
	m.word(uint64(actor))
	return keyPrint{m.a, m.b}
}

func (c *AddAsset) fingerprint() uint64 {
	m := newMixer(1)
	m.asset(c.Asset)
	return m.sum()
}

func (c *CreateMarket) fingerprint() uint64 {
	m := newMixer(2)
	d := &c.Definition
	m.text(string(d.Symbol))
	m.asset(d.Base)
	m.asset(d.Quote)
	m.decimal(d.TickSize)
	m.decimal(d.LotSize)
	m.word(uint64(d.MinNotional))
	m.word(uint64(d.MakerFee))
	m.word(uint64(d.TakerFee))
	m.word(uint64(d.Protection))
	if c.Phase != 0 {
		m.word(uint64(c.Phase))
	}
	return m.sum()
}

func (c *CreditDeposit) fingerprint() uint64 {
	m := newMixer(4)
	m.word(c.Deposit)
	m.word(uint64(c.Member))
	m.text(c.Asset)
	m.word(uint64(c.Amount))
	return m.sum()
}

func (c *PlaceOrder) fingerprint() uint64 {
	m := newMixer(5)
	m.text(string(c.Symbol))
	m.word(uint64(c.Side) | uint64(c.Type)<<8 | uint64(c.TimeInForce)<<16)
	m.word(uint64(c.Price))
	m.word(uint64(c.Quantity))
	// A plain order has the fingerprint that it had before there were others.
	options := uint64(c.SelfTrade) | bit(c.PostOnly)<<8 | bit(c.Approved)<<9
	if options|uint64(c.QuoteAmount)|uint64(c.Trigger)|uint64(c.Trail)|uint64(c.Display)|uint64(c.ExpiresAt) == 0 {
		return m.sum()
	}
	m.word(options)
	m.word(uint64(c.QuoteAmount))
	m.word(uint64(c.Trigger))
	m.word(uint64(c.Trail))
	m.word(uint64(c.Display))
	m.word(uint64(c.ExpiresAt))
	return m.sum()
}

func (c *CancelOrder) fingerprint() uint64 {
	m := newMixer(6)
	m.word(uint64(c.Order))
	return m.sum()
}

func (c *CancelAll) fingerprint() uint64 {
	m := newMixer(7)
	m.text(string(c.Symbol))
	return m.sum()
}

func (c *PlaceOCO) fingerprint() uint64 {
	m := newMixer(8)
	m.text(string(c.Symbol))
	m.word(uint64(c.Side) | uint64(c.TimeInForce)<<8 | uint64(c.SelfTrade)<<16 | bit(c.Approved)<<24)
	m.word(uint64(c.Quantity))
	m.word(uint64(c.Price))
	m.word(uint64(c.Trigger))
	m.word(uint64(c.StopPrice))
	m.word(uint64(c.ExpiresAt))
	return m.sum()
}

func (c *PlaceBracket) fingerprint() uint64 {
	m := newMixer(9)
	m.text(string(c.Symbol))
	m.word(uint64(c.Side) | uint64(c.Type)<<8 | uint64(c.TimeInForce)<<16 | uint64(c.SelfTrade)<<24 | bit(c.Approved)<<32)
	m.word(uint64(c.Price))
	m.word(uint64(c.Quantity))
	m.word(uint64(c.ExpiresAt))
	m.word(uint64(c.TakeProfit))
	m.word(uint64(c.StopTrigger))
	m.word(uint64(c.StopPrice))
	return m.sum()
}

func (c *AmendOrder) fingerprint() uint64 {
	m := newMixer(10)
	m.word(uint64(c.Order))
	m.word(uint64(c.Price))
	m.word(uint64(c.Quantity))
	return m.sum()
}

func (c *CancelFor) fingerprint() uint64 {
	m := newMixer(11)
	m.word(uint64(c.Order))
	return m.sum()
}

func bit(set bool) uint64 {
	if set {
		return 1
	}
	return 0
}
