package compose

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// What composition wrote is read and printed again, to the same bytes.
func TestPrintIsTheLayoutOfComposition(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	printed := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(text).Files {
			if f.Name != "supergraph.graphql" {
				continue
			}
			doc, err := parser.ParseSchema(&ast.Source{Name: file, Input: string(f.Data)})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := strings.TrimSpace(Print(doc)), strings.TrimSpace(string(f.Data)); got != want {
				t.Errorf("%s: printed again it is\n%s", file, got)
			}
			printed++
		}
	}
	if printed == 0 {
		t.Error("no supergraph was printed")
	}
}
