package market

import "testing"

// The table of docs/trading-rules.md, section 6: every pair of phases that is
// not here is refused.
func TestEveryPairOfPhases(t *testing.T) {
	ways := map[Phase][]Phase{
		Draft:          {PreOpen, Continuous, Closed},
		PreOpen:        {Continuous, Halted, CancelOnly, Closed},
		Continuous:     {Paused, ClosingAuction, Halted, CancelOnly, Closed},
		Paused:         {Continuous, Halted, CancelOnly, Closed},
		ClosingAuction: {Closed, Halted, CancelOnly},
		Halted:         {Continuous, PreOpen, Paused, Closed, CancelOnly},
		CancelOnly:     {Continuous, PreOpen, Paused, Closed, Halted},
		Closed:         {PreOpen, Continuous},
	}
	for from := Phase(0); from <= Paused+1; from++ {
		for to := Phase(0); to <= Paused+1; to++ {
			want := from == to && from.Valid()
			for _, way := range ways[from] {
				want = want || way == to
			}
			if got := from.CanBecome(to); got != want {
				t.Errorf("%v to %v: %v, want %v", from, to, got, want)
			}
			uncrosses := from != to && (to == Continuous || from == ClosingAuction && to == Closed)
			if want && from.Uncrosses(to) != uncrosses {
				t.Errorf("%v to %v: uncrosses is %v", from, to, !uncrosses)
			}
		}
	}
}

func TestWhatPhasesDo(t *testing.T) {
	for _, c := range []struct {
		phase    Phase
		name     string
		collects bool
		next     Phase
		opens    bool
	}{
		{Continuous, "CONTINUOUS", false, 0, true},
		{Halted, "HALTED", false, 0, false},
		{Draft, "DRAFT", false, 0, true},
		{PreOpen, "PRE_OPEN", true, Continuous, true},
		{CancelOnly, "CANCEL_ONLY", false, 0, false},
		{ClosingAuction, "CLOSING_AUCTION", true, Closed, false},
		{Closed, "CLOSED", false, 0, false},
		{Paused, "PAUSED", true, Continuous, false},
	} {
		next, ok := c.phase.Next()
		if !c.phase.Valid() || c.phase.String() != c.name || c.phase.Collects() != c.collects ||
			next != c.next || ok != (c.next != 0) || c.phase.Opens() != c.opens {
			t.Errorf("%v: collects %v, next %v %v, opens %v", c.phase, c.phase.Collects(), next, ok, c.phase.Opens())
		}
		if ok && !c.phase.CanBecome(next) {
			t.Errorf("%v cannot become %v", c.phase, next)
		}
	}
	if Phase(0).Valid() || Phase(9).Valid() {
		t.Error("there are eight phases")
	}
}
