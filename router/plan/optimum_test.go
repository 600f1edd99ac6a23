package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// world draws a small supergraph of entities and value types over two to four subgraphs, and an operation on it.
type world struct {
	t      *rapid.T
	graphs int
	types  int
	has    [][]bool // by type and graph
	keys   [][]string
}

func (w *world) chance(n int, label string) bool { return rapid.IntRange(0, n-1).Draw(w.t, label) == 0 }

// some draws a set of the graphs that have a type, not empty.
func (w *world) some(typ int, label string) []int {
	var in []int
	for g, has := range w.has[typ] {
		if has {
			in = append(in, g)
		}
	}
	first := in[rapid.IntRange(0, len(in)-1).Draw(w.t, label)]
	out := []int{first}
	for _, g := range in {
		if g != first && w.chance(3, label) {
			out = append(out, g)
		}
	}
	slices.Sort(out)
	return out
}

func joined(graphs []int, extra string) string {
	var b strings.Builder
	for _, g := range graphs {
		fmt.Fprintf(&b, " @join__field(graph: G%d%s)", g, extra)
	}
	return b.String()
}

func (w *world) supergraph() string {
	var b strings.Builder
	b.WriteString(`schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph {`)
	for g := range w.graphs {
		fmt.Fprintf(&b, ` G%d @join__graph(name: "g%d", url: "")`, g, g)
	}
	b.WriteString(" }\ntype Query")
	for g := range w.graphs {
		fmt.Fprintf(&b, " @join__type(graph: G%d)", g)
	}
	b.WriteString(" {\n")
	for typ := range w.types {
		graphs := w.some(typ, "root")
		list := []string{"T%d", "[T%d]"}[rapid.IntRange(0, 1).Draw(w.t, "list")]
		fmt.Fprintf(&b, "  r%d: "+list+"%s\n", typ, typ, joined(graphs, ""))
	}
	b.WriteString("}\n")
	for typ := range w.types {
		w.object(&b, typ)
	}
	return b.String()
}

func (w *world) object(b *strings.Builder, typ int) {
	fmt.Fprintf(b, "type T%d", typ)
	for g, has := range w.has[typ] {
		switch {
		case !has:
		case w.keys[typ][g] == "":
			fmt.Fprintf(b, " @join__type(graph: G%d)", g)
		default:
			for _, k := range strings.Fields(w.keys[typ][g]) {
				fmt.Fprintf(b, " @join__type(graph: G%d, key: %q)", g, k)
			}
		}
	}
	b.WriteString(" {\n")
	for _, key := range []string{"id", "k"} {
		var graphs []int
		for g, has := range w.has[typ] {
			if has && strings.Contains(" "+w.keys[typ][g]+" ", " "+key+" ") {
				graphs = append(graphs, g)
			}
		}
		if len(graphs) > 0 {
			fmt.Fprintf(b, "  %s: ID!%s\n", key, joined(graphs, ""))
		}
	}
	for i := range rapid.IntRange(1, 4).Draw(w.t, "leaves") {
		fmt.Fprintf(b, "  f%d: Int%s\n", i, joined(w.some(typ, "leaf"), ""))
	}
	w.requiring(b, typ)
	for i := range rapid.IntRange(0, 2).Draw(w.t, "children") {
		to := rapid.IntRange(0, w.types-1).Draw(w.t, "to")
		graphs := slices.DeleteFunc(w.some(typ, "child"), func(g int) bool { return !w.has[to][g] })
		if len(graphs) > 0 {
			fmt.Fprintf(b, "  c%d: T%d%s\n", i, to, joined(graphs, ""))
		}
	}
	b.WriteString("}\n")
}

// requiring adds a field that one subgraph computes from a field of another.
func (w *world) requiring(b *strings.Builder, typ int) {
	from, to := w.some(typ, "required")[0], w.some(typ, "requires")[0]
	if from == to || w.keys[typ][to] == "" || w.chance(2, "no requirement") {
		return
	}
	fmt.Fprintf(b, "  q: Int @join__field(graph: G%d) @join__field(graph: G%d, external: true)\n  x: Int @join__field(graph: G%d, requires: \"q\")\n", from, to, to)
}

func drawWorld(t *rapid.T) *world {
	w := &world{t: t, graphs: rapid.IntRange(2, 4).Draw(t, "graphs"), types: rapid.IntRange(1, 3).Draw(t, "types")}
	for range w.types {
		has, keys := make([]bool, w.graphs), make([]string, w.graphs)
		for g := range has {
			has[g] = !w.chance(4, "missing")
			keys[g] = []string{"id", "id", "k", "id k", ""}[rapid.IntRange(0, 4).Draw(t, "key")]
		}
		has[rapid.IntRange(0, w.graphs-1).Draw(t, "home")] = true
		w.has, w.keys = append(w.has, has), append(w.keys, keys)
	}
	return w
}

// operation selects at random, by the printed schema.
func operation(t *rapid.T, fields map[string][]string, typ string, depth int) string {
	var b strings.Builder
	b.WriteString("{")
	taken := false
	for _, f := range fields[typ] {
		name, of, _ := strings.Cut(f, ":")
		if of != "" && depth == 0 || rapid.IntRange(0, 9).Draw(t, "select") == 9 {
			continue
		}
		taken = true
		b.WriteString(" " + name)
		if of != "" {
			b.WriteString(" " + operation(t, fields, of, depth-1))
		}
	}
	if !taken {
		b.WriteString(" __typename")
	}
	return b.String() + " }"
}

// sample is a supergraph with an operation on it.
type sample struct{ sdl, operation string }

func drawSample(t *rapid.T) sample {
	sdl := drawWorld(t).supergraph()
	fields := map[string][]string{}
	for _, def := range strings.Split(sdl, "\ntype ")[1:] {
		lines := strings.Split(def, "\n")
		typ, _, _ := strings.Cut(lines[0], " ")
		for _, l := range lines[1:] {
			name, of, ok := strings.Cut(strings.TrimSpace(l), ": ")
			if !ok {
				continue
			}
			of, _, _ = strings.Cut(of, " ")
			if of = strings.Trim(of, "[]!"); of != "Int" && of != "ID" {
				name += ":" + of
			}
			fields[typ] = append(fields[typ], name)
		}
	}
	return sample{sdl, operation(t, fields, "Query", 3)}
}

// TestPlansAreTheCheapest compares plans with those of the reference planner.
func TestPlansAreTheCheapest(t *testing.T) {
	const samples = 1000
	draw := rapid.Custom(drawSample)
	compared, stages, fetches := 0, 0, 0
	for seed := range samples {
		s := draw.Example(seed)
		sg := loaded(t, s.sdl)
		doc := parse(t, sg, s.operation)
		ref := newReference(sg, doc.Operations[0])
		wantStages, wantCalls, ok := ref.best(5)
		p, err := New(sg, Options{}).Plan(doc, "", Given{})
		if err != nil {
			if ok {
				t.Errorf("seed %d: %v, but %d fetches in %d stages do\n%s\n%s", seed, err, wantCalls, wantStages, s.operation, s.sdl)
			}
			continue
		}
		if !ok {
			continue
		}
		compared++
		calls := 0
		for _, s := range p.Stages {
			calls += len(s)
		}
		if len(p.Stages) < wantStages || len(p.Stages) == wantStages && calls < wantCalls {
			t.Errorf("seed %d: the reference is worse: %d fetches in %d stages\n%s\n%s\n%s", seed, wantCalls, wantStages, s.operation, s.sdl, p.Text())
		}
		switch {
		case len(p.Stages) > wantStages:
			stages++
		case calls > wantCalls:
			fetches++
		default:
			continue
		}
		t.Logf("seed %d: %d fetches in %d stages, but %d in %d do:\n%s\n%s\n%s", seed, calls, len(p.Stages), wantCalls, wantStages, s.operation, s.sdl, p.Text())
	}
	t.Logf("%d compared, %d with too many stages, %d with too many fetches", compared, stages, fetches)
	if compared < samples/3 || stages+fetches > compared/100 {
		t.Errorf("of %d plans %d need too many stages and %d too many fetches", compared, stages, fetches)
	}
}
