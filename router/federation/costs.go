package federation

import (
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// Costs are what the supergraph says of costs, by @cost and @listSize. Fields are those of objects, interfaces and input objects.
type Costs struct {
	Types     map[string]int           // objects, scalars and enums
	Fields    map[FieldName]int        //
	Arguments map[ArgumentName]int     //
	Lists     map[FieldName]*ListSizes // of objects and interfaces
}

// FieldName tells a field from all others.
type FieldName struct{ Type, Field string }

// ArgumentName tells an argument from all others.
type ArgumentName struct{ Type, Field, Argument string }

// ListSizes is one @listSize.
type ListSizes struct {
	Assumed    int      // below 0: not given
	Slicing    []string // arguments that say how many items are asked for; a dot leads into an input object
	Sized      []string // fields of the field's type that have that size instead of the field itself
	RequireOne bool     // exactly one slicing argument must be given
}

// Costs are what the supergraph says of costs; nothing in it may be changed.
func (s *Supergraph) Costs() *Costs { return &s.costs }

// readCosts reads the directives of the cost specification, v0.1.
func (l *loader) readCosts() error {
	c := &l.sg.costs
	*c = Costs{Types: map[string]int{}, Fields: map[FieldName]int{}, Arguments: map[ArgumentName]int{}, Lists: map[FieldName]*ListSizes{}}
	for _, t := range l.sg.order {
		if weight, ok, err := l.weight(t.Def.Directives); err != nil {
			return fmt.Errorf("type %s: %w", t.Name, err)
		} else if ok {
			c.Types[t.Name] = weight
		}
		for _, f := range t.Def.Fields {
			if err := l.readFieldCosts(FieldName{t.Name, f.Name}, f); err != nil {
				return at(f.Position, fmt.Errorf("field %s.%s: %w", t.Name, f.Name, err))
			}
		}
	}
	return nil
}

func (l *loader) readFieldCosts(name FieldName, f *ast.FieldDefinition) error {
	c := &l.sg.costs
	weight, ok, err := l.weight(f.Directives)
	if err != nil {
		return err
	}
	if ok {
		c.Fields[name] = weight
	}
	for _, a := range f.Arguments {
		if weight, ok, err = l.weight(a.Directives); err != nil {
			return err
		}
		if ok {
			c.Arguments[ArgumentName{name.Type, name.Field, a.Name}] = weight
		}
	}
	if local := l.links.local(specCost, "listSize"); local != "" {
		if d := f.Directives.ForName(local); d != nil {
			if c.Lists[name], err = listSizes(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) weight(ds ast.DirectiveList) (weight int, ok bool, err error) {
	d := l.links.find(ds, specCost)
	if d == nil {
		return 0, false, nil
	}
	a := d.Arguments.ForName("weight")
	if a == nil || a.Value == nil {
		return 0, false, fmt.Errorf("@%s lacks weight", d.Name)
	}
	weight, err = strconv.Atoi(a.Value.Raw)
	if err != nil || weight > 1<<31-1 || weight < -1<<31 {
		return 0, false, fmt.Errorf("@%s: the weight %q is no Int", d.Name, a.Value.Raw)
	}
	return weight, true, nil
}

func listSizes(d *ast.Directive) (*ListSizes, error) {
	s := &ListSizes{Assumed: -1, RequireOne: boolArg(d, "requireOneSlicingArgument", true)}
	if a := d.Arguments.ForName("assumedSize"); a != nil && a.Value != nil && a.Value.Kind != ast.NullValue {
		n, err := strconv.Atoi(a.Value.Raw)
		if err != nil || n < 0 || n > 1<<31-1 {
			return nil, fmt.Errorf("@%s: the assumed size %q is no size", d.Name, a.Value.Raw)
		}
		s.Assumed = n
	}
	for name, list := range map[string]*[]string{"slicingArguments": &s.Slicing, "sizedFields": &s.Sized} {
		if a := d.Arguments.ForName(name); a != nil && a.Value != nil && a.Value.Kind != ast.NullValue {
			for _, item := range items(a.Value) {
				*list = append(*list, item.Raw)
			}
		}
	}
	return s, nil
}
