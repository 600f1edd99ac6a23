package execute_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/compose"
	"bourse/router/execute"
	"bourse/router/federation"
	"bourse/router/internal/oracle"
	"bourse/router/internal/oracle/draw"
	"bourse/router/plan"
)

var (
	cases  = flag.Int("cases", 3000, "how many random operations TestRandomGraphs answers")
	first  = flag.Uint64("first", 1, "seed of the first random graph")
	faults = flag.String("faults", "", "folder to write failing cases to, as fixtures, and go on")
)

// perGraph is how many operations each random graph answers.
const perGraph = 25

// TestRandomGraphs is the property that the router stands by, over random subgraphs, data and operations: what composes
// loads, every valid operation can be planned, and the federated answer is that of one schema over the same data.
//
// A failure prints the seed and a fixture with the smallest subgraphs, data and operation that show it. For a soak:
//
//	go test ./router/execute -run TestRandomGraphs -v -timeout 4h -args -cases=1000000 -first=1
func TestRandomGraphs(t *testing.T) {
	s := &soak{codes: map[string]int{}, features: map[string]int{}, classes: map[string]int{}, started: time.Now()}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed, ok := s.next(); ok; seed, ok = s.next() {
				s.graph(t, seed)
			}
		})
	}
	wg.Wait()
	t.Log(s.summary())
	if s.composed*2 < s.graphs {
		t.Errorf("only %d of %d graphs compose", s.composed, s.graphs)
	}
	if s.refused*10 > s.answered {
		t.Errorf("%d operations are not valid, next to %d that are", s.refused, s.answered)
	}
	for _, f := range draw.Features {
		if s.features[f] == 0 {
			t.Errorf("no graph that composes has this: %s", f)
		}
	}
}

// soak is the state that the workers share.
type soak struct {
	mu                                  sync.Mutex
	graphs, composed, answered, refused int
	stopped                             bool
	codes, features, classes            map[string]int
	started                             time.Time
	told                                int
}

func (s *soak) next() (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered >= *cases || s.stopped {
		return 0, false
	}
	s.graphs++
	return *first + uint64(s.graphs) - 1, true
}

func (s *soak) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d operations answered, %d refused as invalid; %d graphs, %d composed\n", s.answered, s.refused, s.graphs, s.composed)
	for _, m := range []map[string]int{s.codes, s.classes, s.features} {
		var lines []string
		for name, n := range m {
			lines = append(lines, fmt.Sprintf("%7d %s\n", n, name))
		}
		sort.Strings(lines)
		b.WriteString(strings.Join(lines, ""))
	}
	return b.String()
}

// graph draws one graph and answers random operations on it.
func (s *soak) graph(t *testing.T, seed uint64) {
	g := draw.Subgraphs(seed)
	w, fault := build(g.Sources)
	s.mu.Lock()
	if w == nil && fault.class == "refused" {
		s.codes["not composed: "+fault.text]++
	} else {
		s.composed++
		for _, f := range g.Features {
			s.features[f]++
		}
	}
	s.mu.Unlock()
	if w == nil {
		if fault.class != "refused" {
			s.fail(t, seed, trial{sources: g.Sources}, fault)
		}
		return
	}
	for n := range perGraph {
		c := drawTrial(w, g, seed*1000, uint64(n))
		fault := w.try(c)
		s.mu.Lock()
		if fault.class == "refused" {
			s.refused++
		} else {
			s.answered++
		}
		if *cases > 100_000 && s.answered-s.told >= 50_000 {
			s.told = s.answered
			fmt.Printf("%8d operations on %d graphs in %v\n", s.answered, s.graphs, time.Since(s.started).Round(time.Second))
		}
		s.mu.Unlock()
		if fault.class != "" && fault.class != "refused" {
			s.fail(t, seed, c, fault)
			return
		}
	}
}

// fail reports a case, made as small as it gets. With -faults it goes on, so that a soak collects many.
func (s *soak) fail(t *testing.T, seed uint64, c trial, f fault) {
	s.mu.Lock()
	s.classes["FAULT "+f.class]++
	many := s.classes["FAULT "+f.class] > 5
	stop := s.stopped
	s.stopped = s.stopped || *faults == ""
	s.mu.Unlock()
	if stop || many {
		return
	}
	small, f := shrink(c, f)
	text := small.fixture(f)
	t.Errorf("graph %d (-args -first=%d -cases=1): %s: %s\n%s", seed, seed, f.class, f.text, text)
	if *faults != "" {
		name := fmt.Sprintf("random_%s_%d.txt", strings.NewReplacer(" ", "_", ":", "").Replace(f.class), seed)
		if err := os.WriteFile(filepath.Join(*faults, name), []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// trial is one operation on one graph with its data.
type trial struct {
	sources  []oracle.Source
	labels   oracle.Labels
	seed     uint64 // of the data
	failures bool
	text     string
	vars     map[string]any
}

// fault is what came of a trial: nothing when all is well. class stays the same while a trial shrinks.
type fault struct{ class, text string }

// stage is a graph that composed, ready to answer.
type stage struct {
	sg      *federation.Supergraph
	g       *oracle.Graph
	planner *plan.Planner
	data    *oracle.Data // of the last trial, whose seed and failures are
	seed    uint64
	fails   bool
}

// world is the data of a trial.
func (w *stage) world(c trial) *oracle.Data {
	if w.data == nil || w.seed != c.seed || w.fails != c.failures {
		w.data, w.seed, w.fails = w.g.RandomData(c.seed, c.failures), c.seed, c.failures
	}
	return w.data
}

// build composes and loads a graph.
func build(sources []oracle.Source) (s *stage, f fault) {
	defer func() {
		if r := recover(); r != nil {
			s, f = nil, fault{"panic in composition", fmt.Sprint(r)}
		}
	}()
	var subgraphs []compose.Subgraph
	for _, s := range sources {
		subgraphs = append(subgraphs, compose.Subgraph{Name: s.Name, URL: "http://" + s.Name, SDL: s.SDL})
	}
	r, err := compose.Compose(subgraphs, compose.Options{})
	if errs := (compose.Errors{}); errors.As(err, &errs) {
		return nil, fault{"refused", string(errs[0].Code)}
	} else if err != nil {
		return nil, fault{"composition", err.Error()}
	}
	sg, err := federation.Load(r.SupergraphSDL)
	if err != nil {
		return nil, fault{"load", err.Error()}
	}
	g, err := oracle.Read(sources...)
	if err != nil {
		return nil, fault{"composed what does not fit", err.Error()}
	}
	if what := g.Differs(sg.API()); what != "" {
		return nil, fault{"client's schema", what}
	}
	if g.Lacks() {
		return nil, fault{"refused", "a field set names what has no value"}
	}
	return &stage{sg: sg, g: g, planner: plan.New(sg, plan.Options{})}, fault{}
}

func drawTrial(w *stage, g draw.Graph, seed, n uint64) trial {
	chance := rand.New(rand.NewPCG(seed+n, 3))
	c := trial{sources: g.Sources, labels: oracle.Labels{"percent(100)": true}, seed: seed + n/5, failures: n/5%3 == 0}
	for _, l := range g.Labels {
		if !strings.HasPrefix(l, "percent") {
			c.labels[l] = chance.IntN(2) == 0
		}
	}
	choice := draw.Choice{Kind: ast.Query}
	if w.sg.API().Mutation != nil && chance.IntN(4) == 0 {
		choice.Kind = ast.Mutation
	}
	if w.sg.API().Subscription != nil && chance.IntN(5) == 0 {
		choice.Kind = ast.Subscription
	}
	op := draw.RandomOperation(chance.Uint64(), w.sg.API(), choice)
	c.text, c.vars = op.Text, op.Vars
	return c
}

// try answers the trial's operation both ways and compares.
func (w *stage) try(c trial) (f fault) {
	defer func() {
		if r := recover(); r != nil {
			stack := make([]byte, 4000)
			f = fault{"panic", fmt.Sprintf("%v\n%s", r, stack[:runtime.Stack(stack, false)])}
		}
	}()
	doc, errs := gqlparser.LoadQueryWithRules(w.sg.API(), c.text, nil)
	if len(errs) > 0 {
		return fault{"refused", errs.Error()}
	}
	vars, err := validator.VariableValues(w.sg.API(), doc.Operations[0], c.vars)
	if err != nil {
		return fault{"refused", err.Error()}
	}
	p, err := w.planner.Plan(doc, "", plan.Given{Labels: c.labels})
	if err != nil {
		return fault{"not planned", err.Error()}
	}
	data := w.world(c)
	subgraphs := data.Serve(c.labels)
	r, err := answer(w.sg, inProcess(subgraphs.Handlers()), execute.Input{Plan: p, Variables: vars})
	if err != nil {
		return fault{"not subscribed", err.Error() + "\n" + p.Text()}
	}
	defer r.Release()
	if f := judge(data.One(w.sg.API(), doc, "", vars), r.JSON(), subgraphs); f.class != "" {
		f.text += "\n" + p.Text()
		return f
	}
	return fault{}
}

// fixture writes the trial as one of testdata/fixtures.
func (c trial) fixture(f fault) string {
	var b strings.Builder
	first, _, _ := strings.Cut(f.text, "\n")
	fmt.Fprintf(&b, "%s: %s\n", f.class, first)
	if len(c.labels) > 1 {
		fmt.Fprintf(&b, "labels: %v\n", c.labels)
	}
	for _, s := range c.sources {
		fmt.Fprintf(&b, "-- subgraphs/%s.graphql --\n%s", s.Name, s.SDL)
	}
	if c.text == "" {
		return b.String()
	}
	if w, _ := build(c.sources); w != nil {
		fmt.Fprintf(&b, "-- data.json --\n%s\n", indented(w.g.RandomData(c.seed, c.failures).JSON()))
	}
	fmt.Fprintf(&b, "-- operation.graphql --\n%s\n", strings.TrimSpace(c.text))
	if len(c.vars) > 0 {
		vars, _ := json.Marshal(c.vars) // came from JSON values
		fmt.Fprintf(&b, "-- variables.json --\n%s\n", vars)
	}
	return b.String()
}

// indented puts each object of the data on a line of its own.
func indented(data []byte) string {
	var types map[string][]json.RawMessage
	if json.Unmarshal(data, &types) != nil {
		return string(data)
	}
	var names []string
	for name := range types {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("{")
	for i, name := range names {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "\n %q: [", name)
		for j, o := range types[name] {
			if j > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, "\n  %s", o)
		}
		b.WriteString("]")
	}
	return b.String() + "\n}"
}
