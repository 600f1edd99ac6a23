package execute_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
	"golang.org/x/tools/txtar"

	"bourse/router/access"
	"bourse/router/compose"
	"bourse/router/internal/oracle"
)

// fixture is one text file: prose that says what it shows, then
//
//	subgraphs/NAME.graphql    the subgraphs, composed by package compose; or
//	supergraph.graphql        the types of a supergraph over subgraphs a to d
//	data.json                 what the subgraphs know
//	operation.graphql         with variables.json where it has any
//	labels                    which labels of progressive overrides are on, one a line
//	rights.json               who asks, as package access knows it; nobody in particular where there is none
//	plan.txt, answer.json     what comes of it; -update writes them
//	differs                   why the answer rightly is not that of one schema; or
//	errors-differ             why only its errors are not
//
// Several operations stand in one fixture as NAME.operation.graphql, NAME.variables.json and so on; reasons without a name hold
// for all of them.
type fixture struct {
	file    string
	archive *txtar.Archive
}

func readFixture(t *testing.T, file string) *fixture {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{file, archive}
}

func (f *fixture) section(name string) string {
	for _, s := range f.archive.Files {
		if s.Name == name {
			return string(s.Data)
		}
	}
	return ""
}

// operation is one of the operations of a fixture.
type operation struct {
	*fixture
	name string // empty for operation.graphql
}

func (f *fixture) operations() []operation {
	var out []operation
	for _, s := range f.archive.Files {
		if name, ok := strings.CutSuffix(s.Name, "operation.graphql"); ok {
			out = append(out, operation{f, strings.TrimSuffix(name, ".")})
		}
	}
	return out
}

func (op operation) title() string {
	if op.name == "" {
		return "operation"
	}
	return op.name
}

func (op operation) own(section string) string {
	if op.name == "" {
		return section
	}
	return op.name + "." + section
}

func (op operation) section(name string) string {
	return op.fixture.section(op.own(name))
}

// reason says why the answer, or only its errors, may differ: for this operation or for all of the fixture's.
func (op operation) reason(section string) string {
	return op.section(section) + op.fixture.section(section)
}

func (op operation) variables(t *testing.T) map[string]any {
	t.Helper()
	text := op.section("variables.json")
	if text == "" {
		return nil
	}
	var raw map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		t.Fatal(err)
	}
	return raw
}

func (op operation) labels() map[string]bool {
	on := map[string]bool{}
	for _, l := range strings.Fields(op.section("labels")) {
		on[l] = true
	}
	return on
}

func (op operation) rights(t *testing.T) access.Rights {
	t.Helper()
	var r access.Rights
	if text := op.section("rights.json"); text != "" {
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// subgraphs are the fixture's own; none where it gives a supergraph.
func (f *fixture) subgraphs() []compose.Subgraph {
	var out []compose.Subgraph
	for _, s := range f.archive.Files {
		name, ok := strings.CutPrefix(s.Name, "subgraphs/")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, ".graphql")
		out = append(out, compose.Subgraph{Name: name, URL: "http://" + name, SDL: string(s.Data)})
	}
	return out
}

func (f *fixture) supergraph(t *testing.T) string {
	t.Helper()
	if subgraphs := f.subgraphs(); len(subgraphs) > 0 {
		return composed(t, subgraphs)
	}
	return joinHeader + f.section("supergraph.graphql")
}

// sources are the subgraphs for the oracle, as written or as they could have been written.
func (f *fixture) sources(t *testing.T) []oracle.Source {
	t.Helper()
	if subgraphs := f.subgraphs(); len(subgraphs) > 0 {
		return sources(subgraphs)
	}
	out, err := oracle.Derive(f.supergraph(t))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sources(subgraphs []compose.Subgraph) []oracle.Source {
	var out []oracle.Source
	for _, s := range subgraphs {
		out = append(out, oracle.Source{Name: s.Name, SDL: s.SDL})
	}
	return out
}

func composed(t *testing.T, subgraphs []compose.Subgraph) string {
	t.Helper()
	r, err := compose.Compose(subgraphs, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r.SupergraphSDL
}

// mirrored composes the fixture's subgraphs under names in the opposite order, with fields, keys and other directives
// written from last to first.
func (f *fixture) mirrored(t *testing.T) []compose.Subgraph {
	t.Helper()
	subgraphs := f.subgraphs()
	names := map[string]string{}
	for _, s := range subgraphs {
		names[s.Name] = string('z'-rune(rank(subgraphs, s.Name))) + "_" + s.Name
	}
	for i, s := range subgraphs {
		subgraphs[i].Name, subgraphs[i].SDL = names[s.Name], backwards(t, s.SDL, names)
	}
	return subgraphs
}

func rank(all []compose.Subgraph, name string) int {
	n := 0
	for _, s := range all {
		if s.Name < name {
			n++
		}
	}
	return n
}

func backwards(t *testing.T, sdl string, names map[string]string) string {
	t.Helper()
	doc, err := parser.ParseSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []ast.DefinitionList{doc.Definitions, doc.Extensions} {
		for _, d := range list {
			slices.Reverse(d.Directives)
			slices.Reverse(d.Fields)
			for _, f := range d.Fields {
				if o := f.Directives.ForName("override"); o != nil {
					from := o.Arguments.ForName("from").Value
					if name, ok := names[from.Raw]; ok {
						from.Raw = name
					}
				}
			}
		}
	}
	var b strings.Builder
	formatter.NewFormatter(&b).FormatSchemaDocument(doc)
	return b.String()
}

// check compares a section of an operation with what came out, or rewrites it.
func (f *fixture) check(t *testing.T, op operation, section, got string) {
	t.Helper()
	name := op.own(section)
	want := f.section(name)
	switch {
	case want == got:
	case !*update:
		t.Errorf("%s differs (refresh with -update)\nwant:\n%s\ngot:\n%s", name, want, got)
	default:
		f.write(t, op, name, got)
	}
}

// write puts a section where it was, else after the operation's others.
func (f *fixture) write(t *testing.T, op operation, name, text string) {
	t.Helper()
	s := txtar.File{Name: name, Data: []byte(text)}
	at := slices.IndexFunc(f.archive.Files, func(have txtar.File) bool { return have.Name == name })
	if at < 0 {
		at = slices.IndexFunc(f.archive.Files, func(have txtar.File) bool { return have.Name == op.own("operation.graphql") }) + 1
		for at < len(f.archive.Files) && slices.Contains([]string{op.own("variables.json"), op.own("labels"), op.own("rights.json"), op.own("plan.txt")}, f.archive.Files[at].Name) {
			at++
		}
		f.archive.Files = slices.Insert(f.archive.Files, at, s)
	}
	f.archive.Files[at] = s
	if err := os.WriteFile(f.file, txtar.Format(f.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// joinHeader spares the fixtures the same lines.
const joinHeader = `schema @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)
{ query: Query }
enum join__Graph {
  A @join__graph(name: "a", url: "http://a")
  B @join__graph(name: "b", url: "http://b")
  C @join__graph(name: "c", url: "http://c")
  D @join__graph(name: "d", url: "http://d")
}
`
