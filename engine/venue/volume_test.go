package venue

import (
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/ledger"
	"bourse/engine/money"
)

// Whatever is counted and taken back, in whatever order assets and days come,
// what decides on fees is what a table of days says.
func TestVolumesAgreeWithATable(t *testing.T) {
	type at struct {
		asset ledger.AssetID
		day   int64
	}
	rapid.Check(t, func(t *rapid.T) {
		var v volumes
		table := map[at]money.Amount{}
		today := rapid.Int64Range(0, 40).Draw(t, "first day")
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			asset := ledger.AssetID(rapid.IntRange(1, 2).Draw(t, "asset"))
			amount := money.Amount(rapid.OneOf(rapid.Int64Range(1, 100), rapid.Just(int64(money.MaxAmount))).Draw(t, "amount"))
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				today += rapid.Int64Range(0, 40).Draw(t, "days")
			case 1:
				day := max(today-rapid.Int64Range(0, 35).Draw(t, "days ago"), 0)
				v.takeBack(asset, day, today, amount)
				if day >= today-volumeDays {
					table[at{asset, day}] = max(table[at{asset, day}]-amount, 0)
				}
			default:
				v.count(asset, today, amount)
				table[at{asset, today}] = saturated(table[at{asset, today}], amount)
			}
			want := map[at]money.Amount{}
			for asset := ledger.AssetID(1); asset <= 2; asset++ {
				var sum money.Amount
				for day := today - volumeDays; day <= today; day++ {
					if amount := table[at{asset, day}]; amount != 0 {
						want[at{asset, day}] = amount
						if day < today {
							sum = saturated(sum, amount)
						}
					}
				}
				if got := v.before(asset, today); got != sum {
					t.Fatalf("before day %d there are %d of asset %d, want %d", today, got, asset, sum)
				}
			}
			for _, d := range v.list(today) {
				if want[at{d.asset, d.day}] != d.amount {
					t.Fatalf("day %d has %d of asset %d, want %d", d.day, d.amount, d.asset, want[at{d.asset, d.day}])
				}
				delete(want, at{d.asset, d.day})
			}
			if len(want) > 0 {
				t.Fatalf("of day %d these are missing: %v", today, want)
			}
		}
	})
}
