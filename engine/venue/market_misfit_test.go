package venue

import (
	"errors"
	"slices"
	"testing"

	"bourse/engine/market"
	"bourse/engine/money"
)

// Events of markets that were altered, left out or moved do not fold, or lead to
// a state that Check refuses.
func TestMarketEventsThatDoNotFit(t *testing.T) {
	h := traders(t, 3)
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{ReferencePrice: 100, Breaker: 100_000, BreakerPause: 1000, MinNotional: 1}})
	h.inPhase(market.PreOpen)
	h.must(buy(1, 105, 10))
	h.must(buy(1, 104, 10))
	h.must(sell(2, 100, 15))
	h.must(sell(2, 130, 5))
	prefix := len(h.log)
	// SetRules; the uncrossing, its step; an order that trips; the end of the pause.
	h.must(&SetRules{Symbol: "BTC-USDT", Rules: market.Rules{Breaker: 100_000, BreakerPause: 1000, MinNotional: 1}})
	h.phase(market.Continuous)
	h.must(sell(3, 104, 5))
	h.must(buy(1, 130, 5))
	h.wait(h.now + 1000)
	tail := h.log[prefix:]
	kinds := []Kind{
		RulesSet, AuctionUncrossed, ClockAdvanced, AuctionTraded, AuctionTraded, PhaseChanged,
		OrderPlaced, ReferenceMoved, Traded, OrderPlaced, ReferenceMoved, PhaseChanged, ClockAdvanced, AuctionUncrossed, ClockAdvanced, AuctionTraded, PhaseChanged,
	}
	var got []Kind
	for i := range tail {
		got = append(got, tail[i].Kind)
	}
	if !slices.Equal(got, kinds) {
		t.Fatalf("the events are %v", got)
	}
	without := func(i int) func(Events) Events {
		return func(e Events) Events { return slices.Delete(e, i, i+1) }
	}
	change := func(i int, change func(*Event)) func(Events) Events {
		return func(e Events) Events { change(&e[i]); return e }
	}
	rules := func(spoil func(*market.Rules)) func(Events) Events {
		return change(0, func(ev *Event) {
			r := *ev.Rules
			spoil(&r)
			ev.Rules = &r
		})
	}
	for name, spoil := range map[string]func(Events) Events{
		"no rules":                  change(0, func(ev *Event) { ev.Rules = nil }),
		"rules of no market":        change(0, func(ev *Event) { ev.Market = 9 }),
		"rules out of range":        rules(func(r *market.Rules) { r.Band = money.Whole + 1 }),
		"rules without protection":  rules(func(r *market.Rules) { r.Protection = 0 }),
		"uncrossing of no market":   change(1, func(ev *Event) { ev.Market = 0 }),
		"of an uncrossed one":       change(1, func(ev *Event) { ev.Market = 2 }),
		"to no phase":               change(1, func(ev *Event) { ev.Phase = 0 }),
		"to a phase without":        change(1, func(ev *Event) { ev.Phase = market.Halted }),
		"to the phase that stands":  change(1, func(ev *Event) { ev.Phase = market.PreOpen }),
		"above the best bid":        change(1, func(ev *Event) { ev.Price = 106 }),
		"below the best ask":        change(1, func(ev *Event) { ev.Price = 99 }),
		"of nothing":                change(1, func(ev *Event) { ev.Quantity = 0 }),
		"of more":                   change(1, func(ev *Event) { ev.Quantity++ }),
		"of less":                   change(1, func(ev *Event) { ev.Quantity-- }),
		"twice":                     func(e Events) Events { return slices.Insert(e, 2, e[1]) },
		"never":                     without(1),
		"trade out of order":        change(3, func(ev *Event) { ev.Trade++ }),
		"trade elsewhere":           change(3, func(ev *Event) { ev.Market = 2 }),
		"trade of a taker's side":   change(3, func(ev *Event) { ev.Side = market.Sell }),
		"trade at another price":    change(3, func(ev *Event) { ev.Price-- }),
		"trade of nothing":          change(3, func(ev *Event) { ev.Quantity = 0 }),
		"trade of more":             change(3, func(ev *Event) { ev.Quantity += 5 }),
		"trade of another buyer":    change(3, func(ev *Event) { ev.Order++ }),
		"trade of another seller":   change(3, func(ev *Event) { ev.Maker++ }),
		"trade of another member":   change(3, func(ev *Event) { ev.Member = 2 }),
		"trade with another":        change(3, func(ev *Event) { ev.MakerMember = 1 }),
		"trade of other assets":     change(3, func(ev *Event) { ev.Base, ev.Quote = ev.Quote, ev.Base }),
		"trade for too much":        change(3, func(ev *Event) { ev.Notional *= 100 }),
		"trade with a negative fee": change(3, func(ev *Event) { ev.MakerFee = -1 }),
		"trade that releases less":  change(3, func(ev *Event) { ev.Release-- }),
		"trades exchanged":          func(e Events) Events { e[3], e[4] = e[4], e[3]; return e },
		"trade left out":            without(4),
		"no phase at the end":       without(5),
		"another phase at the end":  change(5, func(ev *Event) { ev.Phase = market.Halted }),
		"reference of no market":    change(7, func(ev *Event) { ev.Market = 0 }),
		"no reference":              change(7, func(ev *Event) { ev.Price = 0 }),
		"reference out of range":    change(7, func(ev *Event) { ev.Price = market.MaxPrice + 1 }),
		"no pause, but crossed":     without(11),
		"pause of no market":        change(11, func(ev *Event) { ev.Market = 0 }),
		"pause that is no phase":    change(11, func(ev *Event) { ev.Phase = 9 }),
		"pause that is over":        change(11, func(ev *Event) { ev.Until = ev.Time }),
		"pause before time":         change(11, func(ev *Event) { ev.Until = -1 }),
		"end of a halt":             change(11, func(ev *Event) { ev.Phase = market.Halted }),
		"draft":                     change(16, func(ev *Event) { ev.Phase = market.Draft }),
	} {
		s := replay(t, h.log[:prefix])
		var err error
		for _, ev := range spoil(slices.Clone(tail)) {
			if err = s.Fold(&ev); err != nil {
				break
			}
		}
		if err == nil {
			err = s.Check()
		}
		if err == nil {
			t.Errorf("%s: folded", name)
		} else if !errors.Is(err, ErrMisfit) {
			t.Logf("%s: %v", name, err)
		}
	}
}
