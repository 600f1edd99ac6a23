package compose

import (
	"regexp"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// check finds the mistakes that one subgraph can make by itself.
func (s *subgraph) check(r *report) {
	if s.fed1 {
		s.dropUnusedExternals(r)
	}
	s.checkContexts(r)
	s.types(func(def *ast.Definition) {
		s.checkKeys(def, r)
		s.checkInterfaceObject(def, r)
		s.checkAccess(def, r)
		if def.Kind == ast.Interface {
			s.checkInterfaceKeys(def, r)
		}
		for _, f := range def.Fields {
			s.checkExternal(def, f, r)
			s.checkRequires(def, f, r)
			s.checkProvides(def, f, r)
			s.checkCost(def, f, r)
			if def.Kind == ast.Interface && f.Directives.ForName(dirShareable) != nil {
				r.fail(InvalidShareableUsage, s.at(f.Position), "[%s] @shareable has no meaning on the interface field %s.%s", s.name, def.Name, f.Name)
			}
		}
	})
}

func (s *subgraph) at(pos *ast.Position) []site { return []site{{s, pos}} }

// fieldSetCodes are the codes of one directive that takes a field set.
type fieldSetCodes struct{ invalid, invalidType, hasArgs, directive, missingExternal Code }

var (
	keyCodes      = fieldSetCodes{KeyInvalidFields, KeyInvalidFieldsType, KeyFieldsHasArgs, KeyDirectiveInFieldsArg, ""}
	requiresCodes = fieldSetCodes{RequiresInvalidFields, RequiresInvalidFieldsType, "", RequiresDirectiveInFieldsArg, RequiresFieldsMissingExternal}
	providesCodes = fieldSetCodes{ProvidesInvalidFields, ProvidesInvalidFieldsType, ProvidesFieldsHasArgs, ProvidesDirectiveInFieldsArg, ProvidesFieldsMissingExternal}
)

func (s *subgraph) checkKeys(def *ast.Definition, r *report) {
	for _, key := range def.Directives.ForNames(dirKey) {
		if def.Kind == ast.Interface && !s.fed1 && s.minor < 3 {
			r.fail(KeyUnsupportedOnInterface, s.at(key.Position), "[%s] @key on interface %q needs federation v2.3 or newer", s.name, def.Name)
			continue
		}
		set, ok := s.readFieldSet(key, keyCodes, r)
		if !ok {
			continue
		}
		s.walkFieldSet(key, def, set, keyCodes, r, func(t *ast.Definition, f *ast.FieldDefinition, leaf bool) {
			if kind := s.schema.Types[f.Type.Name()].Kind; kind == ast.Interface || kind == ast.Union {
				r.fail(KeyFieldsSelectInvalidType, s.at(key.Position), "[%s] @key(fields: %q) of type %q selects %s.%s, whose type is an %s",
					s.name, stringArg(key, "fields"), def.Name, t.Name, f.Name, kindWord(kind))
			}
		})
	}
}

func (s *subgraph) checkInterfaceObject(def *ast.Definition, r *report) {
	if !isInterfaceObject(def) {
		return
	}
	if def.Directives.ForName(dirKey) == nil {
		r.fail(InterfaceObjectUsageError, s.at(def.Position), "[%s] @interfaceObject type %q has no @key", s.name, def.Name)
	}
}

// checkInterfaceKeys makes sure that what an interface can be entered by, each of its implementers can.
func (s *subgraph) checkInterfaceKeys(iface *ast.Definition, r *report) {
	for _, key := range iface.Directives.ForNames(dirKey) {
		set, err := federation.ParseFieldSet(stringArg(key, "fields"))
		if err != nil || !resolvable(key) {
			continue
		}
		for _, impl := range s.schema.PossibleTypes[iface.Name] {
			if !slices.ContainsFunc(impl.Directives.ForNames(dirKey), func(d *ast.Directive) bool {
				own, err := federation.ParseFieldSet(stringArg(d, "fields"))
				return err == nil && selectionText(own) == selectionText(set) && resolvable(d)
			}) {
				r.fail(InterfaceKeyNotOnImplementation, []site{{s, key.Position}, {s, impl.Position}},
					"[%s] @key(fields: %q) of interface %q is not a resolvable key of its implementer %q", s.name, stringArg(key, "fields"), iface.Name, impl.Name)
			}
		}
	}
}

func (s *subgraph) checkExternal(def *ast.Definition, f *ast.FieldDefinition, r *report) {
	mark := f.Directives.ForName(dirExternal)
	if mark != nil && def.Kind == ast.Interface && !s.fed1 {
		r.fail(ExternalOnInterface, s.at(f.Position), "[%s] interface field %s.%s is marked @external, but interface fields are not resolved", s.name, def.Name, f.Name)
	}
	facts := s.facts(def.Name, f.Name)
	if !facts.external {
		return
	}
	// Only marks on the field itself must be used: a type-level mark covers fields that the author never singled out.
	if mark != nil && !facts.used && !s.fed1 {
		r.fail(ExternalUnused, s.at(f.Position), "[%s] %s.%s is marked @external but no @key, @requires, @provides, @fromContext or interface needs it", s.name, def.Name, f.Name)
	}
	for _, name := range []string{dirAuthenticated, dirRequiresScopes, dirPolicy, dirTag, dirInaccessible} {
		if d := f.Directives.ForName(name); d != nil && mark != nil && !facts.local && name != dirTag && name != dirInaccessible {
			r.fail(MergedDirectiveApplicationOnExternal, s.at(d.Position), "[%s] @%s is applied to the external field %s.%s", s.name, spoken(name), def.Name, f.Name)
		}
	}
	for _, name := range []string{dirProvides, dirRequires} {
		if d := f.Directives.ForName(name); d != nil && mark != nil {
			r.fail(ExternalCollision, s.at(d.Position), "[%s] %s.%s cannot be @external and have @%s", s.name, def.Name, f.Name, spoken(name))
		}
	}
}

func (s *subgraph) checkRequires(def *ast.Definition, f *ast.FieldDefinition, r *report) {
	d := f.Directives.ForName(dirRequires)
	if d == nil {
		return
	}
	if def.Kind == ast.Interface {
		r.fail(RequiresUnsupportedOnInterface, s.at(d.Position), "[%s] @requires is not supported on the interface field %s.%s", s.name, def.Name, f.Name)
	}
	s.checkNamesExternals(d, def, requiresCodes, r)
}

func (s *subgraph) checkProvides(def *ast.Definition, f *ast.FieldDefinition, r *report) {
	d := f.Directives.ForName(dirProvides)
	if d == nil {
		return
	}
	if def.Kind == ast.Interface {
		r.fail(ProvidesUnsupportedOnInterface, s.at(d.Position), "[%s] @provides is not supported on the interface field %s.%s", s.name, def.Name, f.Name)
	}
	target := s.schema.Types[f.Type.Name()]
	if !target.IsCompositeType() {
		r.fail(ProvidesOnNonObjectField, s.at(d.Position), "[%s] @provides on %s.%s, whose type %q has no fields", s.name, def.Name, f.Name, target.Name)
		return
	}
	s.checkNamesExternals(d, target, providesCodes, r)
}

// checkNamesExternals checks the field set of @requires or @provides: what it names must be there and come from elsewhere. A set that
// names what is not there is not looked at further.
func (s *subgraph) checkNamesExternals(d *ast.Directive, on *ast.Definition, codes fieldSetCodes, r *report) {
	set, ok := s.readFieldSet(d, codes, r)
	if !ok {
		return
	}
	before := len(r.errors)
	s.walkFieldSet(d, on, set, codes, r, func(*ast.Definition, *ast.FieldDefinition, bool) {})
	if len(r.errors) > before {
		return
	}
	if c := s.conflict(s.together(on, set)); c != nil {
		r.fail(codes.invalid, s.at(d.Position), "[%s] @%s(fields: %q) asks for %s.%s twice with different arguments",
			s.name, spoken(d.Name), stringArg(d, "fields"), c.on.Name, c.field.Name)
		return
	}
	s.walkBelow(d, on, set, codes, r, false, func(t *ast.Definition, f *ast.FieldDefinition, leaf, below bool) bool {
		external := s.facts(t.Name, f.Name).external
		if leaf && !external && !below && !s.fed1 {
			r.fail(codes.missingExternal, s.at(d.Position), "[%s] @%s(fields: %q) names %s.%s, which is not marked @external",
				s.name, spoken(d.Name), stringArg(d, "fields"), t.Name, f.Name)
		}
		return external
	})
}

var overrideLabel = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_\-:./]*$|^percent\((\d{1,2}(\.\d{1,8})?|100)\)$`)

// checkOverride belongs to merging, where the field that is overridden is known, and is called from there.
func (s *subgraph) checkOverride(def *ast.Definition, f *ast.FieldDefinition, r *report) {
	d := f.Directives.ForName(dirOverride)
	if d == nil {
		return
	}
	if def.Kind == ast.Interface {
		r.fail(OverrideOnInterface, s.at(d.Position), "[%s] @override cannot be used on the interface field %s.%s", s.name, def.Name, f.Name)
	}
	if stringArg(d, "from") == s.name {
		r.fail(OverrideFromSelf, s.at(d.Position), "[%s] %s.%s overrides itself: from names its own subgraph", s.name, def.Name, f.Name)
	}
	if label := stringArg(d, "label"); label != "" && !overrideLabel.MatchString(label) {
		r.fail(OverrideLabelInvalid, s.at(d.Position), "[%s] @override label %q of %s.%s is neither a name nor percent(n)", s.name, label, def.Name, f.Name)
	}
	if s.facts(def.Name, f.Name).external {
		r.fail(OverrideCollision, s.at(d.Position), "[%s] %s.%s cannot be @external and have @override", s.name, def.Name, f.Name)
	}
}

// readFieldSet takes the fields argument of a directive as a selection set.
func (s *subgraph) readFieldSet(d *ast.Directive, codes fieldSetCodes, r *report) (ast.SelectionSet, bool) {
	arg := d.Arguments.ForName("fields")
	if arg == nil || (arg.Value.Kind != ast.StringValue && arg.Value.Kind != ast.BlockValue) {
		r.fail(codes.invalidType, s.at(d.Position), "[%s] the fields argument of @%s must be a string", s.name, spoken(d.Name))
		return nil, false
	}
	set, err := federation.ParseFieldSet(arg.Value.Raw)
	if err != nil {
		r.fail(codes.invalid, s.at(d.Position), "[%s] @%s: %s", s.name, spoken(d.Name), err)
		return nil, false
	}
	return set, true
}

// typename is the field that every type has and no subgraph can call @external.
var typename = &ast.FieldDefinition{Name: "__typename", Type: ast.NonNullNamedType("String", nil)}

// walkFieldSet checks that every field of the set exists and is selected properly, and calls visit for those that do.
func (s *subgraph) walkFieldSet(d *ast.Directive, on *ast.Definition, set ast.SelectionSet, codes fieldSetCodes, r *report,
	visit func(t *ast.Definition, f *ast.FieldDefinition, leaf bool),
) {
	s.walkBelow(d, on, set, codes, r, false, func(t *ast.Definition, f *ast.FieldDefinition, leaf, _ bool) bool {
		visit(t, f, leaf)
		return false
	})
}

// walkBelow is walkFieldSet for checks that a field can settle for everything below it: what visit returns for a field is
// handed, as below, to the fields of its selection.
func (s *subgraph) walkBelow(d *ast.Directive, on *ast.Definition, set ast.SelectionSet, codes fieldSetCodes, r *report, below bool,
	visit func(t *ast.Definition, f *ast.FieldDefinition, leaf, below bool) bool,
) {
	fail := func(code Code, format string, args ...any) {
		r.fail(code, s.at(d.Position), "[%s] @%s(fields: %q): "+format, append([]any{s.name, spoken(d.Name), stringArg(d, "fields")}, args...)...)
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			f := on.Fields.ForName(sel.Name)
			if sel.Name == "__typename" {
				f = typename
			}
			switch {
			case f == nil:
				fail(codes.invalid, "type %q has no field %q", on.Name, sel.Name)
				continue
			case len(sel.Directives) > 0:
				fail(codes.directive, "field %q must not carry directives", sel.Name)
			case len(f.Arguments) > 0 && codes.hasArgs != "":
				fail(codes.hasArgs, "field %s.%s has arguments", on.Name, f.Name)
			}
			checkSetArguments(sel, on, f, func(format string, args ...any) { fail(codes.invalid, format, args...) })
			target := s.schema.Types[f.Type.Name()]
			switch {
			case target.IsCompositeType() && len(sel.SelectionSet) == 0:
				fail(codes.invalid, "field %s.%s of type %q needs a selection of its fields", on.Name, f.Name, f.Type)
			case !target.IsCompositeType() && len(sel.SelectionSet) > 0:
				fail(codes.invalid, "field %s.%s of type %q has no fields to select", on.Name, f.Name, f.Type)
			default:
				settled := visit(on, f, len(sel.SelectionSet) == 0, below) || below
				s.walkBelow(d, target, sel.SelectionSet, codes, r, settled, visit)
			}
		case *ast.InlineFragment:
			t := on
			if sel.TypeCondition != "" {
				t = s.schema.Types[sel.TypeCondition]
			}
			if t == nil {
				fail(codes.invalid, "unknown type %q", sel.TypeCondition)
				continue
			}
			s.walkBelow(d, t, sel.SelectionSet, codes, r, below, visit)
		default:
			fail(codes.invalid, "named fragments are not allowed")
		}
	}
}

// checkSetArguments holds the arguments of a field in a field set to the field's definition.
func checkSetArguments(sel *ast.Field, on *ast.Definition, f *ast.FieldDefinition, fail func(format string, args ...any)) {
	for _, a := range sel.Arguments {
		if f.Arguments.ForName(a.Name) == nil {
			fail("field %s.%s has no argument %q", on.Name, f.Name, a.Name)
		}
	}
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil && sel.Arguments.ForName(a.Name) == nil && a.Directives.ForName(dirFromContext) == nil {
			fail("field %s.%s needs its argument %q", on.Name, f.Name, a.Name)
		}
	}
}

// dropUnusedExternals does for Federation 1 what its composition did: external fields that nothing uses never were fields.
func (s *subgraph) dropUnusedExternals(r *report) {
	var emptied []string
	s.types(func(def *ast.Definition) {
		if def.Kind != ast.Object && def.Kind != ast.Interface {
			return
		}
		var kept ast.FieldList
		for _, f := range def.Fields {
			if facts := s.facts(def.Name, f.Name); !facts.external || facts.used {
				kept = append(kept, f)
			}
		}
		if len(kept) == 0 && len(def.Fields) > 0 {
			if !s.refersTo(def.Name) {
				emptied = append(emptied, def.Name)
				return
			}
			r.fail(TypeWithOnlyUnusedExternal, s.at(def.Position), "[%s] type %q has only external fields and none of them is used", s.name, def.Name)
			return
		}
		def.Fields = kept
	})
	for _, name := range emptied {
		delete(s.schema.Types, name)
		s.order = slices.DeleteFunc(s.order, func(n string) bool { return n == name })
	}
}

// refersTo reports whether a field of the subgraph is of the type.
func (s *subgraph) refersTo(name string) bool {
	found := false
	s.types(func(def *ast.Definition) {
		found = found || slices.ContainsFunc(def.Fields, func(f *ast.FieldDefinition) bool { return f.Type.Name() == name })
	})
	return found
}

func kindWord(k ast.DefinitionKind) string {
	switch k {
	case ast.Interface:
		return "interface"
	case ast.Union:
		return "union"
	case ast.Enum:
		return "enum"
	case ast.Scalar:
		return "scalar"
	case ast.InputObject:
		return "input object"
	default:
		return "object"
	}
}
