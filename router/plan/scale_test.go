package plan

import (
	"fmt"
	"strings"
	"testing"
)

// shape makes operations of n selections that grow in one direction.
type shape struct {
	name  string
	types int // implementers of the interface
	make  func(n int) string
}

var shapes = []shape{
	{"aliases of one field", 20, func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d: note", i)
		}
		return "{ node {" + b.String() + " } }"
	}},
	{"aliases of one object", 20, func(n int) string {
		var b strings.Builder
		for i := range n / 2 {
			fmt.Fprintf(&b, " a%d: next { title }", i)
		}
		return "{ node {" + b.String() + " } }"
	}},
	{"aliases of one object with hops", 20, func(n int) string {
		var b strings.Builder
		for i := range n / 2 {
			fmt.Fprintf(&b, " a%d: next { note }", i)
		}
		return "{ node {" + b.String() + " } }"
	}},
	{"root aliases", 20, func(n int) string {
		var b strings.Builder
		for i := range n / 2 {
			fmt.Fprintf(&b, " a%d: node { note }", i)
		}
		return "{" + b.String() + " }"
	}},
	{"depth", 20, func(n int) string {
		return "{ node { " + strings.Repeat("title note next { ", n/3) + "id" + strings.Repeat(" }", n/3) + " } }"
	}},
	{"levels of every type", 20, func(n int) string { return chained(20, n/24) }},
	{"fragments", 20, func(n int) string {
		var b, defs strings.Builder
		for i := range n / 3 {
			fmt.Fprintf(&b, " ...F%d", i)
			fmt.Fprintf(&defs, " fragment F%d on T%d { a%d: own%d }", i, i%20, i, i%20)
		}
		return "{ node {" + b.String() + " } }" + defs.String()
	}},
	{"levels of every type of sixty", 60, func(n int) string { return chained(60, n/64) }},
}

// planned makes the plan of an operation ready to be measured.
func planned(tb testing.TB, s shape, n int) func() {
	sg := wide(tb, s.types)
	doc := parse(tb, sg, s.make(n))
	planner := New(sg, Options{MaxSteps: 10_000_000})
	return func() {
		if _, err := planner.Plan(doc, "", Given{}); err != nil {
			tb.Fatal(err)
		}
	}
}

// TestPlanningGrowsWithTheOperation keeps planning from growing faster than operations, in whichever direction they grow. It
// goes by allocations, which are the same on every machine.
func TestPlanningGrowsWithTheOperation(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			once, twice := testing.AllocsPerRun(1, planned(t, s, 400)), testing.AllocsPerRun(1, planned(t, s, 800))
			if twice > once*23/10 {
				t.Errorf("400 selections: %.0f allocations, 800: %.0f", once, twice)
			}
		})
	}
}

// BenchmarkPlanInterfaces shows the curves over an interface with 20 implementers.
func BenchmarkPlanInterfaces(b *testing.B) {
	for _, s := range shapes {
		for n := 125; n <= 1000; n *= 2 {
			b.Run(fmt.Sprintf("%s/n=%d", strings.ReplaceAll(s.name, " ", "-"), n), func(b *testing.B) {
				plan := planned(b, s, n)
				b.ReportAllocs()
				for b.Loop() {
					plan()
				}
			})
		}
	}
}
