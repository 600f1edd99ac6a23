package cost

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/federation"
)

// Options of a Model.
type Options struct {
	ListSize int // assumed of lists of which nothing is known; default 10
	Mutation int // base of a mutation; default 10, below 0: none
}

// Model is what a supergraph says of costs. It is immutable.
type Model struct {
	sg    *federation.Supergraph
	costs *federation.Costs
	o     Options
}

// New makes the model of a supergraph.
func New(sg *federation.Supergraph, o Options) *Model {
	if o.ListSize <= 0 {
		o.ListSize = 10
	}
	switch {
	case o.Mutation == 0:
		o.Mutation = 10
	case o.Mutation < 0:
		o.Mutation = 0
	}
	return &Model{sg: sg, costs: sg.Costs(), o: o}
}

// Most is where costs stop growing.
const Most = 1 << 50

// SlicingError says that a field wants exactly one of its slicing arguments (requireOneSlicingArgument).
type SlicingError struct {
	Field     string // Type.field
	Arguments []string
	Given     int
	Position  *ast.Position
}

func (e *SlicingError) Error() string {
	return fmt.Sprintf("%s needs exactly one of the arguments %s, and has %d of them", e.Field, list(e.Arguments), e.Given)
}

func list(names []string) string {
	text := ""
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += " and "
		default:
			text += ", "
		}
		text += n
	}
	return text
}

// weight is what one value of a field costs, without its selections.
func (m *Model) weight(on *ast.Definition, f *ast.FieldDefinition) int {
	if w, ok := m.costs.Fields[federation.FieldName{Type: on.Name, Field: f.Name}]; ok {
		return w
	}
	w := m.ofType(f.Type.Name())
	if on.Kind == ast.Interface { // @cost has no place on fields of interfaces
		for i, t := range m.sg.Type(on.Name).Possible {
			own := t.Field(f.Name)
			if own == nil {
				continue
			}
			if of := m.weight(t.Def, own.Def); i == 0 || of > w {
				w = of
			}
		}
	}
	return w
}

// ofType is what a value of a type costs.
func (m *Model) ofType(name string) int {
	if w, ok := m.costs.Types[name]; ok {
		return w
	}
	t := m.sg.Type(name)
	switch {
	case t == nil || !t.IsComposite():
		return 0
	case t.IsAbstract():
		w := 0
		for i, p := range t.Possible {
			if of := m.ofType(p.Name); i == 0 || of > w {
				w = of
			}
		}
		if len(t.Possible) > 0 {
			return w
		}
	}
	return 1
}

// sizes are what the schema says of the size of a field on a type.
func (m *Model) sizes(on *ast.Definition, field string) *federation.ListSizes {
	return m.costs.Lists[federation.FieldName{Type: on.Name, Field: field}]
}

// ofInput is what an input of a type costs that has a weight of its own or none.
func (m *Model) ofInput(own int, given bool, typ string) int {
	if given {
		return own
	}
	if t := m.sg.Type(typ); t != nil && t.Kind == ast.InputObject {
		return 1
	}
	return m.costs.Types[typ]
}

// free says whether no value of an input type costs anything.
func (m *Model) free(own int, given bool, typ string) bool {
	t := m.sg.Type(typ)
	return m.ofInput(own, given, typ) == 0 && (t == nil || t.Kind != ast.InputObject)
}
