package plan

import (
	"fmt"
	"slices"

	"bourse/router/federation"
)

// A subgraph with an interface object returns objects whose concrete type it does not know. Where the type matters, the
// objects are told apart by a subgraph that has the interface proper: they are shown to it under the interface's
// name, and its __typename is the one that counts.
//
// Under the name of an interface object everything is asked of objects of all types. Where a field may not be null, one that fails takes
// its object along; it is asked only together with objects that want it too, so that none is lost for what another wants.

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

// bringAlike says whether objects of type t may be shown to an entry with others. Under the name of an interface object all types are
// asked for the same, so all must bring the same: what requires more of some types than of others stands in an entry of its own.
func (b *builder) bringAlike(e *entry, t *federation.Type, fields []*repField, w *want) bool {
	if have := e.rep(t); have != nil {
		if merged, ok := mergeRep(have.fields, fields); ok {
			fields = merged
		}
	}
	for _, r := range e.namedLike(t) {
		if sameFields(r.fields, fields) {
			continue
		}
		if all, ok := mergeRep(fields, r.fields); !ok || len(all) > len(fields) || !b.wants(e.site, r.typ, w.slot, nil) {
			return false // the others bring more, or will not come to bring what t brings
		}
	}
	return true
}

// wantAlike says whether objects of type t want what an entry is asked for under their name already, and the others what t wants.
func (b *builder) wantAlike(e *entry, t *federation.Type, w *want) bool {
	others := e.namedLike(t)
	for _, r := range others {
		if !b.harmless(e.sel, t, w.slot, w.key) && e.sel.field(w.slot, r.typ) == nil && !b.wants(e.site, r.typ, w.slot, w.cond) {
			return false
		}
		for _, f := range e.sel.fields {
			if f.slot != w.slot && slices.Contains(f.types, r.typ) && !slices.Contains(f.types, t) &&
				!b.harmless(e.sel, r.typ, f.slot, false) && !b.wants(e.site, t, f.slot, f.cond) {
				return false
			}
		}
	}
	return true
}

// asksAlike says whether a source can be asked for a want of type t and asks it of no objects that do not want it.
func (b *builder) asksAlike(s *source, t *federation.Type, w *want) bool {
	if b.harmless(s.sel, t, w.slot, w.key) {
		return true
	}
	var others []*federation.Type
	switch e := s.sel.entry; {
	case s.sel.stub:
		others = s.sel.types
	case e.sel == s.sel:
		for _, r := range e.namedLike(t) {
			others = append(others, r.typ)
		}
	}
	return !slices.ContainsFunc(others, func(o *federation.Type) bool {
		return o != t && s.sel.field(w.slot, o) == nil && !b.wants(s.sel.site, o, w.slot, w.cond)
	})
}

// harmless says whether objects lose nothing when they are asked for a field that they do not want: it may be null, or it is a key.
func (b *builder) harmless(sel *selection, t *federation.Type, sl *slot, key bool) bool {
	f := t.Field(sl.name)
	if f == nil || f.In[sel.graph] == nil {
		return true
	}
	return key || !f.In[sel.graph].Type.NonNull || isKeyField(t.In[sel.graph], sl.name)
}

// namedLike are the representations of other types that the entry's subgraph knows under the same name as t.
func (e *entry) namedLike(t *federation.Type) []*rep {
	j := t.In[e.graph]
	if j == nil || j.NameIn == t.Name {
		return nil
	}
	var others []*rep
	for _, r := range e.reps {
		if r.typ != nil && r.typ != t && r.typ.In[e.graph].NameIn == j.NameIn {
			others = append(others, r)
		}
	}
	return others
}

// wants says whether the client selects the slot for objects of a type as well: under the same condition, where one is given.
func (b *builder) wants(s *site, t *federation.Type, sl *slot, c cond) bool {
	return slices.ContainsFunc(s.groups, func(g *group) bool {
		return slices.Contains(g.types, t) && slices.ContainsFunc(g.wants, func(w *want) bool {
			return w.slot == sl && (c == nil || w.part == b.part && w.cond.key() == c.key())
		})
	})
}
