package venue

import (
	"slices"
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
					places[k] = ring.at(len(ring.entries) - 1)
				}
			},
			"": func(t *rapid.T) {
				for k, place := range places {
					if r := s.receipts.find(&s.members.at(k.owner).keys, k.print); r == nil || r != s.receipts.at(place) {
						t.Fatalf("%+v is not found", k)
					}
				}
				for _, k := range rapid.SliceOfN(draw, 5, 5).Draw(t, "looked up") {
					if _, ok := places[k]; !ok && s.receipts.find(&s.members.at(k.owner).keys, k.print) != nil {
						t.Fatalf("%+v is found", k)
					}
				}
			},
		})
	})
}

// Whatever is added and removed, in tables so full that keys go by many groups,
// each position is found under its hash, and under no other.
func TestKeyTableForgetsWhatIsRemovedAndNothingElse(t *testing.T) {
	hash := rapid.OneOf(rapid.Uint32Range(0, 8), rapid.Map(rapid.Uint32Range(0, 8), func(n uint32) uint32 { return n<<24 | 3 }), rapid.Uint32())
	rapid.Check(t, func(t *rapid.T) {
		table := keyTable{groups: make([]keyGroup, 4)}
		k := keyRing{entries: make([]keyEntry, 4*groupKeys)}
		var rs receipts
		for i := range k.entries {
			k.entries[i].place = rs.take()
		}
		var used, free []int
		for i := range k.entries {
			free = append(free, i)
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				if len(free) == 0 {
					t.Skip("full")
				}
				i := free[0]
				e := &k.entries[i]
				e.hash = hash.Draw(t, "hash")
				rs.at(e.place).print = keyPrint{high: uint64(i), low: uint64(e.hash)}
				table.add(e.hash, i)
				used, free = append(used, i), free[1:]
			},
			"remove": func(t *rapid.T) {
				if len(used) == 0 {
					t.Skip("empty")
				}
				n := rapid.IntRange(0, len(used)-1).Draw(t, "which")
				table.remove(k.entries[used[n]].hash, used[n])
				free, used = append(free, used[n]), slices.Delete(used, n, n+1)
			},
			"": func(t *rapid.T) {
				k.table = table
				if table.count != len(used) {
					t.Fatalf("%d keys, want %d", table.count, len(used))
				}
				for i := range k.entries {
					want := slices.Contains(used, i)
					r := rs.at(k.entries[i].place)
					if got := rs.find(&k, r.print); (got == r) != want {
						t.Fatalf("position %d is found: %v, want %v", i, got == r, want)
					}
				}
			},
		})
		for _, i := range used {
			table.remove(k.entries[i].hash, i)
		}
		for i := range table.groups {
			if table.groups[i].passed != 0 || table.groups[i].tags != 0 {
				t.Fatal("an empty table is not clean")
			}
		}
	})
}
