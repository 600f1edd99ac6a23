package federation

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func (l *loader) readFields() error {
	for _, t := range l.sg.order {
		for _, def := range t.Def.Fields {
			if t.fields[def.Name] != nil {
				return at(def.Position, fmt.Errorf("field %s.%s is defined twice", t.Name, def.Name))
			}
			if l.sg.types[def.Type.Name()] == nil {
				return at(def.Position, fmt.Errorf("field %s.%s has an unknown type %s", t.Name, def.Name, def.Type.Name()))
			}
			f := &Field{
				Name: def.Name, Parent: t, Def: def,
				Inaccessible: l.links.find(def.Directives, specInaccessible) != nil,
				In:           make([]*FieldJoin, len(l.sg.subgraphs)),
			}
			var err error
			if f.Access, err = l.readAccess(def.Directives); err != nil {
				return at(def.Position, fmt.Errorf("field %s.%s: %w", t.Name, def.Name, err))
			}
			if err := l.readFieldJoins(f); err != nil {
				return err
			}
			t.Fields = append(t.Fields, f)
			t.fields[f.Name] = f
		}
	}
	return nil
}

func (l *loader) readFieldJoins(f *Field) error {
	joins := l.links.joins(f.Def.Directives, "field")
	if len(joins) == 0 { // resolved wherever the type is
		for g, j := range f.Parent.In {
			if j != nil {
				f.In[g] = &FieldJoin{Type: f.Def.Type}
			}
		}
		return nil
	}
	where := f.Parent.Name + "." + f.Name
	for _, d := range joins {
		if d.Arguments.ForName("graph") == nil {
			continue // the field comes from an interface object; see readInterfaceObjects
		}
		g, err := l.graphArg(d, where)
		if err != nil {
			return err
		}
		if f.Parent.In[g] == nil {
			return at(d.Position, fmt.Errorf("field %s is joined to graph %s, which does not have type %s",
				where, l.sg.subgraphs[g].Name, f.Parent.Name))
		}
		if f.In[g], err = l.readFieldJoin(f, d); err != nil {
			return at(d.Position, fmt.Errorf("field %s: %w", where, err))
		}
	}
	for _, d := range joins {
		if from := stringArg(d, "override"); from != "" {
			g, _ := l.graphArg(d, where)
			l.override(f, g, from, stringArg(d, "overrideLabel"))
		}
	}
	return nil
}

// override gives a field of the subgraph named from to another: wholly, or for requests with the label on. What the old
// owner keeps is for keys and requirements of its own.
func (l *loader) override(f *Field, by GraphID, from, label string) {
	old := slices.IndexFunc(l.sg.subgraphs, func(s Subgraph) bool { return s.Name == from })
	if old < 0 || f.In[old] == nil || GraphID(old) == by {
		return
	}
	switch label {
	case "", "percent(100)":
		f.In[old].External = true
	case "percent(0)":
		f.In[by].External = true
	default:
		// The composer marks the old owner's field as used although overridden: it still is its own while the label is off.
		f.In[old].External = false
		f.In[old].Label, f.In[by].Label, f.In[by].LabelOn = label, label, true
	}
}

func (l *loader) readFieldJoin(f *Field, d *ast.Directive) (*FieldJoin, error) {
	j := &FieldJoin{
		Type:     f.Def.Type,
		External: boolArg(d, "external", false) || boolArg(d, "usedOverridden", false),
	}
	if text := stringArg(d, "type"); text != "" {
		typ, err := parseType(text)
		if err != nil {
			return nil, fmt.Errorf("@join__field(type:): %w", err)
		}
		if l.sg.types[typ.Name()] == nil {
			return nil, fmt.Errorf("@join__field(type:): unknown type %s", typ.Name())
		}
		j.Type = typ
	}
	var err error
	if j.RequiresText = stringArg(d, "requires"); j.RequiresText != "" {
		if j.Requires, err = ParseFieldSet(j.RequiresText); err != nil {
			return nil, fmt.Errorf("@join__field(requires:): %w", err)
		}
	}
	if text := stringArg(d, "provides"); text != "" {
		if j.Provides, err = ParseFieldSet(text); err != nil {
			return nil, fmt.Errorf("@join__field(provides:): %w", err)
		}
	}
	if j.Contexts, err = readContextArguments(d); err != nil {
		return nil, fmt.Errorf("@join__field(contextArguments:): %w", err)
	}
	return j, nil
}

func parseType(s string) (*ast.Type, error) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: "query($v:" + s + "){f}"}, 200)
	if err != nil {
		return nil, err
	}
	if len(doc.Operations) != 1 || len(doc.Operations[0].VariableDefinitions) != 1 {
		return nil, fmt.Errorf("%q is not a type", s)
	}
	return doc.Operations[0].VariableDefinitions[0].Type, nil
}

// readInterfaceObjects gives each implementer of an interface the entry and the fields that a
// subgraph with the interface as an object type has for it.
func (l *loader) readInterfaceObjects() error {
	for _, i := range l.sg.order {
		if i.Kind != ast.Interface {
			continue
		}
		for g, j := range i.In {
			if j == nil || !j.InterfaceObject {
				continue
			}
			j.Possible = i.Possible
			for _, t := range i.Possible {
				if t.In[g] == nil {
					t.In[g] = &TypeJoin{NameIn: i.Name, Keys: j.Keys}
				}
				for _, f := range i.Fields {
					if tf := t.fields[f.Name]; f.In[g] != nil && tf != nil && tf.In[g] == nil {
						tf.In[g] = f.In[g]
					}
				}
			}
		}
	}
	return nil
}

// checkFieldSets makes sure that every key, requirement and provision names fields that exist, so that
// the planner need not ask.
func (l *loader) checkFieldSets() error {
	for _, t := range l.sg.order {
		for _, j := range t.In {
			if j == nil {
				continue
			}
			for _, k := range j.Keys {
				if err := l.checkAgainst(k.Fields, t); err != nil {
					return at(t.Def.Position, fmt.Errorf("type %s, key %q: %w", t.Name, k.Text, err))
				}
			}
		}
		for _, f := range t.Fields {
			for _, j := range f.In {
				if j == nil {
					continue
				}
				if err := l.checkAgainst(j.Requires, t); err != nil {
					return at(f.Def.Position, fmt.Errorf("field %s.%s, requires: %w", t.Name, f.Name, err))
				}
				if err := l.checkAgainst(j.Provides, l.sg.types[f.Def.Type.Name()]); err != nil {
					return at(f.Def.Position, fmt.Errorf("field %s.%s, provides: %w", t.Name, f.Name, err))
				}
			}
		}
	}
	return nil
}

func (l *loader) checkAgainst(set ast.SelectionSet, t *Type) error {
	if len(set) > 0 && !t.IsComposite() {
		return fmt.Errorf("%s has no fields", t.Name)
	}
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if sel.Name == "__typename" {
				continue
			}
			f := t.fields[sel.Name]
			if f == nil {
				return fmt.Errorf("no field %s on %s", sel.Name, t.Name)
			}
			child := l.sg.types[f.Def.Type.Name()]
			if child.IsComposite() && len(sel.SelectionSet) == 0 {
				return fmt.Errorf("field %s.%s needs a selection", t.Name, sel.Name)
			}
			if err := l.checkAgainst(sel.SelectionSet, child); err != nil {
				return err
			}
		case *ast.InlineFragment:
			on := t
			if sel.TypeCondition != "" {
				if on = l.sg.types[sel.TypeCondition]; on == nil {
					return fmt.Errorf("unknown type %s", sel.TypeCondition)
				}
			}
			if err := l.checkAgainst(sel.SelectionSet, on); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) markLocal() error {
	for _, t := range l.sg.order {
		for g, j := range t.In {
			if j == nil {
				continue
			}
			keyed := map[string]bool{}
			if j.Extension {
				for _, k := range j.Keys {
					for _, sel := range k.Fields {
						if f, ok := sel.(*ast.Field); ok {
							keyed[f.Name] = true
						}
					}
				}
			}
			for _, f := range t.Fields {
				if fj := f.In[g]; fj != nil {
					fj.Local = !fj.External || keyed[f.Name]
				}
			}
		}
	}
	return nil
}
