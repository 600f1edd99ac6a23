package plan

import (
	"cmp"
	"maps"
	"slices"

	"bourse/router/federation"
)

// Where more than one subgraph or key would do, building decides by what it knows at that moment. The search then tries
// whether deciding otherwise makes the whole plan cheaper: one decision at a time, or all those together that take or that
// could take one subgraph. It goes on from the best plan found, until nothing helps or its budget is spent.

// defaultSearchSteps bounds the search of one operation.
const defaultSearchSteps = 20_000

// cost orders plans: sequential fetches, then fetches, then selected fields.
type cost struct{ stages, fetches, fields int }

func (c cost) less(d cost) bool {
	return cmp.Or(cmp.Compare(c.stages, d.stages), cmp.Compare(c.fetches, d.fetches), cmp.Compare(c.fields, d.fields)) < 0
}

// decision is what there is to decide: which subgraph gives a field of the objects at a site, or by which key they enter
// one, or whether through the parent.
type decision struct {
	site  *site
	slot  *slot
	enter federation.GraphID // with no slot: the subgraph to enter
	way   bool               // by a key or through the parent
}

// The options of a decision about the way.
const (
	throughParent = iota
	byKey
)

// choice is what building decided, and what else there was: subgraphs, or keys by their index.
type choice struct {
	decision
	taken  int
	others []int
}

// guidance is how building is to decide other than by itself.
type guidance struct {
	forced map[decision]int
	avoid  map[int]bool // subgraphs
	favour map[int]bool
	keys   bool // enter by keys where they lead too
}

// rank is how much an option is wanted: the least first.
func (g *guidance) rank(d decision, option int) int {
	forced, ok := g.forced[d]
	switch {
	case ok && forced == option:
		return -2
	case ok:
		return 0
	case d.way && g.keys && option == byKey:
		return -1
	case d.slot == nil:
		return 0
	case g.favour[option]:
		return -1
	case g.avoid[option]:
		return 1
	}
	return 0
}

func (g *guidance) with(d decision, option int) *guidance {
	next := *g
	if next.forced = maps.Clone(g.forced); next.forced == nil {
		next.forced = map[decision]int{}
	}
	next.forced[d] = option
	return &next
}

func (g *guidance) without(graph int) *guidance {
	next := *g
	next.avoid = map[int]bool{graph: true}
	maps.Copy(next.avoid, g.avoid)
	return &next
}

func (g *guidance) towards(graph int) *guidance {
	next := *g
	next.favour = map[int]bool{graph: true}
	maps.Copy(next.favour, g.favour)
	return &next
}

// note remembers a decision that could have gone another way.
func (b *builder) note(d decision, taken int, others []int) {
	if len(others) > 0 && !b.decided[d] {
		b.decided[d] = true
		b.choices = append(b.choices, choice{d, taken, others})
	}
}

// search builds the plan as it comes, then looks for a cheaper one: from there, and where parents were entered again from
// what keys alone give, as one step between the two seldom helps.
func (b *builder) search() error {
	s := &searcher{builder: b, ids: map[decision]int{}, tried: map[string]bool{}}
	s.climb(&guidance{})
	first := s.err
	if slices.ContainsFunc(s.first, func(c choice) bool { return c.way }) {
		s.climb(&guidance{keys: true})
	}
	switch {
	case s.best == nil:
		return first
	case s.last != s.best:
		s.restore(s.kept)
	}
	return nil
}

type searcher struct {
	*builder
	best  *guidance // nil: no plan found
	cost  cost
	last  *guidance // as built
	err   error     // of the first try
	first []choice  // of the first try
	spent int
	kept  attempt // best as built
	ids   map[decision]int
	tried map[string]bool // what was decided
}

// attempt is what building leaves behind.
type attempt struct {
	entries []*entry
	sources []map[*entry]bool // by part
	untyped []*Object
}

func (b *builder) keep() attempt {
	a := attempt{entries: b.entries}
	for _, p := range b.parts {
		a.sources = append(a.sources, p.sources)
	}
	for _, s := range b.sites {
		for _, o := range s.outputs {
			if o.Untyped {
				a.untyped = append(a.untyped, o.Object)
			}
		}
	}
	return a
}

func (b *builder) restore(a attempt) {
	b.reset()
	b.entries = a.entries
	for i, p := range b.parts {
		p.sources = a.sources[i]
	}
	for _, o := range a.untyped {
		o.Untyped = true
	}
}

// peak is the best plan of one climb.
type peak struct {
	at      *guidance
	built   bool
	cost    cost
	choices []choice
}

// maxLevel bounds how many plans as cheap as the best are looked around of.
const maxLevel = 6

// climb goes from one plan to a cheaper neighbour as long as there is one, then on from neighbours that are as cheap.
func (s *searcher) climb(from *guidance) {
	top := s.try(from)
	for {
		next, level := s.cheaper(top, s.neighbours(top))
		for _, p := range level {
			if next == nil && !s.stopped {
				next, _ = s.cheaper(top, s.neighbours(p))
			}
		}
		if next == nil {
			return
		}
		top = *next
	}
}

// cheaper is the first of several plans that is cheaper than one, or those that are as cheap but for selected fields.
func (s *searcher) cheaper(than peak, ways []*guidance) (next *peak, level []peak) {
	for _, g := range ways {
		if s.spent > s.maxSearch {
			s.stopped = true
			return nil, nil
		}
		p := s.try(g)
		switch {
		case !p.built:
		case !than.built || p.cost.less(than.cost):
			return &p, nil
		case p.cost.stages == than.cost.stages && p.cost.fetches == than.cost.fetches && len(level) < maxLevel:
			level = append(level, p)
		}
	}
	return nil, level
}

// try builds under guidance and remembers the best of all.
func (s *searcher) try(g *guidance) peak {
	err := s.build(g)
	if s.last == nil {
		s.err, s.first = err, s.choices
	}
	s.last = g
	p := peak{at: g, built: err == nil, choices: s.choices}
	s.seen(p.choices, asTaken)
	if err == nil {
		p.cost = s.weigh()
		if s.best == nil || p.cost.less(s.cost) {
			s.best, s.cost, s.kept = g, p.cost, s.keep()
		}
	}
	return p
}

func (s *searcher) build(g *guidance) error {
	s.reset()
	s.guide = g
	collected := s.steps
	err := s.attempt()
	s.spent += s.steps - collected
	s.steps = collected
	return err
}

// neighbours are the plans that decide one thing otherwise, or all that take one subgraph, or all that could.
func (s *searcher) neighbours(p peak) []*guidance {
	var out []*guidance
	add := func(g *guidance, otherwise func(c choice) (option int, known bool)) {
		if !s.seen(p.choices, otherwise) {
			out = append(out, g)
		}
	}
	for _, g := range subgraphsOf(p.choices) {
		add(p.at.without(g), func(c choice) (int, bool) {
			if c.slot == nil || c.taken != g {
				return c.taken, true
			}
			return c.others[0], len(c.others) == 1
		})
		add(p.at.towards(g), func(c choice) (int, bool) {
			if c.slot == nil || !slices.Contains(c.others, g) {
				return c.taken, true
			}
			return g, true
		})
	}
	for _, c := range p.choices {
		for _, o := range c.others {
			add(p.at.with(c.decision, o), func(d choice) (int, bool) {
				if d.decision == c.decision {
					return o, true
				}
				return d.taken, true
			})
		}
	}
	return out
}

func subgraphsOf(choices []choice) []int {
	var graphs []int
	for _, c := range choices {
		if c.slot == nil {
			continue
		}
		for _, g := range append(slices.Clip(c.others), c.taken) {
			if !slices.Contains(graphs, g) {
				graphs = append(graphs, g)
			}
		}
	}
	return graphs
}

// seen says whether choices with some taken otherwise are those of a plan that was tried or is about to be; it is sure
// only when it says yes.
func (s *searcher) seen(choices []choice, otherwise func(c choice) (option int, known bool)) bool {
	sig := make([]byte, 0, 4*len(choices))
	for _, c := range choices {
		option, known := otherwise(c)
		if !known {
			return false
		}
		id, ok := s.ids[c.decision]
		if !ok {
			id = len(s.ids)
			s.ids[c.decision] = id
		}
		sig = append(sig, byte(id), byte(id>>8), byte(option), byte(option>>8))
	}
	if s.tried[string(sig)] {
		return true
	}
	s.tried[string(sig)] = true
	return false
}

func asTaken(c choice) (int, bool) { return c.taken, true }

// weigh is the cost of what was built.
func (b *builder) weigh() cost {
	var c cost
	stages := map[int]bool{}
	calls := map[callKey]bool{}
	for _, e := range b.entries {
		c.fields += e.sel.size()
		stages[e.stage] = true
		if e.reps == nil {
			c.fetches++
			continue
		}
		calls[callOf(e)] = true
	}
	c.stages, c.fetches = len(stages), c.fetches+len(calls)
	return c
}

// size is the number of fields selected.
func (s *selection) size() int {
	n := len(s.fields)
	for _, f := range s.fields {
		if f.child != nil {
			n += f.child.size()
		}
	}
	return n
}
