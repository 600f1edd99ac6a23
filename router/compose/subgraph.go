package compose

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"bourse/router/federation"
)

// subgraph is one input after reading: extensions folded in, root types named Query, Mutation and Subscription,
// federation's directives under their canonical names, federation's machinery taken out.
type subgraph struct {
	name, url string
	graph     string // value of join__Graph
	fed1      bool   // written without @link to federation 2
	minor     int    // minor version of federation 2 that it links; 0 for fed1
	links     []*link
	schema    *ast.Schema
	order     []string          // its type names in the order of the source
	extended  map[string]bool   // types that it only extends
	composed  []*ast.Directive  // applications of @composeDirective
	local     map[string]string // what the schema calls federation's directives, to what federation calls them
	fields    map[string]*fieldFacts
}

// types calls visit for each type in the order of the source.
func (s *subgraph) types(visit func(*ast.Definition)) {
	for _, name := range s.order {
		visit(s.schema.Types[name])
	}
}

// read parses and normalises one subgraph; nil when it is not valid GraphQL, which is then reported.
func read(in Subgraph, r *report) *subgraph {
	s := &subgraph{name: in.Name, url: in.URL, extended: map[string]bool{}, fields: map[string]*fieldFacts{}}
	before := len(r.errors)
	if nestsTooDeep(in.SDL) {
		r.fail(InvalidGraphQL, []site{{s, nil}}, "[%s] the schema nests brackets more than %d deep", s.name, maxNesting)
		return nil
	}
	doc, err := parser.ParseSchema(federation.Source(in.Name, in.SDL))
	if err != nil {
		s.invalid(err, r)
		return nil
	}
	schemaDirectives := schemaDirectives(doc)
	s.links = parseLinks(s, schemaDirectives, r)
	local := s.resolveFederation(r)
	s.local = local
	if len(r.errors) > before {
		return nil
	}
	s.checkDefinitions(doc, local, r)
	s.removeMachinery(doc, local)
	s.renameRoots(doc, r)
	s.noteExtensions(doc, local)
	if !s.validate(doc, local, r) {
		return nil
	}
	s.canonicalise(local)
	s.readComposed(schemaDirectives, local)
	s.gatherFacts()
	if len(r.errors) > before {
		return nil
	}
	return s
}

func schemaDirectives(doc *ast.SchemaDocument) ast.DirectiveList {
	var out ast.DirectiveList
	for _, def := range append(slices.Clone(doc.Schema), doc.SchemaExtension...) {
		out = append(out, def.Directives...)
	}
	return out
}

func (s *subgraph) invalid(err error, r *report) {
	pos := &ast.Position{Src: &ast.Source{Name: s.name}}
	msg := err.Error()
	if g, ok := err.(*gqlerror.Error); ok { //nolint:errorlint // the parser returns it unwrapped
		msg = g.Message
		if len(g.Locations) > 0 {
			pos.Line, pos.Column = g.Locations[0].Line, g.Locations[0].Column
		}
	}
	r.fail(InvalidGraphQL, []site{{s, pos}}, "[%s] %s", s.name, msg)
}

// resolveFederation maps the names that this schema uses for federation's directives to their names in the specification.
func (s *subgraph) resolveFederation(r *report) map[string]string {
	local := map[string]string{}
	s.fed1 = true
	for _, l := range s.links {
		if !l.apollo() {
			continue
		}
		switch {
		case l.name == "link" && l.major != 1:
			r.fail(UnknownLinkVersion, []site{{s, l.pos}}, "[%s] unknown version v%d.%d of the link specification", s.name, l.major, l.minor)
		case l.name == "federation" && (l.major != 2 || l.minor > latestMinor):
			r.fail(UnknownFederationLinkVersion, []site{{s, l.pos}}, "[%s] unknown version v%d.%d of the federation specification", s.name, l.major, l.minor)
		case l.name == "federation":
			s.fed1, s.minor = false, l.minor
			s.linkFederation(l, local, r)
		default:
			for _, d := range ownSpecs[l.name] {
				local[l.local(d)] = d
			}
		}
	}
	if s.fed1 {
		for d := range federation1Directives {
			local[d] = d
		}
	}
	return local
}

func (s *subgraph) linkFederation(l *link, local map[string]string, r *report) {
	for _, d := range federationDocument().Directives {
		if since[d.Name] > l.minor {
			if _, imported := l.imports["@"+d.Name]; imported {
				r.fail(InvalidLinkDirectiveUsage, []site{{s, l.pos}}, "[%s] @%s came with federation v2.%d but the schema links v2.%d",
					s.name, d.Name, since[d.Name], l.minor)
			}
			continue
		}
		local[l.local(d.Name)] = d.Name
	}
}

// removeMachinery takes out what federation defines, whether the author wrote it or a library printed it.
func (s *subgraph) removeMachinery(doc *ast.SchemaDocument, local map[string]string) {
	machinery := map[string]bool{"_Any": true, "_Entity": true, "_Service": true, "_FieldSet": true, "FieldSet": s.fed1}
	for _, l := range s.links {
		if l.apollo() {
			for _, t := range federationDocument().Definitions {
				machinery[l.localType(t.Name)] = true
			}
		}
	}
	own := func(name string) bool {
		return machinery[name] || strings.HasPrefix(name, "link__") || name == "federation__FieldSet"
	}
	// Some libraries print GraphQL's own as well.
	scalars := []string{"Int", "Float", "String", "Boolean", "ID"}
	doc.Definitions = slices.DeleteFunc(doc.Definitions, func(d *ast.Definition) bool {
		return own(d.Name) || d.Kind == ast.Scalar && slices.Contains(scalars, d.Name)
	})
	doc.Extensions = slices.DeleteFunc(doc.Extensions, func(d *ast.Definition) bool { return own(d.Name) })
	doc.Directives = slices.DeleteFunc(doc.Directives, func(d *ast.DirectiveDefinition) bool {
		_, known := local[d.Name]
		return known || slices.Contains([]string{"link", "skip", "include", "deprecated", "specifiedBy"}, d.Name)
	})
	for _, def := range append(slices.Clone(doc.Definitions), doc.Extensions...) {
		if def.Kind == ast.Object {
			def.Fields = slices.DeleteFunc(def.Fields, func(f *ast.FieldDefinition) bool {
				return f.Name == "_service" && f.Type.Name() == "_Service" || f.Name == "_entities" && f.Type.Name() == "_Entity"
			})
		}
	}
}

var rootNames = map[ast.Operation]string{ast.Query: "Query", ast.Mutation: "Mutation", ast.Subscription: "Subscription"}

// renameRoots gives root types their usual names, as the supergraph will have them.
func (s *subgraph) renameRoots(doc *ast.SchemaDocument, r *report) {
	renamed := map[string]string{}
	used := map[ast.Operation]Code{ast.Query: RootQueryUsed, ast.Mutation: RootMutationUsed, ast.Subscription: RootSubscriptionUsed}
	for _, def := range append(slices.Clone(doc.Schema), doc.SchemaExtension...) {
		for _, op := range def.OperationTypes {
			want := rootNames[op.Operation]
			if op.Type == want {
				continue
			}
			if clash := doc.Definitions.ForName(want); clash != nil {
				r.fail(used[op.Operation], []site{{s, clash.Position}}, "[%s] the schema has a type %q but its %s root is %q", s.name, want, op.Operation, op.Type)
				continue
			}
			renamed[op.Type] = want
		}
	}
	doc.Schema, doc.SchemaExtension = nil, nil
	if len(renamed) == 0 {
		return
	}
	rename := func(name string) string {
		if to, ok := renamed[name]; ok {
			return to
		}
		return name
	}
	for _, def := range append(slices.Clone(doc.Definitions), doc.Extensions...) {
		def.Name = rename(def.Name)
		for i := range def.Types {
			def.Types[i] = rename(def.Types[i])
		}
		for _, f := range def.Fields {
			renameType(f.Type, rename)
		}
	}
}

func renameType(t *ast.Type, rename func(string) string) {
	for t.Elem != nil {
		t = t.Elem
	}
	t.NamedType = rename(t.NamedType)
}

func (s *subgraph) noteExtensions(doc *ast.SchemaDocument, local map[string]string) {
	for _, def := range doc.Definitions {
		s.order = append(s.order, def.Name)
		for _, d := range def.Directives {
			if local[d.Name] == "extends" {
				s.extended[def.Name] = true
			}
		}
	}
	for _, ext := range doc.Extensions {
		if doc.Definitions.ForName(ext.Name) == nil && !slices.Contains(s.order, ext.Name) {
			s.order = append(s.order, ext.Name)
			s.extended[ext.Name] = true
		}
	}
}

// validate checks the schema as GraphQL, with federation's directives known under their local names.
func (s *subgraph) validate(doc *ast.SchemaDocument, local map[string]string, r *report) bool {
	fed := federationDocument()
	byName := map[string]*ast.DirectiveDefinition{}
	for _, d := range fed.Directives {
		byName[d.Name] = d
	}
	for here, name := range local {
		d := *byName[name]
		d.Name = here
		doc.Directives = append(doc.Directives, &d)
	}
	for _, t := range fed.Definitions {
		if doc.Definitions.ForName(t.Name) == nil {
			doc.Definitions = append(doc.Definitions, t)
		}
	}
	prelude, err := parser.ParseSchema(validator.Prelude)
	if err != nil {
		s.invalid(err, r)
		return false
	}
	prelude.Merge(doc)
	schema, err := validator.ValidateSchemaDocument(prelude)
	if err != nil {
		s.invalid(err, r)
		return false
	}
	// Validation adds the introspection fields to the root; they are the router's own affair.
	if schema.Query != nil {
		schema.Query.Fields = slices.DeleteFunc(schema.Query.Fields, func(f *ast.FieldDefinition) bool { return strings.HasPrefix(f.Name, "__") })
	}
	s.schema = schema
	return true
}

// canonicalise renames the directives of federation wherever they are applied.
func (s *subgraph) canonicalise(local map[string]string) {
	s.types(func(def *ast.Definition) {
		eachDirectives(def, func(list ast.DirectiveList) {
			for _, d := range list {
				if name, ok := local[d.Name]; ok {
					d.Name = "federation/" + name
				}
			}
		})
	})
	for here := range local {
		delete(s.schema.Directives, here)
	}
	for _, def := range s.schema.Directives {
		for _, a := range def.Arguments {
			for _, d := range a.Directives {
				if name, ok := local[d.Name]; ok {
					d.Name = "federation/" + name
				}
			}
		}
	}
}

func (s *subgraph) readComposed(dirs ast.DirectiveList, local map[string]string) {
	for _, d := range dirs {
		if local[d.Name] == "composeDirective" {
			s.composed = append(s.composed, d)
		}
	}
}

// has is the subgraph's definition of a type, nil when it has none.
func (s *subgraph) has(typeName string) *ast.Definition { return s.schema.Types[typeName] }

func isInterfaceObject(def *ast.Definition) bool {
	return def != nil && def.Kind == ast.Object && def.Directives.ForName(dirInterfaceObject) != nil
}
