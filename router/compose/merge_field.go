package compose

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// fieldPart is one subgraph's definition of an output field.
type fieldPart struct {
	part       // the type that holds it there
	field      *ast.FieldDefinition
	facts      *fieldFacts
	overridden bool   // another subgraph takes the field over for good
	shared     string // label under which another subgraph takes part of its requests; "" when none
	takesOver  bool   // its @override has a field to take
}

// resolves reports whether the subgraph gives the field to everyone who asks at its type.
func (p fieldPart) resolves() bool { return p.facts.resolved() && !p.overridden }

func (p fieldPart) site() site { return site{p.sub, p.field.Position} }

// mergedField is a field of the supergraph and where it comes from.
type mergedField struct {
	def   *ast.FieldDefinition
	parts []fieldPart
}

func (m *merger) mergeFields(def *ast.Definition, parts []part) {
	for _, name := range fieldOrder(parts) {
		coordinate := def.Name + "." + name
		fields := m.fieldParts(name, parts)
		m.applyOverrides(coordinate, fields)
		merged := m.mergeField(def, name, fields)
		m.joinField(def, merged, fields, len(parts))
		m.checkSharing(def, coordinate, fields)
		m.hintMissing(def, coordinate, fields, parts)
		def.Fields = append(def.Fields, merged)
		m.fields[coordinate] = &mergedField{merged, fields}
	}
}

// fieldOrder lists the field names of all parts in the order of first appearance.
func fieldOrder(parts []part) []string {
	var out []string
	for _, p := range parts {
		for _, f := range p.def.Fields {
			if !slices.Contains(out, f.Name) {
				out = append(out, f.Name)
			}
		}
	}
	return out
}

func (m *merger) fieldParts(name string, parts []part) []fieldPart {
	var out []fieldPart
	for _, p := range parts {
		if f := p.def.Fields.ForName(name); f != nil {
			out = append(out, fieldPart{part: p, field: f, facts: p.sub.facts(p.def.Name, name)})
		}
	}
	return out
}

// applyOverrides marks the fields that @override takes away from their subgraph.
func (m *merger) applyOverrides(coordinate string, fields []fieldPart) {
	for n := range fields {
		p := &fields[n]
		d := p.field.Directives.ForName(dirOverride)
		if d == nil {
			continue
		}
		p.sub.checkOverride(p.def, p.field, m.r)
		from, label := stringArg(d, "from"), stringArg(d, "label")
		if from == p.sub.name {
			continue
		}
		at := []site{{p.sub, d.Position}}
		if !slices.ContainsFunc(m.subs, func(s *subgraph) bool { return s.name == from }) {
			m.r.hint(FromSubgraphDoesNotExist, at, "%s overrides from subgraph %q, which does not exist", coordinate, from)
			continue
		}
		i := slices.IndexFunc(fields, func(o fieldPart) bool { return o.sub.name == from })
		if i < 0 || fields[i].facts.external {
			p.takesOver = i >= 0 // under a label, nobody answers while it is off
			m.r.hint(OverrideCanBeRemoved, at, "subgraph %q no longer has %s: its @override in %q can be removed", from, coordinate, p.sub.name)
			continue
		}
		p.takesOver = true
		source := &fields[i]
		sites := append(at, source.site())
		switch {
		case source.field.Directives.ForName(dirOverride) != nil:
			m.r.fail(OverrideSourceHasOverride, sites, "%s of subgraph %q is overridden by %q but has an @override itself", coordinate, from, p.sub.name)
		case source.field.Directives.ForName(dirRequires) != nil || source.field.Directives.ForName(dirProvides) != nil:
			m.r.fail(OverrideCollision, sites, "%s of subgraph %q cannot be overridden: it has @requires or @provides", coordinate, from)
		case label != "":
			source.shared = label
			m.r.hint(OverrideMigrationInProgress, sites, "%s moves from subgraph %q to %q under label %q", coordinate, from, p.sub.name, label)
		default:
			source.overridden = true
			m.r.hint(OverriddenFieldCanBeRemoved, sites, "%s of subgraph %q is overridden by %q and can be removed", coordinate, from, p.sub.name)
		}
	}
}

func (m *merger) mergeField(def *ast.Definition, name string, fields []fieldPart) *ast.FieldDefinition {
	coordinate := def.Name + "." + name
	own := slices.DeleteFunc(slices.Clone(fields), func(p fieldPart) bool { return !p.facts.resolved() })
	if len(own) == 0 {
		m.r.fail(ExternalMissingOnBase, fieldSites(fields), "%s is @external in %s, but no subgraph resolves it", coordinate, subgraphNames(fieldNames(fields)))
		own = fields
	}
	merged := &ast.FieldDefinition{Name: name}
	var texts []described
	for _, p := range own {
		texts = append(texts, described{p.site(), p.field.Description})
	}
	merged.Description = m.description(coordinate, texts)
	merged.Type = m.mergeOutputType(coordinate, own)
	merged.Arguments = m.mergeArguments(coordinate, own)
	m.checkExternals(coordinate, merged, fields)
	merged.Directives = m.mergeDirectives(coordinate, fieldDirectives(fields))
	return merged
}

// mergeOutputType takes the widest of the types: the one that all others are subtypes of.
func (m *merger) mergeOutputType(coordinate string, fields []fieldPart) *ast.Type {
	for _, candidate := range fields {
		fits, same := true, true
		for _, other := range fields {
			fits = fits && m.isSubtype(other.field.Type, candidate.field.Type)
			same = same && other.field.Type.String() == candidate.field.Type.String()
		}
		if fits {
			if !same {
				m.r.hint(InconsistentFieldType, fieldSites(fields), "%s is not of the same type everywhere; the supergraph uses %q from subgraph %q",
					coordinate, candidate.field.Type, candidate.sub.name)
			}
			return candidate.field.Type
		}
	}
	m.r.fail(FieldTypeMismatch, fieldSites(fields), "%s has types that do not go together: %s", coordinate, typesByName(fields))
	return fields[0].field.Type
}

// checkExternals compares what a subgraph says of a field that it does not own with what the field is.
func (m *merger) checkExternals(coordinate string, merged *ast.FieldDefinition, fields []fieldPart) {
	for _, p := range fields {
		if p.facts.resolved() {
			continue
		}
		at := []site{p.site()}
		if merged.Type.String() != p.field.Type.String() {
			m.r.fail(ExternalTypeMismatch, at, "%s is of type %q but subgraph %q declares its @external copy as %q", coordinate, merged.Type, p.sub.name, p.field.Type)
		}
		for _, arg := range merged.Arguments {
			external := p.field.Arguments.ForName(arg.Name)
			switch {
			case external == nil:
				m.r.fail(ExternalArgumentMissing, at, "%s has an argument %q that its @external copy in subgraph %q lacks", coordinate, arg.Name, p.sub.name)
			case !m.isSubtype(arg.Type, external.Type):
				m.r.fail(ExternalArgumentTypeMismatch, at, "argument %q of %s is of type %q but %q in its @external copy in subgraph %q",
					arg.Name, coordinate, arg.Type, external.Type, p.sub.name)
			case valueText(arg.DefaultValue) != valueText(external.DefaultValue):
				m.r.fail(ExternalArgumentDefaultMismatch, at, "argument %q of %s has another default in its @external copy in subgraph %q", arg.Name, coordinate, p.sub.name)
			}
		}
	}
}

// checkSharing refuses a field that several subgraphs resolve unless all of them allow it.
func (m *merger) checkSharing(def *ast.Definition, coordinate string, fields []fieldPart) {
	if def.Kind != ast.Object || def.Name == "Subscription" && len(fields) == 1 {
		return
	}
	var resolving, selfish []fieldPart
	for _, p := range fields {
		if p.facts.external && p.facts.provided && !p.overridden {
			resolving = append(resolving, p) // on some path at least, so all others must allow it
			continue
		}
		if !p.resolves() || p.shared != "" {
			continue
		}
		resolving = append(resolving, p)
		if !p.facts.shareable || def.Name == "Subscription" {
			selfish = append(selfish, p)
		}
	}
	if len(resolving) > 1 && len(selfish) > 0 {
		m.r.fail(InvalidFieldSharing, fieldSites(resolving), "%s is resolved by %s but is not shareable in %s",
			coordinate, subgraphNames(fieldNames(resolving)), subgraphNames(fieldNames(selfish)))
	}
}

func (m *merger) hintMissing(def *ast.Definition, coordinate string, fields []fieldPart, parts []part) {
	if len(fields) == len(parts) || def.Name == "Query" || def.Name == "Mutation" || def.Name == "Subscription" {
		return
	}
	code := InconsistentObjectValueField
	if def.Kind == ast.Interface {
		code = InconsistentInterfaceField
	}
	for _, p := range parts {
		if p.def.Directives.ForName(dirKey) != nil {
			return // entities are meant to be spread
		}
	}
	var without []string
	for _, p := range parts {
		// A subgraph that only speaks of the type, with nothing but external fields, is not missing anything.
		onlyExternal := !slices.ContainsFunc(p.def.Fields, func(f *ast.FieldDefinition) bool { return !p.sub.facts(def.Name, f.Name).external })
		if !onlyExternal && !slices.ContainsFunc(fields, func(f fieldPart) bool { return f.sub == p.sub }) {
			without = append(without, p.sub.name)
		}
	}
	if len(without) == 0 {
		return
	}
	m.r.hint(code, fieldSites(fields), "%s is defined in %s but not in %s", coordinate, subgraphNames(fieldNames(fields)), subgraphNames(without))
}

// joinField records which subgraphs have the field and how. Nothing is written where all that have the type have the plain field.
func (m *merger) joinField(def *ast.Definition, merged *ast.FieldDefinition, fields []fieldPart, parts int) {
	plain := len(fields) == parts
	typed := false
	for _, p := range fields {
		typed = typed || p.field.Type.String() != merged.Type.String()
		plain = plain && p.resolves() && p.shared == "" && p.field.Directives.ForName(dirRequires) == nil &&
			p.field.Directives.ForName(dirProvides) == nil && !p.takesOver && p.contextArguments() == nil
	}
	if plain && !typed {
		return
	}
	var joins ast.DirectiveList
	for _, p := range fields {
		if p.overridden && !p.facts.used {
			continue
		}
		joins = append(joins, joinDirective("field", p.sub, m.fieldMarks(p, typed)...))
	}
	merged.Directives = append(joins, merged.Directives...)
}

func (m *merger) fieldMarks(p fieldPart, typed bool) []*ast.Argument {
	var args []*ast.Argument
	if d := p.field.Directives.ForName(dirRequires); d != nil {
		args = append(args, stringArgument("requires", stringArg(d, "fields")))
	}
	if d := p.field.Directives.ForName(dirProvides); d != nil {
		args = append(args, stringArgument("provides", stringArg(d, "fields")))
	}
	if typed {
		args = append(args, stringArgument("type", p.field.Type.String()))
	}
	if !p.facts.resolved() {
		args = append(args, boolArgument("external", true))
	}
	d := p.field.Directives.ForName(dirOverride)
	if d != nil {
		args = append(args, stringArgument("override", stringArg(d, "from")))
	}
	if p.overridden {
		args = append(args, boolArgument("usedOverridden", true))
	}
	label := p.shared
	if d != nil && p.takesOver {
		label = stringArg(d, "label")
	}
	if label != "" {
		args = append(args, stringArgument("overrideLabel", label))
	}
	if c := p.contextArguments(); c != nil {
		args = append(args, c)
	}
	return args
}

// spreadInterfaceObjects gives the implementers of an interface the fields that interface objects add to it.
func (m *merger) spreadInterfaceObjects() {
	for _, name := range m.order {
		iface := m.types[name]
		if iface == nil || iface.Kind != ast.Interface {
			continue
		}
		for _, p := range m.parts(name) {
			if isInterfaceObject(p.def) {
				m.spread(iface, p)
			}
		}
	}
}

func (m *merger) spread(iface *ast.Definition, from part) {
	for _, name := range m.order {
		impl := m.types[name]
		if impl == nil || impl.Kind != ast.Object || !slices.Contains(impl.Interfaces, iface.Name) {
			continue
		}
		for _, f := range from.def.Fields {
			merged := m.fields[iface.Name+"."+f.Name]
			if impl.Fields.ForName(f.Name) != nil || merged == nil {
				continue
			}
			add := *merged.def
			add.Directives = ast.DirectiveList{{Name: "join__field"}}
			for _, d := range merged.def.Directives {
				if d.Name != "join__field" {
					add.Directives = append(add.Directives, d)
				}
			}
			impl.Fields = append(impl.Fields, &add)
		}
	}
}

func fieldSites(fields []fieldPart) []site {
	out := make([]site, len(fields))
	for i, p := range fields {
		out[i] = p.site()
	}
	return out
}

func fieldNames(fields []fieldPart) []string {
	out := make([]string, len(fields))
	for i, p := range fields {
		out[i] = p.sub.name
	}
	return out
}
