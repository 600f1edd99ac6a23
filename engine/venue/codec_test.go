package venue

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
)

var update = flag.Bool("update", false, "write the golden files")

// sample is a short history that has every kind of event.
func sample(tb testing.TB) *house {
	tb.Helper()
	h := newHouse(tb)
	h.must(&CreditDeposit{Member: 1, Asset: "USDT", Amount: 1_000_000, Deposit: 70})
	h.deposit(2, "BTC", 1000)
	h.must(sell(2, 100, 5))
	h.must(sell(2, 101, 5))
	h.must(atMarket(buy(1, 0, 30)))
	h.must(buy(1, 10, 30))
	h.must(&SetPhase{Symbol: "ETH-USDT", Phase: market.Halted})
	h.must(buy(1, 11, 30))
	h.must(&CancelOrder{Actor: 1, Order: 4})
	h.must(buy(1, 12, 30))
	h.must(&CancelAll{Actor: 1})
	h.must(buy(1, 13, 30))
	return h
}

// everything is a longer history, which has what version 1 did not know.
func everything(tb testing.TB) *house {
	tb.Helper()
	h := sample(tb)
	h.must(until(buy(1, 14, 30), h.now+1000))
	h.wait(h.now + 1000)
	h.rule()
	trade := h.tradeOnce(4, 3, 100, 20)
	h.must(&BustTrade{Trade: trade})
	h.must(&MakeTransfer{Transfer: 1, From: of(1, ledger.Available), To: of(0, ledger.Adjustments), Asset: "USDT", Amount: 5})
	for id := uint64(2); id <= 4; id++ {
		h.must(&BeginTransfer{
			Transfer: id, From: of(3, ledger.Available), To: of(0, ledger.Deposits), Asset: "USDT", Amount: 100,
			ExpiresAt: h.now + 500,
		})
	}
	h.must(&PostTransfer{Transfer: 2})
	h.must(&VoidTransfer{Transfer: 3})
	h.wait(h.now + 500)
	h.must(&BeginTransfer{Transfer: 5, From: of(3, ledger.Available), To: of(4, ledger.Available), Asset: "USDT", Amount: 7})
	h.tradeOnce(4, 3, 100, 20)
	h.must(&SetPhase{Symbol: "ETH-USDT", Phase: market.Paused, Until: h.now + 1000})
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{ReferencePrice: 20, Breaker: 100_000, BreakerPause: 5000}})
	h.must(sell(2, 20, 5))
	h.must(sell(2, 30, 5))
	h.must(buy(1, 30, 10)) // trips the breaker
	h.wait(h.now + 5000)
	everyOrder(h)
	return h
}

// everyOrder adds what only some orders do.
func everyOrder(h *house) {
	h.tb.Helper()
	for id := account.ID(1); id <= 4; id++ {
		h.must(&CancelAll{Actor: id})
	}
	h.must(&SetRules{Symbol: "BTC-USDT"})
	h.deposit(3, "BTC", 500)
	h.deposit(3, "USDT", 1_000_000)
	h.deposit(2, "USDT", 1_000_000)
	h.tradeOnce(3, 4, 100, 5)
	h.must(iceberg(sell(2, 110, 40), 10))
	h.must(with(buy(2, 110, 15), func(c *PlaceOrder) { c.SelfTrade = market.Decrement }))
	amended := h.must(buy(1, 90, 20)).Order
	h.must(&AmendOrder{Actor: 1, Order: amended, Quantity: 10})
	h.must(&AmendOrder{Actor: 1, Order: amended, Price: 92, Quantity: 12})
	h.must(stop(sell(3, 0, 5), 95))
	h.must(trail(sell(3, 0, 5), 7))
	h.must(&PlaceOCO{Actor: 3, Symbol: "BTC-USDT", Side: market.Sell, Quantity: 20, Price: 130, Trigger: 94, StopPrice: 91})
	h.must(&PlaceBracket{
		Actor: 3, Symbol: "BTC-USDT", Side: market.Buy, Type: market.Limit, Price: 110, Quantity: 8, TakeProfit: 140, StopTrigger: 93,
	})
	h.must(buy(1, 110, 3))
	h.must(sell(2, 92, 6))
	h.must(&CancelFor{Actor: 9, Order: h.must(buy(1, 80, 20)).Order})
	h.must(trail(sell(3, 0, 6), 9))
	h.must(stop(buy(1, 0, 6), 150))
	h.must(&PlaceOCO{Actor: 3, Symbol: "BTC-USDT", Side: market.Sell, Quantity: 20, Price: 131, Trigger: 50})
	h.must(&PlaceBracket{
		Actor: 1, Symbol: "BTC-USDT", Side: market.Buy, Type: market.Limit, Price: 81, Quantity: 8, TakeProfit: 140, StopTrigger: 80,
	})
}

func decode(payload []byte) (events Events, err error) {
	d := NewDecoder(payload)
	for {
		var ev Event
		more, err := d.Next(&ev)
		if err != nil || !more {
			return events, err
		}
		events = append(events, ev)
	}
}

func TestEventsRoundTrip(t *testing.T) {
	h := everything(t)
	kinds := map[Kind]bool{}
	back, err := decode(encode(h.log))
	if err != nil {
		t.Fatal(err)
	}
	if len(back) != len(h.log) {
		t.Fatalf("%d events, want %d", len(back), len(h.log))
	}
	for i := range back {
		kinds[back[i].Kind] = true
		if !reflect.DeepEqual(back[i], h.log[i]) {
			t.Errorf("event %d\n got %+v\nwant %+v", i, back[i], h.log[i])
		}
	}
	for k := Kind(1); k < 255; k++ {
		if k.Valid() && !kinds[k] {
			t.Errorf("the sample has no %v", k)
		}
	}
}

// Journals that were written must be read for ever: no line of this file may
// change, and it leads to the state that the same commands lead to today.
func TestJournalsOfVersion1AreRead(t *testing.T) {
	golden, err := os.ReadFile("testdata/events-1.hex")
	if err != nil {
		t.Fatal(err)
	}
	var payload []byte
	for line := range strings.Lines(string(golden)) {
		event, err := hex.DecodeString(strings.Fields(line)[1])
		if err != nil {
			t.Fatal(err)
		}
		payload = append(payload, event...)
	}
	events, err := decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	s := New()
	for i := range events {
		if err := s.Fold(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if s.Digest() != sample(t).state.Digest() {
		t.Error("the journal of version 1 comes to another state")
	}
}

// Whatever is cut off or altered in a payload, the decoder and the fold return
// errors and do not panic; a cut never passes unnoticed within an event.
func TestDamagedPayloads(t *testing.T) {
	payload := encode(everything(t).log)
	whole, err := decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[int]bool{0: true}
	for i := range whole {
		ends[len(encode(whole[:i+1]))] = true
	}
	for n := range payload {
		if _, err := decode(payload[:n]); (err == nil) != ends[n] {
			t.Fatalf("cut to %d bytes: %v", n, err)
		} else if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	for n := range payload { // one bit of each byte: the fuzzer tries the others
		damaged := append([]byte(nil), payload...)
		damaged[n] ^= 1 << (n % 8)
		foldAll(t, damaged)
	}
}

// foldAll folds what can be decoded until something does not fit. A state that
// took every event must still be sound, or Check must say so.
func foldAll(tb testing.TB, payload []byte) {
	tb.Helper()
	s, d := New(), NewDecoder(payload)
	var ev Event
	for range 1000 {
		more, err := d.Next(&ev)
		if err != nil && !errors.Is(err, ErrMalformed) {
			tb.Fatalf("decoding: %v", err)
		}
		if err != nil || !more {
			break
		}
		if s.Fold(&ev) != nil {
			return
		}
	}
	if s.taking.place != 0 || s.Check() != nil {
		return
	}
	if back, err := Restore(s.AppendSnapshot(nil)); err != nil || back.Digest() != s.Digest() {
		tb.Fatalf("a sound state does not survive its snapshot: %v", err)
	}
}

func TestTheFirstEventMustOpenACommand(t *testing.T) {
	h := everything(t)
	for i := range h.log {
		if !h.log[i].First {
			if _, err := decode(AppendEvent(nil, &h.log[i])); !errors.Is(err, ErrMalformed) {
				t.Errorf("%v alone: %v", h.log[i].Kind, err)
			}
		}
	}
}

func TestDamagedSnapshotsAreRefused(t *testing.T) {
	snapshot := everything(t).state.AppendSnapshot(nil)
	if _, err := Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	for n := range snapshot {
		if _, err := Restore(snapshot[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
		damaged := append([]byte(nil), snapshot...)
		damaged[n] ^= 0x10
		if _, err := Restore(damaged); !errors.Is(err, ErrMalformed) {
			t.Fatalf("byte %d altered: %v", n, err)
		}
	}
	if _, err := Restore(append(snapshot, 0)); !errors.Is(err, ErrMalformed) {
		t.Error("something after the end passed")
	}
}

// A snapshot with a right digest and wrong content, as a faulty program would
// write it, is refused as well and never panics.
func TestForgedSnapshotsAreRefused(t *testing.T) {
	content := everything(t).state.appendState(nil)
	for n := len(snapshotName); n < len(content); n++ {
		forged := append([]byte(nil), content...)
		forged[n] ^= []byte{1, 0x40, 0x80}[n%3]
		restoreForged(t, forged)
	}
}

func restoreForged(tb testing.TB, content []byte) {
	tb.Helper()
	sum := sha256.Sum256(content)
	s, err := Restore(append(content, sum[:]...))
	if err != nil {
		if !errors.Is(err, ErrMalformed) {
			tb.Fatal(err)
		}
		return
	}
	if err := s.Check(); err != nil {
		tb.Fatal(err)
	}
}

func FuzzFold(f *testing.F) {
	payload := encode(everything(f).log)
	f.Add(payload)
	f.Add(payload[:len(payload)/2])
	f.Add([]byte{1, 0x85})
	f.Fuzz(func(t *testing.T, payload []byte) { foldAll(t, payload) })
}

func FuzzRestore(f *testing.F) {
	f.Add(everything(f).state.appendState(nil))
	f.Add(New().appendState(nil))
	f.Fuzz(func(t *testing.T, content []byte) { restoreForged(t, content) })
}
