package compose

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// checkMerged finds what no subgraph shows alone: interfaces that merging made incomplete, hidden elements that visible ones need.
func (m *merger) checkMerged() {
	for _, name := range m.order {
		def := m.types[name]
		if def.Kind == ast.Object || def.Kind == ast.Interface {
			m.checkImplements(def)
		}
		if def.Kind == ast.Interface {
			m.checkInterfaceKeys(def)
		}
		m.checkVisible(def)
	}
	if q := m.types["Query"]; hidden(q.Directives) {
		m.r.fail(QueryRootTypeInaccessible, partSites(m.parts("Query")), "the query root type is @inaccessible but every API needs one")
	}
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

// checkInterfaceKeys makes sure that a subgraph that can resolve an interface by key knows all of its implementers: it must be able to say
// which one an entity is.
func (m *merger) checkInterfaceKeys(iface *ast.Definition) {
	for _, p := range m.parts(iface.Name) {
		if p.def.Kind != ast.Interface || p.def.Directives.ForName(dirKey) == nil {
			continue
		}
		for _, name := range m.order {
			impl := m.types[name]
			if impl.Kind != ast.Object || !slices.Contains(impl.Interfaces, iface.Name) {
				continue
			}
			local := p.sub.has(name)
			if local == nil || !slices.Contains(local.Interfaces, iface.Name) {
				m.r.fail(InterfaceKeyMissingImplementationType, []site{{p.sub, p.def.Position}},
					"[%s] interface %q has a @key, so subgraph %q must define all of its implementers, but it lacks %q", p.sub.name, iface.Name, p.sub.name, name)
				continue
			}
			for _, key := range p.def.Directives.ForNames(dirKey) {
				if !slices.ContainsFunc(local.Directives.ForNames(dirKey), func(d *ast.Directive) bool {
					return stringArg(d, "fields") == stringArg(key, "fields") && resolvable(d)
				}) {
					m.r.fail(InterfaceKeyNotOnImplementation, []site{{p.sub, local.Position}},
						"[%s] @key(fields: %q) of interface %q is not a resolvable key of its implementer %q", p.sub.name, stringArg(key, "fields"), iface.Name, name)
				}
			}
		}
	}
}

func resolvable(key *ast.Directive) bool {
	a := key.Arguments.ForName("resolvable")
	return a == nil || a.Value.Raw != "false"
}

func hidden(dirs ast.DirectiveList) bool { return dirs.ForName("inaccessible") != nil }

// checkVisible refuses visible elements that would be broken when @inaccessible ones are taken out of the API.
func (m *merger) checkVisible(def *ast.Definition) {
	if hidden(def.Directives) {
		return
	}
	sites := partSites(m.parts(def.Name))
	children, visible := len(def.Fields)+len(def.EnumValues)+len(def.Types), 0
	for _, f := range def.Fields {
		if hidden(f.Directives) {
			if def.Kind == ast.InputObject && f.Type.NonNull && f.DefaultValue == nil {
				m.r.fail(RequiredInaccessible, sites, "%s.%s is @inaccessible but required", def.Name, f.Name)
			}
			m.checkHiddenImplementation(def, f, sites)
			continue
		}
		visible++
		m.checkReference(f.Type, def.Name+"."+f.Name, sites)
		m.checkDefault(f.Type, f.DefaultValue, def.Name+"."+f.Name, sites)
		for _, a := range f.Arguments {
			where := def.Name + "." + f.Name + "(" + a.Name + ":)"
			if !hidden(a.Directives) {
				m.checkReference(a.Type, where, sites)
				m.checkDefault(a.Type, a.DefaultValue, where, sites)
			} else if a.Type.NonNull && a.DefaultValue == nil {
				m.r.fail(RequiredInaccessible, sites, "argument %s is @inaccessible but required", where)
			}
		}
	}
	for _, v := range def.EnumValues {
		if !hidden(v.Directives) {
			visible++
		}
	}
	for _, name := range def.Types {
		if t := m.types[name]; t != nil && !hidden(t.Directives) {
			visible++
		}
	}
	if children > 0 && visible == 0 {
		m.r.fail(OnlyInaccessibleChildren, sites, "%s %q is visible but everything in it is @inaccessible", kindWord(def.Kind), def.Name)
	}
}

func (m *merger) checkReference(t *ast.Type, where string, sites []site) {
	if target := m.types[t.Name()]; target != nil && hidden(target.Directives) {
		m.r.fail(ReferencedInaccessible, sites, "type %q is @inaccessible but %s, which is visible, is of that type", target.Name, where)
	}
}

// checkHiddenImplementation refuses to hide a field that a visible interface promises.
func (m *merger) checkHiddenImplementation(def *ast.Definition, f *ast.FieldDefinition, sites []site) {
	for _, name := range def.Interfaces {
		iface := m.types[name]
		if iface == nil || hidden(iface.Directives) {
			continue
		}
		if promised := iface.Fields.ForName(f.Name); promised != nil && !hidden(promised.Directives) {
			m.r.fail(ImplementedByInaccessible, sites, "%s.%s is @inaccessible but implements %s.%s, which is visible", def.Name, f.Name, name, f.Name)
		}
	}
}

func (m *merger) checkDefault(t *ast.Type, v *ast.Value, where string, sites []site) {
	if v == nil {
		return
	}
	target := m.types[t.Name()]
	switch {
	case target == nil:
	case v.Kind == ast.ListValue:
		for _, c := range v.Children {
			m.checkDefault(t, c.Value, where, sites)
		}
	case v.Kind == ast.EnumValue:
		if value := target.EnumValues.ForName(v.Raw); value != nil && hidden(value.Directives) {
			m.r.fail(DefaultValueUsesInaccessible, sites, "%s is visible but its default uses %s.%s, which is @inaccessible", where, target.Name, v.Raw)
		}
	case v.Kind == ast.ObjectValue:
		for _, c := range v.Children {
			f := target.Fields.ForName(c.Name)
			if f == nil {
				continue
			}
			if hidden(f.Directives) {
				m.r.fail(DefaultValueUsesInaccessible, sites, "%s is visible but its default uses %s.%s, which is @inaccessible", where, target.Name, c.Name)
			}
			m.checkDefault(f.Type, c.Value, where, sites)
		}
	}
}
