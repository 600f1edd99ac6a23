package market

import (
	"testing"

	"bourse/engine/fault"
	"bourse/engine/money"
)

func TestRulesOfADefinition(t *testing.T) {
	d := bitcoin()
	if r := d.Rules(); r != (Rules{MinNotional: 5_000_000, Protection: DefaultProtection}) {
		t.Errorf("rules are %+v", r)
	}
	d.Protection = 7
	r := d.Rules()
	terms, _ := d.Terms()
	before := terms
	if terms.Apply(&r); terms != before {
		t.Errorf("the definition's own rules change its terms to %+v", terms)
	}
	r.MinNotional, r.Protection = 1, 2
	if terms.Apply(&r); terms.MinNotional != 1 || terms.Protection != 2 || terms.TakerFee != before.TakerFee {
		t.Errorf("terms are %+v", terms)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*Rules)
		fine  bool
	}{
		"nothing":            {func(*Rules) {}, true},
		"largest reference":  {func(r *Rules) { r.ReferencePrice = MaxPrice }, true},
		"beyond it":          {func(r *Rules) { r.ReferencePrice = MaxPrice + 1 }, false},
		"negative reference": {func(r *Rules) { r.ReferencePrice = -1 }, false},
		"whole band":         {func(r *Rules) { r.Band = money.Whole }, true},
		"wider band":         {func(r *Rules) { r.Band = money.Whole + 1 }, false},
		"negative band":      {func(r *Rules) { r.Band = -1 }, false},
		"whole breaker":      {func(r *Rules) { r.Breaker = money.Whole }, true},
		"wider breaker":      {func(r *Rules) { r.Breaker = money.Whole + 1 }, false},
		"negative breaker":   {func(r *Rules) { r.Breaker = -1 }, false},
		"no pause":           {func(r *Rules) { r.BreakerPause = 0 }, false},
		"neither":            {func(r *Rules) { r.Breaker, r.BreakerPause = 0, 0 }, true},
		"shortest pause":     {func(r *Rules) { r.BreakerPause = 1 }, true},
		"longest pause":      {func(r *Rules) { r.BreakerPause = MaxBreakerTime }, true},
		"longer pause":       {func(r *Rules) { r.BreakerPause = MaxBreakerTime + 1 }, false},
		"negative pause":     {func(r *Rules) { r.BreakerPause = -1 }, false},
		"no window":          {func(r *Rules) { r.BreakerWindow = 0 }, true},
		"longest window":     {func(r *Rules) { r.BreakerWindow = MaxBreakerTime }, true},
		"longer window":      {func(r *Rules) { r.BreakerWindow = MaxBreakerTime + 1 }, false},
		"negative window":    {func(r *Rules) { r.BreakerWindow = -1 }, false},
		"last end of day":    {func(r *Rules) { r.DayEnd = Day - 1 }, true},
		"no end of day":      {func(r *Rules) { r.DayEnd = Day }, false},
		"negative day":       {func(r *Rules) { r.DayEnd = -1 }, false},
		"negative notional":  {func(r *Rules) { r.MinNotional = -1 }, false},
		"whole protection":   {func(r *Rules) { r.Protection = MaxProtection }, true},
		"wider protection":   {func(r *Rules) { r.Protection = MaxProtection + 1 }, false},
		"negative one":       {func(r *Rules) { r.Protection = -1 }, false},
	} {
		r := Rules{ReferencePrice: 100, Band: 1, Breaker: 1, BreakerWindow: 1, BreakerPause: 1, DayEnd: 1, MinNotional: 1, Protection: 1}
		c.spoil(&r)
		checked, err := r.Checked()
		if (err == nil) != c.fine || err != nil && fault.CodeOf(err) != fault.InvalidMarket {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && checked != r {
			t.Errorf("%s: checked to %+v", name, checked)
		}
	}
	if r, err := (Rules{}).Checked(); err != nil || r.Protection != DefaultProtection {
		t.Errorf("no protection: %+v, %v", r, err)
	}
}

func TestAround(t *testing.T) {
	for _, c := range []struct {
		centre    Price
		rate      money.Rate
		low, high Price
	}{
		{100, 0, 100, 100},
		{100, 9_999, 100, 100}, // rounded down
		{100, 10_000, 99, 101},
		{101, 99_000, 92, 110}, // 9.999
		{1, money.Whole - 1, 1, 1},
		{1, money.Whole, 0, 2},
		{MaxPrice, money.Whole, 0, 2 * MaxPrice},
		{MaxPrice, 1, MaxPrice - 1_125_899_906, MaxPrice + 1_125_899_906},
	} {
		got := Around(c.centre, c.rate)
		if got != (Corridor{c.low, c.high}) {
			t.Errorf("around %d by %d: %+v", c.centre, c.rate, got)
		}
		if !got.Holds(c.low) || !got.Holds(c.high) || got.Holds(c.low-1) || got.Holds(c.high+1) {
			t.Errorf("around %d by %d: the edges are wrong", c.centre, c.rate)
		}
	}
}
