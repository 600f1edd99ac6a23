package plan

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

const (
	unreachableCost = 1 << 20
	// maxRequireDepth bounds how deep requirements of requirements are estimated.
	maxRequireDepth = 12
)

// route is the cheapest way into one subgraph for objects of one type: the stage at which a fetch there
// can run.
type route struct {
	cost      int
	viaParent bool
}

// reach estimates the routes into all subgraphs by relaxation: from the sources at hand along the keys,
// and where no key leads, through the parent. Placing then does what the estimate promised.
func (b *builder) reach(a *arrival, t *federation.Type, depth int) []route {
	return b.reachBut(a, t, nowhere, depth)
}

// nowhere is no subgraph.
const nowhere = federation.GraphID(-1)

// reachBut is reach without ways into one subgraph, of which then only what is at hand counts.
func (b *builder) reachBut(a *arrival, t *federation.Type, not federation.GraphID, depth int) []route {
	routes := make([]route, len(t.In))
	for g := range routes {
		routes[g].cost = unreachableCost
		switch {
		case t.In[g] == nil || !b.atRoot(a):
		case a.site == b.root:
			routes[g].cost = b.stage
		default:
			routes[g].cost = a.sources[0].stage() + 1
		}
	}
	for _, s := range a.sources {
		if s.covers(t) && b.mayJoin(a, t, s, false) {
			r := &routes[s.sel.graph]
			r.cost = min(r.cost, s.stage())
		}
	}
	if b.atRoot(a) {
		return routes
	}
	b.relax(a, t, not, routes, depth)
	if b.addParentRoutes(a, t, not, routes, depth) {
		b.relax(a, t, not, routes, depth)
	}
	return routes
}

func (b *builder) relax(a *arrival, t *federation.Type, not federation.GraphID, routes []route, depth int) {
	for changed := true; changed; {
		changed = false
		for g, j := range t.In {
			if j == nil || len(j.Keys) == 0 || federation.GraphID(g) == not {
				continue
			}
			if c := b.keyCost(a, t, j, routes, depth); c+1 < routes[g].cost {
				routes[g] = route{cost: c + 1}
				changed = true
			}
		}
	}
}

func (b *builder) keyCost(a *arrival, t *federation.Type, j *federation.TypeJoin, routes []route, depth int) int {
	best := unreachableCost
	for _, k := range j.Keys {
		if k.Resolvable {
			best = min(best, b.setCost(a, t, k.Fields, routes, depth))
		}
	}
	return best
}

// bestKey is the key by which to enter g at the least cost; nil when there is none. Only with requirements can g have
// given the key itself, through the parent.
func (b *builder) bestKey(a *arrival, t *federation.Type, g federation.GraphID, more bool) *federation.Key {
	j := t.In[g]
	if j == nil {
		return nil
	}
	not := g
	if more {
		not = nowhere
	}
	routes := b.reachBut(a, t, not, 0)
	var options []option
	for i, k := range j.Keys {
		if !k.Resolvable {
			continue
		}
		if c := b.setCost(a, t, k.Fields, routes, 0); c < unreachableCost {
			options = append(options, option{graph: federation.GraphID(i), cost: c})
		}
	}
	if len(options) == 0 {
		return nil
	}
	return j.Keys[b.decide(decision{site: a.site, enter: g}, options).graph]
}

// addParentRoutes adds the ways through the parent where no key leads, or where they need fewer sequential fetches: fields
// that several subgraphs resolve have the same objects in all of them. Objects of one type only are told to be the same.
func (b *builder) addParentRoutes(a *arrival, t *federation.Type, not federation.GraphID, routes []route, depth int) bool {
	if a.parent == nil || a.site.parent == b.root && b.op.Operation != ast.Query {
		return false
	}
	added := false
	for g := range routes {
		reached := routes[g].cost < unreachableCost
		if t.In[g] == nil || federation.GraphID(g) == not || reached && (len(a.site.types) > 1 || a.stub != nil) || b.broughtBefore(a, federation.GraphID(g), reached) {
			continue
		}
		if len(a.sources) > 0 && a.sources[0].sel.graph == federation.GraphID(g) {
			continue // that is the way they came
		}
		cost := 0
		for _, owner := range a.owners {
			cost = max(cost, b.parentCost(a, owner, t, federation.GraphID(g), depth))
		}
		if len(a.owners) > 0 && cost < routes[g].cost {
			routes[g] = route{cost: cost, viaParent: true}
			added = true
		}
	}
	return added
}

func (b *builder) parentCost(a *arrival, owner, t *federation.Type, g federation.GraphID, depth int) int {
	f := owner.Field(a.site.via.name)
	if f == nil || f.In[g] == nil || !f.In[g].LocalFor(b.given.Labels) || needs(f.In[g]) || depth > maxRequireDepth {
		return unreachableCost
	}
	for _, p := range possibleIn(b.sg.Type(f.In[g].Type.Name()), g) {
		if p == t {
			return b.reach(a.parent, owner, depth+1)[g].cost
		}
	}
	return unreachableCost
}

// fieldCost is the stage of the fetch that gets the field from g.
func (b *builder) fieldCost(a *arrival, t *federation.Type, f *federation.Field, g federation.GraphID, routes []route, depth int) int {
	j := f.In[g]
	if j == nil || !j.LocalFor(b.given.Labels) {
		return unreachableCost
	}
	if !needs(j) {
		return routes[g].cost
	}
	if depth > maxRequireDepth || t.In[g] == nil {
		return unreachableCost
	}
	keys := b.keyCost(a, t, t.In[g], routes, depth+1)
	required := b.setCost(a, t, j.Requires, routes, depth+1)
	return min(max(keys, required, b.contextCost(a, j.Contexts, depth+1))+1, unreachableCost)
}

// setCost is the stage at which all of a field set is there.
func (b *builder) setCost(a *arrival, t *federation.Type, set ast.SelectionSet, routes []route, depth int) int {
	cost := 0
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			if on := b.sg.Type(sel.TypeCondition); sel.TypeCondition == "" || isPossible(on, t) {
				cost = max(cost, b.setCost(a, t, sel.SelectionSet, routes, depth))
			}
		case *ast.Field:
			if sel.Name != "__typename" {
				cost = max(cost, b.setFieldCost(a, t, sel, routes, depth))
			}
		}
	}
	return cost
}

func (b *builder) setFieldCost(a *arrival, t *federation.Type, sel *ast.Field, routes []route, depth int) int {
	f := t.Field(sel.Name)
	if f == nil {
		return unreachableCost
	}
	best := unreachableCost
	for _, s := range a.sources {
		if s.covers(t) && b.resolves(s, f) && b.part.within(s.sel.entry.part) {
			best = min(best, s.stage())
		}
	}
	if b.underway(a, t, f, sel) {
		return best // looking for it once more would go round in a circle
	}
	for g := range f.In {
		c := b.fieldCost(a, t, f, federation.GraphID(g), routes, depth)
		if c < unreachableCost && len(sel.SelectionSet) > 0 && !b.hasAll(federation.GraphID(g), f, sel.SelectionSet) {
			c++ // parts of the child come from elsewhere
		}
		best = min(best, c)
	}
	return best
}

// underway says whether a field is being looked for already, so that what it needs must do without it.
func (b *builder) underway(a *arrival, t *federation.Type, f *federation.Field, sel *ast.Field) bool {
	if len(b.resolving) == 0 {
		return false
	}
	sl := a.site.slotFor(sel.Name, sel.Arguments, b.sg.Type(f.Def.Type.Name()))
	return sl != nil && slices.Contains(b.resolving, goal{a, t, sl})
}

// hasAll says whether g resolves all of a set under field f by itself.
func (b *builder) hasAll(g federation.GraphID, f *federation.Field, set ast.SelectionSet) bool {
	j := f.In[g]
	if j == nil {
		return false
	}
	return b.typeHasAll(g, b.sg.Type(j.Type.Name()), set)
}

func (b *builder) typeHasAll(g federation.GraphID, t *federation.Type, set ast.SelectionSet) bool {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			on := t
			if sel.TypeCondition != "" {
				on = b.sg.Type(sel.TypeCondition)
			}
			if !b.typeHasAll(g, on, sel.SelectionSet) {
				return false
			}
		case *ast.Field:
			if sel.Name == "__typename" {
				continue
			}
			f := t.Field(sel.Name)
			if f == nil || f.In[g] == nil || !f.In[g].LocalFor(b.given.Labels) || !b.hasAll(g, f, sel.SelectionSet) {
				return false
			}
		}
	}
	return true
}

type scoreKey struct {
	site  *site
	graph federation.GraphID
	part  *part
}

// coverage counts what of a want subgraph g answers without another fetch.
func (b *builder) coverage(g federation.GraphID, f *federation.Field, w *want) int {
	if w.slot.child == nil {
		return 1
	}
	return 1 + b.siteCoverage(g, w.slot.child)
}

func (b *builder) siteCoverage(g federation.GraphID, s *site) int {
	k := scoreKey{s, g, b.part}
	if score, ok := b.scores[k]; ok {
		return score
	}
	score := 0
	for _, gr := range s.groups {
		for _, w := range gr.wants {
			for _, t := range gr.types {
				if w.part != b.part {
					break
				}
				if f := t.Field(w.slot.name); f != nil && f.In[g] != nil && f.In[g].LocalFor(b.given.Labels) && !needs(f.In[g]) {
					score += b.coverage(g, f, w)
					break
				}
			}
		}
	}
	b.scores[k] = score
	return score
}

// complete says whether subgraph g answers all that the client wants at a site.
func (b *builder) complete(g federation.GraphID, s *site) bool {
	for _, gr := range s.groups {
		for _, w := range gr.wants {
			if w.part != b.part {
				continue
			}
			for _, t := range gr.types {
				f := t.Field(w.slot.name)
				if f == nil || f.In[g] == nil || !f.In[g].LocalFor(b.given.Labels) || needs(f.In[g]) {
					return false
				}
			}
			if w.slot.child != nil && !b.complete(g, w.slot.child) {
				return false
			}
		}
	}
	return true
}
