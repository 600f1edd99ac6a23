package compose

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// checkDefinitions compares what a subgraph, or the library that printed it, declares of federation's directives and types with what they are.
// A declaration may ask for less than the specification: leave out optional arguments, places, or repetition. From then on the
// specification's own stand in their place.
func (s *subgraph) checkDefinitions(doc *ast.SchemaDocument, local map[string]string, r *report) {
	fed := federationDocument()
	for _, def := range doc.Directives {
		if name, ok := local[def.Name]; ok {
			s.checkDirectiveDefinition(def, fed.Directives.ForName(name), r)
		}
	}
	for _, l := range s.links {
		if !l.apollo() || l.name != "federation" {
			continue
		}
		for _, t := range fed.Definitions {
			if def := doc.Definitions.ForName(l.localType(t.Name)); def != nil && def.Kind != t.Kind {
				r.fail(TypeDefinitionInvalid, s.at(def.Position), "[%s] type %q is federation's and must be a %s, not an %s", s.name, def.Name, kindWord(t.Kind), kindWord(def.Kind))
			}
		}
	}
}

func (s *subgraph) checkDirectiveDefinition(def, spec *ast.DirectiveDefinition, r *report) {
	fail := func(format string, args ...any) {
		r.fail(DirectiveDefinitionInvalid, s.at(def.Position), "[%s] the definition of @%s does not agree with federation's: "+format, append([]any{s.name, def.Name}, args...)...)
	}
	for _, a := range spec.Arguments {
		switch own := def.Arguments.ForName(a.Name); {
		case own == nil && a.Type.NonNull && a.DefaultValue == nil:
			fail("it lacks argument %q", a.Name)
		case own == nil:
		case !sameArgumentType(own.Type, a.Type):
			fail("argument %q must be of type %q, not %q", a.Name, a.Type, own.Type)
		case own.DefaultValue != nil && valueText(own.DefaultValue) != valueText(a.DefaultValue):
			fail("argument %q must have the default %q, not %q", a.Name, valueText(a.DefaultValue), valueText(own.DefaultValue))
		}
	}
	for _, own := range def.Arguments {
		if spec.Arguments.ForName(own.Name) == nil {
			fail("it has no argument %q", own.Name)
		}
	}
	for _, place := range def.Locations {
		if !slices.Contains(spec.Locations, place) {
			fail("it has no place on %s", place)
		}
	}
	if def.IsRepeatable && !spec.IsRepeatable {
		fail("it is not repeatable")
	}
}

// sameArgumentType compares nullability and lists; scalars that federation defines go by many names.
func sameArgumentType(own, spec *ast.Type) bool {
	if own.NonNull != spec.NonNull || (own.Elem == nil) != (spec.Elem == nil) {
		return false
	}
	if spec.Elem != nil {
		return sameArgumentType(own.Elem, spec.Elem)
	}
	return own.NamedType == spec.NamedType || importable()[spec.NamedType]
}
