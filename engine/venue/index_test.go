package venue

import (
	"testing"

	"pgregory.net/rapid"
)

func TestIndexAgreesWithAMap(t *testing.T) {
	// Keys that share a home and wrap around the end are drawn often.
	key := rapid.OneOf(rapid.Uint64Range(0, 40), rapid.Uint64(), rapid.SampledFrom(colliding()))
	rapid.Check(t, func(t *rapid.T) {
		var x index
		want := map[uint64]uint32{}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				for _, k := range rapid.SliceOfN(key, 1, 20).Draw(t, "keys") {
					place := rapid.Uint32Min(1).Draw(t, "place")
					if before := x.set(k, place); before != want[k] {
						t.Fatalf("%d was at %d, want %d", k, before, want[k])
					}
					want[k] = place
				}
			},
			"remove": func(t *rapid.T) {
				for _, k := range rapid.SliceOfN(key, 1, 20).Draw(t, "keys") {
					x.remove(k)
					delete(want, k)
				}
			},
			"": func(t *rapid.T) {
				if x.count != len(want) {
					t.Fatalf("%d keys, want %d", x.count, len(want))
				}
				for k, place := range want {
					if got := x.get(k); got != place {
						t.Fatalf("%d is at %d, want %d", k, got, place)
					}
				}
				for _, k := range rapid.SliceOfN(key, 5, 5).Draw(t, "looked up") {
					if got := x.get(k); got != want[k] {
						t.Fatalf("%d is at %d, want %d", k, got, want[k])
					}
				}
			},
		})
	})
}

// colliding returns keys whose home in a small index is one of the last places.
func colliding() (keys []uint64) {
	x := index{shift: 58} // of 64 entries
	for k := uint64(0); len(keys) < 16; k++ {
		if x.home(k) >= 61 {
			keys = append(keys, k)
		}
	}
	return keys
}
