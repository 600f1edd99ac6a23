package compose

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"bourse/router/workload"
)

func workloadSubgraphs(size workload.Size) []Subgraph {
	var out []Subgraph
	for _, s := range workload.Subgraphs(size) {
		out = append(out, Subgraph{Name: s.Name, URL: "http://" + s.Name, SDL: s.SDL})
	}
	return out
}

// The graph that the benchmark composes is as large as it says.
func TestWorkloadIsLarge(t *testing.T) {
	res, err := Compose(workloadSubgraphs(workload.Large), Options{})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parser.ParseSchema(&ast.Source{Input: res.APISDL})
	if err != nil {
		t.Fatal(err)
	}
	types := 0
	for _, d := range doc.Definitions {
		if d.Name != "Query" {
			types++
		}
	}
	if types != workload.Large.Types {
		t.Errorf("%d types instead of %d", types, workload.Large.Types)
	}
}

// BenchmarkLarge composes 50 subgraphs with 2,000 types.
func BenchmarkLarge(b *testing.B) {
	subs := workloadSubgraphs(workload.Large)
	for b.Loop() {
		if _, err := Compose(subs, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
