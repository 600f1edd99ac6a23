package plan

import (
	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// checkWaysIn refuses a field of an interface for which objects would have to come in by two ways, one for some of their types and one
// for others: each way may bring an object of another type, and then nobody has the field. What the client selects under a
// condition on a type may have a way of its own.
func (b *builder) checkWaysIn(a *arrival) error {
	var ways []*source
	for _, s := range a.sources {
		if s.sel.entry.site != a.site {
			ways = append(ways, s)
		}
	}
	if len(ways) < 2 || len(a.types) < 2 {
		return nil
	}
	mentions := map[*ast.Field][]*federation.Type{}
	for _, g := range a.site.groups {
		for _, w := range g.wants {
			if w.field == nil || !w.field.ObjectDefinition.IsAbstractType() {
				continue
			}
			mentions[w.field] = append(mentions[w.field], intersect(g.types, a.types)...)
			if !b.oneWay(ways, a, w, mentions[w.field]) {
				return b.unreachable(g.types[0], w)
			}
		}
	}
	return nil
}

// oneWay says whether one of the ways in is enough to have a field for objects of all the types.
func (b *builder) oneWay(ways []*source, a *arrival, w *want, types []*federation.Type) bool {
	for _, way := range ways {
		alone := &arrival{site: a.site, types: a.types, sources: []*source{way}, stub: a.stub}
		all := true
		for _, t := range types {
			all = all && (!way.covers(t) || b.hasFrom(alone, t, w))
		}
		if all {
			return true
		}
	}
	return false
}

func (b *builder) hasFrom(a *arrival, t *federation.Type, w *want) bool {
	f := t.Field(w.slot.name)
	routes := b.reach(a, t, 0)
	for g := range f.In {
		if b.resolves(a.sources[0], f) || b.fieldCost(a, t, f, federation.GraphID(g), routes, 0) < unreachableCost {
			return true
		}
	}
	return false
}
