package plan

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// Deferring says whether an operation may defer fragments, and names the variables that decide on it, in order of name.
// Where the client takes parts (Given.Defer), their values belong to what the plan depends on.
func Deferring(op *ast.OperationDefinition) (variables []string, may bool) {
	if op.Operation == ast.Subscription {
		return nil, false
	}
	seen := map[*ast.FragmentDefinition]bool{}
	note := func(ds ast.DirectiveList) {
		v := deferIf(ds)
		may = may || ds.ForName("defer") != nil && (v == nil || v.Raw != "false")
		if v != nil && v.Kind == ast.Variable {
			variables = append(variables, v.Raw)
		}
	}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				walk(sel.SelectionSet)
			case *ast.InlineFragment:
				note(sel.Directives)
				walk(sel.SelectionSet)
			case *ast.FragmentSpread:
				note(sel.Directives)
				if sel.Definition != nil && !seen[sel.Definition] {
					seen[sel.Definition] = true
					walk(sel.Definition.SelectionSet)
				}
			}
		}
	}
	walk(op.SelectionSet)
	slices.Sort(variables)
	return slices.Compact(variables), may
}

// part is what is delivered at once: the primary answer, or what one deferred fragment brings to the objects of one site.
//
// Parts are planned one after another, parents first. What a part needs and no part before it has goes into fetches of
// its own, which wait only for what they depend on.
type part struct {
	index    int // 0: the primary answer
	parent   *part
	site     *site
	fragment ast.Selection
	label    *string
	sources  map[*entry]bool // where its fields come from
}

// maxParts bounds the parts of one answer.
const maxParts = 200

// within says whether p is q or begins inside it.
func (p *part) within(q *part) bool {
	for ; p != nil; p = p.parent {
		if p == q {
			return true
		}
	}
	return false
}

// fill is one time that the client's fields were obtained for an arrival.
type fill struct {
	part    *part
	arrival *arrival
}

// byPart holds conditions by part; most fields belong to one part only.
type byPart []partCond

type partCond struct {
	part *part
	is   cond
}

func (p byPart) cond(in *part) cond {
	for _, c := range p {
		if c.part == in {
			return c.is
		}
	}
	return nil
}

func (p byPart) or(in *part, cl clause) byPart {
	for i, c := range p {
		if c.part == in {
			p[i].is = c.is.or(cl)
			return p
		}
	}
	return append(p, partCond{in, cond(nil).or(cl)})
}

// deferred is the @defer among the directives of a fragment at a site, when it means anything: the client takes parts, the
// condition holds, and it is not at the root of a mutation, whose fields must be done in order.
func (b *builder) deferred(s *site, ds ast.DirectiveList) *ast.Directive {
	d := ds.ForName("defer")
	if d == nil || !b.given.Defer || b.op.Operation == ast.Subscription || b.op.Operation == ast.Mutation && s == b.root {
		return nil
	}
	switch v := deferIf(ds); {
	case v == nil:
	case v.Kind == ast.Variable:
		if on, known := b.given.Variables[v.Raw]; known && !on {
			return nil
		}
	case v.Raw == "false":
		return nil
	}
	return d
}

// partOf finds or makes the part that a deferred fragment opens at a site. Past the bound a fragment comes with the
// part around it.
func (b *builder) partOf(s *site, sel ast.Selection, d *ast.Directive, parent *part) *part {
	for _, p := range b.parts {
		if p.site == s && p.fragment == sel && p.parent == parent {
			return p
		}
	}
	if len(b.parts) > maxParts {
		return parent
	}
	p := &part{index: len(b.parts), parent: parent, site: s, fragment: sel, sources: map[*entry]bool{}}
	if a := d.Arguments.ForName("label"); a != nil && a.Value.Kind == ast.StringValue {
		p.label = &a.Value.Raw
	}
	b.parts = append(b.parts, p)
	s.outputFor(p)
	return p
}

// deferredIn lists the fragments that are deferred inside a part, with their conditions.
func (b *builder) deferredIn(in *part, opened byPart) []DeferredFragment {
	var found []DeferredFragment
	for _, c := range opened {
		if c.part.parent == in {
			found = append(found, DeferredFragment{Part: c.part.index - 1, Cond: b.condID(c.is)})
		}
	}
	return found
}

// buildDeferred plans the deferred parts, each for all objects at which its fragment stands.
func (b *builder) buildDeferred() error {
	if len(b.parts) == 1 {
		return nil
	}
	b.stage, b.epoch = 0, b.epoch+1
	for _, p := range b.parts[1:] {
		b.part = p
		for _, f := range p.site.fills {
			if f.part != p.parent {
				continue
			}
			if err := b.fill(f.arrival); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayJoin says whether a field of objects of type t that is wanted in the part being planned may be added to a source: to
// one of its own; or to one of a part that comes before, when it is a key or the objects cannot be entered again by a key
// there. Then it comes along with the answer that brings the objects.
func (b *builder) mayJoin(a *arrival, t *federation.Type, s *source, key bool) bool {
	p := s.sel.entry.part
	return p == b.part || b.part.within(p) && a.site != b.root && (key || !enterable(t.In[s.sel.graph]))
}

// broughtBefore says whether the objects of an arrival came with a part before the one being planned, so that asking for
// them once more through their parent is out of the question: of the same subgraph, which would do all of its work again, or
// where a key leads as well.
func (b *builder) broughtBefore(a *arrival, g federation.GraphID, byKey bool) bool {
	return slices.ContainsFunc(a.sources, func(s *source) bool {
		p := s.sel.entry.part
		return p != b.part && b.part.within(p) && (byKey || s.sel.graph == g)
	})
}

// beside is a source of a part that comes before and has a field that nothing else leads to.
func (b *builder) beside(a *arrival, t *federation.Type, f *federation.Field) *source {
	for _, s := range a.sources {
		if b.part.within(s.sel.entry.part) && s.covers(t) && b.resolves(s, f) {
			return s
		}
	}
	return nil
}

func isKeyField(j *federation.TypeJoin, name string) bool {
	return j != nil && slices.ContainsFunc(j.Keys, func(k *federation.Key) bool {
		return k.Resolvable && slices.ContainsFunc(k.Fields, func(sel ast.Selection) bool {
			f, ok := sel.(*ast.Field)
			return ok && f.Name == name
		})
	})
}

func enterable(j *federation.TypeJoin) bool {
	return j != nil && slices.ContainsFunc(j.Keys, func(k *federation.Key) bool { return k.Resolvable })
}

// buildParts exports the deferred parts, still without their fetches.
func (f *finisher) buildParts(p *Plan) {
	for _, part := range f.parts[1:] {
		p.Deferred = append(p.Deferred, &Deferred{
			Parent: part.parent.index - 1, Label: part.label, Path: pathTo(part.site), Output: part.site.outputFor(part),
		})
	}
}

// orderFetches says which fetches each one comes after, where parts are deferred. The primary answer of a mutation goes by
// its stages, and what is deferred waits for all of it.
func (f *finisher) orderFetches(p *Plan) {
	if len(p.Deferred) == 0 {
		return
	}
	after := func(fetch, before *Fetch) {
		if fetch != before && !slices.Contains(fetch.After, before) {
			fetch.After = append(fetch.After, before)
		}
	}
	mutation := f.op.Operation == ast.Mutation
	for _, e := range f.entries {
		if mutation && e.part.index == 0 {
			continue
		}
		for _, d := range e.deps {
			after(f.fetchOf[e], f.fetchOf[d])
		}
		for _, d := range f.entries {
			if mutation && d.part.index == 0 {
				after(f.fetchOf[e], f.fetchOf[d])
			}
		}
	}
	for i, part := range f.parts[1:] {
		depends := map[*Fetch]bool{}
		for e := range part.sources {
			depends[f.fetchOf[e]] = true
		}
		for _, fetches := range p.Deferred[i].Stages {
			for _, fetch := range fetches {
				slices.SortFunc(fetch.After, func(x, y *Fetch) int { return x.Index - y.Index })
				for _, before := range fetch.After {
					depends[before] = true
				}
			}
		}
		for fetch := range depends {
			if fetch.Part != i {
				p.Deferred[i].Depends = append(p.Deferred[i].Depends, fetch)
			}
		}
		slices.SortFunc(p.Deferred[i].Depends, func(x, y *Fetch) int { return x.Index - y.Index })
	}
}

// deferIf is the argument that decides on @defer; nil when there is no @defer or no argument.
func deferIf(ds ast.DirectiveList) *ast.Value {
	d := ds.ForName("defer")
	if d == nil {
		return nil
	}
	if a := d.Arguments.ForName("if"); a != nil {
		return a.Value
	}
	return nil
}
