package compose

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// checkMerged finds what no subgraph shows alone: interfaces that merging made incomplete, hidden elements that visible ones need.
func (m *merger) checkMerged() {
	for _, name := range m.order {
		if def := m.types[name]; def.Kind == ast.Object || def.Kind == ast.Interface {
			m.checkImplements(def)
		}
	}
	if len(m.r.errors) > 0 {
		return
	}
	visible := visibility{m.types, "inaccessible", func(code Code, typeName, _, message string) {
		m.r.fail(code, partSites(m.parts(typeName)), "%s", message)
	}}
	for _, name := range m.order {
		visible.check(m.types[name])
	}
	visible.checkQuery("Query")
	m.checkTransitiveAccess()
}

func (m *merger) checkImplements(def *ast.Definition) {
	for _, name := range def.Interfaces {
		iface := m.types[name]
		if iface == nil {
			continue
		}
		for _, f := range iface.Fields {
			own := def.Fields.ForName(f.Name)
			if own == nil {
				m.r.fail(InterfaceFieldNoImplem, partSites(m.parts(def.Name)),
					"%s.%s of the interface is not implemented by %q: some subgraphs have the field on the interface, others the type without it", name, f.Name, def.Name)
				continue
			}
			if problem := m.implementationProblem(own, f); problem != "" {
				var sites []site
				for _, coordinate := range []string{name + "." + f.Name, def.Name + "." + f.Name} {
					if merged := m.fields[coordinate]; merged != nil {
						sites = append(sites, fieldSites(merged.parts)...)
					}
				}
				m.r.fail(InvalidGraphQL, sites, "merged, %s.%s does not implement %s.%s: %s", def.Name, f.Name, name, f.Name, problem)
			}
		}
	}
}

// implementationProblem says why a merged field is not what the merged interface promises: output merges to the widest type, and arguments that
// not all subgraphs have are left out, for the interface and its implementers apart.
func (m *merger) implementationProblem(own, promised *ast.FieldDefinition) string {
	if !m.isSubtype(own.Type, promised.Type) {
		return "its type " + own.Type.String() + " is none of " + promised.Type.String()
	}
	for _, a := range promised.Arguments {
		switch b := own.Arguments.ForName(a.Name); {
		case b == nil:
			return "it lacks argument " + a.Name
		case b.Type.String() != a.Type.String():
			return "its argument " + a.Name + " is of type " + b.Type.String() + " instead of " + a.Type.String()
		}
	}
	for _, b := range own.Arguments {
		if b.Type.NonNull && b.DefaultValue == nil && promised.Arguments.ForName(b.Name) == nil {
			return "it requires argument " + b.Name + ", which the interface does not have"
		}
	}
	return ""
}

// checkInterfaceImplementers makes sure that a subgraph that can resolve an interface by key knows all of its implementers: it must be able to
// say which one an entity is.
func (m *merger) checkInterfaceImplementers(iface *ast.Definition) {
	for _, p := range m.parts(iface.Name) {
		if p.def.Kind != ast.Interface || p.def.Directives.ForName(dirKey) == nil {
			continue
		}
		for _, name := range m.members(iface) {
			if local := p.sub.has(name); local == nil || !slices.Contains(local.Interfaces, iface.Name) {
				m.r.fail(InterfaceKeyMissingImplementationType, []site{{p.sub, p.def.Position}},
					"[%s] interface %q has a @key, so subgraph %q must define all of its implementers, but it lacks %q", p.sub.name, iface.Name, p.sub.name, name)
			}
		}
	}
}

func resolvable(key *ast.Directive) bool {
	a := key.Arguments.ForName("resolvable")
	return a == nil || a.Value.Raw != "false"
}

func hidden(dirs ast.DirectiveList) bool { return dirs.ForName("inaccessible") != nil }
