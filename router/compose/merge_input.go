package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// inputPart is one subgraph's definition of an argument or an input field.
type inputPart struct {
	site
	name  string
	typ   *ast.Type
	value *ast.Value
	text  string
	dirs  ast.DirectiveList
}

func (p inputPart) required() bool { return p.typ.NonNull && p.value == nil }

// mergeArguments keeps the arguments that all subgraphs with the field know: an argument that one of them lacks could not be sent
// there.
func (m *merger) mergeArguments(coordinate string, fields []fieldPart) ast.ArgumentDefinitionList {
	var names []string
	for _, p := range fields {
		for _, a := range p.field.Arguments {
			if !slices.Contains(names, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	var out ast.ArgumentDefinitionList
	for _, name := range names {
		var parts []inputPart
		var without []string
		for _, p := range fields {
			if a := p.field.Arguments.ForName(name); a != nil {
				parts = append(parts, inputPart{site{p.sub, a.Position}, name, a.Type, a.DefaultValue, a.Description, a.Directives})
			} else {
				without = append(without, p.sub.name)
			}
		}
		where := fmt.Sprintf("%s(%s:)", coordinate, name)
		if m.dropContextual(where, parts) {
			continue
		}
		if len(without) > 0 {
			m.missingInput(where, parts, without, RequiredArgumentMissingInSomeSubgraph, InconsistentArgumentPresence)
			continue
		}
		typ, value := m.mergeInputPart(where, parts, FieldArgumentTypeMismatch, FieldArgumentDefaultMismatch)
		out = append(out, &ast.ArgumentDefinition{
			Name: name, Type: typ, DefaultValue: value,
			Description: m.description(where, inputDescriptions(parts)),
			Directives:  m.mergeDirectives(where, inputDirectives(parts)),
		})
	}
	return out
}

// missingInput deals with an argument or input field that some subgraphs lack.
func (m *merger) missingInput(where string, parts []inputPart, without []string, required, optional Code) {
	var with, need []string
	for _, p := range parts {
		with = append(with, p.sub.name)
		if p.required() {
			need = append(need, p.sub.name)
		}
	}
	if len(need) > 0 {
		m.r.fail(required, inputSites(parts), "%s is required in %s but does not exist in %s", where, subgraphNames(need), subgraphNames(without))
		return
	}
	m.r.hint(optional, inputSites(parts), "%s is left out of the supergraph: it is defined in %s but not in %s", where, subgraphNames(with), subgraphNames(without))
}

// mergeInputPart takes the strictest type and the default on which all agree.
func (m *merger) mergeInputPart(where string, parts []inputPart, typeCode, defaultCode Code) (*ast.Type, *ast.Value) {
	typ := m.strictest(where, parts, typeCode)
	var value *ast.Value
	with := 0
	for _, p := range parts {
		if p.value == nil {
			continue
		}
		with++
		if value != nil && valueText(value) != valueText(p.value) {
			m.r.fail(defaultCode, inputSites(parts), "%s has different defaults: %s and %s", where, valueText(value), valueText(p.value))
			return typ, value
		}
		value = p.value
	}
	if with > 0 && with < len(parts) {
		m.r.hint(InconsistentDefaultPresence, inputSites(parts), "%s has a default in only some subgraphs; the supergraph has none", where)
		return typ, nil
	}
	return typ, value
}

func (m *merger) strictest(where string, parts []inputPart, code Code) *ast.Type {
	for _, candidate := range parts {
		fits, same := true, true
		for _, other := range parts {
			fits = fits && isNonNullSubtype(candidate.typ, other.typ)
			same = same && candidate.typ.String() == other.typ.String()
		}
		if fits {
			if !same {
				hint := InconsistentArgumentType
				if code == FieldTypeMismatch { // an input field
					hint = InconsistentFieldType
				}
				m.r.hint(hint, inputSites(parts), "%s is not of the same type everywhere; the supergraph uses %q from subgraph %q",
					where, candidate.typ, candidate.sub.name)
			}
			return candidate.typ
		}
	}
	var said []string
	for _, p := range parts {
		said = append(said, fmt.Sprintf("%q in subgraph %q", p.typ, p.sub.name))
	}
	m.r.fail(code, inputSites(parts), "%s has types that do not go together: %s", where, strings.Join(said, ", "))
	return parts[0].typ
}

// mergeInput keeps the fields that every subgraph with the input object knows.
func (m *merger) mergeInput(def *ast.Definition, parts []part) {
	for _, name := range fieldOrder(parts) {
		var have []inputPart
		var without []string
		for _, p := range parts {
			if f := p.def.Fields.ForName(name); f != nil {
				have = append(have, inputPart{site{p.sub, f.Position}, name, f.Type, f.DefaultValue, f.Description, f.Directives})
			} else {
				without = append(without, p.sub.name)
			}
		}
		where := def.Name + "." + name
		// What clients never see, they never send to a subgraph that lacks it.
		unseen := slices.ContainsFunc(have, func(p inputPart) bool { return p.dirs.ForName(dirInaccessible) != nil })
		if len(without) > 0 && !unseen {
			m.missingInput(where, have, without, RequiredInputFieldMissing, InconsistentInputField)
			m.mergeInputPart(where, have, FieldTypeMismatch, InputFieldDefaultMismatch) // those who have it must agree all the same
			continue
		}
		typ, value := m.mergeInputPart(where, have, FieldTypeMismatch, InputFieldDefaultMismatch)
		merged := &ast.FieldDefinition{
			Name: name, Type: typ, DefaultValue: value,
			Description: m.description(where, inputDescriptions(have)),
			Directives:  append(m.joinInput(typ, have, len(without) > 0), m.mergeDirectives(where, inputDirectives(have))...),
		}
		def.Fields = append(def.Fields, merged)
	}
	if len(def.Fields) == 0 {
		m.r.fail(EmptyMergedInputType, partSites(parts), "input object %q has no field that all of %s define", def.Name, subgraphNames(partNames(parts)))
	}
}

// joinInput notes who has the field, where not all do, and the types that subgraphs use, where they differ.
func (m *merger) joinInput(typ *ast.Type, parts []inputPart, partial bool) ast.DirectiveList {
	typed := slices.ContainsFunc(parts, func(p inputPart) bool { return p.typ.String() != typ.String() })
	if !typed && !partial {
		return nil
	}
	var out ast.DirectiveList
	for _, p := range parts {
		var args []*ast.Argument
		if typed {
			args = append(args, stringArgument("type", p.typ.String()))
		}
		out = append(out, joinDirective("field", p.sub, args...))
	}
	return out
}

func inputSites(parts []inputPart) []site {
	out := make([]site, len(parts))
	for i, p := range parts {
		out[i] = p.site
	}
	return out
}

func inputDescriptions(parts []inputPart) []described {
	out := make([]described, len(parts))
	for i, p := range parts {
		out[i] = described{p.site, p.text}
	}
	return out
}

func inputDirectives(parts []inputPart) []applied {
	out := make([]applied, len(parts))
	for i, p := range parts {
		out[i] = applied{p.sub, p.dirs}
	}
	return out
}

// valueText is a value as written, or "" for none.
func valueText(v *ast.Value) string {
	if v == nil {
		return ""
	}
	return v.String()
}
