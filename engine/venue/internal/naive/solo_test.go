package naive

import (
	"maps"
	"slices"
	"testing"

	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// The naive venue keeps what must never be false as well: nobody compares it with a third one.
func TestTheNaiveVenueKeepsItsInvariants(t *testing.T) {
	seen := newCoverage()
	for seed := range uint64(4) {
		v := New()
		s := newStream(seed, v)
		s.longScenes(seed)
		for i := range 10_000 {
			p := s.next()
			for p.at >= v.now && v.Due(p.at) {
				_, effects := v.Step(p.at)
				seen.step(v, effects)
				s.remember(effects)
				v.keepsInvariants(t)
			}
			phases := make([]market.Phase, len(v.markets))
			for i, m := range v.markets {
				phases[i] = m.Phase
			}
			receipt, effects, refusal := v.Apply(p.command, p.at)
			seen.command(v, p.command, refusal, receipt, effects, phases)
			s.remember(effects)
			v.keepsInvariants(t)
			if t.Failed() {
				t.Fatalf("seed %d, command %d: %s", seed, i, tellPlay(p))
			}
		}
	}
	for _, row := range required() {
		if seen.rows[row] == 0 {
			t.Logf("not in this run: %s", row)
		}
	}
}

func (v *Venue) keepsInvariants(t *testing.T) {
	t.Helper()
	sums, holds := map[string]money.Amount{}, map[Account]money.Amount{}
	for at, amount := range v.accounts {
		sums[at.Asset] += amount
		credit := money.Amount(0)
		if at.Kind == ledger.Available {
			credit = v.member(at.Owner).Credit[at.Asset]
		}
		if amount < -credit && !slices.Contains([]ledger.Kind{ledger.Deposits, ledger.Adjustments, ledger.Commission}, at.Kind) {
			t.Errorf("%v has %d", at, amount)
		}
		if at.Kind == ledger.Held {
			holds[at] += amount
		}
	}
	for asset, sum := range sums {
		if sum != 0 {
			t.Errorf("%s sums to %d", asset, sum)
		}
	}
	for _, o := range v.open {
		holds[Account{held(o.Member), heldAsset(o)}] -= o.Held
		if o.Held < 0 || o.Left() <= 0 || o.InBook() && (o.Shown <= 0 || o.Shown > o.Left()) || !o.Status.Live() {
			t.Errorf("order %+v", o)
		}
	}
	for at := range maps.Keys(holds) {
		if holds[at] != 0 {
			t.Errorf("%v is %d more than orders hold", at, holds[at])
		}
	}
	for _, m := range v.markets {
		buy, sell := v.best(m, market.Buy), v.best(m, market.Sell)
		if m.Phase == market.Continuous && m.Uncrossing == nil && buy != 0 && sell != 0 && buy >= sell {
			t.Errorf("the book of %s is crossed", m.Definition.Symbol)
		}
	}
}
