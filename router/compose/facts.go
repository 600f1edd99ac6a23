package compose

import (
	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// fieldFacts is what federation's directives say about one field of one subgraph.
type fieldFacts struct {
	external  bool // marked @external, on the field or its type
	local     bool // external in name only: a key field of an extension, which the subgraph has at hand
	keyField  bool // part of a @key
	used      bool // named by @key, @requires, @provides or @fromContext, or needed by an interface
	provided  bool // named by @provides, so that it can be taken there
	shareable bool
}

// resolved reports whether the subgraph itself gives the field wherever the type appears.
func (f *fieldFacts) resolved() bool { return !f.external || f.local }

func (s *subgraph) facts(typeName, field string) *fieldFacts {
	key := typeName + "." + field
	f := s.fields[key]
	if f == nil {
		f = &fieldFacts{}
		s.fields[key] = f
	}
	return f
}

// gatherFacts reads external and shareable marks, then follows every field set to what it names. Broken field sets are skipped here:
// the checks report them.
func (s *subgraph) gatherFacts() {
	s.types(func(def *ast.Definition) {
		typeExternal := def.Directives.ForName(dirExternal) != nil
		typeShareable := def.Directives.ForName(dirShareable) != nil
		for _, f := range def.Fields {
			facts := s.facts(def.Name, f.Name)
			facts.external = typeExternal || f.Directives.ForName(dirExternal) != nil
			facts.shareable = s.fed1 || typeShareable || f.Directives.ForName(dirShareable) != nil
		}
	})
	s.types(func(def *ast.Definition) {
		for _, key := range def.Directives.ForNames(dirKey) {
			set, _ := federation.ParseFieldSet(stringArg(key, "fields"))
			s.followFieldSet(def, set, func(t *ast.Definition, field string) {
				facts := s.facts(t.Name, field)
				facts.used, facts.keyField, facts.shareable = true, true, true
				if s.extended[def.Name] && t == def {
					facts.local = true
				}
			})
		}
		for _, f := range def.Fields {
			for _, c := range contextuals(f) {
				for _, setter := range s.settersOf(c.context) {
					s.followFieldSet(setter, c.set, func(t *ast.Definition, field string) { s.facts(t.Name, field).used = true })
				}
			}
			s.followApplied(f, def, dirRequires, func(t *ast.Definition, field string) { s.facts(t.Name, field).used = true })
			s.followApplied(f, s.schema.Types[f.Type.Name()], dirProvides, func(t *ast.Definition, field string) {
				facts := s.facts(t.Name, field)
				facts.used, facts.provided = true, true
			})
			for _, c := range contextuals(f) {
				for _, setter := range s.settersOf(c.context) {
					s.followFieldSet(setter, c.set, func(t *ast.Definition, field string) { s.facts(t.Name, field).used = true })
				}
			}
		}
		for _, name := range def.Interfaces {
			if iface := s.schema.Types[name]; iface != nil {
				for _, f := range iface.Fields {
					s.facts(def.Name, f.Name).used = true
				}
			}
		}
	})
}

func (s *subgraph) followApplied(f *ast.FieldDefinition, on *ast.Definition, directive string, visit func(*ast.Definition, string)) {
	if d := f.Directives.ForName(directive); d != nil && on != nil {
		set, _ := federation.ParseFieldSet(stringArg(d, "fields"))
		s.followFieldSet(on, set, visit)
	}
}

// followFieldSet visits every field that the set names, on the type that it names it on and on that type's implementers.
func (s *subgraph) followFieldSet(on *ast.Definition, set ast.SelectionSet, visit func(*ast.Definition, string)) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			f := on.Fields.ForName(sel.Name)
			if f == nil {
				continue
			}
			visit(on, sel.Name)
			if on.Kind == ast.Interface {
				for _, t := range s.schema.PossibleTypes[on.Name] {
					visit(t, sel.Name)
				}
			}
			if t := s.schema.Types[f.Type.Name()]; t != nil {
				s.followFieldSet(t, sel.SelectionSet, visit)
			}
		case *ast.InlineFragment:
			t := on
			if sel.TypeCondition != "" {
				t = s.schema.Types[sel.TypeCondition]
			}
			if t != nil {
				s.followFieldSet(t, sel.SelectionSet, visit)
			}
		}
	}
}
