package execute_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"

	"bourse/router/execute"
	"bourse/router/plan"
)

// bigOperation has about 60 selections over the four subgraphs of the shop.
const bigOperation = `query Big {
  users(first: 5) { ...U reviews { ...R product { ...P reviews(first: 3) { ...R author { ...U reviews { ...R product { ...P } } } } } } }
  top(first: 5) { ...P brand { title warehouse } related { ...P } reviews(first: 2) { ...R author { ...U favourite { ...P } } } }
  latest { ...R product { ...P brand { products { ...P } } } }
  search(filter: {max: 3}) { __typename ... on Product { ...P } ... on Brand { title warehouse products { name count } } }
}
fragment U on User { id name email tags }
fragment R on Review { id body stars }
fragment P on Product { id name price weight shipping inStock count score }
`

// BenchmarkPlanSixty plans that operation cold.
func BenchmarkPlanSixty(b *testing.B) {
	sg, _ := loadFile(b, "testdata/supergraphs/shop.graphql")
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), bigOperation, nil)
	if len(errs) > 0 {
		b.Fatal(errs)
	}
	planner := plan.New(sg, plan.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := planner.Plan(doc, "", plan.Given{}); err != nil {
			b.Fatal(err)
		}
	}
}

// replay answers from what it was given, so that only the executor's own work is measured.
type replay map[string][]byte

func (r replay) Fetch(_ context.Context, req *execute.Request) (*execute.Response, error) {
	return &execute.Response{Status: 200, Body: r[req.Subgraph]}, nil
}

func BenchmarkExecute(b *testing.B) {
	sg := load(b, peopleSDL)
	in := planFor(b, sg, `{ people { id name age nick } }`, nil)
	const n = 500
	people := make([]map[string]any, n)
	entities := make([]map[string]any, n/10)
	for i := range people {
		people[i] = map[string]any{"id": fmt.Sprint(i % len(entities)), "name": strings.Repeat("name ", 20)}
	}
	for i := range entities {
		entities[i] = map[string]any{"age": i, "nick": "nick"}
	}
	answer := func(field string, v any) []byte {
		text, err := json.Marshal(map[string]any{"data": map[string]any{field: v}})
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	e := execute.New(sg, replay{"a": answer("people", people), "b": answer("_entities", entities)}, execute.Options{})
	b.ReportAllocs()
	for b.Loop() {
		r := e.Execute(context.Background(), in)
		if r.HasErrors() {
			b.Fatal(string(r.JSON()))
		}
		b.SetBytes(int64(len(r.JSON())))
		r.Release()
	}
}
