//go:build apollo

package compose

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"bourse/router/federation"
)

// meaning writes a supergraph so that two which mean the same read the same: one line for each element, sorted, arguments of
// directives sorted, their defaults left out, field sets in one layout.
func meaning(sdl string) string {
	doc, err := parser.ParseSchema(&ast.Source{Input: sdl})
	if err != nil {
		return "does not parse: " + err.Error()
	}
	var lines []string
	say := func(parts ...string) { lines = append(lines, strings.Join(parts, " ")) }
	for _, s := range doc.Schema {
		say("schema", directivesMeaning(s.Directives))
		for _, op := range s.OperationTypes {
			say("schema", string(op.Operation), op.Type)
		}
	}
	for _, d := range doc.Directives {
		var places []string
		for _, l := range d.Locations {
			places = append(places, string(l))
		}
		slices.Sort(places)
		repeatable := ""
		if d.IsRepeatable {
			repeatable = "repeatable"
		}
		say("directive", d.Name, argumentsMeaning(d.Arguments), repeatable, strings.Join(places, "|"))
	}
	for _, d := range doc.Definitions {
		slices.Sort(d.Interfaces)
		slices.Sort(d.Types)
		say(string(d.Kind), d.Name, "implements", strings.Join(d.Interfaces, "&"), "=", strings.Join(d.Types, "|"), directivesMeaning(d.Directives), strings.TrimSpace(d.Description))
		for _, f := range d.Fields {
			value := ""
			if f.DefaultValue != nil {
				value = "= " + f.DefaultValue.String()
			}
			say(d.Name+"."+f.Name, argumentsMeaning(f.Arguments), f.Type.String(), value, directivesMeaning(f.Directives), strings.TrimSpace(f.Description))
		}
		for _, v := range d.EnumValues {
			say(d.Name+"."+v.Name, directivesMeaning(v.Directives), strings.TrimSpace(v.Description))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func argumentsMeaning(args ast.ArgumentDefinitionList) string {
	var out []string
	for _, a := range args {
		text := a.Name + ":" + a.Type.String()
		if a.DefaultValue != nil {
			text += "=" + a.DefaultValue.String()
		}
		out = append(out, text+directivesMeaning(a.Directives)+strings.TrimSpace(a.Description))
	}
	slices.Sort(out)
	return "(" + strings.Join(out, " ") + ")"
}

func directivesMeaning(dirs ast.DirectiveList) string {
	var out []string
	for _, d := range dirs {
		var args []string
		for _, a := range d.Arguments {
			text := a.Name + ":" + valueMeaning(a.Value)
			if set, err := federation.ParseFieldSet(a.Value.Raw); err == nil && slices.Contains([]string{"key", "requires", "provides"}, a.Name) {
				text = a.Name + ":" + selectionText(set)
			}
			if !slices.Contains([]string{"extension:false", "resolvable:true", "isInterfaceObject:false", "external:false"}, text) {
				args = append(args, text)
			}
		}
		slices.Sort(args)
		out = append(out, "@"+d.Name+"("+strings.Join(args, " ")+")")
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// valueMeaning sorts lists: where order carries meaning in a directive's argument, the tables of golden files have it.
func valueMeaning(v *ast.Value) string {
	if v.Kind != ast.ListValue {
		return v.String()
	}
	var out []string
	for _, c := range v.Children {
		out = append(out, valueMeaning(c.Value))
	}
	slices.Sort(out)
	return "[" + strings.Join(out, " ") + "]"
}
