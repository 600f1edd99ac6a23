package bench

import (
	"testing"

	"bourse/router/federation"
	"bourse/router/plan"
	"bourse/router/workload"
)

// What is measured is what is said: 60 selections, all four subgraphs, ever more selections on the curve.
func TestWhatPlanningIsMeasuredOn(t *testing.T) {
	p, err := Plan(t.Context(), Options{Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	if p.Selections != 60 {
		t.Errorf("%d selections", p.Selections)
	}
	for i := 1; i < len(p.Curve); i++ {
		if p.Curve[i].Selections < 2*p.Curve[i-1].Selections-50 {
			t.Errorf("the curve has %d selections after %d", p.Curve[i].Selections, p.Curve[i-1].Selections)
		}
	}
	sdl, err := composed(workload.Shop())
	if err != nil {
		t.Fatal(err)
	}
	sg, err := federation.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := document(sg, workload.ShopOperation)
	if err != nil {
		t.Fatal(err)
	}
	made, err := plan.New(sg, plan.Options{}).Plan(doc, "", plan.Given{})
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, stage := range made.Stages {
		for _, f := range stage {
			asked[f.Subgraph] = true
		}
	}
	if len(asked) != 4 {
		t.Errorf("the plan asks %v", asked)
	}
}

func TestBinaryLogarithms(t *testing.T) {
	for n, want := range map[int]int64{1: 0, 2: 1000, 3: 1584, 1024: 10000, 1500: 10550} {
		if got := log2(n); got < want-1 || got > want+1 {
			t.Errorf("log2(%d) is %d thousandths, want %d", n, got, want)
		}
	}
}
