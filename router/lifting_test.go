package router

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"pgregory.net/rapid"

	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/internal/oracle"
	"bourse/router/plan"
	"bourse/router/serve"
)

// handlers are subgraphs in this process, by name.
type handlers map[string]http.Handler

func (h handlers) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	w := httptest.NewRecorder()
	h[req.Subgraph].ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(req.Body)))
	return &execute.Response{Status: w.Code, Body: w.Body.Bytes()}, nil
}

func (h handlers) Stream(context.Context, *execute.Request) (io.ReadCloser, error) {
	return nil, http.ErrNotSupported
}

func load(t testing.TB, file string) *federation.Supergraph {
	t.Helper()
	sg, err := federation.Load(textOf(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

func textOf(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dataFor makes data for the subgraphs that a supergraph could have come from.
func dataFor(t testing.TB, supergraph string) *oracle.Graph {
	t.Helper()
	sources, err := oracle.Derive(supergraph)
	if err != nil {
		t.Fatal(err)
	}
	g, err := oracle.Read(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func gatewayOf(sg *federation.Supergraph, f FetcherWithStream) *gateway {
	return newGateway(sg, Options{Fetcher: f, Introspection: true, Logger: slog.New(slog.DiscardHandler)})
}

var shops = []string{"execute/testdata/supergraphs/shop.graphql", "execute/testdata/supergraphs/media.graphql"}

// TestLiftingChangesNoAnswer: an operation is answered as it is without a cache and with its literals where they were, be it the
// first of its shape or another.
func TestLiftingChangesNoAnswer(t *testing.T) {
	for _, file := range shops {
		sg := load(t, file)
		planner, graph := plan.New(sg, plan.Options{}), dataFor(t, textOf(t, file))
		t.Run(file, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				subgraphs := graph.RandomData(rapid.Uint64().Draw(t, "data"), false).Serve(nil)
				g := gatewayOf(sg, handlers(subgraphs.Handlers()))
				op := oracle.RandomOperation(t, sg.API(), ast.Query)
				for i, text := range []string{op.Text, otherLiterals(op.Text, rapid.Uint64().Draw(t, "other"))} {
					doc, errs := gqlparser.LoadQueryWithRules(sg.API(), text, validationRules())
					prepared, refusal := g.Prepare(context.Background(), &serve.Request{Query: text, Variables: overJSON(t, op.Vars)})
					if (refusal != nil) != (len(errs) > 0) {
						t.Fatalf("text %d: refusal %v, validation %v\n%s", i, refusal, errs, text)
					}
					if refusal != nil {
						continue
					}
					vars, err := validator.VariableValues(sg.API(), doc.Operations[0], overJSON(t, op.Vars))
					if err != nil {
						t.Fatal(err)
					}
					p, err := planner.Plan(doc, "", plan.Given{})
					if err != nil {
						t.Fatal(err)
					}
					want := g.executor.Execute(context.Background(), execute.Input{Plan: p, Variables: vars})
					got := prepared.Run(context.Background())
					if g, w := string(got.AppendJSON(nil)), string(want.JSON()); g != w {
						t.Fatalf("text %d\n%s\nlifted:  %s\nas it is: %s", i, text, g, w)
					}
				}
			})
		})
	}
}

func overJSON(t *rapid.T, vars map[string]any) map[string]any {
	text, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	out := map[string]any{}
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

var literal = regexp.MustCompile(`: ?("[^"]*"|-?\d+(\.\d+)?|true|false|null|[A-Z_]+)([,)}\] ])`)

// otherLiterals replaces some literals by others, some of which do not fit.
func otherLiterals(text string, seed uint64) string {
	others := []string{`1`, `2`, `"x"`, `"y"`, `true`, `null`, `1.5`, `99999999999`, `RED`, `[1]`, `{}`}
	return literal.ReplaceAllStringFunc(text, func(found string) string {
		seed = seed*6364136223846793005 + 1442695040888963407
		if seed>>60 < 9 {
			return found
		}
		return ": " + others[(seed>>32)%uint64(len(others))] + found[len(found)-1:]
	})
}

// TestKnownShapesRefuseLikeNewOnes: literals that do not fit are told in the same words and at the same places whether the shape was
// validated before or not.
func TestKnownShapesRefuseLikeNewOnes(t *testing.T) {
	sg := load(t, shops[0])
	rapid.Check(t, func(t *rapid.T) {
		warm := gatewayOf(sg, handlers{})
		op := oracle.RandomOperation(t, sg.API(), ast.Query)
		_, _ = warm.Prepare(context.Background(), &serve.Request{Query: op.Text, Variables: overJSON(t, op.Vars)})
		for range 3 {
			text := otherLiterals(op.Text, rapid.Uint64().Draw(t, "other"))
			req := &serve.Request{Query: text, Variables: overJSON(t, op.Vars)}
			_, got := warm.Prepare(context.Background(), req)
			_, want := gatewayOf(sg, handlers{}).Prepare(context.Background(), req)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s\nwarm: %v\ncold: %v", text, got, want)
			}
		}
	})
}
