package compose

import (
	"slices"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// applied are the directives on one element in one subgraph.
type applied struct {
	sub  *subgraph
	dirs ast.DirectiveList
}

func typeDirectives(parts []part) []applied {
	out := make([]applied, len(parts))
	for i, p := range parts {
		out[i] = applied{p.sub, p.def.Directives}
	}
	return out
}

func fieldDirectives(fields []fieldPart) []applied {
	out := make([]applied, len(fields))
	for i, p := range fields {
		out[i] = applied{p.sub, p.field.Directives}
	}
	return out
}

// standard directives of GraphQL that describe an element.
var standard = []string{"deprecated", "specifiedBy", "oneOf"}

// mergeDirectives carries over what applies to the element whoever says it: federation's access and visibility marks, GraphQL's
// own, and those that a subgraph asks to keep with @composeDirective.
func (m *merger) mergeDirectives(coordinate string, all []applied) ast.DirectiveList {
	var out ast.DirectiveList
	out = append(out, mergeTags(all)...)
	for _, name := range []string{dirInaccessible, dirAuthenticated} {
		if len(applications(all, name)) > 0 {
			out = append(out, &ast.Directive{Name: spoken(name)})
		}
	}
	out = append(out, m.mergeRequirement(coordinate, all, dirRequiresScopes, "scopes")...)
	out = append(out, m.mergeRequirement(coordinate, all, dirPolicy, "policies")...)
	out = append(out, m.mergeCost(coordinate, all)...)
	out = append(out, m.mergeListSize(coordinate, all)...)
	for _, name := range standard {
		out = append(out, m.mostUsed(coordinate, name, applications(all, name))...)
	}
	for _, c := range m.composedDirectives() {
		out = append(out, m.mergeComposed(coordinate, c, all)...)
	}
	return out
}

// application is one use of a directive in one subgraph.
type application struct {
	sub *subgraph
	dir *ast.Directive
}

func applications(all []applied, name string) []application {
	var out []application
	for _, a := range all {
		for _, d := range a.dirs.ForNames(name) {
			out = append(out, application{a.sub, d})
		}
	}
	return out
}

func mergeTags(all []applied) ast.DirectiveList {
	var out ast.DirectiveList
	seen := map[string]bool{}
	for _, a := range applications(all, dirTag) {
		if name := stringArg(a.dir, "name"); !seen[name] {
			seen[name] = true
			out = append(out, &ast.Directive{Name: "tag", Arguments: ast.ArgumentList{stringArgument("name", name)}})
		}
	}
	return out
}

// mergeRequirement joins requirements in disjunctive normal form: whoever asks must satisfy every subgraph that names one.
func (m *merger) mergeRequirement(coordinate string, all []applied, name, arg string) ast.DirectiveList {
	uses := applications(all, name)
	if len(uses) == 0 {
		return nil
	}
	merged := [][]string{{}}
	for _, use := range uses {
		merged = conjoin(merged, anyOf(use.dir.Arguments.ForName(arg)))
	}
	return ast.DirectiveList{m.mergedUse(spoken(name), coordinate, uses, ast.ArgumentList{anyOfArgument(arg, merged)})}
}

func anyOfArgument(name string, any [][]string) *ast.Argument {
	outer := &ast.Value{Kind: ast.ListValue}
	for _, all := range any {
		outer.Children = append(outer.Children, &ast.ChildValue{Value: stringsArgument("", all).Value})
	}
	return &ast.Argument{Name: name, Value: outer}
}

func anyOf(arg *ast.Argument) [][]string {
	var out [][]string
	if arg == nil {
		return out
	}
	for _, all := range arg.Value.Children {
		one := []string{}
		for _, c := range all.Value.Children {
			one = append(one, c.Value.Raw)
		}
		out = append(out, one)
	}
	return out
}

// conjoin is (a or b) and (c or d), without the alternatives that another one already grants.
func conjoin(left, right [][]string) [][]string {
	var all [][]string
	for _, l := range left {
		for _, r := range right {
			both := append(slices.Clone(l), r...)
			sort.Strings(both)
			all = append(all, slices.Compact(both))
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return len(all[i]) < len(all[j]) })
	var kept [][]string
	for _, candidate := range all {
		if !slices.ContainsFunc(kept, func(k []string) bool { return isSubset(k, candidate) }) {
			kept = append(kept, candidate)
		}
	}
	return kept
}

func isSubset(small, large []string) bool {
	return !slices.ContainsFunc(small, func(s string) bool { return !slices.Contains(large, s) })
}

// mostUsed settles a directive that can be there only once: the arguments that most subgraphs give, the first of equals.
func (m *merger) mostUsed(coordinate, name string, uses []application) ast.DirectiveList {
	if len(uses) == 0 {
		return nil
	}
	count := map[string]int{}
	best := uses[0]
	for _, u := range uses {
		count[argumentsText(u.dir)]++
	}
	for _, u := range uses {
		if count[argumentsText(u.dir)] > count[argumentsText(best.dir)] {
			best = u
		}
	}
	if len(count) > 1 {
		var sites []site
		for _, u := range uses {
			sites = append(sites, site{u.sub, u.dir.Position})
		}
		m.r.hint(InconsistentDirectiveArguments, sites, "@%s on %s has different arguments in %s; the supergraph uses (%s)",
			name, coordinate, subgraphNames(siteNames(sites)), argumentsText(best.dir))
	}
	return ast.DirectiveList{{Name: name, Arguments: best.dir.Arguments}}
}

func argumentsText(d *ast.Directive) string {
	var parts []string
	for _, a := range d.Arguments {
		parts = append(parts, a.Name+": "+a.Value.String())
	}
	return strings.Join(parts, ", ")
}

// composed is a directive of the subgraphs' own that the supergraph keeps.
type composed struct {
	name string
	link *link
	sub  *subgraph // whose definition is used: the one with the highest version
}

// composedDirectives lists what @composeDirective names, in the order of the subgraphs.
func (m *merger) composedDirectives() []composed {
	if m.kept != nil {
		return m.kept
	}
	m.kept = []composed{}
	for _, s := range m.subs {
		for _, name := range s.composed {
			m.keep(s, name)
		}
	}
	return m.kept
}

func (m *merger) keep(s *subgraph, name string) {
	if s.schema.Directives[name] == nil {
		m.r.fail(DirectiveCompositionError, []site{{s, nil}}, "[%s] @composeDirective names @%s, which the schema does not define", s.name, name)
		return
	}
	var from *link
	for _, l := range s.links {
		for _, here := range l.imports {
			if here == "@"+name {
				from = l
			}
		}
		if l.as == name {
			from = l
		}
	}
	if from == nil || from.apollo() {
		m.r.fail(DirectiveCompositionError, []site{{s, nil}}, "[%s] @composeDirective names @%s, which no @link of the schema brings in", s.name, name)
		return
	}
	for _, a := range s.schema.Directives[name].Arguments {
		if a.Directives.ForName(dirInaccessible) != nil {
			m.r.fail(DisallowedInaccessible, []site{{s, a.Position}}, "[%s] @%s(%s:) cannot be @inaccessible: the supergraph keeps the directive, and clients never see it", s.name, name, a.Name)
		}
	}
	i := slices.IndexFunc(m.kept, func(c composed) bool { return c.name == name })
	switch {
	case i < 0:
		m.kept = append(m.kept, composed{name, from, s})
	case m.kept[i].link.identity != from.identity:
		m.r.fail(DirectiveCompositionError, []site{{m.kept[i].sub, m.kept[i].link.pos}, {s, from.pos}}, "@%s comes from %q in subgraph %q and from %q in subgraph %q",
			name, m.kept[i].link.identity, m.kept[i].sub.name, from.identity, s.name)
	case m.kept[i].link.major != from.major:
		m.r.fail(DirectiveCompositionError, []site{{m.kept[i].sub, m.kept[i].link.pos}, {s, from.pos}}, "@%s is composed from different major versions of %q", name, from.identity)
	case m.kept[i].link.minor < from.minor:
		m.kept[i] = composed{name, from, s}
	}
}

func (m *merger) mergeComposed(coordinate string, c composed, all []applied) ast.DirectiveList {
	uses := applications(all, c.name)
	def := c.sub.schema.Directives[c.name]
	if !def.IsRepeatable {
		return m.mostUsed(coordinate, c.name, uses)
	}
	var out ast.DirectiveList
	seen := map[string]bool{}
	for _, u := range uses {
		if text := argumentsText(u.dir); !seen[text] {
			seen[text] = true
			out = append(out, &ast.Directive{Name: c.name, Arguments: u.dir.Arguments})
		}
	}
	return out
}

var executable = []ast.DirectiveLocation{
	ast.LocationQuery, ast.LocationMutation, ast.LocationSubscription, ast.LocationField, ast.LocationFragmentDefinition,
	ast.LocationFragmentSpread, ast.LocationInlineFragment, ast.LocationVariableDefinition,
}

// executableDirectives are those that clients may use: known to every subgraph, at the places where every subgraph knows them.
func (m *merger) executableDirectives() []*ast.DirectiveDefinition {
	var out []*ast.DirectiveDefinition
	for _, name := range m.directiveNames() {
		var merged *ast.DirectiveDefinition
		var missing []string
		var parts []fieldPart
		for _, s := range m.subs {
			def := s.schema.Directives[name]
			if def == nil {
				missing = append(missing, s.name)
				continue
			}
			places := slices.DeleteFunc(slices.Clone(def.Locations), func(l ast.DirectiveLocation) bool { return !slices.Contains(executable, l) })
			if merged == nil {
				merged = &ast.DirectiveDefinition{Name: name, Description: def.Description, IsRepeatable: def.IsRepeatable, Locations: places}
			}
			merged.Locations = slices.DeleteFunc(merged.Locations, func(l ast.DirectiveLocation) bool { return !slices.Contains(places, l) })
			merged.IsRepeatable = merged.IsRepeatable && def.IsRepeatable
			parts = append(parts, fieldPart{part: part{sub: s}, field: &ast.FieldDefinition{Name: name, Arguments: def.Arguments, Position: def.Position}})
		}
		if len(merged.Locations) == 0 {
			continue
		}
		if len(missing) > 0 {
			m.r.hint(InconsistentExecutableDirective, fieldSites(parts), "@%s is left out of the supergraph: it is defined in %s but not in %s",
				name, subgraphNames(fieldNames(parts)), subgraphNames(missing))
			continue
		}
		merged.Arguments = m.mergeArguments("@"+name, parts)
		out = append(out, merged)
	}
	return out
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
