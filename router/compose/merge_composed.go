package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// composed is a directive of the subgraphs' own that the supergraph keeps.
type composed struct {
	name string // here, without @
	spec string // in its specification, with @
	link *link
	subs []*subgraph // that ask for it; what others apply is not kept
	def  *ast.DirectiveDefinition
	from *subgraph // whose definition is used: the one with the highest version
}

// composedDirectives lists what @composeDirective names, in the order of the subgraphs.
func (m *merger) composedDirectives() []composed {
	if m.kept != nil {
		return m.kept
	}
	m.kept = []composed{}
	for _, s := range m.subs {
		for _, d := range s.composed {
			m.keep(s, d)
		}
	}
	for i := range m.kept {
		m.settleComposed(&m.kept[i])
	}
	return m.kept
}

// keep takes up one @composeDirective.
func (m *merger) keep(s *subgraph, d *ast.Directive) {
	at := []site{{s, d.Position}}
	fail := func(format string, args ...any) {
		m.r.fail(DirectiveCompositionError, at, "[%s] @composeDirective "+format, append([]any{s.name}, args...)...)
	}
	written := stringArg(d, "name")
	name, ok := strings.CutPrefix(written, "@")
	switch {
	case written == "":
		fail("must name a directive")
		return
	case !ok:
		fail("must name a directive with its @, not %q", written)
		return
	}
	if canonical := "federation/" + s.local[name]; s.local[name] != "" {
		if slices.ContainsFunc(carried, func(c carriedSpec) bool { return c.canonical == canonical }) || canonical == dirListSize {
			m.r.hint(DirectiveCompositionInfo, at, "[%s] @composeDirective need not name @%s: composition keeps it anyway", s.name, name)
			return
		}
		fail("cannot name @%s, which is federation's own", name)
		return
	}
	def := s.schema.Directives[name]
	if def == nil {
		fail("names @%s, which the schema does not define", name)
		return
	}
	from, spec := s.linkOf(name)
	if from == nil || from.apollo() {
		fail("names @%s, which no @link of the schema brings in", name)
		return
	}
	for _, a := range def.Arguments {
		if a.Directives.ForName(dirInaccessible) != nil {
			m.r.fail(DisallowedInaccessible, []site{{s, a.Position}}, "[%s] @%s(%s:) cannot be @inaccessible: the supergraph keeps the directive, and clients never see it", s.name, name, a.Name)
		}
	}
	m.meet(composed{name: name, spec: spec, link: from, subs: []*subgraph{s}, def: def, from: s})
}

// linkOf finds the @link that brings a directive in, and the directive's name there.
func (s *subgraph) linkOf(name string) (from *link, spec string) {
	for _, l := range s.links {
		for _, there := range l.order {
			if l.imports[there] == "@"+name {
				return l, there
			}
		}
		if l.as == name {
			return l, "@" + l.name
		}
		if rest, ok := strings.CutPrefix(name, l.as+"__"); ok {
			return l, "@" + rest
		}
	}
	return nil, ""
}

// meet brings what another subgraph composes together with what is kept already.
func (m *merger) meet(c composed) {
	for i := range m.kept {
		k := &m.kept[i]
		sites := []site{{k.from, k.link.pos}, {c.from, c.link.pos}}
		switch sameSpec := k.link.identity == c.link.identity; {
		case k.name == c.name && (!sameSpec || k.spec != c.spec):
			m.r.fail(DirectiveCompositionError, sites, "@%s is %s of %q in subgraph %q but %s of %q in subgraph %q",
				c.name, k.spec, k.link.identity, k.from.name, c.spec, c.link.identity, c.from.name)
			return
		case sameSpec && k.spec == c.spec && k.name != c.name:
			m.r.fail(DirectiveCompositionError, sites, "%s of %q is called @%s in subgraph %q but @%s in subgraph %q", c.spec, c.link.identity, k.name, k.from.name, c.name, c.from.name)
			return
		case sameSpec && k.link.major != c.link.major:
			m.r.fail(DirectiveCompositionError, sites, "@%s is composed from different major versions of %q", c.name, c.link.identity)
			return
		case k.name == c.name:
			k.subs = append(k.subs, c.from)
			if k.link.minor < c.link.minor {
				k.link, k.def, k.from = c.link, c.def, c.from
			}
			return
		}
	}
	m.kept = append(m.kept, c)
}

// settleComposed makes the definition of the supergraph: every place that a subgraph with the directive allows.
func (m *merger) settleComposed(c *composed) {
	merged := *c.def
	merged.Locations = slices.Clone(c.def.Locations)
	var asking []site
	for _, s := range m.subs {
		from, spec := s.linkOf(c.name)
		def := s.schema.Directives[c.name]
		if def == nil || from == nil || from.identity != c.link.identity || spec != c.spec {
			continue
		}
		asks := slices.Contains(c.subs, s)
		if from.major != c.link.major {
			m.r.hint(DirectiveCompositionInfo, []site{{s, from.pos}}, "[%s] @%s is composed from v%d of %q; this subgraph links v%d and does not compose it",
				s.name, c.name, c.link.major, from.identity, from.major)
			continue
		}
		for _, place := range def.Locations {
			if !slices.Contains(merged.Locations, place) {
				merged.Locations = append(merged.Locations, place)
			}
		}
		if asks {
			asking = append(asking, site{s, def.Position})
			merged.IsRepeatable = merged.IsRepeatable || def.IsRepeatable
		}
	}
	m.hintComposed(c, &merged, asking)
	c.def = &merged
}

// hintComposed tells where the subgraphs that compose a directive define it differently.
func (m *merger) hintComposed(c *composed, merged *ast.DirectiveDefinition, asking []site) {
	var repeatable, places bool
	for _, s := range c.subs {
		def := s.schema.Directives[c.name]
		repeatable = repeatable || def.IsRepeatable != merged.IsRepeatable
		places = places || len(def.Locations) != len(merged.Locations)
	}
	if len(c.subs) < 2 {
		return
	}
	if repeatable {
		m.r.hint(InconsistentDirectiveRepeat, asking, "@%s is repeatable in only some of %s; it is in the supergraph", c.name, subgraphNames(siteNames(asking)))
	}
	if places {
		m.r.hint(InconsistentDirectivePlaces, asking, "@%s is not allowed at the same places in %s; the supergraph has all of them", c.name, subgraphNames(siteNames(asking)))
	}
}

func (m *merger) mergeComposed(coordinate string, c composed, all []applied) ast.DirectiveList {
	uses := slices.DeleteFunc(applications(all, c.name), func(u application) bool { return !slices.Contains(c.subs, u.sub) })
	if !c.def.IsRepeatable {
		return m.mostUsed(coordinate, c.name, uses)
	}
	var out ast.DirectiveList
	seen := map[string]bool{}
	for _, u := range uses {
		if text := argumentsText(u.dir.Arguments); !seen[text] {
			seen[text] = true
			out = append(out, &ast.Directive{Name: c.name, Arguments: u.dir.Arguments})
		}
	}
	return out
}

// composedLinks are the @link applications of composed directives, one for each feature.
func (m *merger) composedLinks() []string {
	var order []string
	imports := map[string][]string{}
	urls := map[string]string{}
	for _, c := range m.composedDirectives() {
		id := c.link.identity
		if imports[id] == nil {
			order = append(order, id)
		}
		urls[id] = c.link.url
		if c.spec == "@"+c.name {
			imports[id] = append(imports[id], fmt.Sprintf("%q", c.spec))
		} else {
			imports[id] = append(imports[id], fmt.Sprintf("{name: %q, as: %q}", c.spec, "@"+c.name))
		}
	}
	var out []string
	for _, id := range order {
		out = append(out, fmt.Sprintf("@link(url: %q, import: [%s])", urls[id], strings.Join(imports[id], ", ")))
	}
	return out
}
