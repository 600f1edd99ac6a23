package w1

import (
	"encoding/hex"
	"testing"
)

func TestStandardStreamIsTheOneThatEnginesAreComparedOn(t *testing.T) {
	s := Standard()
	sum := s.Sum()
	if got := hex.EncodeToString(sum[:]); got != Digest {
		t.Errorf("the stream's digest is %s, want %s", got, Digest)
	}
	if s.Totals != StandardTotals {
		t.Errorf("totals are %+v, want %+v", s.Totals, StandardTotals)
	}
}
