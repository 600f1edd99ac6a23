package naive

import (
	"fmt"
	"slices"
	"strings"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// play is a command with the time at which it is given.
type play struct {
	command any // of the venue
	at      Time
}

// duel is the two venues, given the same commands at the same times. A third one only hears the events of the real one, through their
// encoding, and must become the same.
type duel struct {
	naive    *Venue
	real     *venue.State
	mirror   *venue.State
	events   venue.Events
	payload  []byte
	coverage *coverage
	done     int // commands and steps
	thorough int // how many of them between two looks at everything
	heard    func([]Effect)
}

func newDuel(c *coverage) *duel {
	return &duel{naive: New(), real: venue.New(), mirror: venue.New(), coverage: c, thorough: 500}
}

// difference is what the two venues do not agree on, told readably.
type difference struct {
	story string
	class string // differences of one class likely have one cause
}

func (d *difference) Error() string { return d.story }

func differ(format string, args ...any) error {
	return &difference{story: fmt.Sprintf(format, args...), class: format}
}

func classOf(err error) string {
	if d, ok := err.(*difference); ok {
		return d.class
	}
	return ""
}

// play does what is due at the time of the command, then the command.
func (d *duel) play(p play) error {
	if err := d.advance(max(p.at, d.naive.now)); err != nil {
		return err
	}
	d.events = d.events[:0]
	phases := d.phasesBefore()
	got, err := d.real.Apply(p.command.(venue.Command), p.at, &d.events)
	if err != nil && fault.CodeOf(err) == "" {
		return differ("%s\nthe real venue broke: %v", tellPlay(p), err)
	}
	want, effects, refusal := d.naive.Apply(p.command, p.at)
	d.coverage.command(d.naive, p.command, refusal, want, effects, phases)
	d.hear(effects)
	return d.compare(tellPlay(p), got, fault.CodeOf(err), want, refusal, effects)
}

func (d *duel) hear(effects []Effect) {
	if d.heard != nil {
		d.heard(effects)
	}
}

func (d *duel) phasesBefore() []market.Phase {
	phases := make([]market.Phase, len(d.naive.markets))
	for i, m := range d.naive.markets {
		phases[i] = m.Phase
	}
	return phases
}

// advance does, step by step, what is due at a time.
func (d *duel) advance(now Time) error {
	for {
		due, want := d.real.Due(now), d.naive.Due(now)
		if due != want {
			return differ("at %d: something is due: the real venue says %v, the naive one %v", now, due, want)
		}
		if !due {
			return nil
		}
		d.events = d.events[:0]
		got, err := d.real.Advance(now, &d.events)
		if err != nil {
			return differ("advance at %d: the real venue broke: %v", now, err)
		}
		receipt, effects := d.naive.Step(now)
		d.coverage.step(d.naive, effects)
		d.hear(effects)
		if err := d.compare(fmt.Sprintf("advance at %d", now), got, "", receipt, "", effects); err != nil {
			return err
		}
	}
}

// compare holds what came of a command in the two venues against each other.
func (d *duel) compare(what string, got Receipt, code fault.Code, want Receipt, refusal fault.Code, effects []Effect) error {
	if code != refusal {
		return &difference{
			story: fmt.Sprintf("%s\n  real: %s\n naive: %s", what, cmpOr(code), cmpOr(refusal)),
			class: cmpOr(code) + " or " + cmpOr(refusal),
		}
	}
	told := tellAll(d.real, d.events)
	if !slices.Equal(told, effects) {
		return differ("%s\n%s", what, sideBySide(told, effects))
	}
	if got != want {
		return differ("%s\n  real: %+v\n naive: %+v", what, got, want)
	}
	d.payload = d.payload[:0]
	for i := range d.events {
		d.payload = venue.AppendEvent(d.payload, &d.events[i])
	}
	decoder := venue.NewDecoder(d.payload)
	var ev venue.Event
	for {
		more, err := decoder.Next(&ev)
		if err != nil {
			return differ("%s\nan event cannot be read: %v", what, err)
		}
		if !more {
			break
		}
		if err := d.mirror.Fold(&ev); err != nil {
			return differ("%s\nthe replay does not take %v: %v", what, ev.Kind, err)
		}
	}
	if err := d.compareBalances(); err != nil {
		return differ("%s\n%v", what, err)
	}
	if d.done++; d.done%d.thorough == 0 {
		if err := d.compareAll(); err != nil {
			return differ("%s\n%v", what, err)
		}
	}
	return nil
}

func cmpOr(code fault.Code) string {
	if code == "" {
		return "accepted"
	}
	return string(code)
}

func sideBySide(told, effects []Effect) string {
	var b strings.Builder
	for i := range max(len(told), len(effects)) {
		switch {
		case i >= len(told):
			fmt.Fprintf(&b, " naive: %v\n", effects[i])
		case i >= len(effects):
			fmt.Fprintf(&b, "  real: %v\n", told[i])
		case told[i] == effects[i]:
			fmt.Fprintf(&b, "  both: %v\n", told[i])
		default:
			fmt.Fprintf(&b, "  real: %v\n naive: %v\n", told[i], effects[i])
		}
	}
	return b.String()
}

// compareBalances looks at every account that ever was in the naive venue.
func (d *duel) compareBalances() error {
	for at, want := range d.naive.accounts {
		if got := d.balance(at); got != want {
			return differ("%v: real %d, naive %d", at, got, want)
		}
	}
	return nil
}

func (d *duel) balance(at Account) (amount money.Amount) {
	id, _, _ := d.real.AssetByCode(at.Asset)
	return d.real.AccountBalance(at.Account, id)
}

// compareAll looks at everything that can be read, and whether a snapshot and the replay are the same venue.
func (d *duel) compareAll() error {
	if err := d.real.Check(); err != nil {
		return err
	}
	if d.real.Digest() != d.mirror.Digest() {
		return differ("the replay comes to another digest")
	}
	for _, m := range d.naive.markets {
		if err := d.compareMarket(m); err != nil {
			return err
		}
	}
	owners := map[account.ID]bool{}
	for _, want := range d.naive.open {
		owners[want.Member] = true
		got, ok := d.real.Order(want.ID)
		if story := tellOrder(got); !ok || story != spellOrder(want) {
			return differ("order %d\n  real: %s\n naive: %s", want.ID, story, spellOrder(want))
		}
	}
	open := 0
	for owner := range owners {
		open += len(d.real.OpenOrders(owner))
	}
	if open != len(d.naive.open) || d.real.OpenOrderCount() != open {
		return differ("open orders: real %d, naive %d", d.real.OpenOrderCount(), len(d.naive.open))
	}
	return nil
}

// restart goes on with what a snapshot of the real venue holds.
func (d *duel) restart() error {
	again, err := venue.Restore(d.real.AppendSnapshot(nil))
	if err != nil {
		return differ("a snapshot cannot be restored: %v", err)
	}
	if again.Digest() != d.real.Digest() {
		return differ("a restored snapshot has another digest")
	}
	d.real = again
	return nil
}

func (d *duel) compareMarket(m *Market) error {
	got, ok := d.real.Market(m.Definition.Symbol)
	if !ok || got.Phase != m.Phase || got.PhaseEnds != m.PhaseEnds || got.Rules != m.Rules || got.Reference != m.Reference || got.ReferenceAt != m.ReferenceAt || got.OpenOrders != len(d.naive.openIn(m)) {
		return differ("market %s: real %+v, naive %+v", m.Definition.Symbol, got, m)
	}
	depth, _ := d.real.Depth(m.Definition.Symbol, 1<<20)
	for _, side := range []struct {
		side   market.Side
		levels []venue.Level
	}{{market.Buy, depth.Bids}, {market.Sell, depth.Asks}} {
		if want := d.naive.depth(m, side.side); !slices.Equal(side.levels, want) {
			return differ("%s %v depth: real %v, naive %v", m.Definition.Symbol, side.side, side.levels, want)
		}
	}
	last, _ := d.real.LastTrade(m.Definition.Symbol)
	if last.Price != m.Last {
		return differ("%s last price: real %d, naive %d", m.Definition.Symbol, last.Price, m.Last)
	}
	return nil
}

// depth is all that rests on a side, level by level.
func (v *Venue) depth(m *Market, side market.Side) (levels []venue.Level) {
	for _, o := range v.queue(m, side) {
		if n := len(levels); n == 0 || levels[n-1].Price != o.Price {
			levels = append(levels, venue.Level{Price: o.Price})
		}
		level := &levels[len(levels)-1]
		level.Quantity += o.Shown
		level.Orders++
	}
	return levels
}
