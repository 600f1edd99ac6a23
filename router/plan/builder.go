package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

const defaultMaxSteps = 200_000

// builder plans one operation.
type builder struct {
	sg       *federation.Supergraph
	op       *ast.OperationDefinition
	given    Given
	steps    int
	maxSteps int

	parts     []*part // the primary answer first
	part      *part   // being planned
	root      *site
	rootType  *federation.Type
	entries   []*entry
	stage     int // first stage of the epoch
	epoch     int // mutations: one for each root field that must wait for another
	arrivals  map[*selection]*arrival
	slotSubs  map[*slot][]subset
	enums     map[*federation.Type]map[string]bool
	conds     []Condition
	condIDs   map[string]CondID
	outputs   []output
	mentions  []mention // of a mutation's root fields
	resolving []goal
	scores    map[scoreKey]int

	contextTypes map[string][]*federation.Type
	shapes       map[*federation.FieldJoin]string
	sites        []*site
	guide        *guidance
	choices      []choice
	decided      map[decision]bool
	maxSearch    int
	stopped      bool // the search ended at its bound
}

type output struct {
	field *OutputField
	slot  *slot
}

// goal is a field being resolved, to notice requirements that go round in circles.
type goal struct {
	arrival *arrival
	typ     *federation.Type
	slot    *slot
}

func (b *builder) step(n int) error {
	if b.steps += n + 1; b.steps > b.maxSteps {
		return &Error{Message: fmt.Sprintf("the operation is too large to plan: more than %d steps", b.maxSteps), Code: CodeTooLarge}
	}
	return nil
}

// build plans the root selection and everything under it.
func (b *builder) build() error {
	b.rootType = b.sg.Root(b.op.Operation)
	if b.rootType == nil {
		return &Error{Message: fmt.Sprintf("the schema has no %s root", b.op.Operation)}
	}
	b.root = b.newSite(nil, nil, b.rootType.Possible)
	b.part = &part{site: b.root, sources: map[*entry]bool{}}
	b.parts = append(b.parts, b.part)
	if err := b.collectSite(b.root, []subset{{set: b.op.SelectionSet, part: b.part}}); err != nil {
		return err
	}
	return b.search()
}

// attempt finds entries for everything that was collected.
func (b *builder) attempt() error {
	a := &arrival{site: b.root, types: b.rootType.Possible}
	primary := b.fill
	if b.op.Operation == ast.Mutation {
		primary = b.buildMutation
	}
	if err := primary(a); err != nil {
		return err
	}
	if err := b.buildDeferred(); err != nil {
		return err
	}
	b.schedule()
	return nil
}

// reset forgets an attempt.
func (b *builder) reset() {
	b.entries, b.stage, b.epoch, b.resolving = nil, 0, 0, nil
	b.arrivals, b.choices, b.decided = map[*selection]*arrival{}, nil, map[decision]bool{}
	for _, p := range b.parts {
		p.sources = map[*entry]bool{}
	}
	b.part = b.parts[0]
	for _, s := range b.sites {
		s.entries, s.fills = nil, nil
		for _, o := range s.outputs {
			o.Untyped = false
		}
	}
}

func (b *builder) rootGraph(w *want) (federation.GraphID, error) {
	f := b.rootType.Field(w.slot.name)
	var options []option
	for g, j := range f.In {
		if j != nil && j.LocalFor(b.given.Labels) {
			options = append(options, option{graph: federation.GraphID(g), score: b.coverage(federation.GraphID(g), f, w)})
		}
	}
	if len(options) == 0 {
		return 0, b.unreachable(b.rootType, w)
	}
	return b.decide(decision{site: b.root, slot: w.slot}, options).graph, nil
}

func (b *builder) lastEntry() *entry {
	if len(b.entries) == 0 {
		return nil
	}
	return b.entries[len(b.entries)-1]
}

func (b *builder) lastStage() int {
	last := 0
	for _, e := range b.entries {
		last = max(last, e.stage)
	}
	return last
}

// atRoot says whether any subgraph can be entered without a key: at the root, and at fields whose objects are the root
// of queries again.
func (b *builder) atRoot(a *arrival) bool {
	return a.site == b.root || len(a.types) == 1 && a.types[0] == b.sg.Root(ast.Query)
}

func (b *builder) addRoot(a *arrival, g federation.GraphID) *source {
	e := &entry{graph: g, site: a.site, stage: b.stage, epoch: b.epoch, part: b.part}
	if a.site != b.root {
		e.stage = a.sources[0].stage() + 1
		e.dependOn(a.sources[0].sel.entry)
	}
	e.sel = newSelection(e, a.site, a.types)
	b.entries = append(b.entries, e)
	s := &source{sel: e.sel}
	a.sources = append(a.sources, s)
	b.arrivals[e.sel] = a
	return s
}

// fill obtains what the client wants of the objects of an arrival, then descends.
func (b *builder) fill(a *arrival) error {
	if err := b.step(1); err != nil {
		return err
	}
	a.filled = b.part
	a.site.fills = append(a.site.fills, fill{b.part, a})
	if err := b.tellApartIfNeeded(a); err != nil {
		return err
	}
	var placed []*selField // each once: types that select alike share the objects below
	seen := map[*selField]bool{}
	for _, g := range a.site.groups {
		types := intersect(g.types, a.types)
		if len(types) == 0 {
			continue
		}
		if g.typename && len(a.sources) > 0 && len(a.types) > 1 {
			a.sources[0].sel.typename = true
		}
		for _, w := range b.inOrder(a, types, g.wants) {
			if w.part != b.part {
				continue
			}
			for _, t := range types {
				p, err := b.place(a, t, w)
				if err != nil {
					return err
				}
				if !seen[p] {
					seen[p] = true
					placed = append(placed, p)
				}
			}
		}
	}
	if err := b.checkWaysIn(a); err != nil {
		return err
	}
	for _, p := range placed {
		if err := b.descend(p); err != nil {
			return err
		}
	}
	return nil
}

// inOrder puts first what leaves no choice: what the arrival's own subgraph resolves, then what requires
// other fields, then what only one subgraph has. Fields with a choice then find those fetches at hand.
func (b *builder) inOrder(a *arrival, types []*federation.Type, wants []*want) []*want {
	rank := func(w *want) int {
		f := types[0].Field(w.slot.name)
		homes, requires := 0, false
		for _, j := range f.In {
			if j != nil && j.LocalFor(b.given.Labels) {
				homes++
				requires = requires || needs(j)
			}
		}
		switch {
		case len(a.sources) > 0 && b.resolves(a.sources[0], f):
			return 0
		case requires:
			return 1
		case homes < 2:
			return 2
		}
		return 3
	}
	ranks := make(map[*want]int, len(wants))
	for _, w := range wants {
		ranks[w] = rank(w)
	}
	ordered := slices.Clone(wants)
	slices.SortStableFunc(ordered, func(x, y *want) int { return cmp.Compare(ranks[x], ranks[y]) })
	return ordered
}

// descend fills the objects under a field that was placed.
func (b *builder) descend(p *selField) error {
	if p.child == nil {
		return nil
	}
	child := b.arrivals[p.child]
	if child.filled == b.part {
		return nil // a further source of objects that already came in elsewhere
	}
	return b.fill(child)
}

func intersect(a, b []*federation.Type) []*federation.Type {
	var out []*federation.Type
	for _, t := range a {
		if slices.Contains(b, t) {
			out = append(out, t)
		}
	}
	return out
}

func (b *builder) unreachable(t *federation.Type, w *want) error {
	return &Error{Message: fmt.Sprintf("no subgraph can be reached that resolves %s.%s", t.Name, w.slot.name)}
}

func (b *builder) condID(c cond) CondID {
	if c.isTrue() {
		return Always
	}
	k := c.key()
	if id, ok := b.condIDs[k]; ok {
		return id
	}
	var condition Condition
	for _, cl := range c {
		condition = append(condition, []Literal(cl))
	}
	id := CondID(len(b.conds))
	b.conds = append(b.conds, condition)
	b.condIDs[k] = id
	return id
}
