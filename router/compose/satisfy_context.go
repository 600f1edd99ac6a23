package compose

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// contexts are what the types on the way to a situation have set: the name of a context in the supergraph with one selection of it, for
// each selection that can be collected where the context was set. Sorted, so that they compare.
type contexts []string

func contextEntry(name, selection string) string { return name + selection }

// setBy adds what a type sets. It replaces what a type further out has set: the nearest counts, even if it gives less.
func (w *walk) setBy(def *ast.Definition, at []standing, outer contexts) contexts {
	if !w.contextual {
		return nil
	}
	inner := outer
	for _, s := range w.m.subs {
		for _, local := range w.setting(s, def.Name) {
			for _, d := range local.Directives.ForNames(dirContext) {
				name := stringArg(d, "name")
				full := s.contextName(name)
				inner = slices.DeleteFunc(slices.Clone(inner), func(entry string) bool {
					return strings.HasPrefix(entry, full+" ") || strings.HasPrefix(entry, full+"{")
				})
				for _, c := range w.uses[full] {
					if w.canCollect(def.Name, appliesTo(s, c.set, def.Name), at, nil) {
						inner = append(inner, contextEntry(full, c.selection))
					}
				}
			}
		}
	}
	slices.Sort(inner)
	return slices.Compact(inner)
}

// setting lists the definitions of the subgraph by which an object sets contexts: its own, those of its interfaces and unions.
func (w *walk) setting(s *subgraph, object string) []*ast.Definition {
	var out []*ast.Definition
	s.types(func(def *ast.Definition) {
		if def.Directives.ForName(dirContext) == nil {
			return
		}
		if def.Name == object || slices.ContainsFunc(s.schema.GetPossibleTypes(def), func(t *ast.Definition) bool { return t.Name == object }) {
			out = append(out, def)
		}
	})
	return out
}

// appliesTo takes from a selection by fragments what is meant for the object.
func appliesTo(s *subgraph, set ast.SelectionSet, object string) ast.SelectionSet {
	var out ast.SelectionSet
	for _, sel := range set {
		fragment, ok := sel.(*ast.InlineFragment)
		if !ok {
			out = append(out, sel)
			continue
		}
		on := s.has(fragment.TypeCondition)
		if on != nil && (on.Name == object || slices.ContainsFunc(s.schema.GetPossibleTypes(on), func(t *ast.Definition) bool { return t.Name == object })) {
			out = append(out, fragment.SelectionSet...)
		}
	}
	return out
}

// contextsMet reports whether what the field's arguments take from contexts has been set on the way.
func (w *walk) contextsMet(s *subgraph, f *ast.FieldDefinition) bool {
	return !slices.ContainsFunc(contextuals(f), func(c contextual) bool {
		return !slices.Contains(w.set, contextEntry(s.contextName(c.context), c.selection))
	})
}

// gatherContextUses finds every selection of every context.
func (w *walk) gatherContextUses() {
	w.uses = map[string][]contextual{}
	for _, s := range w.m.subs {
		s.types(func(def *ast.Definition) {
			for _, f := range def.Fields {
				for _, c := range contextuals(f) {
					name := s.contextName(c.context)
					w.uses[name] = append(w.uses[name], c)
					w.contextual = true
				}
			}
		})
	}
}
