package telemetry

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// signatureOf writes an operation, with the fragments that it uses, without what its literals say: numbers are 0, strings "". Names of
// enum values, booleans and which fields of inputs are given stay, because changes of a schema are judged by them.
func signatureOf(text, name string) (string, bool) {
	doc, err := parser.ParseQuery(&ast.Source{Input: text}) // it has been read before, within limits
	if err != nil || len(doc.Operations) == 0 {
		return "", false
	}
	op := doc.Operations[0]
	if name != "" {
		if op = doc.Operations.ForName(name); op == nil {
			return "", false
		}
	}
	s := &signer{doc: doc, used: map[string]bool{}}
	for _, v := range op.VariableDefinitions {
		hide(v.DefaultValue)
		s.directives(v.Directives)
	}
	s.directives(op.Directives)
	s.selections(op.SelectionSet)
	only := &ast.QueryDocument{Operations: ast.OperationList{op}}
	for _, f := range doc.Fragments {
		if s.used[f.Name] {
			only.Fragments = append(only.Fragments, f)
		}
	}
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent(" ")).FormatQueryDocument(only)
	return strings.Join(strings.Fields(b.String()), " "), true // no string is left in which white space would mean anything
}

type signer struct {
	doc  *ast.QueryDocument
	used map[string]bool // fragments
}

func (s *signer) selections(set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			s.arguments(sel.Arguments)
			s.directives(sel.Directives)
			s.selections(sel.SelectionSet)
		case *ast.InlineFragment:
			s.directives(sel.Directives)
			s.selections(sel.SelectionSet)
		case *ast.FragmentSpread:
			s.directives(sel.Directives)
			def := s.doc.Fragments.ForName(sel.Name)
			if def != nil && !s.used[sel.Name] {
				s.used[sel.Name] = true
				s.directives(def.Directives)
				s.selections(def.SelectionSet)
			}
		}
	}
}

func (s *signer) directives(list ast.DirectiveList) {
	for _, d := range list {
		s.arguments(d.Arguments)
	}
}

func (s *signer) arguments(list ast.ArgumentList) {
	for _, a := range list {
		hide(a.Value)
	}
}

// hide takes what a literal says out of it. Items of a list that look alike afterwards are one.
func hide(v *ast.Value) {
	if v == nil {
		return
	}
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		v.Raw = "0"
	case ast.StringValue, ast.BlockValue:
		v.Kind, v.Raw = ast.StringValue, ""
	}
	for _, c := range v.Children {
		hide(c.Value)
	}
	if v.Kind == ast.ListValue {
		var seen []string
		v.Children = slices.DeleteFunc(v.Children, func(c *ast.ChildValue) bool {
			text := c.Value.String()
			known := slices.Contains(seen, text)
			seen = append(seen, text)
			return known
		})
	}
}
