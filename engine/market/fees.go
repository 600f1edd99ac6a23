package market

import (
	"bourse/engine/fault"
	"bourse/engine/money"
)

// FeeTier is the rates of whoever traded at least Volume, in minor units of the
// quote asset, in the 30 days before.
type FeeTier struct {
	Volume money.Amount
	Maker  money.Rate
	Taker  money.Rate
}

// MaxFeeTiers bounds a schedule.
const MaxFeeTiers = 32

// ValidateFees returns INVALID_FEES unless the tiers are a schedule: they begin
// at a volume of zero, volumes rise, and every rate lies between nothing and the
// whole. No tiers are no schedule, which is fine.
func ValidateFees(tiers []FeeTier) error {
	if len(tiers) > MaxFeeTiers {
		return invalidFees("a schedule has at most 32 tiers")
	}
	for i, t := range tiers {
		switch {
		case i == 0 && t.Volume != 0:
			return invalidFees("the first tier begins at a volume of zero")
		case i > 0 && t.Volume <= tiers[i-1].Volume:
			return invalidFees("the volumes of the tiers must rise")
		case t.Maker < 0 || t.Maker > money.Whole || t.Taker < 0 || t.Taker > money.Whole:
			return invalidFees("a fee must lie between 0 and 1,000,000 parts per million")
		}
	}
	return nil
}

func invalidFees(message string) error { return fault.New(fault.InvalidFees, message) }

// Tier returns the last of the tiers whose volume is not above the given one.
// There must be a tier and the volume must not be negative.
func Tier(tiers []FeeTier, volume money.Amount) FeeTier {
	found := tiers[0]
	for _, t := range tiers[1:] {
		if t.Volume > volume {
			break
		}
		found = t
	}
	return found
}
