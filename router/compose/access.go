package compose

import (
	"slices"
	"sort"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

var accessDirectives = []string{dirAuthenticated, dirRequiresScopes, dirPolicy}

// checkAccess refuses access marks where nobody could rely on them: on interfaces, which get what their implementers ask for.
func (s *subgraph) checkAccess(def *ast.Definition, r *report) {
	for _, name := range accessDirectives {
		if d := def.Directives.ForName(name); d != nil && (def.Kind == ast.Interface || isInterfaceObject(def)) {
			r.fail(AccessOnInterface, s.at(d.Position), "[%s] @%s cannot be applied to %q: interfaces and interface objects take their requirements from their implementers",
				s.name, spoken(name), def.Name)
		}
		for _, f := range def.Fields {
			if d := f.Directives.ForName(name); d != nil && def.Kind == ast.Interface {
				r.fail(AccessOnInterface, s.at(d.Position), "[%s] @%s cannot be applied to the interface field %s.%s", s.name, spoken(name), def.Name, f.Name)
			}
		}
	}
}

// access is what one must have to see an element: signed in or not, and scopes and policies in disjunctive normal form, nil for none.
type access struct {
	authenticated    bool
	scopes, policies [][]string
}

func accessOf(dirs ast.DirectiveList) access {
	var a access
	a.authenticated = dirs.ForName("authenticated") != nil
	if d := dirs.ForName("requiresScopes"); d != nil {
		a.scopes = anyOf(d.Arguments.ForName("scopes"))
	}
	if d := dirs.ForName("policy"); d != nil {
		a.policies = anyOf(d.Arguments.ForName("policies"))
	}
	return a
}

// and is what must hold where both must.
func (a access) and(b access) access {
	return access{a.authenticated || b.authenticated, both(a.scopes, b.scopes), both(a.policies, b.policies)}
}

func both(a, b [][]string) [][]string {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	default:
		return conjoin(a, b)
	}
}

// grants reports whether who satisfies a satisfies b too.
func (a access) grants(b access) bool {
	return (a.authenticated || !b.authenticated) && implies(a.scopes, b.scopes) && implies(a.policies, b.policies)
}

func implies(a, b [][]string) bool {
	if b == nil {
		return true
	}
	return a != nil && !slices.ContainsFunc(a, func(have []string) bool {
		return !slices.ContainsFunc(b, func(need []string) bool { return isSubset(need, have) })
	})
}

// apply writes the requirement into the list, in place of what it says of access now.
func (a access) apply(dirs ast.DirectiveList) ast.DirectiveList {
	out := slices.DeleteFunc(slices.Clone(dirs), func(d *ast.Directive) bool {
		return slices.ContainsFunc(accessDirectives, func(name string) bool { return spoken(name) == d.Name })
	})
	if a.authenticated {
		out = append(out, &ast.Directive{Name: "authenticated"})
	}
	if a.scopes != nil {
		out = append(out, &ast.Directive{Name: "requiresScopes", Arguments: ast.ArgumentList{anyOfArgument("scopes", a.scopes)}})
	}
	if a.policies != nil {
		out = append(out, &ast.Directive{Name: "policy", Arguments: ast.ArgumentList{anyOfArgument("policies", a.policies)}})
	}
	return out
}

// raiseAccess gives interfaces and their fields what any of the implementers asks for: who asks by the interface may meet each of them.
func (m *merger) raiseAccess() {
	for _, name := range m.order {
		iface := m.types[name]
		if iface == nil || iface.Kind != ast.Interface {
			continue
		}
		members := m.members(iface)
		iface.Directives = m.raised(name, iface.Directives, members, func(impl *ast.Definition) ast.DirectiveList { return impl.Directives })
		for _, f := range iface.Fields {
			f.Directives = m.raised(name+"."+f.Name, f.Directives, members, func(impl *ast.Definition) ast.DirectiveList {
				if own := impl.Fields.ForName(f.Name); own != nil {
					return own.Directives
				}
				return nil
			})
		}
	}
}

func (m *merger) raised(coordinate string, own ast.DirectiveList, members []string, of func(*ast.Definition) ast.DirectiveList) ast.DirectiveList {
	all := accessOf(own)
	var scopes, policies []application
	for _, name := range members {
		dirs := of(m.types[name])
		all = all.and(accessOf(dirs))
		from := m.parts(name)[0].sub
		if d := dirs.ForName("requiresScopes"); d != nil {
			scopes = append(scopes, application{from, d})
		}
		if d := dirs.ForName("policy"); d != nil {
			policies = append(policies, application{from, d})
		}
	}
	out := all.apply(own)
	for name, uses := range map[string][]application{"requiresScopes": scopes, "policy": policies} {
		if len(uses) > 1 {
			m.mergedUse(name, coordinate, uses, out.ForName(name).Arguments)
		}
	}
	return out
}

// checkTransitiveAccess makes sure that a field never shows what is computed from data that its reader may not see.
func (m *merger) checkTransitiveAccess() {
	for _, coordinate := range sortedKeys(m.fields) {
		merged := m.fields[coordinate]
		for _, p := range merged.parts {
			need := func(on, what string, set ast.SelectionSet, d *ast.Directive) {
				own := accessOf(merged.def.Directives).and(m.accessOfType(p.def.Name)).and(m.accessOfType(merged.def.Type.Name()))
				if missing := m.beyond(on, set, own); missing != "" {
					m.r.fail(MissingTransitiveAccess, []site{{p.sub, d.Position}}, "[%s] %s asks for less than %s, which it sees through %s: it needs the same @authenticated, @requiresScopes and @policy",
						p.sub.name, coordinate, missing, what)
				}
			}
			if d := p.field.Directives.ForName(dirRequires); d != nil {
				if set, err := federation.ParseFieldSet(stringArg(d, "fields")); err == nil {
					need(p.def.Name, "@requires", set, d)
				}
			}
			for _, c := range contextuals(p.field) {
				for _, setter := range p.sub.settersOf(c.context) {
					need(setter.Name, "@fromContext", c.set, c.arg.Directives.ForName(dirFromContext))
				}
			}
		}
	}
}

func (m *merger) accessOfType(name string) access {
	if def := m.types[name]; def != nil {
		return accessOf(def.Directives)
	}
	return access{}
}

// beyond names the first field of the set that asks for more than the reader has; "" when none does.
func (m *merger) beyond(on string, set ast.SelectionSet, has access) string {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			def := m.types[on]
			if def == nil {
				continue
			}
			f := def.Fields.ForName(sel.Name)
			if f == nil {
				continue
			}
			if !has.grants(accessOf(f.Directives).and(m.accessOfType(f.Type.Name()))) {
				return on + "." + sel.Name
			}
			if missing := m.beyond(f.Type.Name(), sel.SelectionSet, has); missing != "" {
				return missing
			}
		case *ast.InlineFragment:
			t := on
			if sel.TypeCondition != "" {
				t = sel.TypeCondition
			}
			if !has.grants(m.accessOfType(t)) {
				return t
			}
			if missing := m.beyond(t, sel.SelectionSet, has); missing != "" {
				return missing
			}
		}
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
