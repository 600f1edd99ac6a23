package compose

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// checkSatisfiable makes sure that every query that the API allows can be answered.
//
// A situation of a query is a type together with the subgraphs in which the value is at hand. From the roots every field of the API is
// walked: a field must be resolved by a subgraph that is at hand or can be entered by a key whose fields are themselves at hand, and what
// it returns is the next situation. A situation with more subgraphs at hand than one already walked can do whatever that one can,
// so it is not walked again; that, and the finite number of types, ends the walk.
func (m *merger) checkSatisfiable(o Options) {
	w := &walk{m: m, limit: o.MaxStates, failed: map[string]bool{}, shared: map[string]bool{}}
	if w.limit <= 0 {
		w.limit = 200_000
	}
	w.gatherContextUses()
	for _, on := range m.labelStates() {
		w.labels, w.seen, w.queue, w.count = on, map[string][][]standing{}, nil, 0
		w.run()
	}
	if w.exceeded {
		m.r.fail(MaxValidationPathsExceeded, nil, "checking that all queries can be answered takes more than %d steps", w.limit)
	}
}

// run walks from every root, for one state of the labels.
func (w *walk) run() {
	for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		root := w.m.types[rootNames[op]]
		if root == nil {
			continue
		}
		var at []standing
		for _, p := range w.m.parts(root.Name) {
			at = append(at, standing{sub: p.sub})
		}
		w.push(root.Name, at, nil, &step{text: string(op)})
	}
	for len(w.queue) > 0 {
		next := w.queue[0]
		w.queue = w.queue[1:]
		w.visit(next)
	}
}

// standing is a subgraph in which the value is at hand, with the fields that @provides adds on this path.
type standing struct {
	sub      *subgraph
	provided ast.SelectionSet
	text     string // of provided, to compare
}

// step is one level of the query that led to a situation.
type step struct {
	parent *step
	text   string // operation, field or type condition
}

type situation struct {
	typ  string
	at   []standing
	set  contexts
	path *step
}

type walk struct {
	m        *merger
	limit    int
	count    int
	exceeded bool
	queue    []situation
	seen     map[string][][]standing // by type and contexts
	failed   map[string]bool         // fields already reported
	shared   map[string]bool         // fields whose types were compared and found to differ

	labels     map[string]bool // of @override, and whether they are on
	contextual bool            // some field takes an argument from a context
	uses       map[string][]contextual
	set        contexts // in the situation being looked at
}

func (w *walk) push(typ string, at []standing, set contexts, path *step) {
	where := strings.Join(append([]string{typ}, set...), " ")
	for _, known := range w.seen[where] {
		if covers(at, known) {
			return
		}
	}
	w.count++
	if w.count > w.limit {
		w.exceeded = true
		return
	}
	w.seen[where] = append(w.seen[where], at)
	w.queue = append(w.queue, situation{typ, at, set, path})
}

// covers reports whether everything in small is also in large.
func covers(large, small []standing) bool {
	return !slices.ContainsFunc(small, func(s standing) bool {
		return !slices.ContainsFunc(large, func(l standing) bool { return l.sub == s.sub && l.text == s.text })
	})
}

func (w *walk) visit(s situation) {
	def := w.m.types[s.typ]
	switch def.Kind {
	case ast.Object:
		w.visitObject(def, s)
	case ast.Interface, ast.Union:
		w.visitAbstract(def, s)
	default:
	}
}

// visitAbstract goes on with each type that the value may turn out to be.
func (w *walk) visitAbstract(def *ast.Definition, s situation) {
	at := w.reach(def.Name, s.at)
	for _, name := range w.m.members(def) {
		if hidden(w.m.types[name].Directives) {
			continue
		}
		var here []standing
		for _, st := range at {
			if w.possible(st.sub, def.Name, name) {
				here = append(here, st)
			}
		}
		if len(here) > 0 {
			w.push(name, here, s.set, &step{s.path, "... on " + name})
		}
	}
}

// possible reports whether the subgraph may return the type where it declares the abstract one.
func (w *walk) possible(s *subgraph, abstract, name string) bool {
	def := s.has(abstract)
	if def == nil {
		return false
	}
	if isInterfaceObject(def) {
		return true
	}
	return slices.ContainsFunc(s.schema.PossibleTypes[abstract], func(t *ast.Definition) bool { return t.Name == name })
}

// members lists the object types of an interface or union of the supergraph.
func (m *merger) members(def *ast.Definition) []string {
	if def.Kind == ast.Union {
		return def.Types
	}
	var out []string
	for _, name := range m.order {
		if t := m.types[name]; t != nil && t.Kind == ast.Object && slices.Contains(t.Interfaces, def.Name) {
			out = append(out, name)
		}
	}
	return out
}

func (w *walk) visitObject(def *ast.Definition, s situation) {
	w.set = s.set
	at := w.reach(def.Name, s.at)
	inner := w.setBy(def, at, s.set)
	for _, f := range def.Fields {
		if target := w.m.types[f.Type.Name()]; hidden(f.Directives) || target != nil && hidden(target.Directives) {
			continue // no query asks for it
		}
		sources := w.sources(def.Name, f.Name, at, nil)
		path := &step{s.path, f.Name}
		if len(sources) == 0 {
			w.fail(def, f, s, at)
			continue
		}
		if t := w.m.types[f.Type.Name()]; t != nil && t.IsCompositeType() {
			w.checkSharedTypes(def, f, sources, s)
			w.push(t.Name, sources, inner, path)
		}
	}
}

// definitionIn is how the subgraph knows an object type: by itself or through an interface object.
func (m *merger) definitionIn(s *subgraph, typ string) *ast.Definition {
	if def := s.has(typ); def != nil {
		return def
	}
	if merged := m.types[typ]; merged != nil {
		for _, iface := range merged.Interfaces {
			if def := s.has(iface); isInterfaceObject(def) {
				return def
			}
		}
	}
	return nil
}

// reach adds the subgraphs that can be entered by a key, one hop after the other.
func (w *walk) reach(typ string, at []standing) []standing {
	at = slices.Clone(at)
	if typ == "Query" { // the root can be asked for anywhere
		for _, p := range w.m.parts(typ) {
			if !slices.ContainsFunc(at, func(st standing) bool { return st.sub == p.sub }) {
				at = append(at, standing{sub: p.sub})
			}
		}
		return at
	}
	for changed := true; changed; {
		changed = false
		for _, s := range w.m.subs {
			if slices.ContainsFunc(at, func(st standing) bool { return st.sub == s }) || !w.canEnter(s, typ, at, nil) {
				continue
			}
			at = append(at, standing{sub: s})
			changed = true
		}
	}
	return at
}

// canEnter reports whether some key of the type in the subgraph can be filled from what is at hand.
func (w *walk) canEnter(s *subgraph, typ string, at []standing, trail []string) bool {
	def := w.m.definitionIn(s, typ)
	if def == nil {
		return false
	}
	for _, key := range def.Directives.ForNames(dirKey) {
		set, err := federation.ParseFieldSet(stringArg(key, "fields"))
		if err == nil && resolvable(key) && w.canCollect(typ, set, at, trail) {
			return true
		}
	}
	return false
}

// canCollect reports whether all fields of the set can be had from what is at hand. trail holds the @requires being looked into, so that
// one that needs itself is refused.
func (w *walk) canCollect(typ string, set ast.SelectionSet, at []standing, trail []string) bool {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Name == "__typename" {
				continue
			}
			t := w.fieldType(typ, sel.Name)
			sources := w.sources(typ, sel.Name, at, trail)
			if len(sources) == 0 || t == "" {
				return false
			}
			if len(sel.SelectionSet) > 0 && !w.canCollect(t, sel.SelectionSet, w.reach(t, sources), trail) {
				return false
			}
		case *ast.InlineFragment:
			on := typ
			if sel.TypeCondition != "" {
				on = sel.TypeCondition
			}
			if !w.canCollect(on, sel.SelectionSet, at, trail) {
				return false
			}
		}
	}
	return true
}

func (w *walk) fieldType(typ, field string) string {
	if def := w.m.types[typ]; def != nil {
		if f := def.Fields.ForName(field); f != nil {
			return f.Type.Name()
		}
	}
	return ""
}

// sources lists the subgraphs at hand that give the field, with what they provide below it.
func (w *walk) sources(typ, field string, at []standing, trail []string) []standing {
	var out []standing
	for _, st := range at {
		def := w.m.definitionIn(st.sub, typ)
		if def == nil {
			continue
		}
		f := def.Fields.ForName(field)
		if f == nil {
			continue
		}
		below, isProvided := providedBelow(st.provided, typ, field)
		if !isProvided && !w.resolvesHere(st.sub, def.Name, field) {
			continue
		}
		if d := f.Directives.ForName(dirRequires); d != nil && !w.requirementMet(st.sub, typ, def.Name+"."+field, d, at, trail) {
			continue
		}
		if w.contextual && !w.contextsMet(st.sub, f) {
			continue
		}
		if d := f.Directives.ForName(dirProvides); d != nil {
			set, _ := federation.ParseFieldSet(stringArg(d, "fields"))
			below = append(slices.Clone(below), set...)
		}
		out = append(out, standing{st.sub, below, selectionText(below)})
	}
	return out
}

// resolvesHere reports whether the subgraph resolves the field of the type for everyone. On an interface the field counts as
// resolved: whether an implementer's is, is looked at once the value is known to be one.
func (w *walk) resolvesHere(s *subgraph, typ, field string) bool {
	merged := w.m.fields[typ+"."+field]
	if merged == nil {
		return false
	}
	i := slices.IndexFunc(merged.parts, func(p fieldPart) bool { return p.sub == s })
	return i >= 0 && merged.parts[i].resolvesUnder(w.labels)
}

// requirementMet reports whether a field's @requires can be collected and its subgraph entered with it.
func (w *walk) requirementMet(s *subgraph, typ, coordinate string, d *ast.Directive, at []standing, trail []string) bool {
	mark := s.name + " " + coordinate
	if slices.Contains(trail, mark) {
		return false
	}
	set, err := federation.ParseFieldSet(stringArg(d, "fields"))
	if err != nil {
		return false
	}
	trail = append(slices.Clone(trail), mark)
	return w.canCollect(typ, set, at, trail) && w.canEnter(s, typ, at, trail)
}

// providedBelow finds the field in what is provided on this path and gives what is provided below it.
func providedBelow(set ast.SelectionSet, typ, field string) (ast.SelectionSet, bool) {
	var below ast.SelectionSet
	found := false
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Name == field {
				found = true
				below = append(below, sel.SelectionSet...)
			}
		case *ast.InlineFragment:
			if sel.TypeCondition == "" || sel.TypeCondition == typ {
				more, ok := providedBelow(sel.SelectionSet, typ, field)
				found = found || ok
				below = append(below, more...)
			}
		}
	}
	return below, found
}

func selectionText(set ast.SelectionSet) string {
	var parts []string
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			parts = append(parts, sel.Name+"{"+selectionText(sel.SelectionSet)+"}")
		case *ast.InlineFragment:
			parts = append(parts, "on "+sel.TypeCondition+"{"+selectionText(sel.SelectionSet)+"}")
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, " ")
}

// fail reports a field that cannot be reached, once, with a query that shows it and the reason for each subgraph that has the field.
func (w *walk) fail(def *ast.Definition, f *ast.FieldDefinition, s situation, at []standing) {
	coordinate := def.Name + "." + f.Name
	if w.failed[coordinate] {
		return
	}
	w.failed[coordinate] = true
	var sites []site
	var reasons []string
	for _, sub := range w.m.subs {
		local := w.m.definitionIn(sub, def.Name)
		if local == nil || local.Fields.ForName(f.Name) == nil || !w.resolvesHere(sub, local.Name, f.Name) {
			continue
		}
		sites = append(sites, site{sub, local.Fields.ForName(f.Name).Position})
		reasons = append(reasons, w.reason(sub, local, f.Name, def.Name, at))
	}
	var names []string
	for _, st := range s.at {
		names = append(names, st.sub.name)
	}
	w.m.r.fail(SatisfiabilityError, sites, "this query cannot be answered:\n%s\nwhen the value of type %q comes from %s%s:\n- %s",
		counterExample(&step{s.path, f.Name}, w.m.types[f.Type.Name()]), def.Name, subgraphNames(names), labelText(w.labels), strings.Join(reasons, "\n- "))
}

func (w *walk) reason(sub *subgraph, local *ast.Definition, field, typ string, at []standing) string {
	inside := slices.ContainsFunc(at, func(st standing) bool { return st.sub == sub })
	keys := local.Directives.ForNames(dirKey)
	var can []string
	for _, key := range keys {
		if resolvable(key) {
			can = append(can, fmt.Sprintf("%q", stringArg(key, "fields")))
		}
	}
	switch {
	case inside && !w.contextsMet(sub, local.Fields.ForName(field)):
		return fmt.Sprintf("subgraph %q has %s.%s, but on this way nothing sets the context that its arguments come from", sub.name, typ, field)
	case inside && !w.canEnter(sub, typ, at, nil):
		return fmt.Sprintf("subgraph %q has %s.%s, but no resolvable @key of it leads back there with what the field @requires", sub.name, typ, field)
	case inside:
		return fmt.Sprintf("subgraph %q has %s.%s, but what it @requires (%q) cannot be collected there", sub.name, typ, field,
			stringArg(local.Fields.ForName(field).Directives.ForName(dirRequires), "fields"))
	case len(keys) == 0:
		return fmt.Sprintf("subgraph %q has %s.%s, but it has no @key for %q by which it could be asked", sub.name, typ, field, typ)
	case len(can) == 0:
		return fmt.Sprintf("subgraph %q has %s.%s, but none of its @keys for %q is resolvable", sub.name, typ, field, typ)
	default:
		return fmt.Sprintf("subgraph %q has %s.%s, but the fields of its keys (%s) cannot be had where the value comes from", sub.name, typ, field, strings.Join(can, ", "))
	}
}

// counterExample writes the steps as a query.
func counterExample(last *step, result *ast.Definition) string {
	var steps []string
	for s := last; s != nil; s = s.parent {
		steps = append(steps, s.text)
	}
	slices.Reverse(steps)
	var b strings.Builder
	for i, text := range steps {
		b.WriteString(strings.Repeat("  ", i) + text)
		if i == len(steps)-1 {
			if result != nil && result.IsCompositeType() {
				b.WriteString(" { ... }")
			}
		} else {
			b.WriteString(" {")
		}
		b.WriteByte('\n')
	}
	for i := len(steps) - 2; i >= 0; i-- {
		b.WriteString(strings.Repeat("  ", i) + "}")
		if i > 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
