package federation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// deferDirective is offered whatever subgraphs say: the router does the deferring. It is built in, and so not printed.
var deferDirective = &ast.Source{Name: "defer", BuiltIn: true, Input: `
"Lets the fields of a fragment be delivered after the rest of the answer."
directive @defer(
  "Names what is delivered later; unique in a document."
  label: String,
  "Whether the fragment is deferred."
  if: Boolean! = true
) on FRAGMENT_SPREAD | INLINE_FRAGMENT
`}

// buildAPI derives the schema that clients see. Types are rebuilt, never edited: the model keeps the
// supergraph's own definitions.
func (l *loader) buildAPI() error {
	doc := &ast.SchemaDocument{}
	if len(l.doc.Schema) > 0 {
		s := *l.doc.Schema[0]
		s.Directives = nil
		s.OperationTypes = nil
		for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
			if t := l.sg.roots[op]; t != nil && !t.Inaccessible {
				s.OperationTypes = append(s.OperationTypes, &ast.OperationTypeDefinition{Operation: op, Type: t.Name})
			}
		}
		doc.Schema = ast.SchemaDefinitionList{&s}
	}
	for _, d := range l.doc.Directives {
		if !l.links.isMachinery(d.Name) && d.Name != "defer" {
			c := *d
			c.Arguments = l.apiArguments(d.Arguments)
			doc.Directives = append(doc.Directives, &c)
		}
	}
	for _, t := range l.sg.order {
		if t.Inaccessible {
			continue
		}
		d, err := l.apiType(t)
		if err != nil {
			return err
		}
		doc.Definitions = append(doc.Definitions, d)
	}
	all := validator.PreludeDocument()
	declared := map[string]bool{}
	for _, d := range doc.Directives {
		declared[d.Name] = true
	}
	own, err := parser.ParseSchema(deferDirective)
	if err != nil {
		return fmt.Errorf("@defer: %w", err)
	}
	all.Directives = slices.DeleteFunc(all.Directives, func(d *ast.DirectiveDefinition) bool { return declared[d.Name] || d.Name == "defer" })
	all.Directives = append(all.Directives, own.Directives...)
	all.Definitions = slices.DeleteFunc(all.Definitions, func(d *ast.Definition) bool {
		return d.Kind == ast.Scalar && l.sg.types[d.Name] != nil && slices.Contains(doc.Definitions, l.sg.types[d.Name].Def)
	})
	all.Merge(doc)
	api, err := validator.ValidateSchemaDocument(all)
	if err != nil {
		e := asError(err)
		e.Message = "API schema: " + e.Message
		return e
	}
	if api.Query == nil {
		return errors.New("API schema: no query root")
	}
	l.sg.api = api
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(api)
	l.sg.apiSDL = b.String()
	return nil
}

func (l *loader) apiType(t *Type) (*ast.Definition, error) {
	d := *t.Def
	d.Directives = l.apiDirectives(d.Directives)
	d.Interfaces = slices.DeleteFunc(slices.Clone(d.Interfaces), l.hidden)
	d.Types = slices.DeleteFunc(slices.Clone(d.Types), l.hidden)
	d.TypePositions = nil
	d.Fields = nil
	for _, f := range t.Def.Fields {
		if l.links.find(f.Directives, specInaccessible) != nil || l.hidden(f.Type.Name()) {
			continue
		}
		c := *f
		c.Directives = l.apiDirectives(f.Directives)
		c.Arguments = l.apiArguments(f.Arguments)
		d.Fields = append(d.Fields, &c)
	}
	d.EnumValues = nil
	for _, v := range t.Def.EnumValues {
		if l.links.find(v.Directives, specInaccessible) != nil {
			continue
		}
		c := *v
		c.Directives = l.apiDirectives(v.Directives)
		d.EnumValues = append(d.EnumValues, &c)
	}
	if len(t.Def.Fields) > 0 && len(d.Fields) == 0 || len(t.Def.EnumValues) > 0 && len(d.EnumValues) == 0 {
		return nil, fmt.Errorf("type %s is empty in the API: everything in it is @inaccessible", t.Name)
	}
	return &d, nil
}

// apiArguments are those that clients may give.
func (l *loader) apiArguments(all ast.ArgumentDefinitionList) ast.ArgumentDefinitionList {
	var out ast.ArgumentDefinitionList
	for _, a := range all {
		if l.links.find(a.Directives, specInaccessible) != nil || l.hidden(a.Type.Name()) {
			continue
		}
		c := *a
		c.Directives = l.apiDirectives(a.Directives)
		out = append(out, &c)
	}
	return out
}

func (l *loader) hidden(name string) bool {
	t := l.sg.types[name]
	return t != nil && t.Inaccessible
}

// apiDirectives drops what linked specifications applied; what the schema's authors defined stays.
func (l *loader) apiDirectives(ds ast.DirectiveList) ast.DirectiveList {
	var kept ast.DirectiveList
	for _, d := range ds {
		if !l.links.isMachinery(d.Name) {
			c := *d
			kept = append(kept, &c)
		}
	}
	return kept
}
