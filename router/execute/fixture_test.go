package execute_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/access"
	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/internal/oracle"
	"bourse/router/plan"
)

var update = flag.Bool("update", false, "rewrite the plans and answers of the fixtures")

// TestFixtures plans and runs the operations of every situation of federation. The answer must be that of one schema unless
// a section `differs` says why it is not; an operation that is refused has its refusal as the answer.
//
// A fixture that gives subgraphs runs twice: as written, and mirrored, which turns around whatever might decide a tie by luck.
func TestFixtures(t *testing.T) {
	for _, file := range fixtureFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			f := readFixture(t, file)
			w := f.world(t, f.supergraph(t), f.sources(t))
			for _, op := range f.operations() {
				t.Run(op.title(), func(t *testing.T) {
					got := w.run(t, op)
					f.check(t, op, "plan.txt", got.plan)
					f.check(t, op, "answer.json", got.pretty(t))
				})
			}
			if len(f.subgraphs()) > 0 {
				t.Run("mirrored", func(t *testing.T) { runMirrored(t, f) })
			}
		})
	}
}

func fixtureFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/fixtures/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	return files
}

// runMirrored compares no plans, as they may well be others, but answers. What introspection tells is in the order of the schema.
func runMirrored(t *testing.T, f *fixture) {
	subgraphs := f.mirrored(t)
	w := f.world(t, composed(t, subgraphs), sources(subgraphs))
	for _, op := range f.operations() {
		t.Run(op.title(), func(t *testing.T) {
			got := w.run(t, op)
			want := []byte(op.section("answer.json"))
			if got.introspects {
				return
			}
			if !reflect.DeepEqual(dataOf(t, got.answer), dataOf(t, want)) || hasErrors(t, got.answer) != hasErrors(t, want) {
				t.Errorf("the answer depends on names or order\nas written:\n%s\nmirrored:\n%s\n%s", want, got.answer, got.plan)
			}
		})
	}
}

// world is one supergraph with its data, ready to answer.
type world struct {
	sg      *federation.Supergraph
	data    *oracle.Data
	planner *plan.Planner
}

func (f *fixture) world(t *testing.T, supergraph string, sources []oracle.Source) *world {
	t.Helper()
	sg, err := federation.Load(supergraph)
	if err != nil {
		t.Fatal(err)
	}
	g, err := oracle.Read(sources...)
	if err != nil {
		t.Fatal(err)
	}
	data, err := g.ParseData([]byte(f.section("data.json")))
	if err != nil {
		t.Fatal(err)
	}
	return &world{sg, data, plan.New(sg, plan.Options{})}
}

// outcome is what came of one operation.
type outcome struct {
	plan        string
	answer      []byte
	introspects bool
}

func (o outcome) pretty(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, o.answer, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, o.answer)
	}
	return b.String() + "\n"
}

func refused(step string, err error) outcome {
	text, _ := json.Marshal(map[string]any{"data": nil, "errors": []any{map[string]any{"message": err.Error()}}}) // cannot fail
	return outcome{plan: step + ": " + err.Error() + "\n", answer: text}
}

// run answers an operation and compares with one schema.
func (w *world) run(t *testing.T, op operation) outcome {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(w.sg.API(), op.section("operation.graphql"), nil)
	if len(errs) > 0 {
		return refused("invalid", errs)
	}
	vars, err := validator.VariableValues(w.sg.API(), doc.Operations[0], op.variables(t))
	if err != nil {
		return refused("invalid", err)
	}
	p, err := w.planner.Plan(doc, "", plan.Given{Labels: op.labels(), Denies: w.denies(t, doc, op)})
	if err != nil {
		return refused("error", err)
	}
	subgraphs := w.data.Serve(op.labels())
	r, err := answer(w.sg, inProcess(subgraphs.Handlers()), execute.Input{Plan: p, Variables: vars})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	got := outcome{p.Text(), r.AppendJSON(nil), introspects(op)}
	for _, complaint := range subgraphs.Complaints() {
		t.Errorf("%s\n%s", complaint, got.plan)
	}
	if op.reason("differs") == "" && !got.introspects {
		equalsOne(t, w.data.One(w.sg.API(), doc, "", vars), got, op.reason("errors-differ") == "")
	}
	return got
}

func introspects(op operation) bool {
	return strings.Contains(op.section("operation.graphql"), "__schema") || strings.Contains(op.section("operation.graphql"), "__type(")
}

// denies is what the rights of the operation's request leave out; nil where everything is open to all.
func (w *world) denies(t *testing.T, doc *ast.QueryDocument, op operation) func(typ, field string) bool {
	t.Helper()
	rules := access.New(w.sg)
	touched := rules.Touched(doc, "")
	if len(touched) == 0 {
		return nil
	}
	return rules.Decide(touched, op.rights(t)).Denies
}

// answer runs an operation; of a subscription, one event as its subgraph sends it.
func answer(sg *federation.Supergraph, f inProcess, in execute.Input) (*execute.Result, error) {
	e := execute.New(sg, f, execute.Options{})
	if in.Plan.Operation() != ast.Subscription {
		return e.Execute(context.Background(), in), nil
	}
	req, err := e.SubscriptionRequest(in)
	if err != nil {
		return nil, err
	}
	event, err := f.Fetch(context.Background(), req)
	if err != nil {
		return nil, err
	}
	return e.Event(context.Background(), in, event.Body), nil
}

func equalsOne(t *testing.T, one oracle.Answer, got outcome, errorsToo bool) {
	t.Helper()
	want, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(dataOf(t, got.answer), dataOf(t, want)) || errorsToo && hasErrors(t, got.answer) != hasErrors(t, want) {
		t.Errorf("one schema answers\n%s\nthe router\n%s\n%s", want, got.answer, got.plan)
	}
}

func dataOf(t *testing.T, answer []byte) any {
	t.Helper()
	return read(t, answer)["data"]
}

func hasErrors(t *testing.T, answer []byte) bool {
	t.Helper()
	_, has := read(t, answer)["errors"]
	return has
}

func read(t *testing.T, answer []byte) map[string]any {
	t.Helper()
	var a map[string]any
	if err := json.Unmarshal(answer, &a); err != nil {
		t.Fatal(fmt.Errorf("%w: %s", err, answer))
	}
	return a
}
