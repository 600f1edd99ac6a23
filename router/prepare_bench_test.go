package router

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"bourse/router/compose"
	"bourse/router/federation"
	"bourse/router/serve"
	"bourse/router/workload"
)

// benchOperation has 60 selections over the four subgraphs of the shop, with the literals written in.
const benchOperation = `query Bench {
  product(id: "%d") { ...P brand { title warehouse products { name count } } reviews(first: %d) { ...R author { ...U } } }
  other: product(id: "other") { ...P reviews(first: 3) { ...R author { ...U } } }
  latest { ...R product { ...P brand { products { ...P } } } }
  search(filter: {max: 3}) { __typename ... on Product { ...P } ... on Brand { title warehouse products { name count } } }
}
fragment U on User { id name email tags }
fragment R on Review { id body stars }
fragment P on Product { id name price weight shipping inStock count score }`

func benchText(n int) string { return fmt.Sprintf(benchOperation, n, n%2+1) }

func benchGateway(b *testing.B) *gateway {
	b.Helper()
	return gatewayOf(load(b, shops[0]), handlers{})
}

func mustPrepare(b *testing.B, g *gateway, text string) {
	if _, refusal := g.Prepare(context.Background(), &serve.Request{Query: text}); refusal != nil {
		b.Fatal(refusal)
	}
}

// BenchmarkPrepareKnownText prepares an operation whose text was seen before.
func BenchmarkPrepareKnownText(b *testing.B) {
	g := benchGateway(b)
	mustPrepare(b, g, benchText(1))
	b.ReportAllocs()
	for b.Loop() {
		mustPrepare(b, g, benchText(1))
	}
}

// BenchmarkPrepareOtherLiterals prepares new texts of a known shape.
func BenchmarkPrepareOtherLiterals(b *testing.B) {
	g := benchGateway(b)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		mustPrepare(b, g, benchText(n))
	}
	if plans := g.ready.plans.kept.Len(); plans != 1 {
		b.Fatalf("%d plans", plans)
	}
}

// BenchmarkPrepareCold prepares operations of new shapes.
func BenchmarkPrepareCold(b *testing.B) {
	g := benchGateway(b)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		mustPrepare(b, g, strings.Replace(benchText(1), "query Bench", fmt.Sprintf("query Bench%d", n), 1))
	}
}

// BenchmarkLoad loads a supergraph of 50 subgraphs with 2,000 types.
func BenchmarkLoad(b *testing.B) {
	var subs []compose.Subgraph
	for _, s := range workload.Subgraphs(workload.Large) {
		subs = append(subs, compose.Subgraph{Name: s.Name, URL: "http://" + s.Name, SDL: s.SDL})
	}
	res, err := compose.Compose(subs, compose.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(res.SupergraphSDL)))
	for b.Loop() {
		if _, err := federation.Load(res.SupergraphSDL); err != nil {
			b.Fatal(err)
		}
	}
}
