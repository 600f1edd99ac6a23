package compose

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Every hint is given by some schema of the tables, so that none is only promised. Those that compose with nothing to say are their near misses.
func TestEveryHintIsGiven(t *testing.T) {
	given := map[Code]bool{}
	note := func(subs []Subgraph) {
		if res, err := Compose(subs, Options{}); err == nil {
			for _, h := range res.Hints {
				given[h.Code] = true
			}
		}
	}
	for _, glob := range []string{"testdata/golden/*.txt", "testdata/compared/*.txt", "testdata/codes/*.txt"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(file, "golden") {
				inputs, _ := inputsOf(archive)
				note(subgraphsOf(inputs))
			}
			for _, one := range caseNames(archive) {
				note(schemas(archive, one+"/", strings.HasPrefix(one, "fed1")))
			}
		}
	}
	for seed := range uint64(200) {
		note(randomSubgraphs(seed))
		note(randomMerge(seed))
	}
	for code := range hintLevels {
		if !given[code] {
			t.Errorf("no schema gives %s", code)
		}
	}
}

// Whatever the seed, a set of subgraphs gives a supergraph that loads, or errors of the table; in any order of the subgraphs the same.
func TestRandomSetsComposeOrSayWhy(t *testing.T) {
	for seed := range uint64(300) {
		for _, subs := range [][]Subgraph{randomSubgraphs(seed), randomMerge(seed)} {
			res, err := Compose(subs, Options{})
			if _, ok := err.(Errors); err != nil && !ok { //nolint:errorlint // exactly this type is promised
				t.Fatalf("seed %d: %v", seed, err)
			}
			if err != nil {
				continue
			}
			reversed := make([]Subgraph, len(subs))
			for i, s := range subs {
				reversed[len(subs)-1-i] = s
			}
			again, err := Compose(reversed, Options{})
			if err != nil || again.SupergraphSDL != res.SupergraphSDL {
				t.Fatalf("seed %d: the order of the subgraphs matters: %v", seed, err)
			}
		}
	}
}
