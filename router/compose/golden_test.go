package compose

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata/golden")

// Each file of testdata/golden holds subgraphs (NAME.graphql) and what composing them in their order gives: supergraph.graphql and
// hints, or errors. -update rewrites the latter.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
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
	inputs, want := inputsOf(archive)
	got := outcome(subgraphsOf(inputs))
	if *update {
		archive.Files = append(inputs, got...)
		if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(got) != len(want) {
		t.Errorf("got %d parts, want %d", len(got), len(want))
	}
	for _, f := range got {
		if string(f.Data) != want[f.Name] {
			t.Errorf("%s differs; got:\n%s\nwant:\n%s", f.Name, f.Data, want[f.Name])
		}
	}
}

// inputsOf parts the schemas of subgraphs from what is expected of them.
func inputsOf(archive *txtar.Archive) (inputs []txtar.File, want map[string]string) {
	want = map[string]string{}
	for _, f := range archive.Files {
		name, isSchema := strings.CutSuffix(f.Name, ".graphql")
		if isSchema && name != "supergraph" {
			inputs = append(inputs, f)
		} else {
			want[f.Name] = string(f.Data)
		}
	}
	return inputs, want
}

// caseNames lists the folders of an archive.
func caseNames(archive *txtar.Archive) []string {
	var out []string
	for _, f := range archive.Files {
		if folder, _, ok := strings.Cut(f.Name, "/"); ok && !slices.Contains(out, folder) {
			out = append(out, folder)
		}
	}
	return out
}

func subgraphsOf(files []txtar.File) []Subgraph {
	var out []Subgraph
	for _, f := range files {
		name := strings.TrimSuffix(f.Name, ".graphql")
		out = append(out, Subgraph{Name: name, URL: "http://" + name, SDL: string(f.Data)})
	}
	return out
}

func outcome(subs []Subgraph) []txtar.File {
	res, err := Compose(subs, Options{})
	if err != nil {
		return []txtar.File{{Name: "errors", Data: []byte(err.Error() + "\n")}}
	}
	out := []txtar.File{{Name: "supergraph.graphql", Data: []byte(res.SupergraphSDL)}}
	if len(res.Hints) > 0 {
		var b strings.Builder
		for _, h := range res.Hints {
			b.WriteString(h.String() + "\n")
		}
		out = append(out, txtar.File{Name: "hints", Data: []byte(b.String())})
	}
	return out
}
