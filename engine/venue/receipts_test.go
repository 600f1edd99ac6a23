package venue

import (
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/account"
)

// Keys are found as in a map of owners and prints, however many prints share a
// home, a tag, or everything with a key of another actor.
func TestReceiptsAgreeWithAMap(t *testing.T) {
	type key struct {
		owner uint32
		print keyPrint
	}
	low := rapid.OneOf(rapid.Uint64Range(60, 68), rapid.Map(rapid.Uint64Range(0, 3), func(n uint64) uint64 { return n<<32 | 63 }), rapid.Uint64())
	draw := rapid.Custom(func(t *rapid.T) key {
		return key{rapid.Uint32Range(1, 3).Draw(t, "owner"), keyPrint{rapid.Uint64Range(0, 1).Draw(t, "high"), low.Draw(t, "low")}}
	})
	rapid.Check(t, func(t *rapid.T) {
		s := New()
		for id := range 3 {
			s.members.take(account.ID(id + 1))
		}
		places := map[key]uint32{}
		t.Repeat(map[string]func(*rapid.T){
			"remember": func(t *rapid.T) {
				for _, k := range rapid.SliceOfN(draw, 1, 20).Draw(t, "keys") {
					if _, ok := places[k]; ok {
						continue
					}
					s.remember(k.owner, k.print, uint64(len(places)), &Receipt{})
					ring := &s.members.at(k.owner).keys
					places[k] = ring.at(len(ring.places) - 1)
				}
			},
			"forget": func(t *rapid.T) {
				for _, k := range rapid.SliceOfN(draw, 1, 20).Draw(t, "keys") {
					if place, ok := places[k]; ok {
						s.receipts.forget(place)
						delete(places, k)
					}
				}
			},
			"": func(t *rapid.T) {
				if s.receipts.count != len(places) {
					t.Fatalf("%d keys, want %d", s.receipts.count, len(places))
				}
				for k, place := range places {
					if r := s.receipts.find(k.owner, k.print); r == nil || r != s.receipts.at(place) {
						t.Fatalf("%+v is not found", k)
					}
				}
				for _, k := range rapid.SliceOfN(draw, 5, 5).Draw(t, "looked up") {
					if _, ok := places[k]; !ok && s.receipts.find(k.owner, k.print) != nil {
						t.Fatalf("%+v is found", k)
					}
				}
			},
		})
	})
}
