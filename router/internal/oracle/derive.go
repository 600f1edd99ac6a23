package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// Derive writes the subgraphs that a supergraph could have come from, for supergraphs that were written by hand.
func Derive(supergraph string) ([]Source, error) {
	doc, err := parser.ParseSchema(&ast.Source{Name: "supergraph", Input: supergraph})
	if err != nil {
		return nil, err
	}
	graphs := doc.Definitions.ForName("join__Graph")
	if graphs == nil {
		return nil, fmt.Errorf("no join__Graph: not a supergraph")
	}
	var out []Source
	for _, v := range graphs.EnumValues {
		d := deriver{doc: doc, graph: v.Name, name: argument(v.Directives.ForName("join__graph"), "name"), all: graphs.EnumValues}
		var b strings.Builder
		b.WriteString(derivedHeader)
		formatter.NewFormatter(&b).FormatSchemaDocument(d.document())
		out = append(out, Source{d.name, b.String()})
	}
	return out, nil
}

const derivedHeader = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@provides",
  "@override", "@extends", "@interfaceObject", "@inaccessible", "@context", "@fromContext"])
`

// deriver takes one subgraph out of a supergraph.
type deriver struct {
	doc         *ast.SchemaDocument
	graph, name string
	all         ast.EnumValueList
}

func (d deriver) document() *ast.SchemaDocument {
	out := &ast.SchemaDocument{}
	for _, def := range d.doc.Definitions {
		if strings.Contains(def.Name, "__") || def.BuiltIn {
			continue
		}
		joins := d.here(def.Directives, "join__type")
		if len(joins) == 0 && def.Directives.ForName("join__type") != nil {
			continue
		}
		t := d.definition(def, joins)
		if (t.Kind == ast.Object || t.Kind == ast.Interface) && len(t.Fields) == 0 {
			continue
		}
		if len(joins) > 0 && argument(joins[0], "extension") == "true" {
			out.Extensions = append(out.Extensions, t)
		} else {
			out.Definitions = append(out.Definitions, t)
		}
	}
	return out
}

// here are the applications of a directive for this graph.
func (d deriver) here(ds ast.DirectiveList, name string) ast.DirectiveList {
	return slices.DeleteFunc(slices.Clone(ast.DirectiveList(ds.ForNames(name))), func(dir *ast.Directive) bool { return argument(dir, "graph") != d.graph })
}

// joined says whether an element is of this graph: named, or no graph is.
func (d deriver) joined(ds ast.DirectiveList, name string) bool {
	return ds.ForName(name) == nil || len(d.here(ds, name)) > 0
}

func (d deriver) definition(def *ast.Definition, joins ast.DirectiveList) *ast.Definition {
	t := &ast.Definition{Kind: def.Kind, Name: def.Name, Directives: kept(def.Directives)}
	for _, j := range joins {
		if fields := argument(j, "key"); fields != "" {
			k := directive("key", "fields", fields)
			if argument(j, "resolvable") == "false" {
				k.Arguments = append(k.Arguments, &ast.Argument{Name: "resolvable", Value: &ast.Value{Kind: ast.BooleanValue, Raw: "false"}})
			}
			t.Directives = append(t.Directives, k)
		}
	}
	for _, c := range def.Directives.ForNames("context") {
		if graph, name, ok := strings.Cut(argument(c, "name"), "__"); ok && graph == d.name {
			t.Directives = append(t.Directives, directive("context", "name", name))
		}
	}
	if len(joins) > 0 && argument(joins[0], "isInterfaceObject") == "true" {
		t.Kind = ast.Object
		t.Directives = append(t.Directives, &ast.Directive{Name: "interfaceObject"})
	}
	for _, i := range def.Interfaces {
		if other := d.doc.Definitions.ForName(i); other != nil && len(d.here(other.Directives, "join__type")) == 0 && other.Directives.ForName("join__type") != nil {
			continue
		}
		if marks := def.Directives.ForNames("join__implements"); len(marks) == 0 || slices.ContainsFunc(d.here(def.Directives, "join__implements"),
			func(j *ast.Directive) bool { return argument(j, "interface") == i }) {
			t.Interfaces = append(t.Interfaces, i)
		}
	}
	for _, m := range def.Types {
		if marks := def.Directives.ForNames("join__unionMember"); len(marks) == 0 || slices.ContainsFunc(d.here(def.Directives, "join__unionMember"),
			func(j *ast.Directive) bool { return argument(j, "member") == m }) {
			t.Types = append(t.Types, m)
		}
	}
	for _, v := range def.EnumValues {
		if d.joined(v.Directives, "join__enumValue") {
			t.EnumValues = append(t.EnumValues, &ast.EnumValueDefinition{Name: v.Name, Directives: kept(v.Directives)})
		}
	}
	for _, f := range def.Fields {
		if d.joined(f.Directives, "join__field") {
			t.Fields = append(t.Fields, d.field(f))
		}
	}
	return t
}

func (d deriver) field(f *ast.FieldDefinition) *ast.FieldDefinition {
	out := &ast.FieldDefinition{Name: f.Name, Type: f.Type, DefaultValue: f.DefaultValue, Directives: kept(f.Directives)}
	for _, a := range f.Arguments {
		out.Arguments = append(out.Arguments, &ast.ArgumentDefinition{Name: a.Name, Type: a.Type, DefaultValue: a.DefaultValue, Directives: kept(a.Directives)})
	}
	for _, j := range d.here(f.Directives, "join__field") {
		if text := argument(j, "type"); text != "" {
			out.Type = parseType(text)
		}
		for _, name := range []string{"requires", "provides"} {
			if set := argument(j, name); set != "" {
				out.Directives = append(out.Directives, directive(name, "fields", set))
			}
		}
		if argument(j, "external") == "true" {
			out.Directives = append(out.Directives, &ast.Directive{Name: "external"})
		}
		if from := argument(j, "override"); from != "" {
			o := directive("override", "from", from)
			if label := argument(j, "overrideLabel"); label != "" {
				o.Arguments = append(o.Arguments, directive("", "label", label).Arguments...)
			}
			out.Directives = append(out.Directives, o)
		}
		if contexts := j.Arguments.ForName("contextArguments"); contexts != nil {
			for _, c := range contexts.Value.Children {
				_, name, _ := strings.Cut(c.Value.Children.ForName("context").Raw, "__")
				out.Arguments = append(out.Arguments, &ast.ArgumentDefinition{
					Name: c.Value.Children.ForName("name").Raw, Type: parseType(c.Value.Children.ForName("type").Raw),
					Directives: ast.DirectiveList{directive("fromContext", "field", "$"+name+" "+c.Value.Children.ForName("selection").Raw)},
				})
			}
		}
	}
	return out
}

func directive(name, arg, value string) *ast.Directive {
	return &ast.Directive{Name: name, Arguments: ast.ArgumentList{{Name: arg, Value: &ast.Value{Kind: ast.StringValue, Raw: value}}}}
}

// kept are the directives that mean the same in the subgraph.
func kept(ds ast.DirectiveList) ast.DirectiveList {
	if ds.ForName("inaccessible") == nil {
		return nil
	}
	return ast.DirectiveList{{Name: "inaccessible"}}
}

func parseType(text string) *ast.Type {
	doc, err := parser.ParseQuery(&ast.Source{Input: "query($v:" + text + "){f}"})
	if err != nil {
		return ast.NamedType(text, nil)
	}
	return doc.Operations[0].VariableDefinitions[0].Type
}
