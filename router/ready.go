package router

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/access"
	"bourse/router/cost"
	"bourse/router/limits"
	"bourse/router/plan"
	"bourse/router/serve"
	"bourse/router/telemetry"
)

// ready is what requests find prepared:
//
//	text, operation name ──► known ──► shape: all operations that differ in literals only
//	                           └──given──► plan
//
// A text seen before costs one look into texts and one into plans. A new text whose shape is known needs neither
// validation nor planning. Each cache refers to the others by keys, so that what one lets go of is gone.
type ready struct {
	texts  *cache[textKey, *known]
	shapes *cache[string, *shape]
	plans  *cache[planKey, *planned]
}

// Shares of the bytes that the three caches may hold, and what an entry holds about for each byte of its text (measured: a
// definition with its variables, a syntax tree, a plan by the text of its requests).
const (
	textsShare, shapesShare, plansShare     = 4, 4, 2 // a fourth, a fourth, a half
	knownPerByte, shapePerByte, planPerByte = 4, 30, 12
	entryBytes                              = 1 << 10
)

func newReady(entries, bytes int) ready {
	return ready{
		texts:  newCache[textKey, *known](entries, bytes/textsShare),
		shapes: newCache[string, *shape](entries, bytes/shapesShare),
		plans:  newCache[planKey, *planned](entries, bytes/plansShare),
	}
}

// textKey is what tells one operation from another before anything is read.
type textKey struct{ query, operation string }

// planKey is what a plan depends on: the operation without its literals, and what is given beside it.
type planKey struct{ shape, given string }

// known is an operation as its client wrote it, checked. It is shared by requests and never changed.
type known struct {
	definition  *ast.OperationDefinition // name, kind and variables; no selections
	literals    map[string]any           // variables of the shape that stand for the text's literals
	shape       string                   // its text
	needs       needs
	introspects *ast.Field          // that asks for the schema, where not everyone may; nil: none
	exceeded    []limits.Exceeded   // limits that only warn
	cost        *cost.Formula       // of needs, with the literals; nil: costs are not computed
	document    *telemetry.Document // nil: nobody wants to know
}

// planned is a plan and what it was made under.
type planned struct {
	plan  *plan.Plan
	under circumstances
}

// circumstances are what is known of a request where its plan depends on more than its operation. The zero value is of one whose plan does not.
type circumstances struct {
	labels      map[string]bool // of progressive overrides, decided
	incremental bool            // the client takes the answer in parts
	whole       []string        // variables by which it does not want parts after all
	rights      access.Rights
}

// needs is what must be known of a request, beside the operation, to plan it.
type needs struct {
	labels   []string // of progressive overrides
	defers   bool     // whether the client takes the answer in parts
	defersBy []string // if so: the variables that decide what is deferred
	touched  access.Touched
	cost     *cost.Formula // nil: costs are not computed
	meter    *cost.Meter   // of the answer; nil: it is not counted
}

func (g *gateway) needsOf(doc *ast.QueryDocument, definition *ast.OperationDefinition) needs {
	n := needs{labels: g.planner.Labels(doc, definition.Name), touched: g.access.Touched(doc, definition.Name)}
	if g.costs != nil {
		n.cost = g.costs.Formula(doc, definition.Name)
		if g.budget.Actual {
			n.meter = g.costs.Meter(doc, definition.Name)
		}
	}
	n.defersBy, n.defers = plan.Deferring(definition)
	return n
}

// shape is a validated operation with its literals lifted into variables.
type shape struct {
	text  string
	doc   *ast.QueryDocument
	name  string
	needs needs

	planning sync.Mutex // one request plans, the others wait for it
}

// planFor finds or makes the plan of an operation for one request.
func (g *gateway) planFor(ctx context.Context, req *serve.Request, k *known, variables map[string]any, told *telemetry.Prepared) (*plan.Plan, *serve.Refusal) {
	under := g.circumstances(ctx, req, k, variables)
	given, key := g.given(k.needs, under)
	pk := planKey{k.shape, key}
	if p, ok := g.ready.plans.get(pk); ok {
		told.Cached = true
		return p.plan, nil
	}
	s, ok := g.ready.shapes.get(k.shape)
	if !ok {
		var refusal *serve.Refusal
		if _, s, refusal = g.read(req, told); refusal != nil {
			return nil, refusal
		}
	}
	return g.planUnder(ctx, s, pk, given, under, told)
}

// planUnder makes a plan and keeps it, unless another request has.
func (g *gateway) planUnder(ctx context.Context, s *shape, pk planKey, given plan.Given, under circumstances, told *telemetry.Prepared) (*plan.Plan, *serve.Refusal) {
	s.planning.Lock()
	defer s.planning.Unlock()
	if p, ok := g.ready.plans.get(pk); ok {
		told.Cached = true // another request has planned it meanwhile
		return p.plan, nil
	}
	began := time.Now()
	p, err := g.planner.Plan(s.doc, s.name, given)
	told.Planning = time.Since(began)
	if err != nil {
		var unplannable *plan.Error
		if errors.As(err, &unplannable) {
			return nil, serve.Refuse(0, unplannable.Code, unplannable.Message)
		}
		g.logger.ErrorContext(ctx, "planning failed", "operation", s.name, "error", err)
		return nil, serve.Refuse(0, codePlanFailed, "the operation could not be planned")
	}
	g.ready.plans.add(pk, &planned{p, under}, weigh(p))
	return p, nil
}

// figures are of the plans that are kept, and of what leads to them.
func (r *ready) figures() telemetry.CacheFigures {
	var all telemetry.CacheFigures
	for _, one := range []telemetry.CacheFigures{r.texts.figures(), r.shapes.figures(), r.plans.figures()} {
		all.Bytes += one.Bytes
		all.Evictions += one.Evictions
		all.Entries = one.Entries // plans come last
	}
	return all
}

// weigh is about how many bytes a plan takes.
func weigh(p *plan.Plan) int {
	n := 0
	for _, stage := range p.Stages {
		for _, f := range stage {
			n += len(f.Query) + len(f.Prefix)
		}
	}
	return entryBytes + planPerByte*n
}

// circumstances finds out what the plan of a request depends on beside its operation.
func (g *gateway) circumstances(ctx context.Context, req *serve.Request, k *known, variables map[string]any) circumstances {
	var c circumstances
	if len(k.needs.labels) > 0 {
		c.labels = g.labelsOn(ctx, k.needs.labels)
	}
	if k.needs.defers && req.Incremental {
		c.incremental = true
		for _, name := range k.needs.defersBy {
			if off, ok := variables[name].(bool); ok && !off {
				c.whole = append(c.whole, name)
			}
		}
	}
	if len(k.needs.touched) > 0 && g.rights != nil {
		c.rights = g.rights(ctx, req.Header, g.access.Policies(k.needs.touched))
	}
	return c
}

// given is what the planner is told of the circumstances, and the key that tells its plan from others.
func (g *gateway) given(n needs, c circumstances) (plan.Given, string) {
	var given plan.Given
	var key string
	if len(n.labels) > 0 {
		given.Labels = c.labels
		key = labelKey(n.labels, given.Labels)
	}
	if n.defers && c.incremental {
		given.Defer, given.Variables = true, map[string]bool{}
		key += "\x00defer"
		for _, name := range c.whole {
			given.Variables[name] = false
			key += " !" + name
		}
	}
	if len(n.touched) > 0 {
		ruling := g.access.Decide(n.touched, c.rights)
		given.Denies = ruling.Denies
		key += "\x00may " + ruling.Key
	}
	return given, key
}
