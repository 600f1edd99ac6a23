package plan

import (
	"fmt"

	"bourse/router/federation"
)

// A subgraph with an interface object returns objects whose concrete type it does not know. Where the type matters, the
// objects are told apart by a subgraph that has the interface proper: they are shown to it under the interface's
// name, and its __typename is the one that counts.

// tellApartIfNeeded makes the types known when the client's selection or its printing depends on them.
func (b *builder) tellApartIfNeeded(a *arrival) error {
	if a.stub == nil {
		return nil
	}
	stub := a.sources[0]
	needed := len(a.site.groups) != 1 || len(a.site.types) != len(a.types)
	wanted := cond{}
	for _, g := range a.site.groups {
		needed = needed || g.typename
		for _, w := range g.wants {
			if w.part != b.part {
				continue
			}
			wanted = wanted.union(w.cond)
			for _, t := range g.types {
				f := t.Field(w.slot.name)
				needed = needed || !b.resolves(stub, f) || f.Def.Type.String() != g.types[0].Field(w.slot.name).Def.Type.String()
			}
		}
	}
	if !needed {
		a.site.outputFor(b.part).Untyped = true
		return nil
	}
	return b.tellApart(a, wanted.union(a.viaCond()))
}

// viaCond is when the objects of an arrival are fetched at all.
func (a *arrival) viaCond() cond {
	var c cond
	for _, s := range a.parent.sources {
		for _, f := range s.sel.fields {
			if f.child == a.sources[0].sel {
				c = c.union(f.cond)
			}
		}
	}
	return c
}

// tellApart opens the entry that names the types of an arrival's objects.
func (b *builder) tellApart(a *arrival, c cond) error {
	if a.stub == nil {
		return nil
	}
	if a.named != nil {
		e := a.named.sel.entry
		e.cond = e.cond.union(c)
		b.part.sources[e] = true
		return nil
	}
	routes := b.reach(a, a.types[0], 0)
	for g, j := range a.stub.In {
		if j == nil || j.InterfaceObject {
			continue
		}
		for _, k := range j.Keys {
			if !k.Resolvable || b.setCost(a, a.types[0], k.Fields, routes, 0) > a.sources[0].stage() {
				continue // the stub's own subgraph must have the key: only by the interface can it be asked further
			}
			return b.openNaming(a, federation.GraphID(g), k, c)
		}
	}
	return &Error{Message: fmt.Sprintf("no subgraph can be reached that knows the types of %s", a.stub.Name)}
}

func (b *builder) openNaming(a *arrival, g federation.GraphID, k *federation.Key, c cond) error {
	fields, deps, err := b.resolveSet(a, a.types[0], k.Fields, c, true)
	if err != nil {
		return err
	}
	e := &entry{graph: g, site: a.site, stage: a.sources[0].stage() + 1, epoch: b.epoch, part: b.part, of: a.stub, cond: c}
	for _, d := range append(deps, a.sources[0].sel.entry) {
		e.dependOn(d)
	}
	e.reps = []*rep{{fields: fields, from: []*arrival{a}}}
	e.sel = newSelection(e, a.site, intersect(a.types, possibleIn(a.stub, g)))
	e.sel.typename = true
	a.site.entries = append(a.site.entries, e)
	b.entries = append(b.entries, e)
	b.part.sources[e] = true
	a.named = &source{sel: e.sel}
	a.sources = append(a.sources, a.named)
	return nil
}
