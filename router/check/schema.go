package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/federation"
)

// maxSchemaTokens bounds the work of reading a schema.
const maxSchemaTokens = 5_000_000

// ReadSchema reads what clients see out of SDL: of a supergraph its API, of anything else itself. name is for messages.
func ReadSchema(name, sdl string) (*ast.Schema, error) {
	doc, err := parser.ParseSchemaWithLimit(federation.Source(name, sdl), maxSchemaTokens)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if doc.Definitions.ForName("join__Graph") != nil {
		sg, err := federation.Load(sdl)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		return sg.API(), nil
	}
	all := validator.PreludeDocument()
	all.Directives = slices.DeleteFunc(all.Directives, func(d *ast.DirectiveDefinition) bool { return doc.Directives.ForName(d.Name) != nil })
	all.Definitions = slices.DeleteFunc(all.Definitions, func(d *ast.Definition) bool { return doc.Definitions.ForName(d.Name) != nil })
	all.Merge(doc)
	schema, err := validator.ValidateSchemaDocument(all)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if schema.Query == nil {
		return nil, fmt.Errorf("read %s: the schema has no query type", name)
	}
	return schema, nil
}

// described notes a changed description.
func (c *comparison) described(coordinate, was, is string) {
	switch {
	case was == is:
	case was == "":
		c.add(DescriptionChanged, coordinate, nil, "%s has a description", coordinate)
	case is == "":
		c.add(DescriptionChanged, coordinate, nil, "%s no longer has a description", coordinate)
	default:
		c.add(DescriptionChanged, coordinate, nil, "the description of %s changed", coordinate)
	}
}

// meant are the directives that other comparisons look at.
var meant = map[string]bool{"deprecated": true, "specifiedBy": true, "oneOf": true}

// applied compares the directives on one element: deprecation, and those of the schema's own.
func (c *comparison) applied(coordinate string, was, is ast.DirectiveList) {
	before, after := was.ForName("deprecated"), is.ForName("deprecated")
	switch {
	case before == nil && after != nil:
		c.add(DeprecationAdded, coordinate, nil, "%s is deprecated: %s", coordinate, reason(is))
	case before != nil && after == nil:
		c.add(DeprecationRemoved, coordinate, nil, "%s is no longer deprecated", coordinate)
	case before != nil && reason(was) != reason(is):
		c.add(DeprecationReasonChanged, coordinate, nil, "%s is deprecated: %s; it was: %s", coordinate, reason(is), reason(was))
	}
	old, now := written(was), written(is)
	for _, text := range old {
		if !slices.Contains(now, text) {
			c.add(AppliedDirectiveChanged, coordinate, nil, "%s no longer has %s", coordinate, text)
		}
	}
	for _, text := range now {
		if !slices.Contains(old, text) {
			c.add(AppliedDirectiveChanged, coordinate, nil, "%s has %s", coordinate, text)
		}
	}
}

func reason(dirs ast.DirectiveList) string {
	if r := argumentOf(dirs, "deprecated", "reason"); r != "" {
		return r
	}
	return "No longer supported"
}

func written(dirs ast.DirectiveList) []string {
	var out []string
	for _, d := range dirs {
		if meant[d.Name] {
			continue
		}
		args := make([]string, len(d.Arguments))
		for i, a := range d.Arguments {
			args[i] = a.Name + ": " + a.Value.String()
		}
		slices.Sort(args)
		text := "@" + d.Name
		if len(args) > 0 {
			text += "(" + strings.Join(args, ", ") + ")"
		}
		out = append(out, text)
	}
	return out
}

func argumentOf(dirs ast.DirectiveList, directive, argument string) string {
	if d := dirs.ForName(directive); d != nil {
		if a := d.Arguments.ForName(argument); a != nil && a.Value != nil {
			return a.Value.Raw
		}
	}
	return ""
}

// tightens says that whoever reads the older type can read the newer: only nulls have gone.
func tightens(was, is *ast.Type) bool {
	if was.NonNull && !is.NonNull || (was.Elem == nil) != (is.Elem == nil) {
		return false
	}
	if was.Elem != nil {
		return tightens(was.Elem, is.Elem)
	}
	return was.NamedType == is.NamedType
}

// relaxes says that whoever writes the older type writes the newer.
func relaxes(was, is *ast.Type) bool { return tightens(is, was) }

// sameButNulls says that the types differ at most in what may be null.
func sameButNulls(a, b *ast.Type) bool {
	if (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	if a.Elem != nil {
		return sameButNulls(a.Elem, b.Elem)
	}
	return a.NamedType == b.NamedType
}

func required(t *ast.Type, value *ast.Value) bool { return t.NonNull && value == nil }

func defaultOf(v *ast.Value) string {
	if v == nil {
		return ""
	}
	return v.String()
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// outputTypes are the types that answers may hold values of.
func outputTypes(s *ast.Schema) map[string]bool {
	read := map[string]bool{}
	for _, def := range s.Types {
		if def.Kind == ast.Object || def.Kind == ast.Interface {
			for _, f := range def.Fields {
				read[f.Type.Name()] = true
			}
		}
	}
	return read
}

// overlap says whether a value can be of both types.
func overlap(s *ast.Schema, a, b string) bool {
	of := func(name string) map[string]bool {
		set := map[string]bool{}
		def := s.Types[name]
		switch {
		case def == nil:
		case def.Kind == ast.Object:
			set[name] = true
		default:
			for _, t := range s.PossibleTypes[name] {
				if t.Kind == ast.Object {
					set[t.Name] = true
				}
			}
		}
		return set
	}
	others := of(b)
	for name := range of(a) {
		if others[name] {
			return true
		}
	}
	return false
}

var executableLocations = map[ast.DirectiveLocation]bool{
	ast.LocationQuery: true, ast.LocationMutation: true, ast.LocationSubscription: true, ast.LocationField: true,
	ast.LocationFragmentDefinition: true, ast.LocationFragmentSpread: true, ast.LocationInlineFragment: true, ast.LocationVariableDefinition: true,
}

func executable(d *ast.DirectiveDefinition) bool {
	return slices.ContainsFunc(d.Locations, func(l ast.DirectiveLocation) bool { return executableLocations[l] })
}

func contains(list []ast.DirectiveLocation, one ast.DirectiveLocation) bool {
	return slices.Contains(list, one)
}

// builtIn says whether a directive is GraphQL's own.
func builtIn(d *ast.DirectiveDefinition) bool {
	return d.Position != nil && d.Position.Src != nil && d.Position.Src.BuiltIn
}

var kindWords = map[ast.DefinitionKind]string{
	ast.Scalar: "scalar", ast.Object: "object", ast.Interface: "interface", ast.Union: "union", ast.Enum: "enum", ast.InputObject: "input object",
}

func kindWord(k ast.DefinitionKind) string { return kindWords[k] }

func article(k ast.DefinitionKind) string {
	if w := kindWord(k); strings.ContainsAny(w[:1], "aeio") {
		return "an " + w
	}
	return "a " + kindWord(k)
}

// names lists the keys of both maps in order.
func names[T any](a, b map[string]T) []string {
	all := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.Sort(all)
	return slices.Compact(all)
}
