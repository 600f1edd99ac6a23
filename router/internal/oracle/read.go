package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// Source is a subgraph as its authors wrote it.
type Source struct{ Name, SDL string }

// service is one subgraph: what its own SDL says, and the schema that it serves.
type service struct {
	name   string
	types  map[string]*localType
	order  []string
	schema *ast.Schema // with federation's machinery, without federation's directives
}

// localType is a type in one subgraph.
type localType struct {
	def             *ast.Definition
	keys            []key
	extension       bool // only ever extended here
	interfaceObject bool
	contexts        []string
	fields          map[string]*localField
}

type key struct {
	text       string
	fields     ast.SelectionSet
	resolvable bool
}

// localField is a field of an object or interface in one subgraph.
type localField struct {
	def                *ast.FieldDefinition
	external           bool
	requires, provides ast.SelectionSet
	from, label        string // of @override
	contextual         []contextual
}

// contextual is an argument that takes its value from a context: by type condition, from what.
type contextual struct {
	name, context string
	selection     ast.SelectionSet
}

// directives are those that mean something here; a schema that links no federation has them under these names.
var directives = []string{
	"key", "external", "requires", "provides", "override", "extends", "shareable", "interfaceObject", "inaccessible", "tag",
	"context", "fromContext", "composeDirective", "authenticated", "requiresScopes", "policy", "cost", "listSize",
}

// names gives the directives of federation by the names that a schema uses for them.
func names(doc *ast.SchemaDocument) map[string]string {
	out := map[string]string{}
	for _, d := range directives {
		out[d] = d
	}
	for _, s := range slices.Concat(doc.Schema, doc.SchemaExtension) {
		for _, link := range s.Directives.ForNames("link") {
			if !strings.Contains(argument(link, "url"), "specs.apollo.dev/federation/v2") {
				continue
			}
			prefix := "federation"
			if as := argument(link, "as"); as != "" {
				prefix = as
			}
			clear(out)
			for _, d := range directives {
				out[prefix+"__"+d] = d
			}
			if imports := link.Arguments.ForName("import"); imports != nil {
				for _, i := range imports.Value.Children {
					name, as := i.Value.Raw, i.Value.Raw
					if i.Value.Kind == ast.ObjectValue {
						name = i.Value.Children.ForName("name").Raw
						as = name
						if a := i.Value.Children.ForName("as"); a != nil {
							as = a.Raw
						}
					}
					out[strings.TrimPrefix(as, "@")] = strings.TrimPrefix(name, "@")
				}
			}
		}
	}
	return out
}

func argument(d *ast.Directive, name string) string {
	if a := d.Arguments.ForName(name); a != nil {
		return a.Value.Raw
	}
	return ""
}

// readService reads one subgraph from its SDL alone.
func readService(src Source) (*service, error) {
	doc, err := parser.ParseSchema(&ast.Source{Name: src.Name, Input: src.SDL})
	if err != nil {
		return nil, fmt.Errorf("subgraph %s: %w", src.Name, err)
	}
	local := names(doc)
	s := &service{name: src.Name, types: map[string]*localType{}}
	for _, d := range doc.Definitions {
		s.add(d, local, false)
	}
	for _, d := range doc.Extensions {
		s.add(d, local, true)
	}
	for _, name := range s.order {
		if err := s.readFields(s.types[name], local); err != nil {
			return nil, fmt.Errorf("subgraph %s: type %s: %w", src.Name, name, err)
		}
	}
	if err := s.serve(doc, local); err != nil {
		return nil, fmt.Errorf("subgraph %s: %w", src.Name, err)
	}
	return s, nil
}

// machinery are the types that federation adds to a subgraph's schema.
func machinery(name string) bool {
	return slices.Contains([]string{"_Any", "_Entity", "_Service", "_FieldSet", "FieldSet", "link__Import", "link__Purpose"}, name) ||
		strings.HasPrefix(name, "federation__")
}

// add folds a definition or an extension into the type of its name.
func (s *service) add(d *ast.Definition, local map[string]string, extends bool) {
	if machinery(d.Name) {
		return
	}
	canonical := func(list ast.DirectiveList) {
		for _, dir := range list {
			if name, ok := local[dir.Name]; ok {
				dir.Name = "@" + name
			}
		}
	}
	canonical(d.Directives)
	external := d.Directives.ForName("@external") != nil
	for _, f := range d.Fields {
		canonical(f.Directives)
		if external {
			f.Directives = append(f.Directives, &ast.Directive{Name: "@external"})
		}
		for _, a := range f.Arguments {
			canonical(a.Directives)
		}
	}
	for _, v := range d.EnumValues {
		canonical(v.Directives)
	}
	extends = extends || d.Directives.ForName("@extends") != nil
	t := s.types[d.Name]
	if t == nil {
		s.types[d.Name] = &localType{def: d, extension: extends, fields: map[string]*localField{}}
		s.order = append(s.order, d.Name)
		return
	}
	t.extension = t.extension && extends
	t.def.Directives = append(t.def.Directives, d.Directives...)
	t.def.Interfaces = append(t.def.Interfaces, d.Interfaces...)
	t.def.Fields = append(t.def.Fields, d.Fields...)
	t.def.Types = append(t.def.Types, d.Types...)
	t.def.EnumValues = append(t.def.EnumValues, d.EnumValues...)
}

func (s *service) readFields(t *localType, local map[string]string) (err error) {
	t.interfaceObject = t.def.Directives.ForName("@interfaceObject") != nil
	for _, d := range t.def.Directives.ForNames("@key") {
		k := key{text: argument(d, "fields"), resolvable: argument(d, "resolvable") != "false"}
		if k.fields, err = fieldSet(k.text); err != nil {
			return err
		}
		t.keys = append(t.keys, k)
	}
	for _, d := range t.def.Directives.ForNames("@context") {
		t.contexts = append(t.contexts, argument(d, "name"))
	}
	if t.def.Kind != ast.Object && t.def.Kind != ast.Interface {
		return nil
	}
	t.def.Fields = slices.DeleteFunc(t.def.Fields, func(f *ast.FieldDefinition) bool { return f.Name == "_service" || f.Name == "_entities" })
	for _, def := range t.def.Fields {
		f := &localField{def: def, external: def.Directives.ForName("@external") != nil}
		if d := def.Directives.ForName("@requires"); d != nil {
			if f.requires, err = fieldSet(argument(d, "fields")); err != nil {
				return err
			}
		}
		if d := def.Directives.ForName("@provides"); d != nil {
			if f.provides, err = fieldSet(argument(d, "fields")); err != nil {
				return err
			}
		}
		if d := def.Directives.ForName("@override"); d != nil {
			f.from, f.label = argument(d, "from"), argument(d, "label")
		}
		for _, a := range def.Arguments {
			if d := a.Directives.ForName("@fromContext"); d != nil {
				c, err := readContextual(a.Name, argument(d, "field"))
				if err != nil {
					return err
				}
				f.contextual = append(f.contextual, c)
			}
		}
		t.fields[def.Name] = f
	}
	return nil
}

// readContextual reads "$context { field }" or "$context ... on Type { field } ...".
func readContextual(name, text string) (contextual, error) {
	context, selection, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "$"), " ")
	selection = strings.TrimSpace(selection)
	if strings.HasPrefix(selection, "{") {
		selection = strings.TrimSuffix(strings.TrimPrefix(selection, "{"), "}")
	}
	set, err := fieldSet(selection)
	return contextual{name, context, set}, err
}

func fieldSet(text string) (ast.SelectionSet, error) {
	doc, err := parser.ParseQuery(&ast.Source{Name: "field set", Input: "{" + text + "}"})
	if err != nil {
		return nil, fmt.Errorf("field set %q: %w", text, err)
	}
	return doc.Operations[0].SelectionSet, nil
}

// root is the name of the root type of an operation.
func (s *service) root(op ast.Operation) string {
	switch op {
	case ast.Mutation:
		return s.schema.Mutation.Name
	case ast.Subscription:
		return s.schema.Subscription.Name
	default:
		return s.schema.Query.Name
	}
}

// keyed says whether a field is at the top of a key of an extension: then it is at hand, whatever its mark says.
func (t *localType) keyed(field string) bool {
	return t.extension && slices.ContainsFunc(t.keys, func(k key) bool {
		return slices.ContainsFunc(k.fields, func(s ast.Selection) bool {
			f, ok := s.(*ast.Field)
			return ok && f.Name == field
		})
	})
}

// serve builds the schema that the subgraph serves: its types as they are written, and the machinery of federation.
func (s *service) serve(doc *ast.SchemaDocument, local map[string]string) error {
	out := validator.PreludeDocument()
	for _, d := range doc.Directives {
		if _, known := local[d.Name]; !known && d.Name != "link" && out.Directives.ForName(d.Name) == nil {
			out.Directives = append(out.Directives, d)
		}
	}
	roots := map[ast.Operation]string{ast.Query: "Query", ast.Mutation: "Mutation", ast.Subscription: "Subscription"}
	for _, sd := range slices.Concat(doc.Schema, doc.SchemaExtension) {
		for _, op := range sd.OperationTypes {
			roots[op.Operation] = op.Type
		}
	}
	var entities []string
	for _, name := range s.order {
		t := s.types[name]
		if t.def.Kind == ast.Object && slices.ContainsFunc(t.keys, func(k key) bool { return k.resolvable }) {
			entities = append(entities, name)
		}
		if known := out.Definitions.ForName(name); known == nil {
			out.Definitions = append(out.Definitions, stripped(t.def))
		}
	}
	query := out.Definitions.ForName(roots[ast.Query])
	if query == nil {
		query = &ast.Definition{Kind: ast.Object, Name: roots[ast.Query]}
		out.Definitions = append(out.Definitions, query)
	}
	query.Fields = append(query.Fields, &ast.FieldDefinition{Name: "_service", Type: ast.NonNullNamedType("_Service", nil)})
	out.Definitions = append(out.Definitions, &ast.Definition{Kind: ast.Object, Name: "_Service", Fields: ast.FieldList{
		{Name: "sdl", Type: ast.NamedType("String", nil)},
	}})
	if len(entities) > 0 {
		query.Fields = append(query.Fields, &ast.FieldDefinition{
			Name: "_entities", Type: ast.NonNullListType(ast.NamedType("_Entity", nil), nil),
			Arguments: ast.ArgumentDefinitionList{{Name: "representations", Type: ast.NonNullListType(ast.NonNullNamedType("_Any", nil), nil)}},
		})
		out.Definitions = append(out.Definitions, &ast.Definition{Kind: ast.Scalar, Name: "_Any"},
			&ast.Definition{Kind: ast.Union, Name: "_Entity", Types: entities})
	}
	served := &ast.SchemaDefinition{}
	for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		if out.Definitions.ForName(roots[op]) != nil {
			served.OperationTypes = append(served.OperationTypes, &ast.OperationTypeDefinition{Operation: op, Type: roots[op]})
		}
	}
	out.Schema = ast.SchemaDefinitionList{served}
	var err error
	s.schema, err = validator.ValidateSchemaDocument(out)
	return err
}

// stripped is a definition without the directives of federation.
func stripped(d *ast.Definition) *ast.Definition {
	c := *d
	c.Directives, c.Fields, c.EnumValues = own(d.Directives), nil, nil
	for _, f := range d.Fields {
		fc := *f
		fc.Directives, fc.Arguments = own(f.Directives), nil
		for _, a := range f.Arguments {
			ac := *a
			ac.Directives = own(a.Directives)
			fc.Arguments = append(fc.Arguments, &ac)
		}
		c.Fields = append(c.Fields, &fc)
	}
	for _, v := range d.EnumValues {
		vc := *v
		vc.Directives = own(v.Directives)
		c.EnumValues = append(c.EnumValues, &vc)
	}
	return &c
}

func own(ds ast.DirectiveList) ast.DirectiveList {
	return slices.DeleteFunc(slices.Clone(ds), func(d *ast.Directive) bool { return strings.HasPrefix(d.Name, "@") })
}
