package config_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// codesBefore are the packages whose codes are told before a supergraph is served, not to clients.
var codesBefore = []string{"compose", "check", "contract", "federation"}

// The page has one table of the codes that clients may get, and it is the code's.
func TestThePageHasEveryCode(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "<!-- codes -->")
	body, _, ended := strings.Cut(after, "<!-- end -->")
	if !found || !ended {
		t.Fatalf("%s has no table between <!-- codes --> and <!-- end -->", page)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` ").FindAllStringSubmatch(body, -1) {
		if listed[row[1]] {
			t.Errorf("%s stands twice in the table", row[1])
		}
		listed[row[1]] = true
	}
	used := codesInUse(t)
	if len(used) < 30 {
		t.Fatalf("only %d codes were found in the sources", len(used))
	}
	for code, where := range used {
		if !listed[code] {
			t.Errorf("%s, of %s, is not in the table of codes", code, where)
		}
	}
	for code := range listed {
		if used[code] == "" {
			t.Errorf("the table has %s, which nothing uses", code)
		}
	}
}

// codesInUse finds the constants named code… or Code… that are texts, by value.
func codesInUse(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	named := regexp.MustCompile(`^([cC]ode[A-Z]\w*|KeysUnavailable)$`)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (slices.Contains(codesBefore, d.Name()) || d.Name() == "testdata" || d.Name() == "internal") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if !named.MatchString(name.Name) || i >= len(spec.Values) {
					continue
				}
				if literal, ok := spec.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					value, err := strconv.Unquote(literal.Value)
					if err == nil {
						found[value] = path
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
