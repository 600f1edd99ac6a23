package compose

import (
	"fmt"
	"slices"
	"strings"

	"bourse/router/federation"
)

// Subgraph is one service that takes part in composition.
type Subgraph struct {
	Name string // unique; what the router's operator calls it
	URL  string // where the router reaches it; may be empty
	SDL  string // its schema, as written or as its _service { sdl } answers
}

// Options of one composition; the zero value is what most want.
type Options struct {
	// MaxStates bounds the satisfiability check: how many different situations of a query it may look at,
	// for each state of the labels of @override. 0 means 200,000.
	MaxStates int
}

// Result is a composed supergraph.
type Result struct {
	SupergraphSDL string
	APISDL        string // what clients see
	Hints         []Hint
}

// Compose merges subgraphs into a supergraph. When they do not compose the error is Errors: all errors of the first stage that has any.
// Subgraphs are taken in the order of their names, which decides the order of fields and wins ties: the same subgraphs give the same bytes.
func Compose(subgraphs []Subgraph, o Options) (*Result, error) {
	r := &report{}
	subs := readAll(subgraphs, r)
	if len(r.errors) > 0 {
		return nil, r.errors
	}
	m := newMerger(subs, r)
	m.merge()
	directives := m.executableDirectives()
	if len(r.errors) > 0 {
		return nil, r.errors
	}
	m.checkMerged()
	if len(r.errors) > 0 {
		return nil, r.errors
	}
	m.checkSatisfiable(o)
	if len(r.errors) > 0 {
		return nil, r.errors
	}
	sdl := m.print(directives)
	sg, err := federation.Load(sdl)
	if err != nil {
		return nil, fmt.Errorf("the composed supergraph does not load: %w", err)
	}
	return &Result{SupergraphSDL: sdl, APISDL: sg.APISDL(), Hints: r.hints}, nil
}

func readAll(in []Subgraph, r *report) []*subgraph {
	var subs []*subgraph
	seen := map[string]bool{}
	in = slices.Clone(in)
	slices.SortStableFunc(in, func(a, b Subgraph) int { return strings.Compare(a.Name, b.Name) })
	for _, one := range in {
		named := &subgraph{name: one.Name}
		switch {
		case one.Name == "" || one.Name == "_":
			r.fail(InvalidSubgraphName, []site{{named, nil}}, "a subgraph cannot be named %q", one.Name)
			continue
		case seen[one.Name]:
			r.fail(InvalidSubgraphName, []site{{named, nil}}, "two subgraphs are named %q", one.Name)
			continue
		}
		seen[one.Name] = true
		if s := read(one, r); s != nil {
			s.check(r)
			subs = append(subs, s)
		}
	}
	if len(in) == 0 {
		r.fail(NoQueries, nil, "there are no subgraphs to compose")
	}
	nameGraphs(subs)
	return subs
}
