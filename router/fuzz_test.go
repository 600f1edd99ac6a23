package router

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/access"
	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/limits"
	"bourse/router/plan"
	"bourse/router/serve"
)

// emptyHanded subgraphs answer everything with the same words.
type emptyHanded string

func (e emptyHanded) Fetch(context.Context, *execute.Request) (*execute.Response, error) {
	return &execute.Response{Status: http.StatusOK, Body: []byte(e)}, nil
}

func (e emptyHanded) Stream(context.Context, *execute.Request) (io.ReadCloser, error) {
	return nil, http.ErrNotSupported
}

func fuzzGateway(tb testing.TB, file string, answer string) *gateway {
	return newGateway(load(tb, file), Options{
		Fetcher: emptyHanded(answer), Introspection: true, Logger: slog.New(slog.DiscardHandler), PlanCacheSize: 100, PlanCacheBytes: 1 << 20,
		Plan: plan.Options{MaxSteps: 20_000}, Limits: limits.Limits{Fields: 500, Tokens: 2_000},
		Rights: func(context.Context, http.Header, []string) access.Rights {
			return access.Rights{Scopes: []string{"email"}}
		},
	})
}

// FuzzRequest goes the whole way with any operation and any variables: limits, validation, lifting, plan, execution, printing. A
// second time nothing may differ.
func FuzzRequest(f *testing.F) {
	for _, text := range []string{
		benchText(1),
		`{ node(id: 1) { ... on Product @include(if: true) { a: reviews(first: 2) { author { name } } } } __schema { types { name } } }`,
		`query Q($a: Int = 3, $s: [String!]) { search(filter: {max: $a}) { ...F @defer(label: "x") } } fragment F on Found { __typename ...F }`,
		`mutation ($p: ID!) { review(product: $p, body: """x""") { product { shipping } } touch }`,
		`{ users { email tax grade seal } media { secret ... on Film { secret } } found { ... on Vault { gold } } }`,
		`subscription { published { views } }`,
		"{ a: product(id: \"\\u00e9\xff\") { id } b: product(id: null) { id } c: product(id: 99999999999) { id } }",
	} {
		f.Add(text, `{"p": "x", "a": 1, "s": ["a"]}`)
	}
	gateways := []*gateway{fuzzGateway(f, shops[0], `{"data":{}}`), fuzzGateway(f, "testdata/protected.graphql", `{"data":{}}`)}
	f.Fuzz(func(t *testing.T, text, variables string) {
		var vars map[string]any
		if json.Unmarshal([]byte(variables), &vars) != nil {
			vars = nil
		}
		for _, g := range gateways {
			req := &serve.Request{Query: text, Variables: vars, Incremental: true}
			op, refusal := g.Prepare(t.Context(), req)
			_, again := g.Prepare(t.Context(), req)
			if !reflect.DeepEqual(refusal, again) {
				t.Fatalf("first %v, then %v", refusal, again)
			}
			if refusal != nil {
				if refusal.Code() == "" || refusal.Errors[0].Message == "" {
					t.Fatalf("refused without a word: %+v", refusal)
				}
				continue
			}
			if op.Kind() == "subscription" {
				continue
			}
			answer := op.Run(t.Context())
			if out := answer.AppendJSON(nil); !json.Valid(out) {
				t.Fatalf("%s gave %s", text, out)
			}
			answer.Release()
		}
	})
}

// FuzzSubgraphAnswers lets subgraphs say anything, to operations with entities, lists, abstract types and denied fields.
func FuzzSubgraphAnswers(f *testing.F) {
	for _, answer := range []string{
		`{"data":{"product":{"__typename":"Product","id":"1"},"search":[{"__typename":"Brand"},{"__typename":"Nothing"},{}],"latest":[[null,1]]}}`,
		`{"data":{"_entities":[{"name":"n"},null,{"__typename":"Product"}]},"errors":[{"message":"m","path":["_entities",0,"name"]}]}`,
		`{"data":{"_entities":[]}}`, `{"data":{"_entities":null}}`, `{"data":{"_e0":[{}],"_e1":[{},{},{}]}}`,
		`{"data":{"users":[{"id":"1","id":"2","name":{"x":1}}],"users":null}}`,
		`{"data":{"users":[{"id":"1"`, `[[[[[[[[[[[[[[`, `{"data":`, `null`, ``, "{\"data\":{\"users\":[{\"name\":\"\xff\xfe\"}]}}", `{"errors":[{}]}`,
		`{"errors":[{"message":1,"path":{},"extensions":[]}],"data":null}`, `{"data":{"media":[{"__typename":"Film","title":[["x"]],"id":1e999}]},"hasNext":true}`,
	} {
		f.Add(answer)
	}
	type asked struct{ file, query string }
	var operations []func(answer string) serve.Operation
	for _, a := range []asked{{shops[0], benchText(1)}, {"testdata/protected.graphql", `{ users { id name email tax } media { __typename title } found { ... on Book { id } } posts { author { tax grade } } }`}} {
		g := fuzzGateway(f, a.file, "")
		op, refusal := g.Prepare(context.Background(), &serve.Request{Query: a.query})
		if refusal != nil {
			f.Fatal(refusal)
		}
		sg, input := g.sg, op.(*operation).input
		operations = append(operations, func(answer string) serve.Operation {
			return &operation{g: &gateway{executor: execute.New(sg, emptyHanded(answer), execute.Options{})}, input: input}
		})
	}
	f.Fuzz(func(t *testing.T, answer string) {
		for _, ask := range operations {
			got := ask(answer).Run(t.Context())
			if out := got.AppendJSON(nil); !json.Valid(out) {
				t.Fatalf("%q gave %s", answer, out)
			}
			got.Release()
		}
	})
}

// FuzzSupergraph serves whatever loads, however it contradicts itself.
func FuzzSupergraph(f *testing.F) {
	files, err := filepath.Glob("federation/testdata/composers/*.graphql")
	if err != nil || len(files) == 0 {
		f.Fatal("no supergraphs", err)
	}
	for _, file := range append(files, "testdata/protected.graphql", shops[0], shops[1]) {
		f.Add(textOf(f, file))
	}
	f.Fuzz(func(t *testing.T, sdl string) {
		sg, err := federation.Load(sdl)
		if err != nil {
			return
		}
		g := newGateway(sg, Options{Fetcher: emptyHanded(`{"data":{}}`), Logger: slog.New(slog.DiscardHandler), Plan: plan.Options{MaxSteps: 20_000}})
		text := everything(sg.API(), sg.API().Query, 4)
		op, refusal := g.Prepare(t.Context(), &serve.Request{Query: text})
		if refusal != nil {
			return
		}
		answer := op.Run(t.Context())
		if out := answer.AppendJSON(nil); !json.Valid(out) {
			t.Fatalf("%s gave %s", text, out)
		}
		answer.Release()
	})
}

// everything selects all fields that need no arguments, to a depth.
func everything(schema *ast.Schema, on *ast.Definition, depth int) string {
	var b strings.Builder
	b.WriteString("{ __typename")
	for _, f := range on.Fields[:min(len(on.Fields), 8)] {
		needs := slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil })
		if needs || strings.HasPrefix(f.Name, "__") {
			continue
		}
		child := schema.Types[f.Type.Name()]
		switch {
		case !child.IsCompositeType():
			b.WriteString(" " + f.Name)
		case depth > 1:
			b.WriteString(" " + f.Name + " " + everything(schema, child, depth-1))
		}
	}
	for _, t := range schema.GetPossibleTypes(on) {
		if on.IsAbstractType() {
			b.WriteString(" ... on " + t.Name + " " + everything(schema, t, depth-1))
		}
	}
	return b.String() + " }"
}
