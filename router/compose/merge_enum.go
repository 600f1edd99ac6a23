package compose

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// mergeEnum keeps all values of an enum that is only read, the common values of one that is only written, and insists on equality
// where it is both: a client could send what one subgraph does not know and receive what another does not.
func (m *merger) mergeEnum(def *ast.Definition, parts []part) {
	u := m.usage[def.Name]
	if !u.input && !u.output {
		m.r.hint(UnusedEnumType, partSites(parts), "enum %q is not used; all of its values are kept", def.Name)
	}
	for _, name := range valueOrder(parts) {
		var with []enumPart
		var without []string
		for _, p := range parts {
			if v := p.def.EnumValues.ForName(name); v != nil {
				with = append(with, enumPart{p.sub, v})
			} else {
				without = append(without, p.sub.name)
			}
		}
		value := m.mergeEnumValue(def, name, with)
		if len(without) == 0 || m.keepPartial(def, value, u, with, without) {
			def.EnumValues = append(def.EnumValues, value)
		}
	}
	if len(def.EnumValues) == 0 {
		m.r.fail(EmptyMergedEnumType, partSites(parts), "enum %q has no value that all of %s define", def.Name, subgraphNames(partNames(parts)))
	}
}

type enumPart struct {
	sub   *subgraph
	value *ast.EnumValueDefinition
}

func (m *merger) mergeEnumValue(def *ast.Definition, name string, with []enumPart) *ast.EnumValueDefinition {
	value := &ast.EnumValueDefinition{Name: name}
	var texts []described
	var dirs []applied
	for _, p := range with {
		texts = append(texts, described{site{p.sub, p.value.Position}, p.value.Description})
		dirs = append(dirs, applied{p.sub, p.value.Directives})
		value.Directives = append(value.Directives, joinDirective("enumValue", p.sub))
	}
	coordinate := def.Name + "." + name
	value.Description = m.description(coordinate, texts)
	value.Directives = append(value.Directives, m.mergeDirectives(coordinate, dirs)...)
	return value
}

// keepPartial decides on a value that some subgraphs lack.
func (m *merger) keepPartial(def *ast.Definition, value *ast.EnumValueDefinition, u usage, with []enumPart, without []string) bool {
	var sites []site
	var names []string
	for _, p := range with {
		sites = append(sites, site{p.sub, p.value.Position})
		names = append(names, p.sub.name)
	}
	coordinate := def.Name + "." + value.Name
	switch {
	case u.input && u.output:
		// Nobody outside can send or see a hidden value.
		if value.Directives.ForName("inaccessible") == nil {
			m.r.fail(EnumValueMismatch, sites, "enum %q is used as input and as output, so its values must be the same everywhere: %s is in %s but not in %s",
				def.Name, coordinate, subgraphNames(names), subgraphNames(without))
		}
		return true
	case u.input:
		m.r.hint(InconsistentInputEnumValue, sites, "%s is left out of the supergraph: it is in %s but not in %s", coordinate, subgraphNames(names), subgraphNames(without))
		return false
	default:
		m.r.hint(InconsistentOutputEnumValue, sites, "%s is in %s but not in %s", coordinate, subgraphNames(names), subgraphNames(without))
		return true
	}
}

func valueOrder(parts []part) []string {
	var out []string
	for _, p := range parts {
		for _, v := range p.def.EnumValues {
			if !slices.Contains(out, v.Name) {
				out = append(out, v.Name)
			}
		}
	}
	return out
}
