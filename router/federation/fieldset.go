package federation

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// ParseFieldSet reads the fields argument of @key, @requires and @provides:
// a selection set without its outer braces. Named fragments, aliases and
// variables are not part of a field set and are refused.
func ParseFieldSet(s string) (ast.SelectionSet, error) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Name: "field set", Input: "{" + s + "}"}, 10_000)
	if err != nil {
		return nil, fmt.Errorf("field set %q: %w", s, err)
	}
	if len(doc.Operations) != 1 || len(doc.Fragments) != 0 || len(doc.Operations[0].SelectionSet) == 0 {
		return nil, fmt.Errorf("field set %q: must be one selection", s)
	}
	set := doc.Operations[0].SelectionSet
	if err := checkFieldSet(set); err != nil {
		return nil, fmt.Errorf("field set %q: %w", s, err)
	}
	return set, nil
}

func checkFieldSet(set ast.SelectionSet) error {
	for _, sel := range set {
		var nested ast.SelectionSet
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Alias != sel.Name {
				return fmt.Errorf("alias %q is not allowed", sel.Alias)
			}
			for _, a := range sel.Arguments {
				if hasVariable(a.Value) {
					return fmt.Errorf("a variable in argument %q is not allowed", a.Name)
				}
			}
			nested = sel.SelectionSet
		case *ast.InlineFragment:
			nested = sel.SelectionSet
		case *ast.FragmentSpread:
			return errors.New("named fragments are not allowed")
		}
		if err := checkFieldSet(nested); err != nil {
			return err
		}
	}
	return nil
}

func hasVariable(v *ast.Value) bool {
	if v == nil {
		return false
	}
	if v.Kind == ast.Variable {
		return true
	}
	for _, c := range v.Children {
		if hasVariable(c.Value) {
			return true
		}
	}
	return false
}
