package compose

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// checkMerged finds what no subgraph shows alone: interfaces that merging made incomplete, hidden elements that visible ones need.
func (m *merger) checkMerged() {
	visible := visibility{m.types, "inaccessible", func(code Code, typeName, _, message string) {
		m.r.fail(code, partSites(m.parts(typeName)), "%s", message)
	}}
	for _, name := range m.order {
		def := m.types[name]
		if def.Kind == ast.Object || def.Kind == ast.Interface {
			m.checkImplements(def)
		}
		visible.check(def)
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
			if def.Fields.ForName(f.Name) == nil {
				m.r.fail(InterfaceFieldNoImplem, partSites(m.parts(def.Name)),
					"%s.%s of the interface is not implemented by %q: some subgraphs have the field on the interface, others the type without it", name, f.Name, def.Name)
			}
		}
	}
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
