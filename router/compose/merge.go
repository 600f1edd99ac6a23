package compose

import (
	"slices"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// merger builds the supergraph schema out of subgraphs that are each sound.
type merger struct {
	subs   []*subgraph
	r      *report
	types  map[string]*ast.Definition // the supergraph's types, with join directives applied
	order  []string                   // in the order of first appearance
	usage  map[string]usage           // how enums are used
	fields map[string]*mergedField    // what is known of each object and interface field, by Type.field
	kept   []composed                 // nil until asked for: see composedDirectives
}

// usage says where a type can appear.
type usage struct{ input, output bool }

// part is one subgraph's definition of an element that is being merged.
type part struct {
	sub *subgraph
	def *ast.Definition
}

func newMerger(subs []*subgraph, r *report) *merger {
	return &merger{subs: subs, r: r, types: map[string]*ast.Definition{}, usage: map[string]usage{}, fields: map[string]*mergedField{}}
}

// merge merges every type; errors and hints go to the report.
func (m *merger) merge() {
	m.addQueryEverywhere()
	m.collectOrder()
	var enums []*ast.Definition
	for _, name := range m.order {
		if def := m.mergeType(name); def != nil && def.Kind == ast.Enum {
			enums = append(enums, def)
		}
	}
	// Which values an enum keeps depends on what became of everything else.
	m.collectUsage()
	for _, def := range enums {
		m.mergeEnum(def, m.parts(def.Name))
	}
	for _, name := range m.order {
		if def := m.types[name]; def != nil && def.Kind == ast.Interface {
			m.checkInterfaceImplementers(def)
		}
	}
	m.spreadInterfaceObjects()
	m.raiseAccess()
	if q := m.types["Query"]; q == nil || len(q.Fields) == 0 {
		m.r.fail(NoQueries, nil, "no subgraph has a query: the supergraph would have none either")
	}
}

// addQueryEverywhere gives each subgraph a Query type, as each answers federation's own root fields.
func (m *merger) addQueryEverywhere() {
	for _, s := range m.subs {
		if s.has("Query") == nil {
			s.schema.Types["Query"] = &ast.Definition{Kind: ast.Object, Name: "Query"}
			s.order = append(s.order, "Query")
		}
	}
}

func (m *merger) collectOrder() {
	seen := map[string]bool{}
	for _, s := range m.subs {
		for _, name := range s.order {
			if !seen[name] {
				seen[name] = true
				m.order = append(m.order, name)
			}
		}
	}
}

// collectUsage finds which types serve as input and which as output in the supergraph: an argument that merging leaves out does not
// count, an input field does.
func (m *merger) collectUsage() {
	for _, c := range m.composedDirectives() {
		for _, a := range c.def.Arguments {
			m.usage[a.Type.Name()] = usage{input: true}
		}
	}
	for _, s := range m.subs {
		s.types(func(def *ast.Definition) {
			if def.Kind == ast.InputObject {
				for _, f := range def.Fields {
					m.usage[f.Type.Name()] = usage{input: true}
				}
			}
		})
	}
	for _, def := range m.types {
		for _, f := range def.Fields {
			u := m.usage[f.Type.Name()]
			u.input = u.input || def.Kind == ast.InputObject
			u.output = u.output || def.Kind != ast.InputObject
			m.usage[f.Type.Name()] = u
			for _, a := range f.Arguments {
				u := m.usage[a.Type.Name()]
				u.input = true
				m.usage[a.Type.Name()] = u
			}
		}
	}
}

// parts lists the subgraphs that define the type, in their order.
func (m *merger) parts(name string) []part {
	var out []part
	for _, s := range m.subs {
		if def := s.has(name); def != nil && !def.BuiltIn {
			out = append(out, part{s, def})
		}
	}
	return out
}

func (m *merger) mergeType(name string) *ast.Definition {
	parts := m.parts(name)
	kind, ok := m.commonKind(name, parts)
	if !ok {
		return nil
	}
	def := &ast.Definition{Kind: kind, Name: name, Description: m.description(name, descriptions(parts))}
	m.types[name] = def
	m.checkBase(name, parts)
	m.joinTypes(def, parts)
	def.Directives = append(def.Directives, m.mergeDirectives(name, typeDirectives(parts))...)
	def.Directives = append(def.Directives, mergeContexts(parts)...)
	switch kind {
	case ast.Object, ast.Interface:
		m.mergeImplements(def, parts)
		m.hintEntity(def, parts)
		m.mergeFields(def, parts)
	case ast.Union:
		m.mergeUnion(def, parts)
	case ast.InputObject:
		m.mergeInput(def, parts)
	case ast.Scalar, ast.Enum:
	}
	return def
}

func (m *merger) commonKind(name string, parts []part) (ast.DefinitionKind, bool) {
	kinds := map[ast.DefinitionKind][]string{}
	var order []ast.DefinitionKind
	for _, p := range parts {
		kind := p.def.Kind
		if isInterfaceObject(p.def) {
			kind = ast.Interface
		}
		if kinds[kind] == nil {
			order = append(order, kind)
		}
		kinds[kind] = append(kinds[kind], p.sub.name)
	}
	if len(order) == 1 {
		if order[0] == ast.Interface && !slices.ContainsFunc(parts, func(p part) bool { return p.def.Kind == ast.Interface }) {
			m.r.fail(InterfaceObjectUsageError, partSites(parts), "type %q is an @interfaceObject in %s, but no subgraph defines the interface", name, subgraphNames(partNames(parts)))
		}
		return order[0], true
	}
	said := make([]string, len(order))
	for i, k := range order {
		said[i] = kindWord(k) + " in " + subgraphNames(kinds[k])
	}
	m.r.fail(TypeKindMismatch, partSites(parts), "type %q is not of one kind: %s", name, strings.Join(said, ", "))
	return "", false
}

// checkBase refuses a type that every subgraph only extends: someone has to define it.
func (m *merger) checkBase(name string, parts []part) {
	if name == "Query" || name == "Mutation" || name == "Subscription" {
		return
	}
	for _, p := range parts {
		if !p.sub.extended[name] {
			return
		}
	}
	m.r.fail(ExtensionWithNoBase, partSites(parts), "type %q is only ever extended (in %s), never defined", name, subgraphNames(partNames(parts)))
}

// joinTypes records who has the type and under which keys.
func (m *merger) joinTypes(def *ast.Definition, parts []part) {
	for _, p := range parts {
		keys := p.def.Directives.ForNames(dirKey)
		if len(keys) == 0 {
			def.Directives = append(def.Directives, joinDirective("type", p.sub, m.typeMarks(p)...))
			continue
		}
		for _, key := range keys {
			args := []*ast.Argument{stringArgument("key", stringArg(key, "fields"))}
			if a := key.Arguments.ForName("resolvable"); a != nil && a.Value.Raw == "false" {
				args = append(args, boolArgument("resolvable", false))
			}
			def.Directives = append(def.Directives, joinDirective("type", p.sub, append(args, m.typeMarks(p)...)...))
		}
	}
}

// typeMarks are the marks of @join__type that do not depend on the key. Federation 1 extensions are not marked: there "extend" was the only way
// to share an entity, and by now the type has a base.
func (m *merger) typeMarks(p part) []*ast.Argument {
	var out []*ast.Argument
	if p.sub.extended[p.def.Name] && (!p.sub.fed1 || p.def.Directives.ForName(dirExtends) != nil) && p.def.Name != "Query" && p.def.Name != "Mutation" && p.def.Name != "Subscription" &&
		(p.def.Kind == ast.Object || p.def.Kind == ast.Interface) {
		out = append(out, boolArgument("extension", true))
	}
	if isInterfaceObject(p.def) {
		out = append(out, boolArgument("isInterfaceObject", true))
	}
	return out
}

func (m *merger) mergeImplements(def *ast.Definition, parts []part) {
	for _, p := range parts {
		for _, name := range p.def.Interfaces {
			def.Directives = append(def.Directives, joinDirective("implements", p.sub, stringArgument("interface", name)))
			if !slices.Contains(def.Interfaces, name) {
				def.Interfaces = append(def.Interfaces, name)
			}
		}
	}
}

func (m *merger) hintEntity(def *ast.Definition, parts []part) {
	var with, without []string
	for _, p := range parts {
		if p.def.Directives.ForName(dirKey) != nil {
			with = append(with, p.sub.name)
		} else {
			without = append(without, p.sub.name)
		}
	}
	if def.Kind == ast.Object && len(with) > 0 && len(without) > 0 {
		m.r.hint(InconsistentEntity, partSites(parts), "type %q is an entity (has @key) in %s but not in %s", def.Name, subgraphNames(with), subgraphNames(without))
	}
}

func (m *merger) mergeUnion(def *ast.Definition, parts []part) {
	for _, p := range parts {
		for _, member := range p.def.Types {
			def.Directives = append(def.Directives, joinDirective("unionMember", p.sub, stringArgument("member", member)))
			if !slices.Contains(def.Types, member) {
				def.Types = append(def.Types, member)
			}
		}
	}
	for _, member := range def.Types {
		var with, without []string
		for _, p := range parts {
			if slices.Contains(p.def.Types, member) {
				with = append(with, p.sub.name)
			} else {
				without = append(without, p.sub.name)
			}
		}
		if len(without) > 0 {
			m.r.hint(InconsistentUnionMember, partSites(parts), "union %q has member %q in %s but not in %s", def.Name, member, subgraphNames(with), subgraphNames(without))
		}
	}
}

// described is an element's description in one subgraph.
type described struct {
	site
	text string
}

func descriptions(parts []part) []described {
	out := make([]described, len(parts))
	for i, p := range parts {
		out[i] = described{site{p.sub, p.def.Position}, p.def.Description}
	}
	return out
}

// description takes what most subgraphs say, the first of equals, and hints when they do not agree.
func (m *merger) description(element string, all []described) string {
	count := map[string]int{}
	var order []string
	var said []site
	for _, d := range all {
		if d.text == "" {
			continue
		}
		if count[d.text] == 0 {
			order = append(order, d.text)
		}
		count[d.text]++
		said = append(said, d.site)
	}
	if len(order) == 0 {
		return ""
	}
	best := order[0]
	for _, text := range order[1:] {
		if count[text] > count[best] {
			best = text
		}
	}
	if len(order) > 1 {
		m.r.hint(InconsistentDescription, said, "%q is described differently in %s; the supergraph says %q", element, subgraphNames(siteNames(said)), best)
	}
	return best
}

func partSites(parts []part) []site {
	out := make([]site, len(parts))
	for i, p := range parts {
		out[i] = site{p.sub, p.def.Position}
	}
	return out
}

func partNames(parts []part) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = p.sub.name
	}
	return out
}

func siteNames(sites []site) []string {
	out := make([]string, len(sites))
	for i, s := range sites {
		out[i] = s.sub.name
	}
	return out
}

// sortedNames lists the supergraph's types without regard to case, the order in which federation's tools print them.
func (m *merger) sortedNames() []string {
	names := make([]string, 0, len(m.types))
	for name := range m.types {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return lessName(names[i], names[j]) })
	return names
}

func lessName(a, b string) bool {
	if la, lb := strings.ToLower(a), strings.ToLower(b); la != lb {
		return la < lb
	}
	return a < b
}
