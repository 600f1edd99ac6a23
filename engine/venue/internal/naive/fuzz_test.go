package naive

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// FuzzCommands takes bytes as the chances of a stream: what they draw is played into both venues. When they run out, they begin again.
func FuzzCommands(f *testing.F) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 7))
		chances := make([]byte, 0, 1024)
		for range 128 {
			chances = binary.LittleEndian.AppendUint64(chances, r.Uint64())
		}
		f.Add(chances)
	}
	f.Fuzz(func(t *testing.T, chances []byte) {
		if len(chances) < 8 {
			return
		}
		d := newDuel(newCoverage())
		s := newStream(0, d.naive)
		d.heard = s.remember
		s.Rand = rand.New(&tape{bytes: chances})
		var plays []play
		for range min(100+len(chances)/4, 2000) {
			p := s.next()
			plays = append(plays, p)
			if err := d.safely(p); err != nil {
				t.Fatalf("%v\n%s", err, reproduction(plays))
			}
		}
		if err := d.compareAll(); err != nil {
			t.Fatal(err)
		}
	})
}

// tape is a source of chance that reads from bytes, over and over, stirred a little more each time round.
type tape struct {
	bytes []byte
	at    int
	round uint64
}

func (t *tape) Uint64() uint64 {
	if t.at+8 > len(t.bytes) {
		t.at = 0
		t.round++
	}
	x := binary.LittleEndian.Uint64(t.bytes[t.at:])
	t.at += 8
	return x ^ t.round*0x9e3779b97f4a7c15
}
