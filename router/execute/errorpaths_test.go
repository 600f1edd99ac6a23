package execute_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
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

// TestErrorPathsAreThoseOfOneSchema compares where errors are told: at every field that failed, in the client's terms, and
// nowhere else.
func TestErrorPathsAreThoseOfOneSchema(t *testing.T) {
	files, err := filepath.Glob("testdata/supergraphs/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatal("no supergraphs", err)
	}
	for _, file := range files {
		sg, g := loadFile(t, file)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".graphql"), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkErrorPaths(t, sg, g) })
		})
	}
}

func checkErrorPaths(t *rapid.T, sg *federation.Supergraph, g *oracle.Graph) {
	data := g.RandomData(rapid.Uint64().Draw(t, "data"), true)
	op := oracle.RandomOperation(t, sg.API(), ast.Query)
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), op.Text, nil)
	if len(errs) > 0 {
		t.Skip("not a valid operation")
	}
	vars, err := validator.VariableValues(sg.API(), doc.Operations[0], op.Vars)
	if err != nil {
		t.Fatalf("variables: %v", err)
	}
	p, err := plan.New(sg, plan.Options{}).Plan(doc, "", plan.Given{})
	if err != nil {
		t.Fatalf("plan: %v\n%s", err, op.Text)
	}
	subgraphs := data.Serve(nil)
	r := execute.New(sg, inProcess(subgraphs.Handlers()), execute.Options{}).Execute(context.Background(), execute.Input{Plan: p, Variables: vars})
	defer r.Release()
	one := data.One(sg.API(), doc, "", vars)
	var got oracle.Answer
	if err := json.Unmarshal(r.JSON(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Errors) >= 200 {
		t.Skip("there are more errors than an answer tells")
	}
	want := plain(one)
	if a, b := pathSet(want), pathSet(got); !slices.Equal(a, b) {
		text, _ := json.Marshal(one)
		t.Fatalf("errors at\n%s\ninstead of\n%s\noperation: %s\nvariables: %v\nwant: %s\ngot:  %s\n%s",
			strings.Join(b, "\n"), strings.Join(a, "\n"), op.Text, op.Vars, text, r.JSON(), p.Text())
	}
}

// pathSet has for each error the null that it stands for: below a null, an executor may tell of one error or of several
// (GraphQL, section 6.4.4).
func pathSet(a oracle.Answer) []string {
	var out []string
	for _, e := range a.Errors {
		out = append(out, fmt.Sprint(nullOn(a.Data, e.Path)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
