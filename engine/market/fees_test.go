package market

import (
	"testing"

	"bourse/engine/fault"
	"bourse/engine/money"
)

func TestTiers(t *testing.T) {
	tiers := []FeeTier{{0, 10, 20}, {100, 9, 19}, {1000, 0, 18}}
	if err := ValidateFees(tiers); err != nil {
		t.Fatal(err)
	}
	for volume, want := range map[money.Amount]int{0: 0, 99: 0, 100: 1, 999: 1, 1000: 2, money.MaxAmount: 2} {
		if got := Tier(tiers, volume); got != tiers[want] {
			t.Errorf("at a volume of %d the tier is %+v, want %+v", volume, got, tiers[want])
		}
	}
}

func TestFeesThatAreRefused(t *testing.T) {
	if err := ValidateFees(nil); err != nil {
		t.Errorf("no tiers: %v", err)
	}
	for name, tiers := range map[string][]FeeTier{
		"beginning":       {{1, 0, 0}},
		"equal volumes":   {{0, 0, 0}, {5, 0, 0}, {5, 0, 0}},
		"falling volumes": {{0, 0, 0}, {5, 0, 0}, {4, 0, 0}},
		"negative maker":  {{0, -1, 0}},
		"large maker":     {{0, money.Whole + 1, 0}},
		"negative taker":  {{0, 0, -1}},
		"large taker":     {{0, 0, money.Whole + 1}},
		"too many":        make([]FeeTier, MaxFeeTiers+1),
	} {
		if err := ValidateFees(tiers); fault.CodeOf(err) != fault.InvalidFees {
			t.Errorf("%s: %v", name, err)
		}
	}
}
