package federation

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// ownTypes completes types with an owner (@join__owner, join v0.1 and v0.2). There an extension names its keys but not the fields
// in them, and nothing says which fields are external in the subgraph that requires or provides them.
func (l *loader) ownTypes() error {
	for _, t := range l.sg.order {
		owners := l.links.joins(t.Def.Directives, "owner")
		if len(owners) == 0 {
			continue
		}
		owner, err := l.graphArg(owners[0], t.Name)
		if err != nil {
			return err
		}
		for _, f := range t.Fields {
			if len(l.links.joins(f.Def.Directives, "field")) == 0 {
				clear(f.In)
				f.In[owner] = &FieldJoin{Type: f.Def.Type}
			}
		}
		for g, j := range t.In {
			if j == nil {
				continue
			}
			j.Extension = j.Extension || GraphID(g) != owner
			for _, k := range j.Keys {
				l.has(t, GraphID(g), k.Fields, false)
			}
		}
		for _, f := range t.Fields {
			for g, j := range f.In {
				if j != nil {
					l.has(t, GraphID(g), j.Requires, true)
					l.has(l.sg.types[f.Def.Type.Name()], GraphID(g), j.Provides, true)
				}
			}
		}
	}
	return nil
}

// has gives a subgraph the fields of a field set, which it must have in order to name them.
func (l *loader) has(t *Type, g GraphID, set ast.SelectionSet, external bool) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			f := t.fields[sel.Name]
			if f == nil {
				continue
			}
			if f.In[g] == nil {
				f.In[g] = &FieldJoin{Type: f.Def.Type, External: external}
			}
			child := l.sg.types[f.Def.Type.Name()]
			if child.In == nil {
				continue
			}
			if child.In[g] == nil {
				child.In[g] = &TypeJoin{NameIn: child.Name, Extension: true}
			}
			l.has(child, g, sel.SelectionSet, external)
		case *ast.InlineFragment:
			if on := l.sg.types[sel.TypeCondition]; on != nil {
				l.has(on, g, sel.SelectionSet, external)
			} else {
				l.has(t, g, sel.SelectionSet, external)
			}
		}
	}
}
