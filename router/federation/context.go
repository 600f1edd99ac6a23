package federation

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// readContexts lists the contexts that a type sets (@context), under the names that composition gave them.
func (l *loader) readContexts(ds ast.DirectiveList) []string {
	var names []string
	for _, d := range l.links.findAll(ds, specContext) {
		if name := stringArg(d, "name"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// readContextArguments reads the arguments that @fromContext fills.
func readContextArguments(d *ast.Directive) ([]ContextArgument, error) {
	list := d.Arguments.ForName("contextArguments")
	if list == nil || list.Value == nil {
		return nil, nil
	}
	var args []ContextArgument
	for _, item := range list.Value.Children {
		text := func(name string) string {
			if v := item.Value.Children.ForName(name); v != nil {
				return strings.TrimSpace(v.Raw)
			}
			return ""
		}
		c := ContextArgument{Name: text("name"), Context: text("context")}
		if c.Name == "" || c.Context == "" {
			return nil, errors.New("an argument needs a name and a context")
		}
		var err error
		if c.Type, err = parseType(text("type")); err != nil {
			return nil, fmt.Errorf("argument %s: %w", c.Name, err)
		}
		if c.Selection, err = parseFieldValue(text("selection")); err != nil {
			return nil, fmt.Errorf("argument %s: %w", c.Name, err)
		}
		args = append(args, c)
	}
	return args, nil
}

// parseFieldValue reads a selection of @fromContext: with outer braces, or type conditions in a row.
func parseFieldValue(s string) (ast.SelectionSet, error) {
	if !strings.HasPrefix(s, "{") {
		return ParseFieldSet(s)
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Name: "selection", Input: s}, 10_000)
	if err != nil {
		return nil, fmt.Errorf("selection %q: %w", s, err)
	}
	if len(doc.Operations) != 1 || len(doc.Fragments) != 0 {
		return nil, fmt.Errorf("selection %q: must be one selection", s)
	}
	if err := checkFieldSet(doc.Operations[0].SelectionSet); err != nil {
		return nil, fmt.Errorf("selection %q: %w", s, err)
	}
	return doc.Operations[0].SelectionSet, nil
}
