package contract_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"bourse/router/compose"
	"bourse/router/contract"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata")

// Each file of testdata has the subgraphs, the filter (one word and its tags a line) and what comes of it: the coordinates that are
// hidden and the API, or errors. -update rewrites the latter.
func TestContracts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no contracts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var inputs []txtar.File
	var subgraphs []compose.Subgraph
	var filter contract.Filter
	want := map[string]string{}
	for _, f := range archive.Files {
		name, isSubgraph := strings.CutPrefix(f.Name, "subgraphs/")
		switch {
		case isSubgraph:
			subgraphs = append(subgraphs, compose.Subgraph{Name: strings.TrimSuffix(name, ".graphql"), URL: "http://" + name, SDL: string(f.Data)})
			inputs = append(inputs, f)
		case f.Name == "filter":
			filter = parseFilter(t, string(f.Data))
			inputs = append(inputs, f)
		default:
			want[f.Name] = string(f.Data)
		}
	}
	composed, err := compose.Compose(subgraphs, compose.Options{})
	if err != nil {
		t.Fatalf("the subgraphs do not compose: %v", err)
	}
	got := outcome(t, composed.SupergraphSDL, filter)
	if *update {
		archive.Files = append(inputs, got...)
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, f := range got {
		if want[f.Name] != string(f.Data) {
			t.Errorf("%s is\n%s\nwant\n%s", f.Name, f.Data, want[f.Name])
		}
		delete(want, f.Name)
	}
	for name := range want {
		t.Errorf("there is no %s", name)
	}
}

func outcome(t *testing.T, supergraph string, filter contract.Filter) []txtar.File {
	c, err := contract.Apply(supergraph, filter)
	var faults contract.Errors
	switch {
	case errors.As(err, &faults):
		return []txtar.File{{Name: "errors", Data: []byte(lines(faults))}}
	case err != nil:
		t.Fatal(err)
	}
	hidden := strings.Join(c.Hidden, "\n") + "\n"
	if len(c.UnusedTags) > 0 {
		hidden += "unused: " + strings.Join(c.UnusedTags, " ") + "\n"
	}
	return []txtar.File{{Name: "hidden", Data: []byte(hidden)}, {Name: "api.graphql", Data: []byte(c.APISDL)}}
}

func lines(faults contract.Errors) string {
	var b strings.Builder
	for _, f := range faults {
		b.WriteString(f.Coordinate + " " + f.Error() + "\n")
	}
	return b.String()
}

func parseFilter(t *testing.T, text string) (f contract.Filter) {
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		words := strings.Fields(line)
		switch words[0] {
		case "include":
			f.Include = words[1:]
		case "exclude":
			f.Exclude = words[1:]
		case "hide-unreachable":
			f.HideUnreachable = true
		default:
			t.Fatalf("filter: %q", line)
		}
	}
	return f
}

// A contract of a contract hides what either hides, and is written in the same layout.
func TestContractsStack(t *testing.T) {
	const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@tag"])`
	composed, err := compose.Compose([]compose.Subgraph{{Name: "a", SDL: link + `
type Query { a: Int @tag(name: "a") b: Int @tag(name: "b") c: Int }`}}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	apply := func(sdl string, f contract.Filter) *contract.Contract {
		c, err := contract.Apply(sdl, f)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	withoutA := apply(composed.SupergraphSDL, contract.Filter{Exclude: []string{"a"}})
	both := apply(withoutA.SupergraphSDL, contract.Filter{Exclude: []string{"b"}})
	if once := apply(composed.SupergraphSDL, contract.Filter{Exclude: []string{"a", "b"}}); once.SupergraphSDL != both.SupergraphSDL {
		t.Errorf("one after the other:\n%s\nat once:\n%s", both.SupergraphSDL, once.SupergraphSDL)
	}
	if strings.Count(both.SupergraphSDL, "specs.apollo.dev/inaccessible") != 1 || strings.Count(both.SupergraphSDL, "directive @inaccessible") != 1 {
		t.Errorf("@inaccessible is not declared once:\n%s", both.SupergraphSDL)
	}
}

// A supergraph may know the directives under other names, and as features of core.
func TestNamesOfTheSupergraph(t *testing.T) {
	const machinery = `
enum join__Graph { A @join__graph(name: "a", url: "http://a") }
scalar join__FieldSet
type Query @join__type(graph: A) { a: Int %s b: Int }
`
	for _, c := range []struct{ name, schema, tag, want string }{
		{"as", `@link(url: "https://specs.apollo.dev/tag/v0.3", as: "label") @link(url: "https://specs.apollo.dev/inaccessible/v0.2", as: "hide")`, `@label(name: "x")`, "@hide"},
		{"import", `@link(url: "https://specs.apollo.dev/tag/v0.3", import: [{name: "@tag", as: "@label"}])`, `@label(name: "x")`, `"https://specs.apollo.dev/inaccessible/v0.2"`},
		{"another tag", `@link(url: "https://example.com/label/v1.0")`, `@label(name: "x")`, ""},
	} {
		sdl := `schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) ` + c.schema + ` { query: Query }` +
			strings.ReplaceAll(machinery, "%s", c.tag)
		got, err := contract.Apply(sdl, contract.Filter{Exclude: []string{"x"}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if hidden := len(got.Hidden) == 1; hidden != (c.want != "") || !strings.Contains(got.SupergraphSDL, c.want) {
			t.Errorf("%s: hidden %v in\n%s", c.name, got.Hidden, got.SupergraphSDL)
		}
	}
}

func TestFiltersAreChecked(t *testing.T) {
	for _, c := range []struct {
		filter contract.Filter
		want   string
	}{
		{contract.Filter{}, "filters nothing"},
		{contract.Filter{Include: []string{"a b"}}, "no tag"},
		{contract.Filter{Exclude: []string{strings.Repeat("a", 129)}}, "no tag"},
		{contract.Filter{Include: []string{"a"}, Exclude: []string{"a"}}, "both included and excluded"},
		{contract.Filter{HideUnreachable: true}, ""},
		{contract.Filter{Include: []string{"a/B-1_2"}}, ""},
	} {
		_, err := contract.Apply("", c.filter)
		var faults contract.Errors
		refused := errors.As(err, &faults)
		if refused != (c.want != "") || refused && !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.filter, err, c.want)
		}
	}
}
