package venue

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"bourse/engine/account"
	"bourse/engine/commission"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/risk"
)

const goldenEvents = "testdata/events-2.hex"

// optional is everything, with each part that an event of version 2 may have.
func optional(tb testing.TB) *house {
	tb.Helper()
	h := everything(tb)
	h.must(&SetAgent{Actor: 9, Agent: 24, Parent: 21, Plan: commission.Plan{
		Default: 1000, Markets: []commission.MarketRate{{Symbol: "BTC-USDT", Rate: 2000}, {Symbol: "ETH-USDT", Rate: 3000}},
		Groups: []commission.GroupRate{{Group: 9, Rate: 4000}, {Group: 10, Rate: 5000}},
	}})
	h.must(&SetMember{Actor: 9, Member: 6, Agent: 24, Group: 10, TradeGroup: 5, Freeze: risk.FrozenWholly})
	h.must(&SetLimits{Actor: 9, Scope: risk.OfMember, ID: 6, Limits: risk.Limits{OpenOrders: 5, OrdersPerSecond: 6}})
	h.must(&SetLimits{Actor: 9, Scope: risk.OfHouse, Symbol: "BTC-USDT", Limits: risk.Limits{
		OrderQuantity: 100_000, OrderNotional: 90_000_000, ApprovalNotional: 80_000_000,
		Distance: 900_000, Position: 70_000_000_000, Exposure: 60_000_000,
	}})
	h.must(&SetFees{Actor: 9, Symbol: "BTC-USDT", Group: 10, Tiers: []market.FeeTier{{Volume: 0, Maker: 3, Taker: 4}, {Volume: 100, Maker: 1, Taker: 2}}})
	h.must(&SetRules{Actor: 9, Symbol: "ETH-USDT", Rules: market.Rules{
		ReferencePrice: 77, Band: 990_000, Breaker: 980_000, BreakerWindow: 500, BreakerPause: 600, DayEnd: 700, MinNotional: 2, Protection: 40_000,
	}})
	definition := ethUSDT()
	definition.Symbol, definition.MinNotional, definition.Protection = "ETH2-USDT", 12, 60_000
	h.must(&CreateMarket{Actor: 9, Definition: definition, Phase: market.PreOpen})
	h.must(with(buy(1, 70, 20), func(c *PlaceOrder) { c.PostOnly, c.SelfTrade = true, market.CancelBoth }))
	h.must(with(sell(2, 180, 20), func(c *PlaceOrder) { c.TimeInForce = market.DAY }))
	h.must(&BeginTransfer{
		Actor: 9, Transfer: 600, From: of(21, ledger.Commission), To: of(account.ID(21), ledger.Available), Asset: "USDT", Amount: 1, ExpiresAt: h.now + 1_000_000,
	})
	return h
}

// meaning writes an event with the name of every field that is set, so that no
// field can take the place of another unnoticed.
func meaning(ev *Event) string {
	var b strings.Builder
	describeValue(&b, "", reflect.ValueOf(*ev))
	return strings.TrimSpace(b.String())
}

func describeValue(b *strings.Builder, name string, v reflect.Value) {
	switch {
	case v.IsZero():
	case v.Kind() == reflect.Pointer:
		describeValue(b, name, v.Elem())
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			describeValue(b, fmt.Sprintf("%s[%d]", name, i), v.Index(i))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			describeValue(b, strings.TrimPrefix(name+"."+v.Type().Field(i).Name, "."), v.Field(i))
		}
	case v.CanUint():
		fmt.Fprintf(b, " %s=%d", name, v.Uint())
	case v.CanInt():
		fmt.Fprintf(b, " %s=%d", name, v.Int())
	default:
		fmt.Fprintf(b, " %s=%v", name, v)
	}
}

// Journals of version 2 must be read for ever, too: no line of this file may
// change, and each event means what is written beside it. A kind whose version
// has not gone up since is still written with the same bytes.
func TestJournalsOfVersion2AreRead(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	golden, err := os.ReadFile(goldenEvents)
	if err != nil {
		t.Fatal(err)
	}
	var payload []byte
	var lines [][3]string
	for line := range strings.Lines(string(golden)) {
		parts := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(parts) != 3 {
			t.Fatalf("malformed line %q", line)
		}
		event, err := hex.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		payload = append(payload, event...)
		lines = append(lines, [3]string(parts))
	}
	events, err := decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	s := New()
	for i := range events {
		ev, line := &events[i], lines[i]
		if got := meaning(ev); ev.Kind.String() != line[0] || got != line[2] {
			t.Errorf("line %d is read as %v %s\nand means %s %s", i+1, ev.Kind, got, line[0], line[2])
		}
		was, _ := hex.DecodeString(line[1])
		if now := AppendEvent(nil, ev); versionOf(ev.Kind) == was[0] && !bytes.Equal(now, was) {
			t.Errorf("line %d: %v is written as %x, and was as %s", i+1, ev.Kind, now, line[1])
		}
		if err := s.Fold(ev); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	requireEveryPart(t, events)
}

func writeGolden(t *testing.T) {
	t.Helper()
	var b strings.Builder
	h := optional(t)
	for i := range h.log {
		fmt.Fprintf(&b, "%v %x %s\n", h.log[i].Kind, AppendEvent(nil, &h.log[i]), meaning(&h.log[i]))
	}
	if err := os.WriteFile(goldenEvents, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// requireEveryPart holds that events have every kind, and every field of what
// events are made of.
func requireEveryPart(t *testing.T, events Events) {
	t.Helper()
	kinds, parts := map[Kind]bool{}, map[string]bool{}
	for i := range events {
		kinds[events[i].Kind] = true
		markParts(parts, "Event", reflect.ValueOf(events[i]))
	}
	for k := Kind(1); k < 255; k++ {
		if k.Valid() && !kinds[k] {
			t.Errorf("there is no %v", k)
		}
	}
	for part, set := range parts {
		if !set && part != "Event.Receipt.Repeated" { // which is not kept
			t.Errorf("no event has %s", part)
		}
	}
}

func markParts(parts map[string]bool, name string, v reflect.Value) {
	parts[name] = parts[name] || !v.IsZero()
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		markParts(parts, name, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			markParts(parts, name+"[]", v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			markParts(parts, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	}
}
