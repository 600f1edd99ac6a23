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
		count[argumentsText(u.dir.Arguments)]++
	}
	for _, u := range uses {
		if count[argumentsText(u.dir.Arguments)] > count[argumentsText(best.dir.Arguments)] {
			best = u
		}
	}
	if len(count) > 1 {
		var sites []site
		for _, u := range uses {
			sites = append(sites, site{u.sub, u.dir.Position})
		}
		m.r.hint(InconsistentDirectiveArguments, sites, "@%s on %s has different arguments in %s; the supergraph uses (%s)",
			name, coordinate, subgraphNames(siteNames(sites)), argumentsText(best.dir.Arguments))
	}
	return ast.DirectiveList{{Name: name, Arguments: best.dir.Arguments}}
}

func argumentsText(args ast.ArgumentList) string {
	var parts []string
	for _, a := range args {
		parts = append(parts, a.Name+": "+a.Value.String())
	}
	return strings.Join(parts, ", ")
}
