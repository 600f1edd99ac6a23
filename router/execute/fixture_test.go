package execute_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator"
	"golang.org/x/tools/txtar"

	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/internal/oracle"
	"bourse/router/plan"
)

var update = flag.Bool("update", false, "rewrite the plans and answers of the fixtures")

// TestFixtures plans and runs one operation for each situation of federation. A fixture is one text file with
// the supergraph, the data, the operation, the plan and the answer; the answer must be that of one schema
// unless a section `differs` says why it is not.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/fixtures/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFixture(t, file) })
	}
}

func runFixture(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string][]byte{}
	for _, f := range archive.Files {
		sections[f.Name] = f.Data
	}
	sg, err := federation.Load(joinHeader + string(sections["supergraph.graphql"]))
	if err != nil {
		t.Fatal(err)
	}
	data, err := oracle.ParseData(sg, sections["data.json"])
	if err != nil {
		t.Fatal(err)
	}
	doc, errs := gqlparser.LoadQueryWithRules(sg.API(), string(sections["operation.graphql"]), nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var raw map[string]any
	if text := sections["variables.json"]; len(text) > 0 {
		if err := json.Unmarshal(text, &raw); err != nil {
			t.Fatal(err)
		}
	}
	vars, err := validator.VariableValues(sg.API(), doc.Operations[0], raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(sg, plan.Options{}).Plan(doc, "")
	if err != nil {
		check(t, archive, file, "plan.txt", "error: "+err.Error()+"\n")
		return
	}
	check(t, archive, file, "plan.txt", p.Text())
	answer := serveFixture(t, sg, data, execute.Input{Plan: p, Variables: vars})
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, answer, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	check(t, archive, file, "answer.json", pretty.String()+"\n")
	if _, ok := sections["differs"]; !ok && len(p.Introspection) == 0 {
		equalsOne(t, data.One(doc, "", vars), answer)
	}
}

func serveFixture(t *testing.T, sg *federation.Supergraph, data *oracle.Data, in execute.Input) []byte {
	t.Helper()
	subgraphs, err := data.Subgraphs()
	if err != nil {
		t.Fatal(err)
	}
	handlers := inProcess{}
	for name, s := range subgraphs {
		handlers[name] = s
	}
	r := execute.New(sg, handlers, execute.Options{}).Execute(context.Background(), in)
	defer r.Release()
	return r.AppendJSON(nil)
}

func equalsOne(t *testing.T, one oracle.Answer, answer []byte) {
	t.Helper()
	text, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	var want, got struct{ Data any }
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Data, want.Data) {
		t.Errorf("one schema answers\n%s\nthe router\n%s", text, answer)
	}
}

// check compares a section with what came out, or rewrites it.
func check(t *testing.T, archive *txtar.Archive, file, section, got string) {
	t.Helper()
	for i, f := range archive.Files {
		if f.Name != section {
			continue
		}
		if string(f.Data) == got {
			return
		}
		if !*update {
			t.Errorf("%s differs (refresh with -update)\nwant:\n%s\ngot:\n%s", section, f.Data, got)
			return
		}
		archive.Files[i].Data = []byte(got)
		writeArchive(t, archive, file)
		return
	}
	if !*update {
		t.Errorf("no section %s (write it with -update)\ngot:\n%s", section, got)
		return
	}
	archive.Files = append(archive.Files, txtar.File{Name: section, Data: []byte(got)})
	writeArchive(t, archive, file)
}

func writeArchive(t *testing.T, archive *txtar.Archive, file string) {
	t.Helper()
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// joinHeader spares the fixtures the same lines.
const joinHeader = `schema @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)
{ query: Query }
enum join__Graph {
  A @join__graph(name: "a", url: "http://a")
  B @join__graph(name: "b", url: "http://b")
  C @join__graph(name: "c", url: "http://c")
  D @join__graph(name: "d", url: "http://d")
}
`
