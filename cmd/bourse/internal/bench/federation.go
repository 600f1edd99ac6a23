package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router"
	"bourse/router/compose"
	"bourse/router/federation"
	"bourse/router/plan"
	"bourse/router/workload"
)

// Composing is composition of a large graph.
type Composing struct {
	Subgraphs int           `json:"subgraphs"`
	Types     int           `json:"types"`
	Bytes     int           `json:"bytes"` // of the supergraph
	Took      time.Duration `json:"nanos"`
}

// Lines are the figures for people.
func (c *Composing) Lines() []Line {
	return []Line{atMost(fmt.Sprintf("composition of %d subgraphs with %s types", c.Subgraphs, grouped(int64(c.Types))), c.Took, 2*time.Second, took,
		fmt.Sprintf("a supergraph of %s kB", grouped(int64(c.Bytes/1000))))}
}

// Compose measures composition, satisfiability and all.
func Compose(ctx context.Context, o Options) (Composing, error) {
	subgraphs := inputs(workload.Subgraphs(workload.Large))
	var result *compose.Result
	took, err := medianTook(ctx, o, func() (err error) {
		result, err = compose.Compose(subgraphs, compose.Options{})
		return err
	})
	if err != nil {
		return Composing{}, err
	}
	return Composing{Subgraphs: len(subgraphs), Types: workload.Large.Types, Bytes: len(result.SupergraphSDL), Took: took}, nil
}

// Loading is how long a router takes to read a large supergraph.
type Loading struct {
	Bytes int           `json:"bytes"`
	Took  time.Duration `json:"nanos"`
}

// Lines are the figures for people.
func (l *Loading) Lines() []Line {
	return []Line{atMost("load of that supergraph", l.Took, 500*time.Millisecond, took, "")}
}

// Load measures reading the supergraph that Compose makes.
func Load(ctx context.Context, o Options) (Loading, error) {
	sdl, err := composed(workload.Subgraphs(workload.Large))
	if err != nil {
		return Loading{}, err
	}
	took, err := medianTook(ctx, o, func() error {
		_, err := federation.Load(sdl)
		return err
	})
	return Loading{Bytes: len(sdl), Took: took}, err
}

// Planning is how long plans take: of an operation over four subgraphs, cold and out of the router's cache, and of ever larger ones over an
// interface with 20 implementers.
type Planning struct {
	Selections int           `json:"selections"`
	Fetches    int           `json:"fetches"`
	Cold       time.Duration `json:"coldNanos"`
	Cached     time.Duration `json:"cachedNanos"`
	Curve      []PlanPoint   `json:"curve"`
}

// PlanPoint is one size of the curve.
type PlanPoint struct {
	Selections int           `json:"selections"`
	Took       time.Duration `json:"nanos"`
	// PerNLogN is the time over n·log₂ n, in thousandths of nanoseconds: where it does not grow, neither does planning faster than that.
	PerNLogN Milli `json:"nanosPerNLogN"`
}

const implementers = 20

// Lines are the figures for people.
func (p *Planning) Lines() []Line {
	lines := []Line{
		atMost(fmt.Sprintf("planning %d selections over four subgraphs, cold", p.Selections), p.Cold, 2*time.Millisecond, took, count(p.Fetches, "fetch", "fetches")),
		atMost("the same out of the router's cache", p.Cached, 20*time.Microsecond, took, "its text is known"),
	}
	for _, point := range p.Curve {
		lines = append(lines, Line{
			What:   fmt.Sprintf("planning %s selections over an interface with %d implementers", grouped(int64(point.Selections)), implementers),
			Figure: took(point.Took), Note: point.PerNLogN.String() + " ns / (n·log₂ n)",
		})
	}
	first, last := p.Curve[0], p.Curve[len(p.Curve)-1]
	lines = append(lines, atMost("its growth beyond n·log n, from the smallest to the largest", MilliOf(int64(last.PerNLogN), int64(first.PerNLogN)), 1200,
		Milli.String, "a quotient of the last column; 1.2 leaves room for noise"))
	return lines
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Plan measures planning.
func Plan(ctx context.Context, o Options) (Planning, error) {
	sdl, err := composed(workload.Shop())
	if err != nil {
		return Planning{}, err
	}
	sg, err := federation.Load(sdl)
	if err != nil {
		return Planning{}, err
	}
	p := Planning{}
	doc, err := document(sg, workload.ShopOperation)
	if err != nil {
		return p, err
	}
	p.Selections = selections(doc)
	planner := plan.New(sg, plan.Options{})
	if p.Cold, err = perRun(ctx, o, 50, 1, func() error {
		made, err := planner.Plan(doc, "", plan.Given{})
		if err == nil {
			p.Fetches = fetches(made)
		}
		return err
	}); err != nil {
		return p, err
	}
	if p.Cached, err = cachedPlan(ctx, o, sdl); err != nil {
		return p, err
	}
	p.Curve, err = curve(ctx, o)
	return p, err
}

// cachedPlan is a request's way to a plan that the router has: the text is looked up, the variables are coerced and the plan is chosen.
func cachedPlan(ctx context.Context, o Options, sdl string) (time.Duration, error) {
	r, err := router.New(sdl, router.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.Close(ctx) }()
	return perRun(ctx, o, 50, 100, func() error {
		_, err := r.Plan(ctx, workload.ShopOperation, "", map[string]any{"text": "chair", "first": json.Number("3")})
		return err
	})
}

func curve(ctx context.Context, o Options) ([]PlanPoint, error) {
	sdl, err := composed(workload.Wide(implementers))
	if err != nil {
		return nil, err
	}
	sg, err := federation.Load(sdl)
	if err != nil {
		return nil, err
	}
	planner := plan.New(sg, plan.Options{MaxSteps: 1 << 30})
	var points []PlanPoint
	for depth := 2; depth <= 64; depth *= 2 {
		doc, err := document(sg, workload.WideOperation(implementers, depth))
		if err != nil {
			return nil, err
		}
		n := selections(doc)
		// The least and not the median: what else the machine does bends a curve, for it meets the long runs more often.
		rounds, err := samples(ctx, o.Rounds*max(6, 64/depth), func() error {
			_, err := planner.Plan(doc, "", plan.Given{})
			return err
		})
		took := slices.Min(rounds)
		if err != nil {
			return nil, fmt.Errorf("%d selections: %w", n, err)
		}
		points = append(points, PlanPoint{n, took, MilliOf(int64(took)*1000, int64(n)*log2(n))})
	}
	return points, nil
}

// log2 is the binary logarithm in thousandths.
func log2(n int) int64 {
	whole := bits.Len(uint(n)) - 1
	fraction := int64(0)
	// The fraction, bit by bit: squaring doubles the logarithm.
	x := int64(n) << 20 >> whole
	for bit := int64(1 << 19); bit > 0; bit >>= 1 {
		if x = x * x >> 20; x >= 2<<20 {
			x >>= 1
			fraction += bit
		}
	}
	return int64(whole)*1000 + fraction*1000>>20
}

// perRun is the median of many in each round, each the mean of some runs: of one where it takes long enough to be timed alone.
func perRun(ctx context.Context, o Options, times, runs int, run func() error) (time.Duration, error) {
	if err := run(); err != nil { // what is made once is not measured
		return 0, err
	}
	o.Rounds *= times
	took, err := medianTook(ctx, o, func() error {
		for range runs {
			if err := run(); err != nil {
				return err
			}
		}
		return nil
	})
	return took / time.Duration(runs), err
}

func medianTook(ctx context.Context, o Options, run func() error) (time.Duration, error) {
	rounds, err := samples(ctx, o.Rounds, run)
	return median(rounds, func(d time.Duration) time.Duration { return d }), err
}

// samples times runs, at least one.
func samples(ctx context.Context, n int, run func() error) ([]time.Duration, error) {
	var took []time.Duration
	for range n {
		began := time.Now()
		err := cmp.Or(ctx.Err(), run())
		took = append(took, time.Since(began))
		if err != nil {
			return took, err
		}
	}
	return took, nil
}

func inputs(subgraphs []workload.Subgraph) []compose.Subgraph {
	out := make([]compose.Subgraph, len(subgraphs))
	for i, s := range subgraphs {
		out[i] = compose.Subgraph{Name: s.Name, URL: "http://" + s.Name + ".internal/graphql", SDL: s.SDL}
	}
	return out
}

func composed(subgraphs []workload.Subgraph) (string, error) {
	result, err := compose.Compose(inputs(subgraphs), compose.Options{})
	if err != nil {
		return "", fmt.Errorf("compose: %w", err)
	}
	return result.SupergraphSDL, nil
}

func document(sg *federation.Supergraph, text string) (*ast.QueryDocument, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		return nil, err
	}
	if faults := validator.ValidateWithRules(sg.API(), doc, nil); len(faults) > 0 {
		return nil, faults
	}
	return doc, nil
}

// selections counts the fields that an operation selects.
func selections(doc *ast.QueryDocument) int {
	var in func(set ast.SelectionSet) int
	in = func(set ast.SelectionSet) int {
		n := 0
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				n += 1 + in(sel.SelectionSet)
			case *ast.InlineFragment:
				n += in(sel.SelectionSet)
			}
		}
		return n
	}
	return in(doc.Operations[0].SelectionSet)
}

func fetches(p *plan.Plan) int {
	n := 0
	for _, stage := range p.Stages {
		n += len(stage)
	}
	return n
}
