package execute_test

import (
	"context"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"

	"bourse/router/execute"
	"bourse/router/plan"
)

// TestOnePlanRunsManyTimesAtOnce shares one plan between requests with different variables, contexts among its entries: nothing
// of a request stays in it.
func TestOnePlanRunsManyTimesAtOnce(t *testing.T) {
	f := readFixture(t, "testdata/fixtures/context_arguments.txt")
	w := f.world(t, f.supergraph(t), f.sources(t))
	doc, errs := gqlparser.LoadQueryWithRules(w.sg.API(), `query ($c: Boolean!, $d: Int) { desks { trades { id price(digits: $d) @include(if: $c) } } }`, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p, err := plan.New(w.sg, plan.Options{}).Plan(doc, "", plan.Given{})
	if err != nil {
		t.Fatal(err)
	}
	subgraphs := w.data.Serve(nil)
	e := execute.New(w.sg, inProcess(subgraphs.Handlers()), execute.Options{})
	run := func(i int) string {
		r := e.Execute(context.Background(), execute.Input{Plan: p, Variables: map[string]any{"c": i%2 == 0, "d": i % 3}})
		defer r.Release()
		return string(r.JSON())
	}
	var want [6]string
	for i := range want {
		want[i] = run(i)
	}
	before := p.Text()
	var all sync.WaitGroup
	for g := range 6 {
		all.Go(func() {
			for i := range 30 {
				if got := run(g + i); got != want[(g+i)%6] {
					t.Errorf("%d: got %s, want %s", (g+i)%6, got, want[(g+i)%6])
				}
			}
		})
	}
	all.Wait()
	if p.Text() != before || want[0] == want[1] {
		t.Error("the plan changed, or its variables mean nothing")
	}
}
