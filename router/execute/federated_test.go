package execute_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
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

// TestFederatedEqualsOneSchema is the property that the router stands by: whatever the data and the operation,
// the federated answer is that of one schema over the same data.
func TestFederatedEqualsOneSchema(t *testing.T) {
	files, err := filepath.Glob("testdata/supergraphs/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatal("no supergraphs", err)
	}
	for _, file := range files {
		sg, g := loadFile(t, file)
		name := strings.TrimSuffix(filepath.Base(file), ".graphql")
		for _, failures := range []bool{false, true} {
			label := name
			if failures {
				label += " with failures"
			}
			t.Run(label, func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) { checkOne(t, sg, g, ast.Query, failures) })
			})
		}
		if sg.API().Mutation != nil {
			t.Run(name+" mutations", func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) { checkOne(t, sg, g, ast.Mutation, false) })
			})
		}
	}
}

// inProcess calls handlers by subgraph name.
type inProcess map[string]http.Handler

func (p inProcess) Fetch(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	w := httptest.NewRecorder()
	p[req.Subgraph].ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(req.Body)))
	return &execute.Response{Status: w.Code, Body: w.Body.Bytes()}, nil
}

func loadFile(t testing.TB, file string) (*federation.Supergraph, *oracle.Graph) {
	t.Helper()
	sdl, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sg, err := federation.Load(string(sdl))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	sources, err := oracle.Derive(string(sdl))
	if err != nil {
		t.Fatal(err)
	}
	g, err := oracle.Read(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return sg, g
}

func checkOne(t *rapid.T, sg *federation.Supergraph, g *oracle.Graph, kind ast.Operation, failures bool) {
	data := g.RandomData(rapid.Uint64().Draw(t, "data"), failures)
	op := oracle.RandomOperation(t, sg.API(), kind)
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
	e := execute.New(sg, inProcess(subgraphs.Handlers()), execute.Options{})
	r := e.Execute(context.Background(), execute.Input{Plan: p, Variables: vars})
	defer r.Release()
	compare(t, op, p, data.One(sg.API(), doc, "", vars), r.JSON(), subgraphs)
}

func compare(t *rapid.T, op oracle.Operation, p *plan.Plan, one oracle.Answer, federated []byte, subgraphs *oracle.Subgraphs) {
	if f := judge(one, federated, subgraphs); f.class != "" {
		t.Fatalf("%s: %s\noperation: %s\nvariables: %v\n%s", f.class, f.text, op.Text, op.Vars, p.Text())
	}
}

// judge compares a federated answer with that of one schema, and looks at what the subgraphs were asked.
func judge(one oracle.Answer, federated []byte, subgraphs *oracle.Subgraphs) fault {
	var got, want oracle.Answer
	if err := json.Unmarshal(federated, &got); err != nil {
		return fault{"not JSON", fmt.Sprintf("%v\n%s", err, federated)}
	}
	wantText, err := json.Marshal(one)
	if err != nil {
		return fault{"oracle", err.Error()}
	}
	if err := json.Unmarshal(wantText, &want); err != nil {
		return fault{"oracle", err.Error()}
	}
	found := func(class, text string) fault {
		return fault{class, fmt.Sprintf("%s\nwant: %s\ngot:  %s", text, wantText, federated)}
	}
	if complaints := subgraphs.Complaints(); len(complaints) > 0 {
		c := complaints[0]
		_, what, _ := strings.Cut(c, "INVALID: ")
		kind, _, _ := strings.Cut(what, " ")
		if strings.Contains(kind, ".") {
			kind = "field"
		}
		return found("complaint of "+strings.Trim(kind, ":"), c)
	}
	ran := subgraphs.Mutations()
	if want.Data == nil && len(ran) > len(one.Mutations) {
		ran = ran[:len(one.Mutations)] // what comes after the one that made everything null may run or not
	}
	if !slices.Equal(ran, one.Mutations) {
		return found("mutations", fmt.Sprintf("ran as %v instead of %v", subgraphs.Mutations(), one.Mutations))
	}
	if !reflect.DeepEqual(got.Data, want.Data) {
		return found("answers differ", "")
	}
	if keyOrder(federated) != keyOrder(wantText) {
		return found("order of keys", "")
	}
	for _, e := range want.Errors {
		if e.Hidden || len(got.Errors) >= 200 { // an answer tells no more errors than that
			continue
		}
		at := nullOn(want.Data, e.Path)
		if !slices.ContainsFunc(got.Errors, func(g oracle.Error) bool {
			return len(g.Path) >= len(at) && reflect.DeepEqual(g.Path[:len(at)], at)
		}) {
			return found("unexplained null", fmt.Sprint(at))
		}
	}
	if len(want.Errors) == 0 && len(got.Errors) > 0 {
		return found("errors that one schema does not have", got.Errors[0].Message)
	}
	return fault{}
}

// nullOn is the part of an error's path that leads to a null. What failed below a null need not be told.
func nullOn(data any, path []any) []any {
	for i, p := range path {
		switch v := data.(type) {
		case map[string]any:
			key, _ := p.(string)
			data = v[key]
		case []any:
			n, _ := p.(float64)
			data = v[int(n)]
		default:
			return path[:i]
		}
	}
	return path
}

// keyOrder is the data of an answer without space.
func keyOrder(answer []byte) string {
	var top struct{ Data json.RawMessage }
	if json.Unmarshal(answer, &top) != nil {
		return ""
	}
	var keys strings.Builder
	d := json.NewDecoder(strings.NewReader(string(top.Data)))
	for {
		tok, err := d.Token()
		if err != nil {
			return keys.String()
		}
		if s, ok := tok.(string); ok {
			keys.WriteString(s + " ")
		}
	}
}
