// Package bourse_test is ARCHITECTURE.md made executable: which part of the house stands on which floor, which walls no door goes
// through, and what some rooms do without. It reads the sources themselves; a test that asked `go list` could be answered from
// Go's test cache after the sources changed.
//
// To add a package, give it a floor below. To change a floor or a wall, write the reason into ARCHITECTURE.md as well.
package bourse_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "bourse"

// part is a package of the house, or with tree also everything below its folder. A part imports lower floors and itself.
type part struct {
	floor int
	tree  bool
}

func leaf(floor int) part { return part{floor, true} }
func roof(floor int) part { return part{floor, false} } // its folder holds parts of their own

var house = map[string]part{
	"migrations":   leaf(0),
	"frontends":    leaf(0), // the built files and a handler for them
	"cmd/embedded": leaf(0), // PostgreSQL and Redis for a process, and for any package's tests

	"engine/money":               leaf(0),
	"engine/fault":               leaf(0),
	"engine/market":              leaf(1),
	"engine/account":             leaf(1),
	"engine/auth":                leaf(2),
	"engine/ledger":              leaf(2),
	"engine/book":                leaf(2),
	"engine/risk":                leaf(2),
	"engine/commission":          leaf(2),
	"engine/approval":            leaf(2),
	"engine/audit":               leaf(2),
	"engine/feed":                leaf(2),
	"engine/venue":               leaf(3),
	"engine/journal":             leaf(3),
	"engine/internal/postgres":   leaf(4),
	"engine/internal/redis":      leaf(4),
	"engine/internal/remote":     leaf(4),
	"engine/internal/simulation": leaf(5), // drives the three above and the projections, for tests
	"engine/internal/sequencer":  leaf(4),
	"engine":                     roof(5),

	"router/federation":      leaf(0),
	"router/websocket":       leaf(0), // frames and handshakes; knows nothing of GraphQL
	"router/workload":        leaf(0), // makes up large graphs to measure with
	"router/internal/await":  leaf(0), // for tests
	"router/internal/oracle": leaf(1), // one schema served whole, for tests to compare with
	"router/compose":         leaf(1),
	"router/check":           leaf(1),
	"router/contract":        leaf(2), // filters what compose writes, by compose's rules for hidden elements
	"router/plan":            leaf(1),
	"router/lift":            leaf(1),
	"router/access":          leaf(1), // who may see what; pure
	"router/limits":          leaf(1),
	"router/cost":            leaf(1), // what an operation may cost, by the schema
	"router/patience":        leaf(0), // with servers that may be away
	"router/persisted":       leaf(1), // texts of operations that clients name; reads no GraphQL
	"router/rate":            leaf(2), // tells clients apart by their identities
	"router/identity":        leaf(1), // whom a request speaks for; knows no GraphQL
	"router/telemetry":       leaf(2), // everything above reports to it; identities are what it knows of those who ask
	"router/upload":          leaf(1), // files on their way through
	"router/execute":         leaf(2),
	"router/fetch":           leaf(3),
	"router/headers":         leaf(3), // what subgraphs see of clients, and clients of subgraphs
	"router/subscribe":       leaf(3),
	"router/entitycache":     leaf(3), // stands before a fetcher
	"router/traffic":         leaf(3), // stands before a fetcher and before the executor
	"router/serve":           leaf(4),
	"router":                 roof(5),
	"router/daemon":          leaf(7), // files, sockets and time around a router
	"router/config":          leaf(6), // turns a file into the router's options

	"graph":        roof(0), // the schemas, as text
	"graph/scalar": leaf(2),

	"subgraphs/internal/present":    leaf(6),
	"subgraphs/internal/viewer":     leaf(6),
	"subgraphs/member/internal/gen": leaf(6),
	"subgraphs/agent/internal/gen":  leaf(6),
	"subgraphs/admin/internal/gen":  leaf(6),
	"subgraphs/internal/housetest":  leaf(8), // a house for the tests of resolvers
	"subgraphs/internal/endpoint":   leaf(7), // serves an executable schema, with present and viewer
	"subgraphs/member/resolver":     leaf(7),
	"subgraphs/agent/resolver":      leaf(7),
	"subgraphs/admin/resolver":      leaf(7),
	"subgraphs/member":              roof(8),
	"subgraphs/agent":               roof(8),
	"subgraphs/admin":               roof(8),
	"worker":                        leaf(8),

	"cmd/generate": leaf(9),
	"cmd/bourse":   leaf(9),
	".":            roof(9),
}

// forTests are packages that only tests may import, and tests of any floor may: what a suite or a server for tests needs is no part
// of what is tested.
var forTests = []string{
	"cmd/embedded/postgres/postgrestest",
	"engine/journal/journaltest",
	"engine/internal/simulation",
	"engine/venue/internal/naive",
	"subgraphs/internal/housetest",
	"router/internal/await",
	"router/internal/oracle",
}

// above are parts that tests of a part below may import: random operations are answered with and without what stands before the executor, and the
// stage for them is its own.
var above = map[string][]string{"router/execute": {"router/entitycache"}}

// wall forbids imports whatever the floor. from and to name packages with everything below them; to may be any import path.
type wall struct {
	from, to []string
	why      string
	sources  bool // tests may climb over it
}

var walls = []wall{
	{
		from: []string{"router"},
		to:   ours("engine", "subgraphs", "graph", "worker", "migrations", "frontends"),
		why:  "the router serves any supergraph, not ours",
	},
	{
		from: []string{"engine"},
		to:   append(ours("router", "subgraphs", "graph", "worker"), "github.com/99designs/gqlgen", "github.com/vektah/gqlparser"),
		why:  "the engine knows no GraphQL",
	},
	{
		from: []string{"subgraphs"}, to: ours("router"),
		why: "a subgraph does not know who calls it",
	},
	{
		from: []string{"router/plan"}, to: ours("router/execute"),
		why: "a plan does not know how it is run",
	},
	{
		from: []string{"router/plan", "router/federation", "router/compose", "router/check", "router/contract"},
		to:   []string{"net", "os", "io/ioutil", "syscall", "database/sql", "math/rand", "crypto/rand"},
		why:  "planning, composition and checks do no I/O", sources: true,
	},
	{
		from: pure,
		to:   []string{"net", "os", "io/ioutil", "syscall", "database/sql", "math/rand", "crypto/rand", "context", "sync", "log", "runtime", "github.com/jackc/pgx", "github.com/redis"},
		why:  "what decides about money is a function of its input: no I/O, clock, chance or goroutine", sources: true,
	},
}

// pure are the packages that decide: same input, same output, on any machine. They name no clock and start no goroutine.
var pure = []string{"engine/money", "engine/market", "engine/ledger", "engine/book", "engine/risk", "engine/commission", "engine/venue"}

// exact are the folders that know no floating point numbers; inexact names the exceptions, with the reason. Tests of the engine are
// held to it too; those of the API's edge are not, because they show that a float is refused.
var (
	exact   = []string{"engine", "graph", "subgraphs", "worker"}
	inexact = map[string]string{
		"subgraphs/member/internal/gen": "generated: the resolvers' values decide, not the marshaller",
		"subgraphs/agent/internal/gen":  "generated",
		"subgraphs/admin/internal/gen":  "generated",
	}
)

// ours turns folders into import paths.
func ours(folders ...string) []string {
	paths := make([]string, len(folders))
	for i, f := range folders {
		paths[i] = path.Join(module, f)
	}
	return paths
}

// The top level of the repository. Dot files and what .gitignore names may stand beside it.
var topLevel = []string{
	"graph", "subgraphs", "engine", "router", "frontends", "migrations", "worker", "cmd", "docs",
	"gqlgen.yml", "go.mod", "go.sum", "Makefile", "README.md", "ARCHITECTURE.md", "BENCHMARKS.md", "arch_test.go",
}

func TestEveryImportRunsDown(t *testing.T) {
	complain(t, judge(readSources(t)))
}

func TestNoFloatNearMoney(t *testing.T) {
	for _, s := range readSources(t) {
		edge := s.test && !within(s.pkg, "engine")
		if within(s.pkg, exact...) && inexact[s.pkg] == "" && !edge {
			complain(t, floats(s))
		}
	}
}

func TestWhatDecidesHasNoClockAndNoGoroutine(t *testing.T) {
	for _, s := range readSources(t) {
		if within(s.pkg, pure...) && !s.test {
			complain(t, impurities(s))
		}
	}
}

func TestMigrationsKnowNoFloat(t *testing.T) {
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations were found: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		complain(t, sqlFloats(name, string(text)))
	}
}

func TestTheTopLevelIsFixed(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	complain(t, strangers(names))
}

func complain(t *testing.T, faults []string) {
	t.Helper()
	for _, f := range faults {
		t.Error(f)
	}
}

// source is one Go file as the rules see it.
type source struct {
	name    string // path of the file
	pkg     string // folder, "." for the root
	test    bool
	imports []string
	set     *token.FileSet
	syntax  *ast.File
}

func parse(name string, text any) (source, error) {
	s := source{name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), set: token.NewFileSet()}
	var err error
	if s.syntax, err = parser.ParseFile(s.set, name, text, parser.SkipObjectResolution); err != nil {
		return s, err
	}
	for _, i := range s.syntax.Imports {
		s.imports = append(s.imports, strings.Trim(i.Path.Value, "`\""))
	}
	return s, nil
}

// readSources parses every Go file of the module, whatever its build constraints.
func readSources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			skip := slices.Contains([]string{"node_modules", "testdata", "dist", "bin"}, d.Name())
			if skip || (name != "." && strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		s, err := parse(filepath.ToSlash(name), nil)
		all = append(all, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// judge holds every import against the floors and the walls.
func judge(sources []source) []string {
	var faults []string
	homeless := map[string]bool{}
	for _, s := range sources {
		name, from, ok := partOf(s.pkg)
		if !ok {
			if !homeless[s.pkg] {
				homeless[s.pkg] = true
				faults = append(faults, fmt.Sprintf("%s: package %s stands on no floor: give it one in arch_test.go and a line in ARCHITECTURE.md, or move it below a part that is there", s.name, s.pkg))
			}
			continue
		}
		for _, imported := range s.imports {
			faults = append(faults, judgeFloor(s, name, from, imported)...)
			faults = append(faults, judgeWalls(s, imported)...)
		}
	}
	return faults
}

func judgeFloor(s source, name string, from part, imported string) []string {
	folder, ok := strings.CutPrefix(imported, module+"/")
	if !ok {
		return nil
	}
	if slices.Contains(forTests, folder) {
		if s.test || within(s.pkg, forTests...) {
			return nil
		}
		return []string{fmt.Sprintf("%s imports %s, which is for tests only", s.name, imported)}
	}
	target, to, ok := partOf(folder)
	switch {
	case !ok:
		return []string{fmt.Sprintf("%s imports %s, which stands on no floor", s.name, imported)}
	case target == name, s.test && slices.Contains(above[name], target):
		return nil
	case to.floor >= from.floor:
		return []string{fmt.Sprintf("%s: %s [floor %d] must not import %s [floor %d]: imports run down; pass the value from above, or let the consumer state the interface",
			s.name, name, from.floor, target, to.floor)}
	}
	return nil
}

func judgeWalls(s source, imported string) []string {
	var faults []string
	for _, w := range walls {
		if within(s.pkg, w.from...) && within(imported, w.to...) && (!w.sources || !s.test) {
			faults = append(faults, fmt.Sprintf("%s imports %s: %s", s.name, imported, w.why))
		}
	}
	return faults
}

// partOf finds the part that a folder belongs to: itself, or the nearest folder above that is a tree.
func partOf(folder string) (name string, p part, ok bool) {
	if p, ok = house[folder]; ok {
		return folder, p, true
	}
	for dir := path.Dir(folder); dir != "."; dir = path.Dir(dir) {
		if p, ok = house[dir]; ok {
			return dir, p, p.tree
		}
	}
	return "", part{}, false
}

// within tells whether a path is one of the given ones or lies below one.
func within(name string, above ...string) bool {
	return slices.ContainsFunc(above, func(a string) bool { return name == a || strings.HasPrefix(name, a+"/") })
}

// floats finds floating point types, literals and conversions.
func floats(s source) []string {
	var faults []string
	fault := func(n ast.Node, what string) {
		faults = append(faults, fmt.Sprintf("%s: %s: amounts, prices and rates are integers with a scale", s.set.Position(n.Pos()), what))
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return !s.test || !measures(n)
		case *ast.Ident:
			if slices.Contains([]string{"float32", "float64", "complex64", "complex128", "ParseFloat", "FormatFloat", "AppendFloat"}, n.Name) {
				fault(n, n.Name)
			}
		case *ast.BasicLit:
			if fraction(n) {
				fault(n, "the literal "+n.Value)
			}
		case *ast.AssignStmt:
			for _, value := range n.Rhs {
				if n.Tok == token.DEFINE && inexactLiteral(value) {
					fault(value, "a float by inference")
				}
			}
		case *ast.ValueSpec:
			for _, value := range n.Values {
				if n.Type == nil && inexactLiteral(value) {
					fault(value, "a float by inference")
				}
			}
		}
		return true
	})
	return faults
}

// measures tells whether a function takes a *testing.B, whose ReportMetric wants floats.
func measures(f *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
		star, ok := p.Type.(*ast.StarExpr)
		if !ok {
			return false
		}
		sel, ok := star.X.(*ast.SelectorExpr)
		return ok && sel.Sel.Name == "B"
	})
}

// fraction tells whether a literal may be no whole number. 60e9 is one: where it meets an integer the compiler sees to that.
func fraction(n *ast.BasicLit) bool {
	return n.Kind == token.IMAG || n.Kind == token.FLOAT && (strings.ContainsAny(n.Value, ".pP") || strings.Contains(strings.ToLower(n.Value), "e-"))
}

// inexactLiteral finds the 60e9 that meets no integer and so becomes a float64.
func inexactLiteral(e ast.Expr) bool {
	n, ok := e.(*ast.BasicLit)
	return ok && n.Kind == token.FLOAT && !fraction(n)
}

// impurities finds clocks and goroutines; the walls keep out the packages that offer nothing else.
func impurities(s source) []string {
	clocks := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Local"}
	var faults []string
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			faults = append(faults, fmt.Sprintf("%s: a goroutine: what decides runs where it is called", s.set.Position(n.Pos())))
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
				faults = append(faults, fmt.Sprintf("%s: time.%s: the time is given by the caller", s.set.Position(n.Pos()), n.Sel.Name))
			}
		}
		return true
	})
	return faults
}

var (
	sqlNoise = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'`)
	sqlFloat = regexp.MustCompile(`(?i)\b(real|float|float4|float8|double\s+precision|money)\b`)
)

// sqlFloats finds the inexact types of PostgreSQL, and money, whose scale hangs on the server's locale.
func sqlFloats(name, text string) []string {
	var faults []string
	for _, found := range sqlFloat.FindAllString(sqlNoise.ReplaceAllString(text, " "), -1) {
		faults = append(faults, fmt.Sprintf("%s: type %s: use bigint in minor units, or numeric", name, found))
	}
	return faults
}

// strangers finds what does not belong at the top level.
func strangers(names []string) []string {
	var faults []string
	for _, n := range names {
		ignored := n == "bin" || slices.Contains([]string{".test", ".prof", ".out", ".log"}, path.Ext(n))
		if !ignored && !strings.HasPrefix(n, ".") && !slices.Contains(topLevel, n) {
			faults = append(faults, n+": the top level is fixed: put it below one of the folders, scripts into .ci/")
		}
	}
	return faults
}

// The rules themselves, held against houses that never stood.

func TestFloors(t *testing.T) {
	for _, c := range []struct {
		file, imports string
		fault         string // part of the complaint, "" for none
	}{
		{"engine/ledger/a.go", "bourse/engine/money", ""},
		{"engine/money/a.go", "bourse/engine/ledger", "must not import"},
		{"engine/ledger/a.go", "bourse/engine/risk", "must not import"}, // neighbours
		{"engine/ledger/a_test.go", "bourse/engine/venue", "must not import"},
		{"engine/ledger/sub/a.go", "bourse/engine/ledger", ""}, // the same part
		{"engine/venue/a.go", "bourse/engine/internal/postgres", "must not import"},
		{"engine/internal/sequencer/a.go", "bourse/engine/journal", ""},
		{"engine/internal/sequencer/a.go", "bourse/engine/internal/postgres", "must not import"},
		{"engine/a.go", "bourse/engine/internal/sequencer", ""},
		{"engine/util/a.go", "fmt", "stands on no floor"},
		{"engine/a.go", "bourse/engine/util", "stands on no floor"},
		{"subgraphs/member/extra/a.go", "fmt", "stands on no floor"},
		{"subgraphs/member/a.go", "bourse/subgraphs/member/resolver", ""},
		{"subgraphs/member/internal/gen/a.go", "bourse/graph/scalar", ""},
		{"subgraphs/member/resolver/a.go", "bourse/subgraphs/agent/internal/gen", ""}, // a floor, yes; Go's internal rule forbids it
		{"worker/a.go", "bourse/subgraphs/member", "must not import"},
		{"cmd/embedded/postgres/a.go", "bourse/cmd/embedded/internal/child", ""},
		{"cmd/embedded/postgres/a.go", "bourse/engine/fault", "must not import"},
		{"engine/internal/postgres/a_test.go", "bourse/cmd/embedded/postgres/postgrestest", ""},
		{"migrations/a_test.go", "bourse/cmd/embedded/postgres/postgrestest", ""},
		{"engine/internal/postgres/a.go", "bourse/cmd/embedded/postgres/postgrestest", "for tests only"},
		{"cmd/bourse/internal/house/a.go", "bourse/router", ""},
		{"router/a.go", "bourse/cmd/bourse", "must not import"},
		{"stray.go", "bourse/engine", ""},
	} {
		expect(t, c.file+" imports "+c.imports, judge([]source{made(t, c.file, "package x\nimport _ \""+c.imports+"\"")}), c.fault)
	}
}

func TestWalls(t *testing.T) {
	for _, c := range []struct{ file, imports, fault string }{
		{"router/serve/a.go", "bourse/engine/fault", "serves any supergraph"},
		{"router/serve/a_test.go", "bourse/graph", "serves any supergraph"},
		{"engine/a.go", "github.com/99designs/gqlgen/graphql", "knows no GraphQL"},
		{"engine/money/a_test.go", "github.com/vektah/gqlparser/v2/ast", "knows no GraphQL"},
		{"subgraphs/member/a.go", "bourse/router/federation", "who calls it"},
		{"router/plan/a.go", "bourse/router/execute", "how it is run"},
		{"router/plan/a.go", "net/http", "no I/O"},
		{"router/plan/a.go", "os", "no I/O"},
		{"router/plan/a_test.go", "os", ""},
		{"router/execute/a_test.go", "bourse/router/entitycache", ""},
		{"router/execute/a.go", "bourse/router/entitycache", "must not import"},
		{"router/plan/a_test.go", "bourse/router/entitycache", "must not import"},
		{"router/plan/a.go", "strings", ""},
		{"router/execute/a.go", "net/http", ""},
		{"engine/venue/a.go", "math/rand/v2", "function of its input"},
		{"engine/book/a.go", "sync/atomic", "function of its input"},
		{"engine/risk/a.go", "context", "function of its input"},
		{"engine/book/a_test.go", "math/rand/v2", ""},
		{"engine/book/a.go", "math/bits", ""},
		{"engine/audit/a.go", "context", ""},
	} {
		expect(t, c.file+" imports "+c.imports, judge([]source{made(t, c.file, "package x\nimport _ \""+c.imports+"\"")}), c.fault)
	}
}

func TestFloatsAreFound(t *testing.T) {
	for text, fault := range map[string]string{
		"var a float64":                       "float64",
		"func f(x []float32) {}":              "float32",
		"var a = 1.5":                         "literal 1.5",
		"var a = 1e3":                         "by inference",
		"func f() { a := 1e3 }":               "by inference",
		"var a int64 = 60e9":                  "",
		"var a int64 = 1e-3":                  "literal 1e-3",
		"var a, _ = strconv.ParseFloat(s, 6)": "ParseFloat",
		"var a = 1_000":                       "",
		"var a = \"float64 1.5\" // float64":  "",
	} {
		expect(t, text, floats(made(t, "engine/a.go", "package x\n"+text)), fault)
	}
	const benchmark = "package x\nfunc report(b *testing.B) { b.ReportMetric(float64(b.N), \"orders\") }"
	expect(t, "a benchmark's figures", floats(made(t, "engine/a_test.go", benchmark)), "")
	expect(t, "the same outside a test", floats(made(t, "engine/a.go", benchmark)), "float64")
	for text, fault := range map[string]string{
		"price double precision": "double precision",
		"price REAL":             "REAL",
		"a float8, b int":        "float8",
		"price bigint -- not real\n/* nor float */": "",
		"status text default 'real'":                "",
		"realised bigint":                           "",
	} {
		expect(t, text, sqlFloats("0001.sql", text), fault)
	}
}

func TestImpuritiesAreFound(t *testing.T) {
	for text, fault := range map[string]string{
		"func f() { go f() }":                    "goroutine",
		"var a = time.Now()":                     "time.Now",
		"var now = time.Now":                     "time.Now",
		"func f() { <-time.After(time.Second) }": "time.After",
		"func f(t time.Time) { t.After(t) }":     "",
		"const d = time.Second":                  "",
	} {
		expect(t, text, impurities(made(t, "engine/venue/a.go", "package x\n"+text)), fault)
	}
}

func TestStrangersAreFound(t *testing.T) {
	expect(t, "a folder of scripts", strangers([]string{"engine", "scripts"}), "scripts")
	expect(t, "a known house", strangers([]string{"engine", ".git", ".golangci.yml", "bin", "cpu.prof", "go.mod"}), "")
}

func made(t *testing.T, name, text string) source {
	t.Helper()
	s, err := parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func expect(t *testing.T, what string, faults []string, fault string) {
	t.Helper()
	switch all := strings.Join(faults, "\n"); {
	case fault == "" && all != "":
		t.Errorf("%s: unexpected: %s", what, all)
	case fault != "" && !strings.Contains(all, fault):
		t.Errorf("%s: expected a complaint with %q, got %q", what, fault, all)
	}
}
