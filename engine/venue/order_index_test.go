package venue

import (
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/market"
)

// Orders are found as in a map, whether the window still covers them, has left
// them behind or grew on their account, and after a restore.
func TestOrderIndexAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x orderIndex
		want := map[market.OrderID]uint32{}
		var newest market.OrderID
		if rapid.Bool().Draw(t, "restored") {
			newest = market.OrderID(rapid.IntRange(0, 3*largestRecent).Draw(t, "newest"))
			x.follow(newest)
			for range rapid.IntRange(0, 20).Draw(t, "known") {
				id := market.OrderID(rapid.Uint64Range(1, 3*largestRecent).Draw(t, "id"))
				if id <= newest && want[id] == 0 {
					want[id] = uint32(id) + 7
					x.set(id, want[id])
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"place": func(t *rapid.T) {
				n := rapid.SampledFrom([]int{1, 20, smallestRecent, largestRecent / 4}).Draw(t, "how many")
				keep := rapid.SampledFrom([]int{1, 7, 1000}).Draw(t, "keep one of")
				for i := range n {
					newest++
					x.set(newest, uint32(newest)+7)
					if i%keep != 0 || len(want) > 500 {
						x.remove(newest)
					} else {
						want[newest] = uint32(newest) + 7
					}
				}
			},
			"forget": func(t *rapid.T) {
				for id := range want {
					if id%3 == 0 {
						x.remove(id)
						delete(want, id)
					}
				}
			},
			"": func(t *rapid.T) {
				if x.count != len(want) {
					t.Fatalf("%d orders, want %d", x.count, len(want))
				}
				for id, place := range want {
					if got := x.get(id); got != place {
						t.Fatalf("%d is at %d, want %d", id, got, place)
					}
				}
				for range 20 {
					id := market.OrderID(rapid.Uint64Range(0, uint64(newest)+3).Draw(t, "looked up"))
					if got := x.get(id); got != want[id] {
						t.Fatalf("%d is at %d, want %d", id, got, want[id])
					}
				}
			},
		})
	})
}
