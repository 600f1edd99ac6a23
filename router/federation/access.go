package federation

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// readAccess reads @authenticated, @requiresScopes and @policy of a type or a field.
func (l *loader) readAccess(ds ast.DirectiveList) (*Access, error) {
	var a Access
	a.Authenticated = l.links.find(ds, specAuthenticated) != nil
	var err error
	if d := l.links.find(ds, specRequiresScopes); d != nil {
		if a.Scopes, err = alternatives(d, "scopes"); err != nil {
			return nil, err
		}
	}
	if d := l.links.find(ds, specPolicy); d != nil {
		if a.Policies, err = alternatives(d, "policies"); err != nil {
			return nil, err
		}
	}
	if !a.Authenticated && a.Scopes == nil && a.Policies == nil {
		return nil, nil
	}
	return &a, nil
}

// alternatives reads a list of lists of names. One item may stand for a list of it, as in any input. A malformed argument
// is an error and never an open door.
func alternatives(d *ast.Directive, name string) ([][]string, error) {
	arg := d.Arguments.ForName(name)
	if arg == nil || arg.Value == nil || arg.Value.Kind == ast.NullValue {
		return nil, fmt.Errorf("@%s lacks %s", d.Name, name)
	}
	sets := [][]string{}
	for _, set := range items(arg.Value) {
		names := []string{}
		for _, n := range items(set) {
			if n.Kind != ast.StringValue && n.Kind != ast.BlockValue {
				return nil, fmt.Errorf("@%s(%s:) has %s where a name should be", d.Name, name, n)
			}
			names = append(names, n.Raw)
		}
		sets = append(sets, names)
	}
	return sets, nil
}

func items(v *ast.Value) []*ast.Value {
	if v.Kind != ast.ListValue {
		return []*ast.Value{v}
	}
	list := make([]*ast.Value, len(v.Children))
	for i, c := range v.Children {
		list[i] = c.Value
	}
	return list
}
