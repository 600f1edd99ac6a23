package contract

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

const specs = "https://specs.apollo.dev/"

// inaccessibleDefinition is what a supergraph says of the directive when it has none yet.
const inaccessibleDefinition = `directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION`

// links are the specifications that a supergraph says it uses, by @link or by @core before that.
type links struct {
	directive string            // link or core, as the supergraph calls it
	names     map[string]string // directive of a specification by that name -> its name here
}

func readLinks(doc *ast.SchemaDocument) links {
	l := links{directive: "link", names: map[string]string{}}
	for _, s := range doc.Schema {
		for _, d := range s.Directives {
			url := text(d, "url")
			if feature := text(d, "feature"); feature != "" {
				l.directive, url = d.Name, feature
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(url, specs), "/")
			if !strings.HasPrefix(url, specs) {
				continue
			}
			l.names[name] = name
			if as := text(d, "as"); as != "" {
				l.names[name] = as
			}
			if here := importedAs(d, "@"+name); here != "" {
				l.names[name] = here
			}
		}
	}
	return l
}

func (l links) local(name string) string {
	if here := l.names[name]; here != "" {
		return here
	}
	return name
}

// importedAs finds the name that a link gives to a directive of its specification; empty when it does not name it.
func importedAs(link *ast.Directive, name string) string {
	imports := link.Arguments.ForName("import")
	if imports == nil {
		return ""
	}
	for _, c := range imports.Value.Children {
		as := c.Value.Children.ForName("as")
		switch named := c.Value.Children.ForName("name"); {
		case c.Value.Raw == name:
			return strings.TrimPrefix(name, "@")
		case named == nil || named.Raw != name:
		case as != nil:
			return strings.TrimPrefix(as.Raw, "@")
		default:
			return strings.TrimPrefix(name, "@")
		}
	}
	return ""
}

// declareInaccessible makes sure that the supergraph links the specification and defines its directive, where composition would have.
func (l links) declareInaccessible(doc *ast.SchemaDocument, name string) {
	if l.names["inaccessible"] == "" && len(doc.Schema) > 0 {
		argument := "url"
		if l.directive == "core" {
			argument = "feature"
		}
		doc.Schema[0].Directives = append(doc.Schema[0].Directives, &ast.Directive{Name: l.directive, Arguments: ast.ArgumentList{
			{Name: argument, Value: &ast.Value{Kind: ast.StringValue, Raw: specs + "inaccessible/v0.2"}},
			{Name: "for", Value: &ast.Value{Kind: ast.EnumValue, Raw: "SECURITY"}},
		}})
	}
	if doc.Directives.ForName(name) != nil {
		return
	}
	own, err := parser.ParseSchema(&ast.Source{Name: "inaccessible", Input: inaccessibleDefinition, BuiltIn: true})
	if err != nil {
		panic("contract: the definition of @inaccessible does not parse: " + err.Error())
	}
	own.Directives[0].Name = name
	at := slices.IndexFunc(doc.Directives, func(d *ast.DirectiveDefinition) bool { return d.Name > name })
	if at < 0 {
		at = len(doc.Directives)
	}
	doc.Directives = slices.Insert(doc.Directives, at, own.Directives[0])
}

func text(d *ast.Directive, name string) string {
	if a := d.Arguments.ForName(name); a != nil && a.Value != nil {
		return a.Value.Raw
	}
	return ""
}
