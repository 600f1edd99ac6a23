package bench

import (
	"os"
	"runtime/pprof"
	"strconv"
	"testing"
)

// A start from a small past restores what was, by the way that the figure is taken.
func TestRecover(t *testing.T) {
	o := RecoverOptions{OpenOrders: 500, Records: 2000, Rounds: 2, Progress: func(s string) { t.Log(s) }}
	if n, err := strconv.Atoi(os.Getenv("BOURSE_RECORDS")); err == nil {
		o.OpenOrders, o.Records = 100_000, n
		f, _ := os.Create("/tmp/recover.prof")
		_ = pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	r, err := Recover(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.OpenOrders != o.OpenOrders || r.Start <= 0 || r.FirstOrder < r.Start {
		t.Fatalf("%+v", r)
	}
	t.Logf("%+v", r)
}
