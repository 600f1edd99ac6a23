package commission

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

func TestSharesAreLevelDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		fee   money.Amount
		chain []Link
		want  []Share
	}{
		"nobody":           {100, nil, nil},
		"no fee":           {0, []Link{{1, 500_000}}, nil},
		"one":              {101, []Link{{1, 500_000}}, []Share{{1, 50}}},
		"the whole":        {101, []Link{{1, money.Whole}}, []Share{{1, 101}}},
		"differences":      {100, []Link{{1, 200_000}, {2, 350_000}, {3, 300_000}, {4, 360_000}}, []Share{{1, 20}, {2, 15}, {4, 1}}},
		"the same":         {100, []Link{{1, 200_000}, {2, 200_000}}, []Share{{1, 20}}},
		"nothing below":    {100, []Link{{1, 0}, {2, 200_000}}, []Share{{2, 20}}},
		"rounded together": {7, []Link{{1, 100_000}, {2, 300_000}}, []Share{{2, 2}}},
		"less than a unit": {1, []Link{{1, 999_999}}, nil},
		"largest":          {math.MaxInt64, []Link{{1, 999_999}, {2, money.Whole}}, []Share{{1, 9223362813482738952}, {2, 9223372036855}}},
	} {
		if got := AppendShares(nil, c.fee, c.chain); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func drawChain(t *rapid.T) []Link {
	rates := rapid.SliceOfN(rapid.OneOf(
		rapid.Int64Range(0, int64(money.Whole)),
		rapid.Just(int64(money.Whole)), rapid.Just(int64(0)), rapid.Int64Range(0, 9),
	), 0, account.MaxTreeDepth).Draw(t, "rates")
	chain := make([]Link, len(rates))
	for i, r := range rates {
		chain[i] = Link{account.ID(i + 1), money.Rate(r)}
	}
	return chain
}

func sum(shares []Share) (total money.Amount) {
	for _, s := range shares {
		total += s.Amount
	}
	return total
}

// A fee is divided whole: every share is above zero, they and the house's rest
// sum to the fee, the agents up to any point have exactly their largest rate of
// it, and a larger fee never leaves less to them or to the house.
func TestNothingOfAFeeIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fee := money.Amount(rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, math.MaxInt64-1)).Draw(t, "fee"))
		chain := drawChain(t)
		shares := AppendShares(nil, fee, chain)
		var upTo, largest money.Amount
		next := 0
		for _, link := range chain {
			if next < len(shares) && shares[next].Agent == link.Agent {
				if shares[next].Amount <= 0 {
					t.Fatalf("%v gets nothing", shares[next])
				}
				upTo += shares[next].Amount
				next++
			}
			if largest = max(largest, link.Rate.Of(fee)); upTo != largest {
				t.Fatalf("up to agent %d there are %d of %d, want %d", link.Agent, upTo, fee, largest)
			}
		}
		house := fee - sum(shares)
		if next != len(shares) || house < 0 {
			t.Fatalf("%v of %d leave %d to the house", shares, fee, house)
		}
		more := AppendShares(nil, fee+1, chain)
		if grown := sum(more) - sum(shares); grown < 0 || grown > 1 {
			t.Fatalf("one unit more of fee changes the shares by %d", grown)
		}
	})
}

// Another agent at the top of the chain takes from nobody but the house.
func TestAnAgentAboveTakesFromTheHouse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fee := money.Amount(rapid.Int64Range(0, math.MaxInt64).Draw(t, "fee"))
		chain := append(drawChain(t), Link{99, money.Rate(rapid.Int64Range(0, int64(money.Whole)).Draw(t, "above"))})
		below, all := AppendShares(nil, fee, chain[:len(chain)-1]), AppendShares(nil, fee, chain)
		if !slices.Equal(below, all[:len(below)]) {
			t.Fatalf("%v became %v", below, all)
		}
	})
}

func TestPlans(t *testing.T) {
	p := Plan{
		Default: 1,
		Markets: []MarketRate{{"A-B", 2}, {"C-D", 0}},
		Groups:  []GroupRate{{3, 4}, {5, 6}},
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		symbol market.Symbol
		group  uint32
		want   money.Rate
	}{
		{"A-B", 3, 2}, {"C-D", 3, 0}, {"E-F", 3, 4}, {"E-F", 5, 6}, {"E-F", 4, 1}, {"E-F", 0, 1},
	} {
		if got := p.Rate(c.symbol, c.group); got != c.want {
			t.Errorf("the rate of %s for group %d is %d, want %d", c.symbol, c.group, got, c.want)
		}
	}
	copied := p.Clone()
	copied.Markets[0].Rate, copied.Groups[0].Rate = 9, 9
	if p.Markets[0].Rate != 2 || p.Groups[0].Rate != 4 {
		t.Error("a clone shares its lists")
	}
}

func TestPlansThatAreRefused(t *testing.T) {
	var many Plan
	for i := range MaxRates + 1 {
		many.Markets = append(many.Markets, MarketRate{market.Symbol(strconv.Itoa(1000 + i)), 1})
	}
	for name, p := range map[string]Plan{
		"negative":            {Default: -1},
		"more than the whole": {Default: money.Whole + 1},
		"market":              {Markets: []MarketRate{{"a", 1}}},
		"market twice":        {Markets: []MarketRate{{"A", 1}, {"A", 2}}},
		"markets unsorted":    {Markets: []MarketRate{{"B", 1}, {"A", 2}}},
		"market rate":         {Markets: []MarketRate{{"A", money.Whole + 1}}},
		"no group":            {Groups: []GroupRate{{0, 1}}},
		"group twice":         {Groups: []GroupRate{{1, 1}, {1, 1}}},
		"group rate":          {Groups: []GroupRate{{1, -1}}},
		"too many":            many,
	} {
		if err := p.Validate(); fault.CodeOf(err) != fault.InvalidCommission {
			t.Errorf("%s: %v", name, err)
		}
	}
}
