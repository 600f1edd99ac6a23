package compose

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Whatever two subgraphs say, composing them ends, with a supergraph that loads or with errors.
func FuzzCompose(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, prefix := range []string{"bad/", "good/", ""} {
			if subs := schemas(archive, prefix, false); len(subs) > 1 {
				f.Add(subs[0].SDL, subs[1].SDL)
			}
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 20_000 {
			return
		}
		res, err := Compose([]Subgraph{{Name: "a", SDL: a}, {Name: "b", SDL: b}}, Options{MaxStates: 10_000})
		if err != nil {
			if _, ok := err.(Errors); !ok { //nolint:errorlint // exactly this type is promised
				t.Errorf("neither a supergraph nor errors: %v", err)
			}
		} else if res.SupergraphSDL == "" {
			t.Error("empty supergraph")
		}
	})
}
