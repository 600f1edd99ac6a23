package compose

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// linkAll is put before a schema of testdata/codes that does not link federation itself.
const linkAll = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@provides", "@external", ` +
	`"@shareable", "@override", "@inaccessible", "@tag", "@interfaceObject", "@authenticated", "@requiresScopes", "@policy", "@context", "@fromContext", ` +
	`"@cost", "@listSize"]) `

// Each file of testdata/codes is named after an error code. Composing its bad/ schemas gives that code and no other; its good/ schemas
// are the nearest that compose.
func TestErrorCodes(t *testing.T) {
	for _, code := range errorCodes(t) {
		t.Run(string(code), func(t *testing.T) {
			if code == MaxValidationPathsExceeded {
				t.Skip("needs a bound of its own: see TestSatisfiabilityIsBounded")
			}
			archive, err := txtar.ParseFile(filepath.Join("testdata/codes", string(code)+".txt"))
			if err != nil {
				t.Fatalf("no schema provokes the code: %v", err)
			}
			fed1 := strings.HasPrefix(string(archive.Comment), "federation 1")
			bad, good := schemas(archive, "bad/", fed1), schemas(archive, "good/", fed1)
			_, err = Compose(bad, Options{})
			var all Errors
			if !errors.As(err, &all) {
				t.Fatalf("bad schemas give %v", err)
			}
			for _, e := range all {
				if e.Code != code {
					t.Errorf("unexpected %v", e)
				}
			}
			if _, err := Compose(good, Options{}); err != nil {
				t.Errorf("near miss does not compose: %v", err)
			}
		})
	}
}

func schemas(archive *txtar.Archive, prefix string, fed1 bool) []Subgraph {
	var out []Subgraph
	for _, f := range archive.Files {
		name, ok := strings.CutPrefix(f.Name, prefix)
		if !ok {
			continue
		}
		sdl := string(f.Data)
		if !fed1 && !strings.Contains(sdl, "@link") {
			sdl = linkAll + sdl
		}
		out = append(out, Subgraph{Name: strings.TrimSuffix(name, ".graphql"), SDL: sdl})
	}
	return out
}

// errorCodes reads the first block of constants in codes.go, so that a code without an example cannot be forgotten.
func errorCodes(t *testing.T) []Code {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []Code
	for _, spec := range file.Decls[0].(*ast.GenDecl).Specs {
		text, err := strconv.Unquote(spec.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Code(text))
	}
	return out
}

func TestSatisfiabilityIsBounded(t *testing.T) {
	_, err := Compose([]Subgraph{{Name: "a", SDL: "type Query { t: T } type T { u: U } type U { x: Int }"}}, Options{MaxStates: 2})
	var all Errors
	if !errors.As(err, &all) || all[0].Code != MaxValidationPathsExceeded {
		t.Fatalf("got %v", err)
	}
}

func TestOrderOfSubgraphsDoesNotMatter(t *testing.T) {
	a := Subgraph{Name: "a", SDL: linkAll + `type Query { t: T } type T @key(fields: "id") { id: ID! "one" x: Int @shareable }`}
	b := Subgraph{Name: "b", SDL: linkAll + `type Query { u: T } type T @key(fields: "id") { id: ID! "two" x: Int! @shareable }`}
	first, err := Compose([]Subgraph{a, b}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := Compose([]Subgraph{b, a}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if first.SupergraphSDL != second.SupergraphSDL {
		t.Errorf("the order changes the output:\n%s\n%s", first.SupergraphSDL, second.SupergraphSDL)
	}
}

// Output may be what the least strict subgraph says, input must be what the strictest wants, whichever comes first.
func TestMergedTypes(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"Int!", "Int", "x: Int "},
		{"Int", "Int!", "x: Int "},
		{"[Int!]!", "[Int]", "x: [Int] "},
		{"[Int]!", "[Int!]", "FIELD_TYPE_MISMATCH"},
		{"Int", "[Int]", "FIELD_TYPE_MISMATCH"},
		{"T", "I", "x: I "},
		{"U!", "T!", "x: U! "},
		{"I", "U", "FIELD_TYPE_MISMATCH"},
	} {
		rest := " @shareable } interface I { id: ID } type T implements I { id: ID @shareable } union U = T"
		checkMerge(t, "type Query { x: "+c.a+rest, "type Query { x: "+c.b+rest, c.want)
	}
	for _, c := range []struct{ a, b, want string }{
		{"Int!", "Int", "x(i: Int!): Int"},
		{"Int", "Int!", "x(i: Int!): Int"},
		{"[Int!]", "[Int]!", "FIELD_ARGUMENT_TYPE_MISMATCH"},
		{"[Int]", "[Int!]!", "x(i: [Int!]!): Int"},
	} {
		checkMerge(t, "type Query { x(i: "+c.a+"): Int @shareable }", "type Query { x(i: "+c.b+"): Int @shareable }", c.want)
	}
}

func checkMerge(t *testing.T, a, b, want string) {
	t.Helper()
	got := ""
	res, err := Compose([]Subgraph{{Name: "a", SDL: linkAll + a}, {Name: "b", SDL: linkAll + b}}, Options{})
	if err != nil {
		got = err.Error()
	} else {
		got = res.SupergraphSDL
	}
	if !strings.Contains(got, want) {
		t.Errorf("%s with %s gives no %q but:\n%s", a, b, want, got)
	}
}
