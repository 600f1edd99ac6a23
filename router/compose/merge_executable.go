package compose

import (
	"slices"
	"sort"

	"github.com/vektah/gqlparser/v2/ast"
)

var executable = []ast.DirectiveLocation{
	ast.LocationQuery, ast.LocationMutation, ast.LocationSubscription, ast.LocationField, ast.LocationFragmentDefinition,
	ast.LocationFragmentSpread, ast.LocationInlineFragment, ast.LocationVariableDefinition,
}

// executableDirectives are those that clients may use: known to every subgraph, at the places where every subgraph knows them.
func (m *merger) executableDirectives() []*ast.DirectiveDefinition {
	var out []*ast.DirectiveDefinition
	for _, name := range m.directiveNames() {
		var missing []string
		var parts []fieldPart
		var defs []*ast.DirectiveDefinition
		for _, s := range m.subs {
			def := s.schema.Directives[name]
			if def == nil {
				missing = append(missing, s.name)
				continue
			}
			defs = append(defs, def)
			parts = append(parts, fieldPart{part: part{sub: s}, field: &ast.FieldDefinition{Name: name, Arguments: def.Arguments, Position: def.Position}})
		}
		if len(missing) > 0 {
			m.r.hint(InconsistentExecutableDirective, fieldSites(parts), "@%s is left out of the supergraph: it is defined in %s but not in %s",
				name, subgraphNames(fieldNames(parts)), subgraphNames(missing))
			continue
		}
		if merged := m.mergeExecutable(name, defs, parts); merged != nil {
			merged.Arguments = m.mergeArguments("@"+name, parts)
			out = append(out, merged)
		}
	}
	return out
}

// mergeExecutable takes the places that all definitions have in common; nil when there are none.
func (m *merger) mergeExecutable(name string, defs []*ast.DirectiveDefinition, parts []fieldPart) *ast.DirectiveDefinition {
	merged := &ast.DirectiveDefinition{Name: name, Description: defs[0].Description, IsRepeatable: true}
	samePlaces, anyRepeatable := true, false
	for i, def := range defs {
		places := slices.DeleteFunc(slices.Clone(def.Locations), func(l ast.DirectiveLocation) bool { return !slices.Contains(executable, l) })
		if i == 0 {
			merged.Locations = places
		}
		common := slices.DeleteFunc(slices.Clone(merged.Locations), func(l ast.DirectiveLocation) bool { return !slices.Contains(places, l) })
		samePlaces = samePlaces && len(common) == len(merged.Locations) && len(common) == len(places)
		merged.Locations = common
		merged.IsRepeatable = merged.IsRepeatable && def.IsRepeatable
		anyRepeatable = anyRepeatable || def.IsRepeatable
	}
	switch {
	case len(merged.Locations) == 0:
		m.r.hint(NoExecutableIntersection, fieldSites(parts), "@%s is left out of the supergraph: there is no place where all of %s allow it", name, subgraphNames(fieldNames(parts)))
		return nil
	case !samePlaces:
		m.r.hint(InconsistentExecutablePlaces, fieldSites(parts), "@%s is not allowed at the same places in %s; the supergraph has those common to all", name, subgraphNames(fieldNames(parts)))
	}
	if anyRepeatable && !merged.IsRepeatable {
		m.r.hint(InconsistentExecutableRepeat, fieldSites(parts), "@%s is repeatable in only some of %s; it is not in the supergraph", name, subgraphNames(fieldNames(parts)))
	}
	return merged
}

// directiveNames lists the directives that subgraphs define for clients, sorted.
func (m *merger) directiveNames() []string {
	seen := map[string]bool{}
	var names []string
	for _, s := range m.subs {
		for name, def := range s.schema.Directives {
			builtIn := def.Position != nil && def.Position.Src != nil && def.Position.Src.BuiltIn
			if !builtIn && !seen[name] && slices.ContainsFunc(def.Locations, func(l ast.DirectiveLocation) bool { return slices.Contains(executable, l) }) {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	sort.Strings(names)
	return names
}
