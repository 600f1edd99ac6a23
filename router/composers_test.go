package router

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"pgregory.net/rapid"

	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/internal/oracle"
	"bourse/router/plan"
)

// TestSupergraphsOfOtherComposersAreServed loads what composers of all ages made of the same subgraphs, and compares answers with those
// of one schema over the same data.
func TestSupergraphsOfOtherComposersAreServed(t *testing.T) {
	const folder = "federation/testdata/composers"
	files, err := filepath.Glob(folder + "/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatal("no supergraphs", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".graphql")
		set, _, _ := strings.Cut(name, "-")
		t.Run(name, func(t *testing.T) {
			sg, graph := load(t, file), subgraphsIn(t, filepath.Join(folder, "subgraphs", set))
			for _, kind := range []ast.Operation{ast.Query, ast.Mutation} {
				if sg.Root(kind) != nil {
					rapid.Check(t, func(t *rapid.T) { answersLikeOneSchema(t, sg, graph, kind) })
				}
			}
		})
	}
}

func subgraphsIn(t testing.TB, folder string) *oracle.Graph {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var sources []oracle.Source
	for _, f := range files {
		sources = append(sources, oracle.Source{Name: strings.TrimSuffix(f.Name(), ".graphql"), SDL: textOf(t, filepath.Join(folder, f.Name()))})
	}
	g, err := oracle.Read(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func answersLikeOneSchema(t *rapid.T, sg *federation.Supergraph, graph *oracle.Graph, kind ast.Operation) {
	data := graph.RandomData(rapid.Uint64().Draw(t, "data"), false)
	op := oracle.RandomOperation(t, sg.API(), kind)
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), op.Text, validationRules())
	if len(errs) > 0 {
		t.Skip("not a valid operation")
	}
	vars, err := validator.VariableValues(sg.API(), doc.Operations[0], op.Vars)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(sg, plan.Options{}).Plan(doc, "", plan.Given{})
	if err != nil {
		t.Fatalf("%v\n%s", err, op.Text)
	}
	subgraphs := data.Serve(nil)
	answer := execute.New(sg, handlers(subgraphs.Handlers()), execute.Options{}).Execute(t.Context(), execute.Input{Plan: p, Variables: vars})
	defer answer.Release()
	one, err := json.Marshal(data.One(sg.API(), doc, "", vars))
	if err != nil {
		t.Fatal(err)
	}
	var got, want oracle.Answer
	if err := json.Unmarshal(answer.JSON(), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(one, &want); err != nil {
		t.Fatal(err)
	}
	if complaints := subgraphs.Complaints(); len(complaints) > 0 || !reflect.DeepEqual(got.Data, want.Data) {
		t.Fatalf("%s\nvariables %v\ngot  %s\nwant %s\n%v\n%s", op.Text, op.Vars, answer.JSON(), one, complaints, p.Text())
	}
}
