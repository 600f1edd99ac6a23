package bench

import (
	"encoding/json"
	"testing"
	"time"
)

func TestFiguresAreWrittenWithoutFloats(t *testing.T) {
	for m, want := range map[Milli]string{0: "0", 8: "0.008", 500: "0.5", 1000: "1", 29_370: "29.37", MilliOf(1, 3): "0.333", MilliOf(1, 0): "0"} {
		got, err := json.Marshal(m)
		if err != nil || string(got) != want || m.String() != want {
			t.Errorf("%d is written %s, %v; want %s", int64(m), got, err, want)
		}
	}
	for n, want := range map[int64]string{0: "0 /s", 999: "999 /s", 113_230: "113,230 /s", 2_345_678: "2.34 M/s", 34_060_000: "34.0 M/s"} {
		if got := perSecond(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}

func TestAFigureThatFallsShortIsMarked(t *testing.T) {
	if l := atLeast("", 10, 10, perSecondOf, ""); l.Missed || l.Reach != "≥ 10 /s" {
		t.Errorf("%+v", l)
	}
	if l := atLeast("", 9, 10, perSecondOf, ""); !l.Missed {
		t.Errorf("%+v", l)
	}
	if l := atMost("", 3*time.Millisecond, 2*time.Millisecond, took, ""); !l.Missed || l.Reach != "≤ 2ms" {
		t.Errorf("%+v", l)
	}
}

func perSecondOf(n int) string { return perSecond(int64(n)) }

func TestTheMedianIsOfEachFigure(t *testing.T) {
	rounds := []Rate{{PerSecond: 3, P50: 1}, {PerSecond: 1, P50: 2}, {PerSecond: 2, P50: 3}}
	if r := medianOf(rounds, func(r Rate) int64 { return r.PerSecond }); r != rounds[2] {
		t.Errorf("%+v", r)
	}
	if p := median(rounds, func(r Rate) time.Duration { return r.P50 }); p != 2 {
		t.Errorf("%d", p)
	}
}

// A short round of each benchmark of a house: every order is answered and counted, and what the
// journal wrote is what the file is given.
func TestShortRounds(t *testing.T) {
	o := Options{Round: 300 * time.Millisecond, Rounds: 1, Members: 4, Waiting: 50, Progress: func(s string) { t.Log(s) }}
	d, err := Durable(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if d.PerSecond <= 0 || d.Batches <= 0 || d.BatchOrders <= 0 || d.BatchBytes < 40*d.BatchOrders || d.Commit <= 0 || d.OnFile <= 0 || d.Journal <= 0 || d.File <= 0 || d.Refused != 0 {
		t.Errorf("durable: %+v", d)
	}
	l, err := Latencies(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if l.Answered <= 0 || l.P50 <= 0 || l.P50 > l.P99 || l.P99 > l.Worst || l.Refused != 0 {
		t.Errorf("latency: %+v", l)
	}
}
