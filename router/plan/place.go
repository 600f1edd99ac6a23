package plan

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// place obtains one field for objects of one concrete type of an arrival: from a source at hand, or
// through the cheapest way into another subgraph.
func (b *builder) place(a *arrival, t *federation.Type, w *want) (*selField, error) {
	if err := b.step(1); err != nil {
		return nil, err
	}
	f := t.Field(w.slot.name)
	if f == nil {
		return nil, b.unreachable(t, w)
	}
	s := b.having(a, t, f, w)
	if s == nil {
		var err error
		if s, err = b.choose(a, t, f, w); err != nil {
			if s = b.beside(a, t, f); s == nil {
				return nil, err
			}
		}
	}
	b.part.sources[s.sel.entry] = true
	return b.addTo(a, s, t, w, nil), nil
}

// having is a source that is asked for the field already.
func (b *builder) having(a *arrival, t *federation.Type, f *federation.Field, w *want) *source {
	for _, s := range a.sources {
		if s.covers(t) && b.resolves(s, f) && b.part.within(s.sel.entry.part) && s.sel.field(w.slot, t) != nil {
			return s
		}
	}
	return nil
}

// option is a way to a field: a source at hand, or a subgraph to enter.
type option struct {
	graph  federation.GraphID
	source *source
	cost   int
	score  int
}

// better says whether o comes before p where nothing else guides: sources at hand first, of these the one that answers
// most of what is under the field, then the earliest; of entries the one at the least number of sequential fetches.
func (o option) better(p option) bool {
	if (o.source == nil) != (p.source == nil) {
		return o.source != nil
	}
	if o.source != nil {
		return o.score > p.score || o.score == p.score && o.cost < p.cost
	}
	return o.cost < p.cost || o.cost == p.cost && o.score > p.score
}

// decide takes the best of several options and remembers the others.
func (b *builder) decide(d decision, options []option) option {
	best := options[0]
	for _, o := range options[1:] {
		x, y := b.guide.rank(d, int(o.graph)), b.guide.rank(d, int(best.graph))
		if x < y || x == y && o.better(best) {
			best = o
		}
	}
	var others []int
	for _, o := range options {
		if o.graph != best.graph && !slices.Contains(others, int(o.graph)) {
			others = append(others, int(o.graph))
		}
	}
	b.note(d, int(best.graph), others)
	return best
}

// choose finds a source for a field that is not asked for yet.
func (b *builder) choose(a *arrival, t *federation.Type, f *federation.Field, w *want) (*source, error) {
	options := b.atHand(a, t, f, w)
	// What is at hand is never dearer than a fetch more, unless what is below it then needs fetches that another subgraph saves.
	settled := slices.ContainsFunc(options, func(o option) bool {
		return w.slot.child == nil || b.complete(o.graph, w.slot.child)
	})
	if settled {
		options = slices.DeleteFunc(options, func(o option) bool {
			return w.slot.child != nil && !b.complete(o.graph, w.slot.child)
		})
	}
	me := goal{a, t, w.slot}
	if !settled {
		if slices.Contains(b.resolving, me) {
			return nil, &Error{Message: fmt.Sprintf("%s.%s requires itself", t.Name, w.slot.name)}
		}
		b.resolving = append(b.resolving, me)
		defer func() { b.resolving = b.resolving[:len(b.resolving)-1] }()
	}
	var routes []route
	if !settled && (len(options) == 0 || homes(f, b.given.Labels) > 1) {
		routes = b.reach(a, t, 0)
		options = b.entrances(a, t, f, w, routes, options)
	}
	if len(options) == 0 {
		return nil, b.unreachable(t, w)
	}
	best := b.decide(decision{site: a.site, slot: w.slot}, options)
	if best.source != nil {
		return best.source, nil
	}
	return b.enter(a, t, best.graph, f.In[best.graph], w, routes[best.graph])
}

// homes is how many subgraphs resolve a field.
func homes(f *federation.Field, labels map[string]bool) int {
	n := 0
	for _, j := range f.In {
		if j != nil && j.LocalFor(labels) {
			n++
		}
	}
	return n
}

// atHand are the sources that may be asked for a field.
func (b *builder) atHand(a *arrival, t *federation.Type, f *federation.Field, w *want) []option {
	var options []option
	for _, s := range a.sources {
		if s.covers(t) && b.resolves(s, f) && b.part.within(s.sel.entry.part) && b.mayJoin(a, t, s, w.key || isKeyField(t.In[s.sel.graph], f.Name)) && b.asksAlike(s, t, w) {
			options = append(options, option{s.sel.graph, s, s.stage(), b.coverage(s.sel.graph, f, w)})
		}
	}
	return options
}

// entrances adds the subgraphs that can be entered for a field to what is at hand.
func (b *builder) entrances(a *arrival, t *federation.Type, f *federation.Field, w *want, routes []route, options []option) []option {
	for g, j := range f.In {
		gid := federation.GraphID(g)
		if j == nil || !j.LocalFor(b.given.Labels) || slices.ContainsFunc(options, func(o option) bool { return o.graph == gid }) {
			continue
		}
		if c := b.fieldCost(a, t, f, gid, routes, 0); c < unreachableCost {
			options = append(options, option{gid, nil, c, b.coverage(gid, f, w)})
		}
	}
	return options
}

// addTo asks source s for the want. Under a composite field it opens the child's arrival, or joins the
// objects that came in elsewhere when attach is set.
func (b *builder) addTo(a *arrival, s *source, t *federation.Type, w *want, attach *arrival) *selField {
	j := t.Field(w.slot.name).In[s.sel.graph]
	if w.slot.child == nil {
		return s.sel.add(w.slot, t, w.cond, b.shape(j, true), nil)
	}
	provided, _ := providedFor(b.sg, s.provided, t, w.slot.name)
	if len(j.Provides) > 0 {
		provided = append(slices.Clip(provided), j.Provides)
	}
	p := s.sel.add(w.slot, t, w.cond, b.shape(j, false), provided)
	static := b.sg.Type(j.Type.Name())
	types := intersect(w.slot.child.types, possibleIn(static, s.sel.graph))
	if p.child == nil {
		p.child = newSelection(s.sel.entry, w.slot.child, types)
		src := &source{sel: p.child, provided: provided}
		if attach == nil {
			attach = &arrival{site: w.slot.child, types: types, parent: a}
		}
		attach.sources = append(attach.sources, src)
		b.arrivals[p.child] = attach
	}
	p.child.types = unionTypes(p.child.types, types)
	child := b.arrivals[p.child]
	if sj := static.In[s.sel.graph]; sj != nil && sj.InterfaceObject {
		p.child.stub = true
		if len(child.sources) == 1 {
			child.stub = static
		}
	} else {
		p.child.typename = p.child.typename || static.IsAbstract()
	}
	child.types = unionTypes(child.types, types)
	if !slices.Contains(child.owners, t) {
		child.owners = append(child.owners, t)
	}
	return p
}

func possibleIn(t *federation.Type, g federation.GraphID) []*federation.Type {
	if j := t.In[g]; t.IsAbstract() && j != nil {
		return j.Possible
	}
	return t.Possible
}

// enter opens subgraph g for objects of type t: at the root by a fetch, at entities by a key, and else
// through the parent.
func (b *builder) enter(a *arrival, t *federation.Type, g federation.GraphID, j *federation.FieldJoin, w *want, r route) (*source, error) {
	if b.atRoot(a) {
		for _, s := range a.sources {
			if s.sel.graph == g && b.mayJoin(a, t, s, false) {
				return s, nil
			}
		}
		return b.addRoot(a, g), nil
	}
	if j == nil || !needs(j) {
		for _, s := range a.sources {
			if s.sel.graph == g && s.covers(t) && b.mayJoin(a, t, s, false) && b.asksAlike(s, t, w) && s.stage() <= r.cost {
				return s, nil
			}
		}
		if r.viaParent && b.wayIn(a, t, g) == throughParent {
			return b.enterViaParent(a, g, w)
		}
	}
	return b.enterByKey(a, t, g, j, w)
}

// wayIn decides between parent and key where both lead.
func (b *builder) wayIn(a *arrival, t *federation.Type, g federation.GraphID) int {
	if t.In[g] == nil || b.keyCost(a, t, t.In[g], b.reachBut(a, t, g, 0), 0) >= unreachableCost {
		return throughParent
	}
	options := []option{{graph: throughParent}, {graph: byKey, cost: 1}}
	return int(b.decide(decision{site: a.site, enter: g, way: true}, options).graph)
}

// enterViaParent fetches the field that leads here once more, from a subgraph that has other parts of it.
func (b *builder) enterViaParent(a *arrival, g federation.GraphID, w *want) (*source, error) {
	up := &want{slot: a.site.via, cond: w.cond}
	var sel *selection
	for _, owner := range slices.Clone(a.owners) {
		var from *source
		for _, s := range a.parent.sources {
			if s.sel.graph == g && s.covers(owner) && b.mayJoin(a.parent, owner, s, false) {
				from = s
			}
		}
		if from == nil {
			var err error
			if from, err = b.enter(a.parent, owner, g, nil, up, b.reach(a.parent, owner, 0)[g]); err != nil {
				return nil, err
			}
		}
		sel = b.addTo(a.parent, from, owner, up, a).child
	}
	for _, s := range a.sources {
		if s.sel == sel {
			return s, nil
		}
	}
	return nil, b.unreachable(a.types[0], w)
}

// enterByKey adds a representation of t to an entities fetch of g, after everything that it is made of.
func (b *builder) enterByKey(a *arrival, t *federation.Type, g federation.GraphID, j *federation.FieldJoin, w *want) (*source, error) {
	if err := b.tellApart(a, w.cond); err != nil {
		return nil, err
	}
	if j == nil {
		j = &federation.FieldJoin{}
	}
	required, deps, err := b.resolveSet(a, t, j.Requires, w.cond, false)
	if err != nil {
		return nil, err
	}
	contexts, contextDeps, err := b.resolveContexts(a, j.Contexts, w.cond)
	if err != nil {
		return nil, err
	}
	deps = append(deps, contextDeps...)
	if a.named != nil {
		deps = append(deps, a.named.sel.entry)
	}
	key := b.bestKey(a, t, g, needs(j))
	if key == nil {
		return nil, b.unreachable(t, w)
	}
	fields, keyDeps, err := b.resolveSet(a, t, key.Fields, w.cond, true)
	if err != nil {
		return nil, err
	}
	deps = append(deps, keyDeps...)
	fields, ok := mergeRep(fields, required)
	if !ok {
		return nil, &Error{Message: fmt.Sprintf("%s.%s requires a key field with other arguments", t.Name, w.slot.name)}
	}
	if len(a.sources) > 0 {
		deps = append(deps, a.sources[0].sel.entry)
	}
	stage := b.stage
	for _, d := range deps {
		stage = max(stage, d.stage+1)
	}
	e := b.entryFor(a, t, g, stage, fields, contexts, w)
	for _, d := range deps {
		e.dependOn(d)
	}
	for _, s := range a.sources {
		if s.sel == e.sel {
			if !slices.Contains(s.types, t) {
				s.types = append(s.types, t)
			}
			return s, nil
		}
	}
	s := &source{sel: e.sel, types: []*federation.Type{t}}
	a.sources = append(a.sources, s)
	return s, nil
}

// entryFor finds an entities fetch at the site that can take the representation, or opens one.
func (b *builder) entryFor(a *arrival, t *federation.Type, g federation.GraphID, stage int, fields []*repField, contexts []*contextVar, w *want) *entry {
	for _, e := range a.site.entries {
		if e.graph != g || e.part != b.part || e.epoch != b.epoch || e.stage < stage || e.of != nil || !sameContexts(e.contexts, contexts) {
			continue
		}
		if e.stage > stage && w.slot.child != nil && !b.complete(g, w.slot.child) {
			continue // what is under the field goes on from here: do not make it wait
		}
		if b.bringAlike(e, t, fields, w) && b.wantAlike(e, t, w) && e.take(a, t, fields) {
			return e
		}
	}
	e := &entry{graph: g, site: a.site, stage: stage, epoch: b.epoch, part: b.part, contexts: contexts}
	e.sel = newSelection(e, a.site, nil)
	e.take(a, t, fields)
	a.site.entries = append(a.site.entries, e)
	b.entries = append(b.entries, e)
	return e
}

// take adds a representation, unless it contradicts one that is there. Objects that came in another way
// may lack fields, so only an equal representation is shared with them.
func (e *entry) take(a *arrival, t *federation.Type, fields []*repField) bool {
	r := e.rep(t)
	if r == nil {
		e.reps = append(e.reps, &rep{typ: t, fields: fields, from: []*arrival{a}})
		e.sel.types = unionTypes(e.sel.types, []*federation.Type{t})
		return true
	}
	merged, ok := mergeRep(r.fields, fields)
	if !ok {
		return false
	}
	if len(r.from) != 1 || r.from[0] != a {
		if !sameFields(r.fields, fields) {
			return false
		}
		if !slices.Contains(r.from, a) {
			r.from = append(r.from, a)
		}
		return true
	}
	r.fields = merged
	return true
}

func sameFields(a, b []*repField) bool {
	return slices.EqualFunc(a, b, func(x, y *repField) bool {
		return x.name == y.name && x.slot == y.slot && sameFields(x.child, y.child)
	})
}

// resolveSet obtains a key or a requirement for objects of type t and says how to show it.
func (b *builder) resolveSet(a *arrival, t *federation.Type, set ast.SelectionSet, c cond, key bool) ([]*repField, []*entry, error) {
	var fields []*repField
	var deps []*entry
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			if on := b.sg.Type(sel.TypeCondition); sel.TypeCondition != "" && !isPossible(on, t) {
				continue
			}
			more, moreDeps, err := b.resolveSet(a, t, sel.SelectionSet, c, key)
			if err != nil {
				return nil, nil, err
			}
			fields, _ = mergeRep(fields, more)
			deps = append(deps, moreDeps...)
		case *ast.Field:
			if sel.Name == "__typename" {
				continue
			}
			rf, moreDeps, err := b.resolveField(a, t, sel, c, key)
			if err != nil {
				return nil, nil, err
			}
			merged, ok := mergeRep(fields, []*repField{rf})
			if !ok {
				return nil, nil, &Error{Message: fmt.Sprintf("%s.%s is required twice with different arguments", t.Name, sel.Name)}
			}
			fields = merged
			deps = append(deps, moreDeps...)
		}
	}
	return fields, deps, nil
}

func (b *builder) resolveField(a *arrival, t *federation.Type, sel *ast.Field, c cond, key bool) (*repField, []*entry, error) {
	f := t.Field(sel.Name)
	if f == nil {
		return nil, nil, &Error{Message: fmt.Sprintf("no field %s on %s", sel.Name, t.Name)}
	}
	ft := b.sg.Type(f.Def.Type.Name())
	sl := b.internalSlot(a.site, sel.Name, sel.Arguments, ft)
	p, err := b.place(a, t, &want{slot: sl, cond: c, key: key})
	if err != nil {
		return nil, nil, err
	}
	rf := &repField{name: sel.Name, slot: sl, key: key, abstract: ft.IsAbstract()}
	var deps []*entry
	for _, s := range a.sources {
		if s.sel.field(sl, t) == p {
			deps = append(deps, s.sel.entry)
		}
	}
	if p.child == nil {
		return rf, deps, nil
	}
	child := b.arrivals[p.child]
	unders := make([][]*repField, 0, len(child.types))
	for _, ct := range child.types {
		under, moreDeps, err := b.resolveSet(child, ct, sel.SelectionSet, c, key)
		if err != nil {
			return nil, nil, err
		}
		unders = append(unders, under)
		deps = append(deps, moreDeps...)
	}
	// Objects of a stub whose type nobody tells bring what all types bring.
	alike := !slices.ContainsFunc(unders, func(u []*repField) bool { return !sameFields(u, unders[0]) })
	if child.stub != nil && !alike {
		if err := b.tellApart(child, c); err != nil {
			return nil, nil, err
		}
		deps = append(deps, child.named.sel.entry)
	}
	for i, under := range unders {
		if len(child.types) > 1 && (child.stub == nil || !alike) {
			for _, u := range under {
				u.types = []*federation.Type{child.types[i]}
			}
		}
		rf.child, _ = mergeRep(rf.child, under)
	}
	return rf, deps, nil
}
